"""Named tensors and text in one `.safetensors` file: no pickle, never half, checked when read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from mtm_core.errors import CheckpointError
from mtm_core.models.tensor_header import CHECKSUM, TensorHeader, read_header, why_unreadable
from mtm_core.resources import atomic_write


class TensorFile(TensorHeader):
    """What a file holds, and its numbers when they are asked for; see `TensorHeader`."""

    def read(self, device: str = "cpu") -> dict[str, Tensor]:
        """Read all tensors into memory of their own, and check them.

        Raises
        ------
        CheckpointError
            If the file has changed, was damaged or cannot be read.
        """
        try:
            with safe_open(self.path, framework="pt") as file:
                # A clone: the file may be replaced while the tensors are in use.
                tensors = {name: file.get_tensor(name).clone() for name in self.shapes}
        except (SafetensorError, OSError) as error:
            raise CheckpointError(why_unreadable(self.path, error)) from error
        if self.checksum not in {None, _checksum(tensors, self.metadata)}:
            msg = (
                f"{self.path} was damaged or edited: its content does not match the checksum "
                "stored in it. Copy it again, or train anew."
            )
            raise CheckpointError(msg)
        return {name: tensor.to(device) for name, tensor in tensors.items()}


def open_tensors(path: Path) -> TensorFile:
    """Read what a file holds; its header is checked against its size, no tensor is read.

    Raises
    ------
    CheckpointError
        If it is not there, cut short, or no such file at all.
    """
    header = read_header(path)
    return TensorFile(
        path=path, metadata=header.metadata, shapes=header.shapes, checksum=header.checksum
    )


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors and text; a file that was there before stays until the new one is whole.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    # Not `save_file`: killed half-way it leaves a file of its own naming, and its errors are no
    # OSError.
    content = save(kept, {**metadata, CHECKSUM: _checksum(kept, metadata)})
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)


def all_finite(tensors: Mapping[str, Tensor]) -> bool:
    """Tell whether no tensor holds NaN or an infinity.

    Examples
    --------
    >>> all_finite({"a": torch.zeros(2)}), all_finite({"a": torch.tensor([float("nan")])})
    (True, False)
    """
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values())


def _checksum(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(dict(metadata), sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
