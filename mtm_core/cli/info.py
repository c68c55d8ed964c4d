"""Say what a session, a recording, a checkpoint or the folder of a run holds.

PATH is a file, a folder, or the name of a bundled checkpoint or session (of which the beginning is
enough). A recording is what `mtm-core prepare` takes: an ALF folder, an NWB file, or the layout of
docs/bring_your_own.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Protocol

_HDF5 = b"\x89HDF\r\n\x1a\n"


class Description(Protocol):
    """What `info` can say about one thing."""

    def facts(self) -> dict[str, object]:
        """Return everything as plain values, for JSON."""

    def text(self) -> str:
        """Return what a person wants to read."""

    def warnings(self) -> list[str]:
        """Return sentences to be minded."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `mtm-core info`."""
    parser.add_argument(
        "path", metavar="PATH", help="session, recording, checkpoint, or folder of a run"
    )
    parser.add_argument("--json", action="store_true", help="print pure JSON")


def run(args: argparse.Namespace) -> int:
    """Print the description; warnings go to stderr."""
    from mtm_core.cli import output

    described = describe(find(args.path))
    if args.json:
        output.show_json({**described.facts(), "warnings": described.warnings()})
    else:
        output.show(described.text())
    for warning in described.warnings():
        output.note(f"Warning: {warning}")
    return 0


def find(name: str) -> Path:
    """Return the path, or the bundled checkpoint or session of that name.

    Raises
    ------
    SessionFileError
        If there is neither.
    """
    from mtm_core.cli.bundled_name import find_bundled
    from mtm_core.errors import SessionFileError
    from mtm_core.resources import checkpoint_path, list_checkpoints, session_path

    path = Path(name)
    if path.exists():
        return path
    if name in list_checkpoints():
        return checkpoint_path(name)
    return find_bundled(
        name, session_path, kind="session", otherwise="file or folder", error=SessionFileError
    )


def describe(path: Path) -> Description:
    """Read what is at `path`: a run or a recording, a checkpoint, a session.

    Raises
    ------
    SessionFileError
        If it is nothing of ours.
    """
    if _is_recording(path):
        from mtm_core.cli.describe_recording import RecordingDescription

        return RecordingDescription(path)
    if path.is_dir():
        from mtm_core.cli.describe_model import RunDescription

        return RunDescription(path)
    if path.suffix == ".safetensors":
        from mtm_core.cli.describe_model import CheckpointDescription

        return CheckpointDescription(path)
    if not _looks_like_hdf5(path):
        from mtm_core.errors import SessionFileError

        msg = f"{path} is neither a session, a checkpoint nor a run."
        raise SessionFileError(msg)
    from mtm_core.cli.describe_session import SessionDescription

    return SessionDescription(path)


def _is_recording(path: Path) -> bool:
    from mtm_core.data.alf import is_alf_folder
    from mtm_core.data.byo import is_byo_folder
    from mtm_core.data.nwb import is_nwb_file

    if path.is_dir():
        return is_byo_folder(path) or is_alf_folder(path)
    return path.suffix == ".nwb" or is_nwb_file(path)


def _looks_like_hdf5(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(_HDF5)) == _HDF5
