"""Predict every region from every other one alone: the region-to-region matrix.

Examples
--------
  mtm-core region-matrix RUN S.h5
  mtm-core region-matrix RUN S.h5 --level cosmos --units 40 --draws 20 --figure matrix.pdf
  mtm-core region-matrix RUN S.h5 --csv matrix.csv --json matrix.json --no-regression
  mtm-core region-matrix RUN S.h5 --truth FOLDER       (FOLDER: what mtm-core simulate wrote)

Rows: the only region in view. Columns: the region predicted. Every region is represented by
equally many units, drawn anew several times. The matrix is predictive, not causal: regions that
share a cause predict each other as well as regions that talk. What is done is kept, so that a
stopped command goes on where it was. A model serves it that was trained to see few regions or one:
mtm-core train --preset quick-subset.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtm_core.cli.computing import add_compute_arguments, chosen_backend

if TYPE_CHECKING:
    from mtm_core.data.simulated_truth import GroundTruth
    from mtm_core.evaluation.region_matrix import RegionMatrix
    from mtm_core.evaluation.region_matrix_plan import MatrixSettings
    from mtm_core.evaluation.region_matrix_report import MatrixReport

LEVELS = ("given", "beryl", "cosmos")
NULLS = ("psth_by_condition", "psth_all_trials")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `mtm-core region-matrix`."""
    parser.add_argument("checkpoint", metavar="CKPT", help="checkpoint, run folder, or demo")
    parser.add_argument(
        "session", metavar="S.h5", help="session, or the beginning of a bundled session's name"
    )
    parser.add_argument(
        "--level", choices=LEVELS, default="given", help="names of regions (default: given)"
    )
    parser.add_argument(
        "--min-units", type=int, default=10, metavar="N", help="leave out smaller regions"
    )
    parser.add_argument(
        "--units",
        type=int,
        default=0,
        metavar="N",
        help="units that represent each region; 0: as many as the smallest has (default: 0)",
    )
    parser.add_argument(
        "--draws", type=int, default=10, metavar="N", help="draws of these units (default: 10)"
    )
    parser.add_argument(
        "--split", choices=("test", "val", "train"), default="test", help="which trials"
    )
    parser.add_argument(
        "--null",
        choices=NULLS,
        default="psth_by_condition",
        help="what scores are gains over (default: psth_by_condition)",
    )
    parser.add_argument("--no-regression", action="store_true", help="leave out the rival")
    parser.add_argument("--seed", type=int, default=0, help="of draws and intervals")
    _add_outputs(parser)
    parser.add_argument(
        "--truth",
        type=Path,
        metavar="FOLDER",
        help="simulated session, or its _mtm_truth.h5: compare with the known coupling",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="FOLDER",
        help="where what is done is kept (default: the cache folder of your account)",
    )
    parser.add_argument("--fresh", action="store_true", help="do not go on from what was kept")
    add_compute_arguments(parser)


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", type=Path, metavar="OUT.json", help="write all numbers there ('-': stdout)"
    )
    parser.add_argument("--csv", type=Path, metavar="OUT.csv", help="write a line for each cell")
    parser.add_argument(
        "--figure", type=Path, metavar="F.png|svg|pdf", help="draw the matrix there"
    )


def run(args: argparse.Namespace) -> int:
    """Fill the matrix; print it, write the numbers, draw the figure."""
    from mtm_core.cli import output
    from mtm_core.cli.evaluate import STDOUT
    from mtm_core.cli.region_matrix_text import matrix_text
    from mtm_core.data.truth_file import read_truth
    from mtm_core.models.backend import use_backend

    _check_outputs(args)
    settings = _settings(args)
    truth = None if args.truth is None else read_truth(args.truth)
    backend = chosen_backend(args)
    with use_backend(backend):
        matrix = _open(args, settings, backend.device)
        _check_truth(matrix, truth)
        _fill(matrix)
        report = matrix.report(args.null)
    values = {**report.to_dict(), **_recovery(report, truth)}
    _write(args, report, values)
    if args.json == STDOUT:
        output.show_json(values)
        return 0
    output.show(matrix_text(report, values))
    for path in (args.json, args.csv, args.figure):
        if path is not None:
            output.show(f"Wrote {path}")
    return 0


