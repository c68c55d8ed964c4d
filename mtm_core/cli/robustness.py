"""Score a checkpoint while it is shown fewer units, more noise, or fewer spikes.

Examples
--------
  mtm-core robustness demo S.h5
  mtm-core robustness RUN S.h5 --tasks inter_region --draws 5 --figure robustness.pdf
  mtm-core robustness RUN S.h5 --units 0 --dropped 0.5 0.9 --added --thinned --json curves.json

Units are hidden at random (--dropped), spikes added as Poisson noise (--added) or deleted
(--thinned), in what the model sees only; a flag without numbers leaves that out. The model is
neither retrained nor told.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mtm_core.cli.computing import add_compute_arguments, chosen_backend

if TYPE_CHECKING:
    from mtm_core.evaluation.robustness import RobustnessSettings

TASKS = ("co_smoothing", "forward_prediction", "intra_region", "inter_region")
SPLITS = ("test", "val", "train")
NULLS = ("train_mean", "test_mean", "psth")
KINDS = {
    "dropped": "fractions of the visible units to drop (default: 0.1 0.25 0.5 0.75 0.9)",
    "added": "noise in multiples of each unit's mean rate (default: 0.1 0.25 0.5 0.75 1)",
    "thinned": "fractions of the visible spikes to delete (default: 0.1 0.25 0.5 0.75 0.9)",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `mtm-core robustness`."""
    parser.add_argument("checkpoint", metavar="CKPT", help="checkpoint, run folder, or demo")
    parser.add_argument(
        "session", metavar="S.h5", help="session, or the beginning of a bundled session's name"
    )
    parser.add_argument(
        "--tasks",
        nargs="+",
        choices=TASKS,
        default=("co_smoothing", "inter_region"),
        help="which tasks (default: co_smoothing inter_region)",
    )
    parser.add_argument(
        "--split", choices=SPLITS, default="test", help="which trials (default: test)"
    )
    for kind, what in KINDS.items():
        parser.add_argument(f"--{kind}", nargs="*", type=float, metavar="LEVEL", help=what)
    parser.add_argument(
        "--draws", type=int, default=3, metavar="N", help="draws for each strength (default: 3)"
    )
    parser.add_argument(
        "--units",
        type=int,
        default=50,
        metavar="N",
        help="score a random sample of so many units where one is hidden at a time; 0: all "
        "(default: 50)",
    )
    parser.add_argument(
        "--null", choices=NULLS, default="train_mean", help="what scores are gains over"
    )
    parser.add_argument("--seed", type=int, default=0, help="of units, noise and intervals")
    parser.add_argument(
        "--json", type=Path, metavar="OUT.json", help="write all numbers there ('-': stdout)"
    )
    parser.add_argument(
        "--figure", type=Path, metavar="F.png|svg|pdf", help="draw the curves there"
    )
    add_compute_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Score; print the tables, write the numbers, draw the figure."""
    from mtm_core.cli import output
    from mtm_core.cli.bound_model import find_model
    from mtm_core.cli.evaluate import STDOUT, Progress, check_writable
    from mtm_core.cli.info import find
    from mtm_core.cli.robustness_text import robustness_text
    from mtm_core.data.session_file import read_session
    from mtm_core.evaluation.robustness import evaluate_robustness
    from mtm_core.models.backend import use_backend
    from mtm_core.models.checkpoint import load_checkpoint

    check_writable(args.json)
    if args.figure is not None:
        from mtm_core.figures.picture_file import check_path

        check_path(args.figure)
    settings = _settings(args)
    backend = chosen_backend(args)
    session = read_session(find(args.session))
    checkpoint = load_checkpoint(find_model(args.checkpoint), backend.device, session.session_id)
    with Progress() as progress, use_backend(backend):
        report = evaluate_robustness(
            checkpoint, session, args.tasks, settings, on_step=progress.tell
        )
    values = report.to_dict()
    if args.figure is not None:
        from mtm_core.figures.robustness import draw_robustness

        draw_robustness(report, args.figure)
    if args.json == STDOUT:
        output.show_json(values)
        return 0
    output.show(robustness_text(values))
    if args.json is not None:
        output.write_json(args.json, values)
    for path in (args.json, args.figure):
        if path is not None:
            output.show(f"Wrote {path}")
    return 0


def _settings(args: argparse.Namespace) -> RobustnessSettings:
    from mtm_core.errors import ConfigError
    from mtm_core.evaluation.robustness import LEVELS, RobustnessSettings

    typed = {kind: getattr(args, kind) for kind in LEVELS}
    levels = {
        kind: usual if typed[kind] is None else tuple(typed[kind])
        for kind, usual in LEVELS.items()
        if typed[kind] is None or typed[kind]
    }
    if not levels:
        msg = "Nothing is left to try: give --dropped, --added or --thinned some numbers."
        raise ConfigError(msg)
    return RobustnessSettings(
        levels=levels,
        n_draws=args.draws,
        n_units=args.units,
        split=args.split,
        null=args.null,
        seed=args.seed,
    )
