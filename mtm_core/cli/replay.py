"""Compute an experiment anew: its numbers, compared with those that were saved, and its figure.

Examples
--------
  mtm-core replay CA1.mtm.json --out replayed
  mtm-core replay figure.png --out replayed
  mtm-core replay CA1.mtm.json --out replayed --session S.h5 --model runs/s12

FILE is what mtm-viewer saved: an experiment, or a figure (PNG, SVG, PDF), which carries its own.
Session and models are looked for where they were, beside FILE, and among what came along; they
must hold what the experiment was made with. On the machine and with the software that made it the
numbers must come out to a millionth of a bit per spike (CPU, fp32); elsewhere to 0.0001, or to
--tolerance. Exit code 1: some number did not.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mtm_core.experiment.comparison import Comparison
    from mtm_core.experiment.computation import Bound, Outcome
    from mtm_core.experiment.finding import Places
    from mtm_core.experiment.record import Experiment
    from mtm_core.models.backend import Backend

EXIT_DIFFERS = 1
FORMATS = ("png", "svg", "pdf", "none")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `mtm-core replay`."""
    parser.add_argument("file", type=Path, metavar="FILE", help="experiment, or a figure of one")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for numbers and figure"
    )
    parser.add_argument("--session", metavar="S.h5", help="the session, if it has moved")
    parser.add_argument("--model", metavar="CKPT", help="the checkpoint, if it has moved")
    parser.add_argument("--baseline", metavar="CKPT", help="the temporal model, if it has moved")
    parser.add_argument(
        "--with",
        dest="opponent",
        metavar="CKPT",
        help="the model that was compared with, if it has moved",
    )
    parser.add_argument(
        "--tolerance",
        type=_tolerance,
        metavar="BPS",
        help="largest difference that counts as the same (1e-6 where all is alike, else 0.0001)",
    )
    parser.add_argument(
        "--figure", choices=FORMATS, default="png", help="format of the figure (png)"
    )


def run(args: argparse.Namespace) -> int:
    """Replay, write what came out, and say which numbers differ."""
    from mtm_core.cli import output
    from mtm_core.experiment.comparison import compare
    from mtm_core.experiment.computation import bind_experiment, compute
    from mtm_core.experiment.files import read_experiment
    from mtm_core.experiment.process_backend import (
        backend_like,
        expected_tolerance,
        other_software,
    )
    from mtm_core.models.backend import use_backend

    experiment = read_experiment(args.file)
    _make_folder(args.out)
    backend, other_machine = backend_like(experiment.backend)
    differs = "; ".join(filter(None, (other_machine, other_software(experiment.versions))))
    expected = expected_tolerance(backend, differs)
    tolerance = expected if args.tolerance is None else args.tolerance
    bound = bind_experiment(experiment, _places(args), device=backend.device)
    with (
        use_backend(backend),
        output.progress(bound.n_answers, "Replaying", "trial") as bar,
    ):
        outcome = compute(bound, bar.update)
    pairs = compare(experiment.numbers, outcome.numbers)
    _write(args, bound, outcome, backend, pairs=pairs, tolerance=tolerance, differs=differs)
    return _report(experiment, outcome, pairs, tolerance=tolerance, differs=differs)


