"""What came out of a comparison, and the maps that show it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.evaluation.contrast import (
    ContrastScore,
    condition_means_hz,
    condition_pair,
    contrast_in_errors,
    score_contrast,
)
from mtm_core.evaluation.mask_scores import Rivals, ScoredTrials
from mtm_core.evaluation.opponents import short_name
from mtm_core.evaluation.paired_change import PairedChange, paired_change
from mtm_core.evaluation.rasters import difference_in_errors, gain_in_errors
from mtm_core.models.answers import Reconstruction
from mtm_viewer.presenters.compare_choice import CompareChoice
from mtm_viewer.presenters.raster_settings import PanelName, RasterSettings
from mtm_viewer.presenters.workspace import LoadedModel

Map = NDArray[np.floating]
_CONTRAST_TITLES = {
    "choice": "choice L \N{MINUS SIGN} R",
    "contrast_side": "side L \N{MINUS SIGN} R",
    "feedback": "reward \N{MINUS SIGN} none",
    "block": "block L \N{MINUS SIGN} R",
}
"""Short enough for the title of a narrow raster."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Compared:
    """The numbers of a comparison.

    Parameters
    ----------
    choice : CompareChoice
        What was compared.
    name : str
        The opponent, in a few words; "" for none.
    change : PairedChange or None
        Model against opponent; None before both have answered.
    contrast : ContrastScore or None
        The contrast; None before all have answered, or with too few trials of a condition.
    problem : str
        Why the opponent cannot answer; "" where it can.
    is_exact : bool
        False while trials are missing or answered by a preview only.
    """

    choice: CompareChoice
    name: str = ""
    change: PairedChange | None = None
    contrast: ContrastScore | None = None
    problem: str = ""
    is_exact: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class ComparedMaps:
    """Maps of a comparison, for the rasters.

    Parameters
    ----------
    opponent_hz : ndarray, shape (n_bins, n_units), or None
        The opponent's average over the trials that the model has answered, not smoothed.
    signed : dict of str to ndarray, each (n_bins, n_units)
        Differences and gains, smoothed, in standard errors.
    titles : dict of str to str
        Of the maps whose title says what is compared.
    """

    opponent_hz: Map | None
    signed: dict[PanelName, Map]
    titles: dict[PanelName, str]


def compare_answers(
    choice: CompareChoice,
    name: str,
    trials: ScoredTrials,
    rivals: Rivals,
    answers: tuple[LoadedModel, Reconstruction, Reconstruction | None],
) -> Compared:
    """Compute the numbers of a comparison from what is answered.

    Parameters
    ----------
    choice : CompareChoice
        What is compared.
    name : str
        The opponent's.
    trials : ScoredTrials
        Session and trials.
    rivals : Rivals
        The null models.
    answers : (LoadedModel, Reconstruction, Reconstruction or None)
        The model with its answer, and the opponent's.
    """
    loaded, model, opponent = answers
    change = None
    if opponent is not None:
        pair = (short_name(loaded.checkpoint), model), (name, opponent)
        change = paired_change(trials, rivals, *pair)
    contrast = None
    if choice.contrast and model.is_final:
        contrast = score_contrast(trials.session, model, choice.contrast)
    is_exact = model.is_final and (opponent is None or opponent.is_final)
    return Compared(choice=choice, name=name, change=change, contrast=contrast, is_exact=is_exact)


def compared_maps(
    session: Session,
    model: Reconstruction,
    opponent: Reconstruction | None,
    settings: RasterSettings,
    choice: CompareChoice,
    name: str,
) -> ComparedMaps:
    """Average what is answered into the maps that are shown.

    Parameters
    ----------
    session : Session
        The recording, in the model's units and bins.
    model, opponent : Reconstruction
        The answers; None before there is one.
    settings : RasterSettings
        Which maps are shown, and how smooth.
    choice : CompareChoice
        What is compared.
    name : str
        The opponent, in words.
    """
    sigma_bins = settings.sigma_s / session.bin_size_s
    signed: dict[PanelName, Map] = {}
    opponent_hz = None
    if opponent is not None:
        opponent_hz = _average_hz(opponent, model.trials[model.is_done])
    if opponent is not None and opponent_hz is not None:
        if "opponent_difference" in settings.panels:
            n_trials, bin_s = model.n_done, session.bin_size_s
            own_hz = model.trial_average_hz()
            signed["opponent_difference"] = difference_in_errors(
                own_hz, opponent_hz, n_trials, bin_s, sigma_bins
            )
        if "opponent_gain" in settings.panels:
            signed["opponent_gain"] = _gain(session, model, opponent, sigma_bins)
    signed |= _contrast_maps(session, model, settings, choice.contrast)
    return ComparedMaps(opponent_hz=opponent_hz, signed=signed, titles=_titles(choice, name))


def _average_hz(answer: Reconstruction, rows: NDArray[np.int64]) -> Map | None:
    """Average the same trials as the model's; None until all of them are answered."""
    is_wanted = np.isin(answer.trials, rows) & answer.is_done
    if is_wanted.sum() != len(rows):
        return None
    rates: Map = np.exp(answer.log_rate[is_wanted]).mean(axis=0) / answer.bin_size_s
    return rates


def _gain(
    session: Session, model: Reconstruction, opponent: Reconstruction, sigma_bins: float
) -> Map:
    done = np.flatnonzero(model.is_done)
    place = {int(trial): row for row, trial in enumerate(opponent.trials)}
    theirs = opponent.log_rate[[place[int(trial)] for trial in model.trials[done]]]
    counts = session.counts[model.trials[done]]
    return gain_in_errors(counts, model.log_rate[done], theirs, sigma_bins)


def _contrast_maps(
    session: Session, model: Reconstruction, settings: RasterSettings, field: str
) -> dict[PanelName, Map]:
    names: tuple[PanelName, PanelName] = ("contrast_true", "contrast_model")
    if not field or not set(names) & set(settings.panels):
        return {}
    pair = condition_pair(session, field, model.trials[model.is_done])
    if not pair.is_enough:
        return {}
    true, own = condition_means_hz(session, model, pair)
    how = {
        "bin_size_s": session.bin_size_s,
        "sigma_bins": settings.sigma_s / session.bin_size_s,
    }
    return {
        name: contrast_in_errors(maps, own, pair, **how)
        for name, maps in zip(names, (true, own), strict=True)
    }


def _titles(choice: CompareChoice, name: str) -> dict[PanelName, str]:
    titles: dict[PanelName, str] = {"opponent": name} if name else {}
    if choice.contrast:
        words = _CONTRAST_TITLES[choice.contrast]
        titles["contrast_true"] = f"True: {words}"
        titles["contrast_model"] = f"Model: {words}"
    return titles
