"""Behaviour for the last columns of a table: decoded, or said not to be recorded."""

from __future__ import annotations

import dataclasses
from typing import Any

from mtm_core.data.session import Session
from mtm_core.errors import DataError
from mtm_core.evaluation.decoding import N_CHANCE, DecodingSettings, decode
from mtm_core.evaluation.decoding_targets import available_targets
from mtm_core.masking.masked_batch import scheme_prompt
from mtm_core.models.checkpoint import Checkpoint
from mtm_core.reproduce.variants import Kind

COLUMNS = ("choice", "whisker_motion_energy")
"""What the paper decodes."""
AUTO = "auto"


def decode_behavior(checkpoint: Checkpoint, session: Session, kind: Kind) -> dict[str, Any]:
    """Decode behaviour from a model's log-rates and from raw counts.

    Parameters
    ----------
    checkpoint : Checkpoint
        The trained model.
    session : Session
        The recording.
    kind : str
        Kind of the table: for ``tasks`` the paper's two targets; else all that the session has,
        for ``decoding`` under each prompt that was trained, for ``chance`` with its chance level.

    Returns
    -------
    dict
        By prompt (``auto``: the one that fits the target), then by target: the scores, or why
        there are none.
    """
    prompts: tuple[str, ...] = (AUTO,)
    if kind == "decoding":
        schemes = checkpoint.manifest.config.masking.schemes
        prompts = tuple(dict.fromkeys(map(scheme_prompt, schemes)))
    targets: tuple[str, ...] = COLUMNS
    if kind != "tasks":
        targets = tuple(dict.fromkeys((*COLUMNS, *available_targets(session))))
    n_chance = N_CHANCE if kind == "chance" else 0
    return {
        prompt: {name: _decode(checkpoint, session, name, prompt, n_chance) for name in targets}
        for prompt in prompts
    }


def _decode(
    checkpoint: Checkpoint, session: Session, name: str, prompt: str, n_chance: int
) -> dict[str, Any]:
    settings = DecodingSettings(
        features=("log_rate", "counts"), prompt=prompt, n_chance=n_chance, split="test"
    )
    try:
        report = decode(checkpoint, session, (name,), settings)
    except DataError as error:
        return {"why_not": str(error)}
    (found,) = report.targets.values()
    return {
        "classes": list(found.classes),
        "n_fit": found.n_fit,
        "n_test": found.n_test,
        "until": found.until,
        "prompt": found.prompt,
        "chance_method": found.chance_method,
        "warnings": list(found.warnings),
        "decoders": [dataclasses.asdict(each) for each in found.decoders],
    }