def _tolerance(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        msg = f"'{word}' is no tolerance: give a number of bits per spike, 0 or more"
        raise argparse.ArgumentTypeError(msg)
    return value


def _make_folder(path: Path) -> None:
    from mtm_core.errors import OutputError

    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"--out {path} cannot be made a folder: {(error.strerror or '').lower()}."
        raise OutputError(msg) from error


def _places(args: argparse.Namespace) -> Places:
    from mtm_core.cli.bound_model import find_model
    from mtm_core.cli.info import find
    from mtm_core.experiment.finding import Places

    return Places(
        session=None if args.session is None else find(args.session),
        model=None if args.model is None else find_model(args.model),
        baseline=None if args.baseline is None else find_model(args.baseline),
        opponent=None if args.opponent is None else find_model(args.opponent),
        beside=args.file.absolute().parent,
    )


def _write(
    args: argparse.Namespace,
    bound: Bound,
    outcome: Outcome,
    backend: Backend,
    *,
    pairs: Sequence[Comparison],
    tolerance: float,
    differs: str,
) -> None:
    """Write numbers, figure and caption; the figure carries the replayed experiment."""
    import dataclasses

    from mtm_core.cli import output
    from mtm_core.experiment.caption import caption
    from mtm_core.experiment.files import attachment_of
    from mtm_core.experiment.picture import picture_of, sigma_of
    from mtm_core.experiment.record_json import to_dict
    from mtm_core.figures.raster import SIGMA_S, draw_raster
    from mtm_core.models.manifest import software_versions
    from mtm_core.resources import atomic_write

    replayed = dataclasses.replace(
        bound.experiment,
        numbers=outcome.numbers,
        backend=backend,
        versions=software_versions(),
    )
    numbers: dict[str, Any] = {
        "experiment": str(args.file),
        "title": bound.experiment.title,
        "session": bound.experiment.session.session_id,
        "is_simulated": bound.experiment.session.is_simulated,
        "is_reproduced": all(pair.is_within(tolerance) for pair in pairs) if pairs else None,
        "tolerance": tolerance,
        "backend": backend.describe(),
        "differs_from_the_original": differs,
        "compared": [_pair_to_dict(pair, tolerance) for pair in pairs],
        "numbers": to_dict(replayed)["numbers"],
    }
    output.write_json(args.out / "numbers.json", numbers)
    if args.figure != "none":
        path = args.out / f"raster.{args.figure}"
        sigma_s = sigma_of(bound, SIGMA_S)
        content = picture_of(bound, outcome)
        draw_raster(content, path, sigma_s=sigma_s, attachment=attachment_of(replayed))
        with atomic_write(args.out / "raster.caption.txt") as temporary:
            temporary.write_text(caption(replayed, bound.session), encoding="utf-8")
        output.show(f"Wrote {path}, raster.caption.txt and numbers.json")
    else:
        output.show(f"Wrote {args.out / 'numbers.json'}")


def _pair_to_dict(pair: Comparison, tolerance: float) -> dict[str, Any]:
    return {
        "who": pair.who,
        "what": pair.what,
        "saved": pair.saved,
        "replayed": pair.replayed,
        "difference": pair.difference,
        "is_within_tolerance": pair.is_within(tolerance),
    }


def _report(
    experiment: Experiment,
    outcome: Outcome,
    pairs: Sequence[Comparison],
    *,
    tolerance: float,
    differs: str,
) -> int:
    from mtm_core.cli import output
    from mtm_core.experiment.caption import compared_lines, score_words

    output.show(experiment.title)
    for score in outcome.numbers.predictors:
        output.show(f"  {score_words(score)} bits/spike beyond PSTH")
    for line in compared_lines(outcome.numbers):
        output.show(f"  {line}")
    if differs:
        output.note(f"Not the machine and software that made it: {differs}.")
    if not pairs:
        output.show("The experiment holds no numbers to compare with.")
        return 0
    wrong = [pair for pair in pairs if not pair.is_within(tolerance)]
    allowed = "exactly" if tolerance == 0 else f"within {tolerance:g}"
    if not wrong:
        output.show(f"All {len(pairs)} saved numbers came out again, {allowed}.")
        return 0
    output.show(f"{len(wrong)} of {len(pairs)} saved numbers did not come out again {allowed}:")
    rows = [(p.who, p.what, _text(p.saved), _text(p.replayed), _text(p.difference)) for p in wrong]
    output.show_table(("prediction", "number", "saved", "replayed", "difference"), rows)
    return EXIT_DIFFERS


def _text(value: float | None) -> str:
    """Write a number with all digits that could tell it from another."""
    if value is None:
        return "none"
    return str(value) if isinstance(value, int) else f"{value:.9g}"
