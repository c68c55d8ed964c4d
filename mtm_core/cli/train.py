"""Train a model on a session; any setting of the preset can be replaced by its flag.

Examples
--------
  mtm-core train --preset quick --session S.h5 --out runs/first
  mtm-core train --preset quick --session S.h5 --out runs/small --model.width 32 --optim.steps 500
  mtm-core train --resume --out runs/first
  mtm-core train --preset quick --session S.h5 --out runs/five --cross-fit 5
  torchrun --standalone --nproc-per-node 2 -m mtm_core train --session S.h5 --out runs/two

Ctrl-C saves a checkpoint; --resume goes on from the newest one, also after a crash.
--cross-fit K trains K models, each tested on its own share of the trials; the run answers every
trial by the model that never saw it, so that 'mtm-core evaluate' scores all trials.
Under torchrun several processes share each batch out among them; the result is that of one.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mtm_core.cli.config_arguments import add_config_arguments, typed_settings

if TYPE_CHECKING:
    from mtm_core.config import TrainConfig
    from mtm_core.training.run_folder import RunFolder

DEFAULT_PRESET = "quick"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `mtm-core train`."""
    parser.usage = (
        "mtm-core train [--preset NAME] --session S.h5 --out RUN [--resume] [--SETTING VALUE ...]"
    )
    parser.add_argument("--preset", metavar="NAME|FILE.toml", help=_preset_help())
    parser.add_argument(
        "--session",
        nargs="+",
        metavar="S.h5",
        help="session file, or the beginning of a bundled session's name; with --resume it may be "
        "left out",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder to fill")
    parser.add_argument("--resume", action="store_true", help="go on with the run in that folder")
    parser.add_argument(
        "--cross-fit",
        type=int,
        metavar="K",
        help="train K models, so that each trial is predicted by one that never saw it",
    )
    parser.add_argument(
        "--events", choices=["jsonl"], help="print events as lines of JSON to stdout"
    )
    add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Train; return 0 at the end, 130 or 143 if asked to stop before."""
    from mtm_core.cli.train_loop import follow
    from mtm_core.cli.train_report import PreparationBar
    from mtm_core.data.session_file import read_session
    from mtm_core.training.crossfit import is_crossfit
    from mtm_core.training.distributed import join_team
    from mtm_core.training.loop import train
    from mtm_core.training.run_folder import RunFolder

    folder = RunFolder(args.out)
    config, paths = choose_settings(args, folder), choose_sessions(args, folder)
    if args.cross_fit is not None or (args.resume and is_crossfit(args.out)):
        return _cross_fit(args, config, paths)
    with join_team(config.run.device) as team:
        with PreparationBar() as preparation:
            events = train(
                config,
                (read_session(path) for path in paths),  # one at a time: they may not all fit
                args.out,
                resume=args.resume,
                session_paths=[str(path.resolve()) for path in paths],
                on_preparation=preparation.advance if team.is_first else None,
                team=team,
            )
        as_json = args.events is not None
        return follow(events, args.out, as_json=as_json, command="train", team=team)


def _cross_fit(args: argparse.Namespace, config: TrainConfig, paths: list[Path]) -> int:
    """Train one model for each fold, in this process alone."""
    from dataclasses import replace

    from mtm_core.cli import output
    from mtm_core.cli.train_loop import follow
    from mtm_core.data.session_file import read_session
    from mtm_core.errors import ConfigError
    from mtm_core.training.crossfit import cross_fit
    from mtm_core.training.distributed import join_team

    if len(paths) > 1:
        msg = "--cross-fit takes one session. Give one, or leave --cross-fit out."
        raise ConfigError(msg)
    if args.cross_fit is not None:
        config = replace(config, data=replace(config.data, folds=args.cross_fit, fold=1))
    with join_team(config.run.device) as team:
        if team.size > 1:
            msg = "--cross-fit runs in one process. Train single folds: --data.folds, --data.fold."
            raise ConfigError(msg)
        events = cross_fit(
            config,
            lambda: read_session(paths[0]),
            args.out,
            resume=args.resume,
            session_paths=[str(path.resolve()) for path in paths],
        )
        as_json = args.events is not None
        code = follow(events, args.out, as_json=as_json, command="train", team=team)
    if code == 0 and not as_json:
        output.show(
            f"{config.data.folds} models; each trial is predicted by the one that never saw it. "
            f"Score all trials:\n  mtm-core evaluate {args.out} {paths[0]}"
        )
    return code


def choose_settings(args: argparse.Namespace, folder: RunFolder) -> TrainConfig:
    """Return the settings of the preset, or of the run to resume, with those that were typed."""
    from mtm_core import config_io

    if args.resume and args.preset is None and folder.holds_run():
        config = folder.read_config()
    else:
        config = config_io.load_preset(args.preset or DEFAULT_PRESET)
    return config_io.apply_overrides(config, typed_settings(args))


def choose_sessions(args: argparse.Namespace, folder: RunFolder) -> list[Path]:
    """Return the files to train on: those that were typed, or those of the run to resume.

    Raises
    ------
    ConfigError
        If there is none.
    """
    from mtm_core.cli.info import find
    from mtm_core.errors import ConfigError

    names = args.session
    if not names and args.resume and folder.holds_run():
        names = folder.read_record().session_paths
    if not names:
        msg = "--session is needed: a session file, or the beginning of a bundled one's name."
        raise ConfigError(msg)
    return [find(name) for name in names]


def _preset_help() -> str:
    from mtm_core.errors import ConfigError
    from mtm_core.resources import list_presets

    try:
        names = ", ".join(list_presets())
    except ConfigError:  # said where a preset is looked up
        names = "none found"
    return f"settings to start from (default {DEFAULT_PRESET}): {names}; or a TOML file"
