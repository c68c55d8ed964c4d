"""The sessions of a run: their trials, and whose turn it is at each step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mtm_core.config import SessionDraw, TrainConfig
from mtm_core.config_model import ModelConfig, Ndt1Config
from mtm_core.data.binning import rebin
from mtm_core.data.session import Session
from mtm_core.data.splits import split_trials
from mtm_core.data.store import HeldCounts
from mtm_core.errors import TrainingError
from mtm_core.masking.mixture import MaskSampler
from mtm_core.models.manifest import SessionRecord, describe_session
from mtm_core.models.session_part import SessionFacts, shrunk_psth
from mtm_core.models.unit_features import UnitFacts, describe_units
from mtm_core.seeding import numpy_generator
from mtm_core.training.randomness import trials_of_step
from mtm_core.training.trial_counts import Room, TrialCounts


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingSession:
    """One session of a run, ready for its batches.

    Parameters
    ----------
    session : Session
        With bins joined, as trained on; without behaviours. Its counts may be a mapped file.
    record : SessionRecord
        What the checkpoint will say about it.
    counts, val_counts : TrialCounts
        Training and validation trials.
    sampler : MaskSampler
        Draws its masks.
    """

    session: Session
    record: SessionRecord
    counts: TrialCounts
    val_counts: TrialCounts
    sampler: MaskSampler

    @property
    def session_id(self) -> str:
        """Id of the session."""
        return self.session.session_id

    def facts(self, model: ModelConfig) -> SessionFacts:
        """Return what a fresh model of these settings is told about it."""
        return SessionFacts(
            psth=self.counts.mean(),
            n_trials=len(self.counts),
            region=self.record.region,
            units=self.unit_facts() if is_embedded(model) else None,
        )

    def unit_facts(self) -> UnitFacts:
        """Describe its units by its training trials."""
        trial_id = self.session.trials.values("trial_id")
        is_train = np.isin(trial_id, self.record.split["train"])
        return describe_units(
            self.session.units,
            self.session.trials.take(is_train),
            self.counts.all().cpu(),
            shrunk_psth(self.counts.mean(), len(self.counts)),
            self.session.bin_size_s,
        )

    def trials_of(self, seed: int, size: int, turn: int) -> NDArray[np.int64]:
        """Return which of the training trials make this session's batch number `turn`."""
        return trials_of_step(seed, self.session_id, len(self.counts), size, turn)


@dataclass(frozen=True, eq=False)
class SessionOrder:
    """Whose batches make each step of a run: a function of the seed, so that it is not stored.

    Parameters
    ----------
    session : ndarray of int, shape (n_steps, n_per_step)
        Places of the sessions of each step, no session twice.
    turn : ndarray of int, shape (n_steps, n_per_step)
        How many batches that session had before.
    """

    session: NDArray[np.int64]
    turn: NDArray[np.int64]

    @classmethod
    def draw(
        cls,
        seed: int,
        n_steps: int,
        n_trials: Sequence[int],
        by: SessionDraw,
        n_per_step: int = 1,
    ) -> SessionOrder:
        """Draw sessions by their number of training trials, or equally.

        Raises
        ------
        TrainingError
            If a step wants more sessions than there are.

        Examples
        --------
        >>> order = SessionOrder.draw(0, 4, [10, 30], "equal")
        >>> order.session.shape, SessionOrder.draw(0, 3, [5], "size").turn[:, 0].tolist()
        ((4, 1), [0, 1, 2])
        """
        if n_per_step > len(n_trials):
            msg = (
                f"--optim.sessions_per_step is {n_per_step}, but there are {len(n_trials)} "
                f"sessions. The nearest valid value is {len(n_trials)}."
            )
            raise TrainingError(msg)
        weight = np.array(n_trials, dtype=float) if by == "size" else np.ones(len(n_trials))
        rng = numpy_generator(seed, "sessions")
        if n_per_step == 1:
            session = rng.choice(len(n_trials), size=(n_steps, 1), p=weight / weight.sum())
        else:
            session = _draw_several(rng, n_steps, weight, n_per_step)
        turn = np.zeros_like(session)
        for place in range(len(n_trials)):
            is_its = session == place
            turn[is_its] = np.arange(int(is_its.sum()))
        return cls(session, turn)


