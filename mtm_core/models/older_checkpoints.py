"""The way up from older checkpoints: their manifests and tensors as if written today.

Version 1 (0.1.0) held one session: its facts stood in the manifest itself, and its tensors had no
prefix. The numbers are the same; only names moved. A model without prompts looked for the gain of
its last layer where the mask's prompt pointed, and looks at the row ``none`` since.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from mtm_core.config_model import Ndt1Config
from mtm_core.errors import CheckpointError
from mtm_core.masking.masked_batch import prompt_index, scheme_prompt
from mtm_core.models.family import part_key
from mtm_core.models.manifest import Manifest

_OF_SESSION = frozenset(
    {"history", "mean", "offset", "read_in", "read_out", "scale", "session_token"}
)
_GAIN = "trunk.output_gain"

Rename = Callable[[str], str]


def rename_from(version: int, manifest: Manifest) -> Rename:
    """Return the function from the names of tensors in a file to those of today.

    Parameters
    ----------
    version : int
        Of the file.
    manifest : Manifest
        What it says about itself, brought up already.
    """
    if version > 1:
        return lambda name: name
    key = part_key(manifest.only.session_id)

    def rename(name: str) -> str:
        is_own = name.partition(".")[0] in _OF_SESSION
        return f"parts.{key}.{name}" if is_own else f"trunk.{name}"

    return rename


def tensors_from(
    version: int, manifest: Manifest, tensors: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return the tensors of a file under the names and in the places of today.

    Raises
    ------
    CheckpointError
        If an older model cannot be brought up: trained without prompts on several schemes.
    """
    rename = rename_from(version, manifest)
    now = {rename(name): tensor for name, tensor in tensors.items()}
    config = manifest.config.model
    if version == 1 and isinstance(config, Ndt1Config) and config.prompt == "none":
        now[_GAIN] = _gain_without_prompt(now[_GAIN], manifest)
    return now


def _gain_without_prompt(gain: Tensor, manifest: Manifest) -> Tensor:
    prompts = {scheme_prompt(scheme) for scheme in manifest.config.masking.schemes}
    if len(prompts) > 1:
        msg = (
            "it is of version 1 and was trained without prompts on several schemes, which cannot "
            "be brought to this version; train anew"
        )
        raise CheckpointError(msg)
    moved = gain.clone()
    moved[prompt_index("none")] = gain[prompt_index(prompts.pop())]
    return moved