def _check_outputs(args: argparse.Namespace) -> None:
    from mtm_core.cli.evaluate import check_writable

    for path in (args.json, args.csv):
        check_writable(path)
    if args.figure is not None:
        from mtm_core.figures.picture_file import check_path

        check_path(args.figure)


def _settings(args: argparse.Namespace) -> MatrixSettings:
    from mtm_core.evaluation.region_matrix_plan import MatrixSettings

    return MatrixSettings(
        level=args.level,
        min_units=args.min_units,
        n_units=args.units,
        n_draws=args.draws,
        split=args.split,
        with_regression=not args.no_regression,
        seed=args.seed,
    )


def _open(args: argparse.Namespace, settings: MatrixSettings, device: str) -> RegionMatrix:
    """Bring model and session together, and find what was done before."""
    from mtm_core.cli import output
    from mtm_core.cli.bound_model import find_model
    from mtm_core.cli.info import find
    from mtm_core.data.session_file import read_session
    from mtm_core.evaluation.region_matrix import RegionMatrix
    from mtm_core.evaluation.region_matrix_file import default_folder
    from mtm_core.inference import Reconstructor
    from mtm_core.models.answers import AnswerMemory
    from mtm_core.models.checkpoint import load_checkpoint

    session = read_session(find(args.session))
    checkpoint = load_checkpoint(find_model(args.checkpoint), device, session.session_id)
    bound = Reconstructor(checkpoint, session, memory=AnswerMemory(max_bytes=0))
    folder = args.cache or default_folder()
    matrix = RegionMatrix(bound, settings, folder, is_fresh=args.fresh)
    if matrix.n_found:
        output.note(
            f"{matrix.n_found} of {matrix.n_steps} steps were done before; --fresh does all anew."
        )
    return matrix


def _fill(matrix: RegionMatrix) -> None:
    """Do what is left, with a progress bar and the time that is left."""
    from mtm_core.cli import output

    total, found = matrix.n_steps, matrix.n_found
    if found == total:
        return
    try:
        with output.progress(total, "Region-to-region matrix") as bar:
            bar.update(found)
            bar.bar_format = "{desc}: {percentage:3.0f}% |{bar}| {n_fmt}/{total_fmt}{postfix}"
            for done in matrix.fill():
                bar.set_postfix_str(f"about {duration(done.seconds_left)} left", refresh=False)
                bar.update(done.n_done - bar.n)
    except KeyboardInterrupt:
        output.note("What is done is kept: the same command goes on from here.")
        raise


def duration(seconds: float) -> str:
    """Say a time in words.

    Examples
    --------
    >>> duration(0.4), duration(42), duration(170), duration(7300)
    ('1 s', '42 s', '3 min', '2.0 h')
    """
    if seconds < 100:
        return f"{max(round(seconds), 1)} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _check_truth(matrix: RegionMatrix, truth: GroundTruth | None) -> None:
    """Refuse another simulation's truth before minutes are spent."""
    from mtm_core.evaluation.coupling_recovery import coupling_between

    if truth is not None:
        coupling_between(matrix.plan.regions, truth, matrix.settings.level)


def _recovery(report: MatrixReport, truth: GroundTruth | None) -> dict[str, Any]:
    import dataclasses

    from mtm_core.evaluation.coupling_recovery import recover_coupling

    if truth is None:
        return {}
    found = {
        source: dataclasses.asdict(
            recover_coupling(report.grid(source)[0], report.regions, truth, report.header["level"])
        )
        for source in report.header["sources"]
    }
    return {"coupling_recovery": found}


def _write(args: argparse.Namespace, report: MatrixReport, values: dict[str, Any]) -> None:
    from mtm_core.cli import output
    from mtm_core.cli.evaluate import STDOUT
    from mtm_core.evaluation.region_matrix_report import write_csv

    if args.json is not None and args.json != STDOUT:
        output.write_json(args.json, values)
    if args.csv is not None:
        write_csv(report, args.csv)
    if args.figure is not None:
        from mtm_core.figures.region_matrix import draw_region_matrix

        draw_region_matrix(report, args.figure)