def _draw_several(
    rng: np.random.Generator, n_steps: int, weight: NDArray[np.float64], n_per_step: int
) -> NDArray[np.int64]:
    """Draw sessions for each step one after another, without putting them back.

    The largest of log-weights with Gumbel noise are such a draw (Vieira 2014; Kool et al. 2019,
    Stochastic Beams and Where to Find Them, arXiv 1903.06059).
    """
    session = np.empty((n_steps, n_per_step), dtype=np.int64)
    for step in range(n_steps):
        keys = np.log(weight) + rng.gumbel(size=len(weight))
        session[step] = np.argsort(-keys)[:n_per_step]
    return session


def load_sessions(
    config: TrainConfig,
    originals: Iterable[Session],
    device: str,
    room: Room | None = None,
    check: Callable[[Session], None] | None = None,
) -> tuple[TrainingSession, ...]:
    """Join bins, split trials and give the counts of every session their place.

    Parameters
    ----------
    config : TrainConfig
        All settings.
    originals : iterable of Session
        Taken one at a time, so that they need not all be in memory.
    device : str
        Where the run computes.
    room : Room or None
        Where counts lie; None makes one of the settings.
    check : callable or None
        Called with each session first.

    Raises
    ------
    TrainingError
        If there is no session, one twice, a unit in two of them, or bins that differ.
    """
    together, loaded = _Together(config), []
    room = room or Room(config.run, device)
    for original in originals:
        together.admit(original)
        if check is not None:
            check(original)
        loaded.append(_load(config, original, room, device))
    if not loaded:
        msg = "There is no session to train on. Give at least one."
        raise TrainingError(msg)
    return tuple(loaded)


class _Together:
    """Checks, session by session, that one model can learn them all; see `load_sessions`."""

    def __init__(self, config: TrainConfig) -> None:
        self._takes_one = getattr(config.model, "read_in", "") == "components"
        self._bins: _Bins | None = None
        self._session_of: dict[str, str] = {}
        self._session_ids: set[str] = set()

    def admit(self, session: Session) -> None:
        """Check the next one."""
        bins = _Bins(
            session.session_id, session.bin_size_s, session.n_bins, session.window_start_s
        )
        self._bins = self._bins or bins
        _check_bins(self._bins, bins)
        for unit in map(str, session.unit_id):
            if unit in self._session_of:
                both = f"{self._session_of[unit]} and {session.session_id}"
                msg = f"The unit {unit} is in both {both}. Give every recording once."
                raise TrainingError(msg)
            self._session_of[unit] = session.session_id
        if session.session_id in self._session_ids:
            msg = "Two of the sessions have the same id. Give every recording once."
            raise TrainingError(msg)
        self._session_ids.add(session.session_id)
        if self._takes_one and len(self._session_ids) > 1:
            msg = (
                "--model.read_in components fits one session, and several were given. "
                "Choose --model.read_in linear or stitched, or a preset for many sessions."
            )
            raise TrainingError(msg)


def is_embedded(model: ModelConfig) -> bool:
    """Tell whether a model reads units by their embeddings."""
    return isinstance(model, Ndt1Config) and model.read_in == "unit_embedding"


class _Bins(NamedTuple):
    session_id: str
    bin_size_s: float
    n_bins: int
    window_start_s: float


def _check_bins(first: _Bins, other: _Bins) -> None:
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


def _load(config: TrainConfig, original: Session, room: Room, device: str) -> TrainingSession:
    factor = config.data.bin_factor
    session = rebin(replace(original, behaviors={}), factor)
    split = split_trials(session, config.data)
    source = room.place(original.content_hash, factor, session.counts)
    is_resident = isinstance(source, HeldCounts)
    return TrainingSession(
        session=replace(session, counts=source.array),
        record=describe_session(original, session, split),
        counts=TrialCounts(source, split.train, device, is_resident=is_resident),
        val_counts=TrialCounts(source, split.val, device, is_resident=is_resident),
        sampler=MaskSampler(config.masking, session.region, session.session_id),
    )
