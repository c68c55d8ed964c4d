"""What decoders read: a frozen model's output and hidden states, or the counts themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.errors import ConfigError, MaskError, MissingFieldError
from mtm_core.evaluation.decoding_targets import Target
from mtm_core.inference import Reconstructor
from mtm_core.masking.choice import UnitChoice

FEATURES = ("log_rate", "states", "counts")
"""The model's output, its hidden states, and the raw counts."""
UNTIL = ("auto", "end", "movement", "stimulus")
"""Where features may end, besides a time in seconds."""

_AUTO_UNTIL = {"choice": "movement", "block": "stimulus"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Cut:
    """Where features end.

    Parameters
    ----------
    until : str
        ``end``, ``movement``, ``stimulus``, or a time in seconds after the align event.
    is_kept : ndarray of bool, shape (n_trials, n_bins)
        Bins before it.
    is_usable : ndarray of bool, shape (n_trials,)
        Trials in which the end is known and leaves at least one bin.
    end_s : ndarray of float64, shape (n_trials,)
        The end in seconds after the align event; 0 where not known.
    warnings : tuple of str
        Sentences to be minded.
    """

    until: str
    is_kept: NDArray[np.bool_]
    is_usable: NDArray[np.bool_]
    end_s: NDArray[np.float64]
    warnings: tuple[str, ...] = ()

    @property
    def is_early(self) -> bool:
        """True if the features end before the window does in some trial."""
        return not self.is_kept.all()


def cut_features(session: Session, target: Target, until: str) -> Cut:
    """Say where the features for a target end.

    Parameters
    ----------
    session : Session
        The recording.
    target : Target
        Signals are decoded from the whole window.
    until : str
        One of `UNTIL`, or a number of seconds after the align event. ``auto``: at the first
        movement for choice, at the stimulus for block, where these are known, else at the end of
        the window.

    Raises
    ------
    ConfigError
        If it is neither.
    MissingFieldError
        If the session does not know the event; the text says what to do.
    """
    if target.is_signal:
        return _cut_at(session, "end", None)
    if until == "auto":
        return _cut_auto(session, target.name)
    if until in UNTIL:
        return _cut_at(session, until, _event(session, until))
    try:
        seconds = float(until)
    except ValueError as error:
        msg = f"--until is '{until}', but must be a number of seconds, or {', '.join(UNTIL)}."
        raise ConfigError(msg) from error
    cut = _cut_at(session, f"{seconds:g} s", _Times(np.full(session.n_trials, seconds)))
    if not cut.is_usable.any():
        msg = (
            f"--until {seconds:g} leaves no bin: the window starts at {session.window_start_s:g}."
        )
        raise ConfigError(msg)
    return cut


def choose_prompt(bound: Reconstructor, target: Target, cut: Cut, region: str | None) -> str:
    """Return the prompt under which a model is read for a target.

    A region alone: ``intra_region``; a signal, or features that end early: ``causal``, under
    which a bin sees its past only; else ``neuron``. If the model was not trained with it, the
    first scheme that it was trained with, and no prompt if that is a baseline's.
    """
    schemes = bound.checkpoint.manifest.config.masking.schemes
    wanted = "causal" if target.is_signal or cut.is_early else "neuron"
    wanted = "intra_region" if region else wanted
    if wanted in schemes:
        return wanted
    is_baseline = schemes[0] in ("temporal", "random_token", "coordinated_dropout")
    return "none" if is_baseline else schemes[0]


def read_features(
    bound: Reconstructor, names: tuple[str, ...], cut: Cut, prompt: str, region: str | None
) -> dict[str, NDArray[Any]]:
    """Return features of every trial of a session, each (n_trials, n_bins, n_dims).

    The model sees nothing behind the cut, and nothing outside the region if there is one; then
    log-rates and counts are those of its units only. Hidden states are left out where the
    architecture has none.

    Raises
    ------
    MaskError
        If there is no such region, or the session lacks all its units.
    """
    session = bound.session
    is_seen = ~bound.is_missing
    if region is not None:
        is_seen = is_seen & UnitChoice.of_region(region).select(session)
    if not is_seen.any():
        msg = f"The session has none of the checkpoint's units in {region}. Choose another region."
        raise MaskError(msg)
    found: dict[str, NDArray[Any]] = {}
    if "counts" in names:
        found["counts"] = session.counts[:, :, is_seen]
    if set(names) - {"counts"}:
        is_hidden = ~(cut.is_kept[:, :, None] & is_seen)
        read = bound.read(np.arange(session.n_trials), prompt, is_hidden)
        found["log_rate"] = read.log_rate[:, :, is_seen]
        if read.states is not None:
            found["states"] = read.states
    return {name: found[name] for name in names if name in found}


@dataclass(frozen=True, eq=False)
class _Times:
    values: NDArray[np.float64]
    is_valid: NDArray[np.bool_] | None = None


def _cut_auto(session: Session, name: str) -> Cut:
    event = _AUTO_UNTIL.get(name)
    if event is None:
        return _cut_at(session, "end", None)
    try:
        cut = _cut_at(session, event, _event(session, event))
    except MissingFieldError as error:
        why = str(error).partition(".")[0]
    else:
        if cut.is_usable.any():
            return cut
        why = "The window starts no earlier than the stimulus"
    after = {
        "movement": "features are NOT cut at the movement, and may hold its execution",
        "stimulus": "features are NOT cut at the stimulus, whose side follows the block: the "
        "chance level, made of blocks alone, does not account for that",
    }[event]
    return _cut_at(session, "end", None, (f"{why}: {after}.",))


def _event(session: Session, until: str) -> _Times | None:
    if until == "end":
        return None
    return _movement(session) if until == "movement" else _stimulus(session)


def _movement(session: Session) -> _Times:
    trials = session.trials
    if trials.has("first_movement_s"):
        return _times(session, "first_movement_s")
    if not trials.has("reaction_time_s"):
        msg = (
            "This session has no times of movement. Give --until end, or a number of seconds "
            "such as --until 0.1."
        )
        raise MissingFieldError(msg)
    reaction, stimulus = _times(session, "reaction_time_s"), _stimulus(session)
    is_valid = reaction.is_valid
    if is_valid is not None and stimulus.is_valid is not None:
        is_valid = is_valid & stimulus.is_valid
    return _Times(reaction.values + stimulus.values, is_valid)


def _stimulus(session: Session) -> _Times:
    if session.trials.has("stim_on_s"):
        return _times(session, "stim_on_s")
    if "stim" in session.provenance.align_event.lower():
        return _Times(np.zeros(session.n_trials))
    msg = (
        "This session has no times of the stimulus. Give --until end, or a number of seconds "
        "such as --until 0."
    )
    raise MissingFieldError(msg)


def _times(session: Session, name: str) -> _Times:
    column = session.trials.column(name)
    return _Times(column.values.astype(np.float64), column.is_valid)


def _cut_at(
    session: Session, until: str, event: _Times | None, warnings: tuple[str, ...] = ()
) -> Cut:
    n_bins = session.n_bins
    window_end = session.window_start_s + n_bins * session.bin_size_s
    times = event or _Times(np.full(session.n_trials, window_end))
    is_known = np.ones(session.n_trials, bool) if times.is_valid is None else times.is_valid
    n_before = np.floor((times.values - session.window_start_s) / session.bin_size_s + 1e-6)
    n_before = np.where(is_known, np.clip(n_before, 0, n_bins), 0)
    return Cut(
        until=until,
        is_kept=np.arange(n_bins) < n_before[:, None],
        is_usable=n_before > 0,
        end_s=np.where(is_known, times.values, 0.0),
        warnings=warnings,
    )
