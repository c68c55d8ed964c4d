"""Fine-tune a checkpoint on another session, or predict that session without any training.

Examples
--------
  mtm-core finetune runs/multi --session S.h5 --out runs/mine
  mtm-core finetune runs/multi --session S.h5 --out runs/few --train-trials 20 --freeze-trunk
  mtm-core finetune runs/multi-unit --session S.h5 --out runs/none --zero-shot
  mtm-core finetune --resume --out runs/mine

The session gets layers of its own; the rest comes from the checkpoint. Settings are those of the
checkpoint, with a short schedule of their own; any can be replaced by its flag. Test trials of the
session are never looked at. With a few tens of trials a free trunk soon learns them by heart:
add --freeze-trunk. `mtm-core evaluate RUN S.h5` scores the result.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtm_core.cli.config_arguments import add_config_arguments, typed_settings

if TYPE_CHECKING:
    from mtm_core.config import TrainConfig
    from mtm_core.data.session import Session
    from mtm_core.training.pretrained import Pretrained
    from mtm_core.training.run_folder import RunFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `mtm-core finetune`."""
    parser.usage = (
        "mtm-core finetune CKPT --session S.h5 --out RUN [--freeze-trunk] [--train-trials N] "
        "[--zero-shot] [--resume] [--SETTING VALUE ...]"
    )
    parser.add_argument(
        "checkpoint",
        nargs="?",
        metavar="CKPT",
        help="checkpoint or run folder; with --resume it may be left out",
    )
    parser.add_argument(
        "--session",
        metavar="S.h5",
        help="session file, or the beginning of a bundled session's name; with --resume it may be "
        "left out",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder to fill")
    parser.add_argument("--resume", action="store_true", help="go on with the run in that folder")
    parser.add_argument(
        "--freeze-trunk",
        action="store_true",
        help="train the layers of the session only; what sessions share stays as it is",
    )
    parser.add_argument(
        "--train-trials",
        dest="data.train_trials",
        metavar="N",
        help="train on N of the training trials only, the same ones every time "
        "(as --data.train_trials)",
    )
    parser.add_argument(
        "--zero-shot",
        action="store_true",
        help="train nothing: only a model of unit embeddings can predict a session it never met",
    )
    parser.add_argument(
        "--events", choices=["jsonl"], help="print events as lines of JSON to stdout"
    )
    add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Fine-tune; return 0 at the end, 130 or 143 if asked to stop before."""
    from mtm_core.cli.train_loop import follow
    from mtm_core.data.session_file import read_session
    from mtm_core.training.distributed import join_team
    from mtm_core.training.finetune import finetune
    from mtm_core.training.run_folder import RunFolder

    folder = RunFolder(args.out)
    pretrained = choose_start(args, folder)
    path = choose_session(args, folder)
    session = read_session(path)
    config = choose_settings(args, folder, pretrained, session)
    with join_team(config.run.device) as team:
        events = finetune(
            pretrained,
            config,
            session,
            args.out,
            resume=args.resume,
            session_path=str(path.resolve()),
            team=team,
        )
        as_json = args.events is not None
        return follow(events, args.out, as_json=as_json, command="finetune", team=team)


def choose_start(args: argparse.Namespace, folder: RunFolder) -> Pretrained:
    """Read the checkpoint that was named, or that of the run to resume.

    Raises
    ------
    ConfigError
        If there is none.
    """
    from mtm_core.cli.bound_model import find_model
    from mtm_core.errors import ConfigError
    from mtm_core.training.pretrained import Pretrained

    recorded: dict[str, Any] = {}
    if args.resume and folder.holds_run():
        recorded = dict(folder.read_record().pretrained or {})
    name = args.checkpoint or recorded.get("path")
    if name is None:
        msg = "A checkpoint or a run folder is needed: mtm-core finetune CKPT --session S.h5."
        raise ConfigError(msg)
    return Pretrained.read(
        find_model(name).resolve(),
        freeze_trunk=args.freeze_trunk or bool(recorded.get("freeze_trunk")),
        zero_shot=args.zero_shot or bool(recorded.get("zero_shot")),
    )


def choose_session(args: argparse.Namespace, folder: RunFolder) -> Path:
    """Return the file to fine-tune on: that which was typed, or that of the run to resume.

    Raises
    ------
    ConfigError
        If there is none.
    """
    from mtm_core.cli.info import find
    from mtm_core.errors import ConfigError

    names = [args.session] if args.session else []
    if not names and args.resume and folder.holds_run():
        names = list(folder.read_record().session_paths)
    if not names:
        msg = "--session is needed: a session file, or the beginning of a bundled one's name."
        raise ConfigError(msg)
    return find(names[0])


def choose_settings(
    args: argparse.Namespace, folder: RunFolder, pretrained: Pretrained, session: Session
) -> TrainConfig:
    """Return the settings of a new run or of the one to resume, with those that were typed."""
    from mtm_core import config_io
    from mtm_core.training.finetune import finetune_config

    typed = typed_settings(args)
    if args.resume and folder.holds_run():
        return config_io.apply_overrides(folder.read_config(), typed)
    zero_shot = pretrained.zero_shot
    return finetune_config(pretrained.manifest, session, typed, zero_shot=zero_shot)
