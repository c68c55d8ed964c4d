"""Single trials, one at a time: which, in which order, what is known of each, its rasters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.conditions import available_conditions, trial_conditions
from mtm_core.data.session import Session
from mtm_core.evaluation.colour_scale import Levels
from mtm_core.evaluation.rasters import trial_mean_hz
from mtm_core.evaluation.trial_surprise import TrialSurprise, reaction_times
from mtm_viewer.presenters.condition_words import level_words
from mtm_viewer.presenters.picture import Picture, mark_simulated, row_order, shown_hidden
from mtm_viewer.presenters.raster import RasterMaps, RasterMask, raster_image
from mtm_viewer.presenters.raster_drawable import RasterDrawable, ShownTrials
from mtm_viewer.presenters.raster_scene import median_events
from mtm_viewer.presenters.raster_settings import RasterSettings
from mtm_viewer.presenters.trial_order import SortName, TrialValues

Rows = NDArray[np.int64]

_FIELDS = ("contrast", "feedback", "choice", "block")
_WORST_FIRST = ("surprise",)
"""Orders in which the largest number comes first; in the others the smallest does."""
_LEVEL_TRIALS = 12
"""Trials, evenly spread, whose levels all trials share."""
NO_TRIAL = "No trial is shown yet."


@dataclass(frozen=True, eq=False, kw_only=True)
class TrialList:
    """Trials in the order in which they are gone through.

    Parameters
    ----------
    trials : ndarray of int64, shape (n_trials,)
        Rows of the session.
    values : TrialValues
        What they are sorted by, in the same order.
    note : str
        What comes first, and for how many trials the number is unknown.
    """

    trials: Rows
    values: TrialValues
    note: str

    def place(self, trial: int) -> int | None:
        """Return where a trial stands; None if it is not among them."""
        found = np.flatnonzero(self.trials == trial)
        return int(found[0]) if len(found) else None


@dataclass(frozen=True, eq=False, kw_only=True)
class TheatreDrawable:
    """What is shown beside the rasters of a trial.

    Parameters
    ----------
    title : str
        Which trial, and how many there are.
    facts : str
        Condition, reaction, score: in a line.
    place, n_trials : int
        Where it stands in the list, and how long that is.
    values : TrialValues
        The curve to scrub along.
    note : str
        How the list is sorted.
    """

    title: str
    facts: str
    place: int
    n_trials: int
    values: TrialValues
    note: str


def trial_list(picture: Picture, surprise: TrialSurprise | None, sort: SortName) -> TrialList:
    """Sort the trials of a picture.

    Parameters
    ----------
    picture : Picture
        Its trials that are done are gone through.
    surprise : TrialSurprise or None
        What the model makes of them, once that is known.
    sort : str
        One of `mtm_viewer.presenters.trial_order.THEATRE_SORTS`; what is not known leaves the
        trials in order of recording.
    """
    trials = np.sort(picture.trials)
    values = _values(picture.workspace.session, trials, surprise, sort)
    order = values.order()
    if sort in _WORST_FIRST:
        n_known = int(values.is_valid.sum())
        order = np.concatenate([order[:n_known][::-1], order[n_known:]])
    return TrialList(
        trials=trials[order],
        values=replace(values, values=values.values[order], is_valid=values.is_valid[order]),
        note=_note(values, sort),
    )


def extreme_trials(surprise: TrialSurprise, sort: SortName) -> Rows:
    """Return trials from the worst to the best.

    By bits per spike if the list is sorted by them, where trials without a scored spike are left
    out; else by surprise.
    """
    if sort == "gain":
        order = np.argsort(surprise.bps.values, kind="stable")
        return surprise.trials[order[surprise.bps.is_valid[order]]]
    return surprise.trials[np.argsort(-surprise.nats_per_bin, kind="stable")]


def theatre_drawable(
    picture: Picture, surprise: TrialSurprise | None, listed: TrialList, trial: int
) -> TheatreDrawable:
    """Say what is known of a trial and where it stands; the trial is one of the list."""
    place = listed.place(trial) or 0
    session = picture.workspace.session
    number = int(session.trials.columns["trial_id"].values[trial])
    kind = picture.workspace.trial_kind
    simulated = " (simulated)" if session.provenance.is_simulated else ""
    return TheatreDrawable(
        title=f"Trial {number}: {place + 1} of {len(listed.trials)} {kind} trials{simulated}",
        facts=_facts(picture, surprise, trial),
        place=place,
        n_trials=len(listed.trials),
        values=listed.values,
        note=listed.note,
    )


def trial_raster(
    picture: Picture,
    trial: int,
    settings: RasterSettings,
    regions: tuple[str, ...] = (),
) -> RasterDrawable | None:
    """Draw one trial of a picture: true, reconstructed, and their difference.

    Parameters
    ----------
    picture : Picture
        What is on screen.
    trial : int
        Row of the session.
    settings : RasterSettings
        The look; whichever maps it names, these three are drawn.
    regions : tuple of str
        Show the rows of these regions only; none shows all.

    Returns
    -------
    RasterDrawable or None
        None where the picture does not hold the trial.
    """
    found, scene = np.flatnonzero(picture.trials == trial), picture.scene
    if not len(found) or scene is None:
        return None
    session, mask = picture.workspace.session, picture.mask
    model_hz = None if picture.model_hz is None else picture.model_hz[found[0]]
    events = median_events(session, np.array([trial]))
    drawable = raster_image(
        RasterMaps(
            true_hz=trial_mean_hz(session.counts[[trial]], session.bin_size_s), model_hz=model_hz
        ),
        scene=scene,
        trials=ShownTrials(n_done=1, n_wanted=1, kind=picture.workspace.trial_kind),
        order=row_order(scene, picture.workspace, regions),
        mask=None
        if mask is None
        else RasterMask(is_hidden=shown_hidden(mask), is_scored=mask.is_scored),
        settings=replace(settings, panels=("true", "model", "difference")),
        medians=tuple(replace(event, is_median=False) for event in events),
    )
    return mark_simulated(drawable) if session.provenance.is_simulated else drawable


def shared_trial_levels(picture: Picture, settings: RasterSettings) -> Levels | None:
    """Return levels that the single trials of a picture share, so that they can be compared.

    The widest of those that some trials, evenly spread, would have by themselves; None where
    there is no trial.
    """
    trials = np.sort(picture.trials)
    some = np.unique(np.linspace(0, len(trials) - 1, _LEVEL_TRIALS).astype(np.int64))
    free = replace(settings, levels=None)
    drawn = [trial_raster(picture, int(trials[k]), free) for k in some if len(trials)]
    levels = [raster.panels[0].levels for raster in drawn if raster is not None]
    if not levels:
        return None
    return Levels(min(level.low for level in levels), max(level.high for level in levels))


def _values(
    session: Session, trials: Rows, surprise: TrialSurprise | None, sort: SortName
) -> TrialValues:
    every = np.ones(len(trials), dtype=bool)
    if surprise is not None and sort in ("surprise", "gain"):
        if not np.array_equal(surprise.trials, trials):
            return _unknown(trials, "not known yet")
        if sort == "surprise":
            return TrialValues(
                values=surprise.nats_per_bin, is_valid=every, words="surprise", unit="nats/bin"
            )
        values, is_valid = surprise.bps
        return TrialValues(
            values=values, is_valid=is_valid, words="gain beyond PSTH", unit="bits/spike"
        )
    if sort == "reaction":
        found = reaction_times(session)
        if found is None:
            return _unknown(trials, "reaction time: not in this session")
        return TrialValues(
            values=found.seconds[trials],
            is_valid=found.is_valid[trials],
            words=found.words,
            unit="s",
        )
    if sort == "recorded":
        number = session.trials.columns["trial_id"].values[trials].astype(np.float64)
        return TrialValues(values=number, is_valid=every, words="trial number", unit="")
    return _unknown(trials, "nothing is scored")


def _unknown(trials: Rows, words: str) -> TrialValues:
    nothing = np.zeros(len(trials))
    return TrialValues(values=nothing, is_valid=nothing.astype(bool), words=words, unit="")


def _note(values: TrialValues, sort: SortName) -> str:
    n_known, n_trials = int(values.is_valid.sum()), len(values.values)
    if not n_known:
        return f"In order of recording: {values.words}."
    first = {"surprise": "most surprising first", "gain": "worst first"}.get(sort, "")
    unit = f" ({values.unit})" if values.unit else ""
    left = n_trials - n_known
    unknown = f"; the last {left}: unknown" if left else ""
    return f"By {values.words}{unit}{', ' + first if first else ''}{unknown}."


def _facts(picture: Picture, surprise: TrialSurprise | None, trial: int) -> str:
    session = picture.workspace.session
    parts = [*_conditions(session, trial)]
    reactions = reaction_times(session)
    if reactions is not None:
        known = reactions.is_valid[trial]
        late = f"{reactions.seconds[trial]:.3f} s" if known else "unknown"
        parts.append(f"{reactions.words}: {late}")
    place = np.flatnonzero(surprise.trials == trial) if surprise is not None else np.zeros(0)
    if surprise is not None and len(place):
        parts += _scores(surprise, int(place[0]))
    if picture.model_hz is not None and not picture.is_exact:
        parts.append("preview")
    return " \N{MIDDLE DOT} ".join(parts)


def _conditions(session: Session, trial: int) -> list[str]:
    """Name the levels of the trial's fields, as far as they are known."""
    found = []
    for field in available_conditions(session):
        if field in _FIELDS:
            conditions = trial_conditions(session, (field,))
            if conditions.is_valid[trial]:
                words = level_words(conditions.names[conditions.label[trial]])
                found.append(f"contrast {words}" if field == "contrast" else words)
    return found


def _scores(surprise: TrialSurprise, place: int) -> list[str]:
    nats = surprise.nats_per_bin
    rank = int((nats > nats[place]).sum()) + 1
    texts = [f"surprise {nats[place]:.3f} nats/bin ({rank} of {len(nats)}, 1 the most)"]
    if surprise.bps.is_valid[place]:
        bps = f"{round(surprise.bps.values[place], 3) + 0.0:.3f}".replace("-", "\N{MINUS SIGN}")
        texts.append(f"{bps} bits/spike beyond PSTH")
    return [*texts, f"{int(surprise.n_spikes[place]):,} scored spikes"]
