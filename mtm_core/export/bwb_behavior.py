"""Choice, reward, wheel and whiskers for BrainWideBench, decoded from a frozen model.

Decoders are those of `mtm-core decode`: logistic for two classes, ridge for a signal, fitted to
the model's training trials (and its validation trials, where these are not predicted).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.evaluation.decoding import DecodingSettings, Prepared, prepare_decoding
from mtm_core.export.bwb_files import BwbAnswer
from mtm_core.export.bwb_tasks import BwbTask
from mtm_core.inference import Reconstructor
from mtm_core.models.manifest import PartName

CLASSES = {"choice": ("right", "left"), "reward": ("not rewarded", "rewarded")}
"""The benchmark's order of the classes."""
STANDARDISED = ("whisker_motion_energy",)
"""Signals in units of a camera: written in standard deviations of the fitted trials."""


class _Answer(NamedTuple):
    predicted: NDArray[np.float32]
    true: NDArray[np.float32] | NDArray[np.int64]
    choices: dict[str, str]


def answer_behavior(
    bound: Reconstructor, task: BwbTask, features: str, split: PartName
) -> BwbAnswer:
    """Decode behaviour.

    Parameters
    ----------
    bound : Reconstructor
        Model and session.
    task : BwbTask
        A task of behaviour.
    features : str
        What to decode from, out of `mtm_core.evaluation.decoding_features.FEATURES`.
    split : str
        Which of the checkpoint's trials to predict.

    Raises
    ------
    DataError
        If the session does not have the target, or too few trials of it.
    ConfigError
        If the architecture does not have these features.
    """
    ready = prepare_decoding(bound, task.name, DecodingSettings(features=(features,), split=split))
    answer = (_signal if task.kind == "signal" else _classes)(ready, features)
    trial_id = bound.session.trials.values("trial_id").astype(np.int64)[ready.trials.test]
    keys = {"trial_id": torch.from_numpy(trial_id)}
    if task.kind == "signal":
        keys["timestamps"] = _timestamps(bound.session, len(trial_id))
    return BwbAnswer(
        task=task,
        predictions={"predictions": torch.from_numpy(answer.predicted), **keys},
        truth={"values": torch.from_numpy(answer.true), **keys},
        choices={
            "decoded_from": f"{features}, prompt {ready.prompt}, until {ready.cut.until}",
            **answer.choices,
        },
        caveat=" ".join((*ready.target.warnings, *ready.cut.warnings)) or None,
    )


def _classes(ready: Prepared, features: str) -> _Answer:
    """Return logits (n_trials, 1, 2) and classes (n_trials, 1), in the benchmark's order."""
    target = ready.target
    found = ready.decoder(features).decode_classes(target.values[None].astype(np.int64))
    log_odds, label = found.log_odds[0], target.values[ready.trials.test].astype(np.int64)
    order = CLASSES[target.name]
    if target.classes != order:
        log_odds, label = -log_odds, 1 - label
    logits = np.stack([np.zeros_like(log_odds), log_odds], axis=1)[:, None]
    choices = {"decoder": f"logistic, C {found.chosen[0]['C']:g}", "classes": ", ".join(order)}
    return _Answer(logits.astype(np.float32), label[:, None], choices)


def _signal(ready: Prepared, features: str) -> _Answer:
    """Return a signal as predicted and as it was, both (n_trials, n_bins, 1)."""
    values = ready.target.values.astype(np.float64)
    found = ready.decoder(features).decode_signal(values)["ridge"]
    mean, spread, unit = 0.0, 1.0, "as recorded"
    if ready.target.name in STANDARDISED:
        known = values[ready.trials.fit]
        mean, spread, unit = float(known.mean()), float(known.std()), "standard deviations"
    predicted, true = (
        ((each - mean) / spread).astype(np.float32)[..., None]
        for each in (found.predicted, values[ready.trials.test])
    )
    choices = {"decoder": f"ridge, alpha {found.chosen['alpha']:g}", "unit": unit}
    return _Answer(predicted, true, choices)


def _timestamps(session: Session, n_trials: int) -> torch.Tensor:
    """Return seconds after the start of the window, (n_trials, n_bins)."""
    times = (session.bin_start_s - session.window_start_s).astype(np.float32)
    return torch.from_numpy(np.tile(times, (n_trials, 1)))
