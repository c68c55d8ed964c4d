"""What a `.safetensors` file says about itself: names, shapes and text; needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from mtm_core.errors import CheckpointError

CHECKSUM = "checksum"
"""Where the text beside the tensors holds their hash."""


@dataclass(frozen=True, eq=False, kw_only=True)
class TensorHeader:
    """What a file holds, read without its numbers.

    Parameters
    ----------
    path : Path
        The file.
    metadata : mapping of str to str
        The text beside the tensors.
    shapes : mapping of str to tuple of int
        Shape of each tensor.
    checksum : str or None
        SHA-256 over tensors and text; None in files of older versions.
    """

    path: Path
    metadata: Mapping[str, str]
    shapes: Mapping[str, tuple[int, ...]]
    checksum: str | None = None


def read_header(path: Path) -> TensorHeader:
    """Read what a file holds; its header is checked against its size, no tensor is read.

    Raises
    ------
    CheckpointError
        If it is not there, cut short, or no such file at all.
    """
    try:
        with safe_open(path, framework="np") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            metadata = dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise CheckpointError(why_unreadable(path, error)) from error
    checksum = metadata.pop(CHECKSUM, None)
    return TensorHeader(path=path, metadata=metadata, shapes=shapes, checksum=checksum)


def why_unreadable(path: Path, error: Exception) -> str:
    """Say what is wrong with a file that could not be read, and what to do."""
    if path.is_dir():
        return f"{path} is a folder, not a checkpoint file."
    if not path.exists():
        return f"There is no file {path}."
    if isinstance(error, OSError) and error.strerror:
        return f"Could not read {path}: {error.strerror.lower()}."
    return (
        f"{path} is not a whole .safetensors file: it was cut short, or is something else "
        f"({_reason(error)}). Copy it again, or train anew."
    )


def _reason(error: Exception) -> str:
    return str(error).rpartition("header: ")[2]
