"""From a checkpoint, a session and a mask to rates: in short pieces, cancellable, remembered.

The viewer, the command line and the evaluation all ask here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.conditions import Conditions
from mtm_core.data.session import Session
from mtm_core.data.splits import default_training_trials
from mtm_core.data.units import unit_rate_hz
from mtm_core.errors import DataError, MaskError, MismatchError, UnknownNameError
from mtm_core.masking.masked_batch import PROMPTS
from mtm_core.masking.spec import MaskSpec, ResolvedMask
from mtm_core.models import passes
from mtm_core.models.answers import AnswerMemory, GrowingAnswer, Reconstruction
from mtm_core.models.checkpoint import Checkpoint, fit_overlap, fit_session, split_part
from mtm_core.models.piecework import Piecework, ShouldStop
from mtm_core.models.reading import Reading, read_model

Trials = NDArray[np.integer[Any]]

FIRST_PIECE = 4
"""Trials in the first piece, so that the first picture comes at once."""


class Reconstructor:
    """A model bound to a session, ready to answer.

    Parameters
    ----------
    checkpoint : Checkpoint
        The trained model; left as it is.
    session : Session
        The recording. Its units are brought into the model's order, its bins joined as in
        training.
    allow_overlap : bool
        Accept a session that lacks some of the model's units: they are hidden and not scored.
    device : str or None
        Where to compute; None means where the model lies.
    memory : AnswerMemory or None
        May be shared between several; None makes a new one.
    prompt : str or None
        Give every mask this prompt, right or wrong, in place of its own; what a bin may attend to
        still follows the mask.

    Attributes
    ----------
    session : Session
        As the model sees it: use its units and bins to read the answers.
    is_missing : ndarray of bool, shape (n_units,)
        Units of the model that the recording lacks.

    Raises
    ------
    MismatchError
        If session and checkpoint do not belong together: other units, window or bin size.
    UnknownNameError
        If there is no such prompt.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        session: Session,
        *,
        allow_overlap: bool = False,
        device: str | None = None,
        memory: AnswerMemory | None = None,
        prompt: str | None = None,
    ) -> None:
        if prompt is not None and prompt not in PROMPTS:
            raise UnknownNameError("prompt", prompt, PROMPTS)
        if not allow_overlap:
            session = fit_session(checkpoint, session)
        overlap = fit_overlap(checkpoint, session)
        self.checkpoint = checkpoint
        self.session = overlap.session
        self.is_missing = overlap.is_missing
        self.memory = AnswerMemory() if memory is None else memory
        self._piecework = Piecework(passes.on_device(checkpoint.model, device), self.session)
        self._folds = tuple(
            Piecework(passes.on_device(fold.model, device), self.session)
            for fold in checkpoint.folds
        )
        self._fold_of = _folds_of_trials(checkpoint, self.session)
        self._prompt = prompt
        models = [fold.model for fold in checkpoint.folds] or [checkpoint.model]
        digests = "+".join(map(passes.digest, models))
        self._token = f"{digests}/{self.session.content_hash}/{prompt}"

    def train_rate_hz(self) -> NDArray[np.float64]:
        """Return each unit's mean rate over training trials, in spikes/s: what rules look at.

        These are the checkpoint's own; in another session, which has none of them, those that a
        split by default settings would train on.

        Raises
        ------
        MismatchError
            If this is the session trained on, and it lacks every training trial.
        """
        manifest, session = self.checkpoint.manifest, self.session
        is_own = session.session_id == manifest.session_id
        rows = split_part(manifest, session, "train") if is_own else None
        return unit_rate_hz(session, default_training_trials(session) if rows is None else rows)

    def resolve(self, spec: MaskSpec) -> ResolvedMask:
        """Apply a mask to the session; units that it lacks are hidden and not scored.

        Raises
        ------
        MaskError
            If the mask cannot be applied (see `MaskSpec.resolve`).
        """
        rates = self.train_rate_hz() if spec.needs_rates else None
        mask = spec.resolve(self.session, rates)
        if self._prompt is not None:
            mask = mask.under_prompt(self._prompt)
        if not self.is_missing.any():
            return mask
        is_hidden, is_scored = mask.is_hidden | self.is_missing, mask.is_scored & ~self.is_missing
        if not is_scored.any() or is_hidden.all():
            msg = (
                f"Of the units that this mask hides and shows, the session lacks too many: "
                f"{int(self.is_missing.sum())} of the checkpoint's {len(self.is_missing)}."
            )
            raise MaskError(msg)
        return replace(mask, is_hidden=is_hidden, is_scored=is_scored)

    def reconstruct(
        self,
        spec: MaskSpec,
        trials: Trials,
        *,
        visible_from: Trials | None = None,
        first_piece: int = FIRST_PIECE,
        with_preview: bool = False,
        should_stop: ShouldStop | None = None,
    ) -> Iterator[Reconstruction]:
        """Reconstruct trials under a mask, a piece at a time.

        Parameters
        ----------
        spec : MaskSpec
            What to hide and to score.
        trials : ndarray of int
            Rows of the session.
        visible_from : ndarray of int, optional
            For each trial the row of the trial whose *visible* activity the model is given: the
            shuffle control (see `shuffle_donors`). By default the trial itself.
        first_piece : int
            Trials in the first piece; later ones grow.
        with_preview : bool
            For one-at-a-time masks of many units, answer first in folds of units, then exactly.
        should_stop : callable, optional
            Asked between pieces; when it says True, the iterator ends.

        Yields
        ------
        Reconstruction
            After each piece, all that is known by then; the last one is final unless stopped.
            They share one growing array, in which an exact answer never changes.

        Raises
        ------
        MaskError
            If the mask cannot be applied; at once, not at the first piece.
        DataError
            If there is no trial, or one that the session lacks; at once as well.
        """
        mask = self.resolve(spec)
        rows = self._check_rows(trials, "trials")
        donors = rows if visible_from is None else self._check_rows(visible_from, "donors")
        if len(donors) != len(rows):
            msg = f"{len(rows)} trials need as many donors, not {len(donors)}."
            raise DataError(msg)
        request = f"{self._token}/{hashlib.sha256(spec.to_json().encode()).hexdigest()}"
        work = _Work(request, mask, rows, donors, should_stop or (lambda: False))
        return self._answer(work, max(first_piece, 1), with_preview=with_preview)

    def complete(
        self, spec: MaskSpec, trials: Trials, *, visible_from: Trials | None = None
    ) -> Reconstruction:
        """Reconstruct trials under a mask and return the final answer; see `reconstruct`."""
        *_, last = self.reconstruct(spec, trials, visible_from=visible_from)
        return last

    def read(
        self, trials: Trials, prompt: str, is_hidden: NDArray[np.bool_] | None = None
    ) -> Reading:
        """Return output log-rates and hidden states for trials that the model may look at.

        Parameters
        ----------
        trials : ndarray of int
            Rows of the session.
        prompt : str
            One of `PROMPTS`; ``causal`` also lets each bin see the past only.
        is_hidden : ndarray of bool, broadcastable to (n_trials, n_bins, n_units), optional
            What is withheld from the model, besides the units that the session lacks.

        Raises
        ------
        DataError
            If there is no trial, or one that the session lacks.
        UnknownNameError
            If there is no such prompt.
        """
        rows = self._check_rows(trials, "trials")
        shape = (len(rows), self.session.n_bins, self.session.n_units)
        held = self.is_missing if is_hidden is None else is_hidden | self.is_missing
        if self._folds:
            msg = (
                "What is read out of a model's layers needs one model, and this one is "
                "cross-fitted. Give the run of one fold, such as fold-1 in its folder."
            )
            raise MismatchError(msg)
        return read_model(
            self._piecework.model, self.session, rows, np.broadcast_to(held, shape), prompt
        )

    def _check_rows(self, rows: Trials, what: str) -> NDArray[np.int64]:
        checked = np.asarray(rows, dtype=np.int64).reshape(-1)
        if len(checked) == 0:
            msg = "There is no trial to reconstruct. Choose at least one."
            raise DataError(msg)
        if checked.min() < 0 or checked.max() >= self.session.n_trials:
            msg = f"The {what} must be rows from 0 to {self.session.n_trials - 1}."
            raise DataError(msg)
        return checked

    def _answer(
        self, work: _Work, first_piece: int, *, with_preview: bool
    ) -> Iterator[Reconstruction]:
        answer = GrowingAnswer(work.trials, work.mask, self.session.bin_size_s)
        if self._recall(work, answer):
            yield answer.look()
        if with_preview and self._piecework.is_preview_worth(work.mask):
            yield from self._preview(work, answer)
        for rows in self._piecework.cut(work.mask, np.flatnonzero(~answer.is_exact), first_piece):
            if work.should_stop():
                return
            values = self._values(work, rows)
            if values is None:
                return
            answer.put(rows, values, is_exact=True)
            for row, value in zip(rows.tolist(), values, strict=True):
                self.memory.remember(work.request, *work.key(row), value)
            yield answer.look()

    def _values(
        self, work: _Work, rows: Trials, *, is_preview: bool = False
    ) -> NDArray[np.float32] | None:
        """Answer some rows, each by the model that never saw its trial; None if to stop."""
        if not self._folds:
            return _ask(self._piecework, work, rows, is_preview=is_preview)
        fold_of = self._fold_of[work.trials[rows]]
        shape = (len(rows), self.session.n_bins, self.session.n_units)
        values = np.zeros(shape, dtype=np.float32)
        for fold in np.unique(fold_of):
            mine = fold_of == fold
            found = _ask(self._folds[fold], work, rows[mine], is_preview=is_preview)
            if found is None:
                return None
            values[mine] = found
        return values

    def _recall(self, work: _Work, answer: GrowingAnswer) -> bool:
        """Fill in what is remembered; say whether that was anything."""
        for row in range(len(work.trials)):
            known = self.memory.recall(work.request, *work.key(row))
            if known is not None:
                answer.put(np.array([row]), known[None], is_exact=True)
        return bool(answer.is_done.any())

    def _preview(self, work: _Work, answer: GrowingAnswer) -> Iterator[Reconstruction]:
        """Answer one-at-a-time masks in folds of units, which takes a few passes per trial."""
        for rows in self._piecework.cut_preview(work.mask, np.flatnonzero(~answer.is_done)):
            if work.should_stop():
                return
            values = self._values(work, rows, is_preview=True)
            if values is None:
                return
            answer.put(rows, values, is_exact=False)
            yield answer.look()


