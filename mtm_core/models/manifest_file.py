"""What a checkpoint says about itself, read from its file without weights and without torch."""

from __future__ import annotations

from pathlib import Path

from mtm_core.errors import CheckpointError
from mtm_core.json_text import parse_json
from mtm_core.models.manifest import Manifest
from mtm_core.models.tensor_header import TensorHeader, read_header

MANIFEST = "manifest"
"""Where the text beside the tensors holds the manifest."""


def read_manifest(path: str | Path) -> Manifest:
    """Read what a checkpoint says about itself, without its weights.

    Raises
    ------
    CheckpointError
        If it is not a checkpoint of ours.
    """
    return manifest_of(read_header(Path(path)))


def version_of(file: TensorHeader) -> int:
    """Return the version of a manifest that `manifest_of` accepts."""
    return int(parse_json(file.metadata[MANIFEST])["version"])


def manifest_of(file: TensorHeader) -> Manifest:
    """Return the manifest in a file's header.

    Raises
    ------
    CheckpointError
        If there is none, or one that cannot be used.
    """
    if MANIFEST not in file.metadata:
        msg = f"{file.path} is a .safetensors file, but not a checkpoint of this program."
        raise CheckpointError(msg)
    try:
        return Manifest.from_json(file.metadata[MANIFEST])
    except CheckpointError as error:
        msg = f"{file.path} cannot be used as a checkpoint: {error}."
        raise CheckpointError(msg) from error
