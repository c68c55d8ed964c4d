"""What a checkpoint is told by, whatever its file is called and whatever program reads it."""

from __future__ import annotations

import hashlib

import numpy as np

from mtm_core.models.checkpoint import Checkpoint


def checkpoint_digest(checkpoint: Checkpoint) -> str:
    """Return the SHA-256 (hex) of a model's weights, units and split.

    Parameters
    ----------
    checkpoint : Checkpoint
        Of one session: other sessions in the same file do not count.
    """
    if checkpoint.folds:
        each = "".join(map(checkpoint_digest, checkpoint.folds))
        return hashlib.sha256(f"mtm-folds 1\n{each}".encode()).hexdigest()
    manifest = checkpoint.manifest
    digest = hashlib.sha256(b"mtm-checkpoint 1\n")
    split = [f"{part}:{','.join(map(str, rows))}" for part, rows in sorted(manifest.split.items())]
    for text in (manifest.session_id, *manifest.unit_id, *split):
        data = text.encode("utf-8", "surrogatepass")
        digest.update(f"{len(data)}:".encode() + data)
    for name, value in sorted(checkpoint.model.state_dict().items()):
        array = value.detach().cpu().contiguous().numpy()
        digest.update(f"\n{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