def reconstruct(
    checkpoint: Checkpoint,
    session: Session,
    spec: MaskSpec,
    trials: Trials,
    *,
    allow_overlap: bool = False,
    device: str | None = None,
    memory: AnswerMemory | None = None,
    visible_from: Trials | None = None,
    should_stop: ShouldStop | None = None,
) -> Iterator[Reconstruction]:
    """Reconstruct trials of a session under a mask, a piece at a time.

    Keep a `Reconstructor` to ask several times, or pass the same `memory` again: answers are
    remembered by checkpoint, session, mask, trial and donor. See `Reconstructor` for the
    arguments, the answers and the errors.
    """
    bound = Reconstructor(
        checkpoint, session, allow_overlap=allow_overlap, device=device, memory=memory
    )
    return bound.reconstruct(spec, trials, visible_from=visible_from, should_stop=should_stop)


def shuffle_donors(
    conditions: Conditions, trials: Trials, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Choose for each trial another one of the same condition: the shuffle control.

    What a model still predicts from the donors' activity it did not read from this trial.

    Parameters
    ----------
    conditions : Conditions
        Condition of every trial of the session.
    trials : ndarray of int
        Rows to find donors for, from among themselves.
    rng : numpy.random.Generator
        The source of randomness.

    Returns
    -------
    ndarray of int64, shape (n_trials,)
        Rows of donors, never the trial itself. Each trial serves once within its condition. A
        trial that is alone in its condition, or has none, gets any other.

    Raises
    ------
    DataError
        If there are fewer than two trials.
    """
    rows = np.asarray(trials, dtype=np.int64)
    if len(np.unique(rows)) < max(len(rows), 2):
        msg = "The shuffle control needs at least two trials, and no trial twice."
        raise DataError(msg)
    label = np.where(conditions.is_valid[rows], conditions.label[rows], -1)
    donors = np.full(len(rows), -1, dtype=np.int64)
    for value in np.unique(label[label >= 0]):
        order = rng.permutation(np.flatnonzero(label == value))
        if len(order) > 1:
            donors[order] = rows[np.roll(order, 1)]
    for alone in np.flatnonzero(donors < 0):
        donors[alone] = rng.choice(np.delete(rows, alone))
    return donors


def _ask(
    piecework: Piecework, work: _Work, rows: Trials, *, is_preview: bool
) -> NDArray[np.float32] | None:
    if is_preview:
        return piecework.preview(work.mask, work.donors[rows])
    return piecework.answer(work.mask, work.donors[rows], work.should_stop)


def _folds_of_trials(checkpoint: Checkpoint, session: Session) -> NDArray[np.int64]:
    """Return for each trial the fold that tests it; the first for trials that none knows."""
    found = np.zeros(session.n_trials, dtype=np.int64)
    trial_id = session.trials.values("trial_id").astype(np.int64)
    for number, fold in enumerate(checkpoint.folds):
        found[np.isin(trial_id, fold.manifest.split["test"])] = number
    return found


@dataclass(frozen=True, eq=False)
class _Work:
    """One request: what to do for which trials, and whether to go on."""

    request: str
    mask: ResolvedMask
    trials: NDArray[np.int64]
    donors: NDArray[np.int64]
    should_stop: ShouldStop

    def key(self, row: int) -> tuple[int, int]:
        """Return trial and donor of a row of the answer."""
        return int(self.trials[row]), int(self.donors[row])
