"""Write predictions in BrainWideBench's format, and score them: BWB format, own split.

Examples
--------
  mtm-core export-bwb demo S.h5 --out bwb
  mtm-core export-bwb RUN S.h5 --out bwb --score          (by the benchmark's package as well)
  mtm-core export-bwb RUN S.h5 --out bwb --tasks co_smoothing --units 'rate_hz > 0.5'
  python -m ibl_bwb_eval.scoring.aggregation --pred_dir bwb/predictions --gt_dir bwb/ground_truth

Trials are those that the checkpoint's own split keeps for the test, so that no score is one of
BrainWideBench: docs/export_bwb.md says what else differs. Several models, seeds and sessions may
share one folder.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mtm_core.export.bwb import BwbSettings

TASKS = (
    "co_smoothing",
    "forecasting",
    "choice",
    "reward",
    "wheel_speed",
    "whisker_motion_energy",
)
FEATURES = ("log_rate", "states", "counts")
SPLITS = ("test", "val")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `mtm-core export-bwb`."""
    parser.add_argument("checkpoint", metavar="CKPT", help="checkpoint, run folder, or demo")
    parser.add_argument(
        "session", metavar="S.h5", help="session, or the beginning of a bundled session's name"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="gets the folders predictions and ground_truth",
    )
    parser.add_argument(
        "--tasks",
        nargs="+",
        choices=TASKS,
        default=(),
        help="which tasks (default: all that the session allows)",
    )
    parser.add_argument(
        "--label",
        metavar="NAME",
        help="name of the model, to which -own-split is added (default: that of its preset)",
    )
    parser.add_argument(
        "--units",
        metavar="RULE",
        help="units that co-smoothing and forecasting score (default: 'rate_hz > 1', and good "
        "where that is known, as in the benchmark)",
    )
    parser.add_argument(
        "--features",
        choices=FEATURES,
        default="log_rate",
        help="what behaviour is decoded from (default: log_rate, the model's output)",
    )
    parser.add_argument(
        "--split", choices=SPLITS, default="test", help="which trials (default: test)"
    )
    parser.add_argument(
        "--score",
        action="store_true",
        help="score by the package ibl-bwb-eval too (docs/export_bwb.md says how to install it)",
    )
    parser.add_argument(
        "--json", type=Path, metavar="OUT.json", help="write all numbers there ('-': stdout)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")


def run(args: argparse.Namespace) -> int:
    """Export; print what was written and what it scores."""
    from mtm_core.cli import output
    from mtm_core.cli.bound_model import find_model
    from mtm_core.cli.evaluate import STDOUT, Progress, check_writable
    from mtm_core.cli.export_bwb_text import export_text
    from mtm_core.cli.info import find
    from mtm_core.data.session_file import read_session
    from mtm_core.export.bwb import export_bwb
    from mtm_core.models.backend import probe_backend, resolve_device, use_backend
    from mtm_core.models.checkpoint import load_checkpoint

    check_writable(args.json)
    device = resolve_device(args.device)
    session = read_session(find(args.session))
    checkpoint = load_checkpoint(find_model(args.checkpoint), device, session.session_id)
    with Progress() as progress, use_backend(probe_backend(device)):
        report = export_bwb(checkpoint, session, args.out, _settings(args), on_step=progress.tell)
    values = report.to_dict()
    if args.json == STDOUT:
        output.show_json(values)
        return 0
    output.show(export_text(values))
    if args.json is not None:
        output.write_json(args.json, values)
        output.show(f"Wrote {args.json}")
    return 0


def _settings(args: argparse.Namespace) -> BwbSettings:
    from mtm_core.export.bwb import BwbSettings

    return BwbSettings(
        tasks=tuple(args.tasks),
        label=args.label,
        units=args.units,
        features=args.features,
        split=args.split,
        with_evaluator=args.score,
    )
