"""Arguments that name a checkpoint, a session and trials, and what they stand for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtm_core.cli.computing import add_compute_arguments

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mtm_core.inference import Reconstructor

SPLITS = ("test", "val", "train", "all")


def add_bound_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of a checkpoint, a session and trials."""
    parser.add_argument("checkpoint", metavar="CKPT", help="checkpoint, run folder, or demo")
    parser.add_argument(
        "session", metavar="S.h5", help="session, or the beginning of a bundled session's name"
    )
    parser.add_argument(
        "--split", choices=SPLITS, default="test", help="which trials (default: test)"
    )
    add_compute_arguments(parser)
    parser.add_argument(
        "--allow-overlap",
        action="store_true",
        help="accept a session that lacks units of the checkpoint: they are hidden, not scored",
    )


def bind(args: argparse.Namespace) -> Reconstructor:
    """Read the checkpoint and the session that were named, and bring them together."""
    from mtm_core.cli.info import find
    from mtm_core.data.session_file import read_session
    from mtm_core.inference import Reconstructor
    from mtm_core.models.backend import resolve_device
    from mtm_core.models.checkpoint import load_checkpoint

    device = resolve_device(args.device)
    session = read_session(find(args.session))
    checkpoint = load_checkpoint(find_model(args.checkpoint), device, session.session_id)
    return Reconstructor(checkpoint, session, allow_overlap=args.allow_overlap)


def find_model(name: str) -> Path:
    """Return a checkpoint by its path, its run folder, or the name of a bundled one.

    Raises
    ------
    CheckpointError
        If there is none.
    """
    from mtm_core.cli.bundled_name import find_bundled
    from mtm_core.errors import CheckpointError
    from mtm_core.resources import checkpoint_path
    from mtm_core.training.run_folder import find_checkpoint

    path = Path(name)
    if path.exists():
        return find_checkpoint(path)
    return find_bundled(
        name,
        checkpoint_path,
        kind="checkpoint",
        otherwise="checkpoint or run folder",
        error=CheckpointError,
    )


def choose_trials(split: str, bound: Reconstructor) -> NDArray[np.int64]:
    """Return the rows of a part of the checkpoint's split, or of all trials.

    Raises
    ------
    MismatchError
        If the session does not hold these trials.
    """
    import numpy as np

    from mtm_core.models.checkpoint import split_part

    if split == "all":
        return np.arange(bound.session.n_trials)
    part: Any = split
    return split_part(bound.checkpoint.manifest, bound.session, part)
