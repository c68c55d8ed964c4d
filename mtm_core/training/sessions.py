"""The sessions of a run: their trials on the device, and whose turn it is at each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtm_core.config import SessionDraw, TrainConfig
from mtm_core.config_model import ModelConfig, Ndt1Config
from mtm_core.data.binning import rebin
from mtm_core.data.session import Session
from mtm_core.data.splits import split_trials
from mtm_core.errors import TrainingError
from mtm_core.masking.mixture import MaskSampler
from mtm_core.models.manifest import SessionRecord, describe_session
from mtm_core.models.session_part import SessionFacts, shrunk_psth
from mtm_core.models.unit_features import UnitFacts, describe_units
from mtm_core.seeding import numpy_generator
from mtm_core.training.randomness import trials_of_step


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingSession:
    """One session of a run, ready for its batches.

    Parameters
    ----------
    session : Session
        With bins joined, as trained on.
    record : SessionRecord
        What the checkpoint will say about it.
    counts, val_counts : Tensor, shape (n_trials, n_bins, n_units), uint8
        Training and validation trials, on the device: gathering a batch is one copy.
    sampler : MaskSampler
        Draws its masks.
    """

    session: Session
    record: SessionRecord
    counts: Tensor
    val_counts: Tensor
    sampler: MaskSampler

    @property
    def session_id(self) -> str:
        """Id of the session."""
        return self.session.session_id

    def facts(self, model: ModelConfig) -> SessionFacts:
        """Return what a fresh model of these settings is told about it."""
        return SessionFacts(
            psth=self.counts.float().mean(dim=0).cpu(),
            n_trials=len(self.counts),
            region=self.record.region,
            units=self.unit_facts() if is_embedded(model) else None,
        )

    def unit_facts(self) -> UnitFacts:
        """Describe its units by its training trials."""
        trial_id = self.session.trials.values("trial_id")
        is_train = np.isin(trial_id, self.record.split["train"])
        counts = self.counts.float().cpu()
        return describe_units(
            self.session.units,
            self.session.trials.take(is_train),
            counts,
            shrunk_psth(counts.mean(dim=0), len(counts)),
            self.session.bin_size_s,
        )

    def batch(self, seed: int, size: int, turn: int) -> Tensor:
        """Return the counts of this session's batch number `turn`, float32."""
        rows = trials_of_step(seed, self.session_id, len(self.counts), size, turn)
        return self.counts[torch.from_numpy(rows).to(self.counts.device)].float()


@dataclass(frozen=True, eq=False)
class SessionOrder:
    """Whose batch each step of a run makes: a function of the seed, so that it need not be stored.

    Parameters
    ----------
    session : ndarray of int, shape (n_steps,)
        Place of the session of each step.
    turn : ndarray of int, shape (n_steps,)
        How many batches that session had before.
    """

    session: NDArray[np.int64]
    turn: NDArray[np.int64]

    @classmethod
    def draw(
        cls, seed: int, n_steps: int, n_trials: Sequence[int], by: SessionDraw
    ) -> SessionOrder:
        """Draw sessions by their number of training trials, or equally.

        Examples
        --------
        >>> order = SessionOrder.draw(0, 4, [10, 30], "equal")
        >>> len(order.session), [int(n) for n in SessionOrder.draw(0, 3, [5], "size").turn]
        (4, [0, 1, 2])
        """
        weight = np.array(n_trials, dtype=float) if by == "size" else np.ones(len(n_trials))
        rng = numpy_generator(seed, "sessions")
        session = rng.choice(len(n_trials), size=n_steps, p=weight / weight.sum())
        turn = np.zeros(n_steps, dtype=np.int64)
        for place in range(len(n_trials)):
            is_its = session == place
            turn[is_its] = np.arange(int(is_its.sum()))
        return cls(session, turn)


def load_sessions(
    config: TrainConfig, originals: Sequence[Session], device: str
) -> tuple[TrainingSession, ...]:
    """Join bins, split trials and put the counts of every session on the device.

    Raises
    ------
    TrainingError
        If there is no session, one twice, a unit in two of them, or bins that differ.
    """
    check_together(config, originals)
    return tuple(_load(config, original, device) for original in originals)


def check_together(config: TrainConfig, originals: Sequence[Session]) -> None:
    """Check that sessions can be learnt by one model; see `load_sessions`."""
    if not originals:
        msg = "There is no session to train on. Give at least one."
        raise TrainingError(msg)
    seen: dict[str, str] = {}
    for session in originals:
        _check_bins(originals[0], session)
        for unit in map(str, session.unit_id):
            if unit in seen:
                both = f"{seen[unit]} and {session.session_id}"
                msg = f"The unit {unit} is in both {both}. Give every recording once."
                raise TrainingError(msg)
            seen[unit] = session.session_id
    if len({session.session_id for session in originals}) < len(originals):
        msg = "Two of the sessions have the same id. Give every recording once."
        raise TrainingError(msg)
    if len(originals) > 1 and getattr(config.model, "read_in", "") == "components":
        msg = (
            f"--model.read_in components fits one session, and {len(originals)} were given. "
            "Choose --model.read_in linear or stitched, or a preset for many sessions."
        )
        raise TrainingError(msg)


def is_embedded(model: ModelConfig) -> bool:
    """Tell whether a model reads units by their embeddings."""
    return isinstance(model, Ndt1Config) and model.read_in == "unit_embedding"


def _check_bins(first: Session, other: Session) -> None:
    for what, one, two in (
        ("bins of {:g} s", first.bin_size_s, other.bin_size_s),
        ("trials of {:g} bins", first.n_bins, other.n_bins),
        ("a window that starts at {:g} s", first.window_start_s, other.window_start_s),
    ):
        if not np.isclose(one, two, atol=1e-9):
            msg = (
                f"{other.session_id} has {what.format(two)}, and {first.session_id} "
                f"{what.format(one)}. Prepare all sessions alike."
            )
            raise TrainingError(msg)


def _load(config: TrainConfig, original: Session, device: str) -> TrainingSession:
    session = rebin(original, config.data.bin_factor)
    split = split_trials(session, config.data)
    return TrainingSession(
        session=session,
        record=describe_session(original, session, split),
        counts=torch.from_numpy(session.counts[split.train]).to(device),
        val_counts=torch.from_numpy(session.counts[split.val]).to(device),
        sampler=MaskSampler(config.masking, session.region, session.session_id),
    )
