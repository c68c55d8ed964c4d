"""Decode behaviour from a checkpoint's output and hidden states, beside raw counts.

Examples
--------
  mtm-core decode demo S.h5
  mtm-core decode RUN S.h5 --targets choice whisker_motion_energy --json decoding.json
  mtm-core decode RUN S.h5 --targets choice --until end       (the whole window, as published)
  mtm-core decode RUN S.h5 --targets contrast_side --region VISp
  mtm-core decode RUN S.h5 --targets block --each-region --chance 100

The model is frozen and sees all units (or one region's) of a trial; decoders are fitted to the
trials that it was trained and validated on, and scored on its test trials.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mtm_core.cli.computing import add_compute_arguments, chosen_backend

if TYPE_CHECKING:
    from mtm_core.data.session import Session
    from mtm_core.evaluation.decoding import DecodingSettings

FEATURES = ("log_rate", "states", "counts")
SPLITS = ("test", "val")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `mtm-core decode`."""
    parser.add_argument("checkpoint", metavar="CKPT", help="checkpoint, run folder, or demo")
    parser.add_argument(
        "session", metavar="S.h5", help="session, or the beginning of a bundled session's name"
    )
    parser.add_argument(
        "--targets",
        nargs="+",
        default=(),
        metavar="NAME",
        help="choice, contrast_side, reward, block, or any signal of the session such as "
        "whisker_motion_energy or wheel_speed (default: all that it has)",
    )
    parser.add_argument(
        "--features",
        nargs="+",
        choices=FEATURES,
        default=FEATURES,
        help="the model's output, its hidden states, the raw counts (default: all)",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--region", metavar="ACRONYM", help="hide everything but this region")
    where.add_argument(
        "--each-region", action="store_true", help="each region of 5 units or more, in turn"
    )
    parser.add_argument(
        "--prompt",
        default="auto",
        metavar="NAME",
        help="how the model is told; auto (the default): causal for signals and features that end "
        "early, intra_region for a region, else neuron",
    )
    parser.add_argument(
        "--until",
        default="auto",
        metavar="WHEN",
        help="where the features of choice, side, reward and block end: movement, stimulus, end, "
        "or seconds after the align event; auto (the default): at the first movement for "
        "choice, at the stimulus for block, where these are known",
    )
    parser.add_argument(
        "--chance", type=int, metavar="N", help="targets drawn for chance; 0: none (default: 200)"
    )
    parser.add_argument(
        "--split", choices=SPLITS, default="test", help="which trials to score (default: test)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of folds, intervals and chance")
    parser.add_argument(
        "--json", type=Path, metavar="OUT.json", help="write all numbers there ('-': stdout)"
    )
    add_compute_arguments(parser)
    parser.add_argument(
        "--allow-overlap",
        action="store_true",
        help="accept a session that lacks units of the checkpoint: they are hidden",
    )


def run(args: argparse.Namespace) -> int:
    """Decode; print the tables, or write the numbers as JSON."""
    from mtm_core.cli import output
    from mtm_core.cli.bound_model import find_model
    from mtm_core.cli.decode_text import decoding_text, regions_text
    from mtm_core.cli.evaluate import STDOUT, Progress, check_writable
    from mtm_core.cli.info import find
    from mtm_core.data.session_file import read_session
    from mtm_core.evaluation.decoding import decode_regions
    from mtm_core.models.backend import use_backend
    from mtm_core.models.checkpoint import load_checkpoint

    check_writable(args.json)
    settings = _settings(args)
    backend = chosen_backend(args)
    session = read_session(find(args.session))
    checkpoint = load_checkpoint(find_model(args.checkpoint), backend.device, session.session_id)
    regions = _regions(session) if args.each_region else (args.region,)
    with Progress() as progress, use_backend(backend):
        reports = decode_regions(
            checkpoint,
            session,
            regions,
            args.targets,
            settings,
            allow_overlap=args.allow_overlap,
            on_step=progress.tell,
        )
    by_region = {name or "": report.to_dict() for name, report in reports.items()}
    values = {"regions": by_region} if args.each_region else by_region[args.region or ""]
    if args.json == STDOUT:
        output.show_json(values)
        return 0
    output.show(regions_text(by_region) if args.each_region else decoding_text(values))
    if args.json is not None:
        output.write_json(args.json, values)
        output.show(f"Wrote {args.json}")
    return 0


def _settings(args: argparse.Namespace) -> DecodingSettings:
    from mtm_core.errors import ConfigError
    from mtm_core.evaluation.decoding import N_CHANCE, DecodingSettings

    n_chance = N_CHANCE if args.chance is None else args.chance
    if n_chance < 0:
        msg = f"--chance is {n_chance}, but must be 0 or more."
        raise ConfigError(msg)
    return DecodingSettings(
        features=tuple(dict.fromkeys(args.features)),
        prompt=args.prompt,
        until=args.until,
        split=args.split,
        n_chance=n_chance,
        seed=args.seed,
    )


def _regions(session: Session) -> tuple[str, ...]:
    from mtm_core.errors import MaskError
    from mtm_core.masking.targets import target_regions
    from mtm_core.masking.tasks import MIN_REGION_UNITS

    regions = target_regions(session.region, MIN_REGION_UNITS)
    if not regions:
        msg = f"This session has no named region of at least {MIN_REGION_UNITS} units."
        raise MaskError(msg)
    return regions
