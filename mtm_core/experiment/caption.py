"""A caption in words: what a figure of an experiment shows, and how its numbers were made."""

from __future__ import annotations

from mtm_core.data.session import Session
from mtm_core.evaluation.contrast import contrast_words
from mtm_core.evaluation.mask_scores import PredictorScore
from mtm_core.evaluation.paired_change import CAUTION, change_words, unit_words
from mtm_core.experiment.record import Experiment, ModelRef, Numbers

_HASH = 12


def caption(experiment: Experiment, session: Session) -> str:
    """Write a caption.

    Parameters
    ----------
    experiment : Experiment
        What was done.
    session : Session
        Its recording.

    Returns
    -------
    str
        Whole sentences, in paragraphs.
    """
    paragraphs = [
        f"{experiment.title}.",
        f"{_recording_words(experiment, session)} {_trial_words(experiment)}",
        _model_words(experiment),
        _score_words(experiment),
        " ".join(compared_lines(experiment.numbers)),
        _origin_words(experiment, session),
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def recording_name(session: Session) -> str:
    """Name a recording: subject and date where they are known; says so if it is simulated."""
    origin = session.provenance
    who = " ".join(part for part in (origin.subject, origin.date) if part)
    return f"{who or session.session_id}{', simulated' if origin.is_simulated else ''}"


def score_words(score: PredictorScore) -> str:
    """Give a predictor's score beyond the PSTH with its interval."""
    if score.bps_beyond_psth is None:
        return f"{score.name} no spike to score"
    interval = ""
    if score.interval is not None:
        low, high = score.interval
        interval = f" [{_signed(low)}, {_signed(high)}]"
    return f"{score.name} {_signed(score.bps_beyond_psth)}{interval}"


def _recording_words(experiment: Experiment, session: Session) -> str:
    origin = session.provenance
    return (
        f"Recording: {recording_name(session)} ({experiment.session.session_id}), "
        f"{session.n_units} units, bins of {1000 * session.bin_size_s:g} ms, "
        f"time 0: {origin.align_event}."
    )


def _trial_words(experiment: Experiment) -> str:
    trials = experiment.trials
    n, kind = len(trials.rows), trials.kind
    seen = ""
    if experiment.model is not None and trials.split != "test":
        seen = " The model was trained or tuned on such trials: this is no test of it."
    plural = "" if n == 1 else "s"
    return f"Averages and scores are of {n} {kind} trial{plural}.{seen}"


def _model_words(experiment: Experiment) -> str:
    if experiment.model is None or experiment.mask is None:
        return ""
    words = f"Reconstructed by {_name(experiment.model)}"
    if experiment.baseline is not None:
        words += f"; compared under the same mask with {_name(experiment.baseline)}"
    return f"{words}."


def _name(model: ModelRef) -> str:
    return f"{model.name}, weights {model.digest[:_HASH]}"


def _score_words(experiment: Experiment) -> str:
    scores = experiment.numbers.predictors
    if not scores:
        return "" if experiment.mask is None else "Not all trials were computed: no scores."
    first = scores[0]
    listed = "; ".join(map(score_words, scores))
    return (
        f"Bits per spike beyond the PSTH, {first.n_units} units and {first.n_spikes} spikes: "
        f"{listed}. Null: each unit's PSTH in training trials of the same condition; pooled over "
        "units and trials; in brackets 95 % intervals, bootstrap over trials."
    )


def compared_lines(numbers: Numbers) -> list[str]:
    """Say in sentences what was compared: model against opponent, condition against condition."""
    change, contrast = numbers.change, numbers.contrast
    lines = [] if change is None else [change_words(change), unit_words(change), CAUTION]
    return lines if contrast is None else [*lines, contrast_words(contrast)]


def _origin_words(experiment: Experiment, session: Session) -> str:
    origin = session.provenance
    version = experiment.versions.get("mtm_core", "unknown")
    return (
        f"Data: {origin.citation.rstrip('.')}. Licence: {origin.licence.rstrip('.')}. Session "
        f"content {experiment.session.content_hash[:_HASH]}. MtM Viewer {version}. The figure "
        "carries its experiment: drop it on the window of mtm-viewer, or recompute its numbers "
        "with 'mtm-core replay FIGURE --out DIR'."
    )


def _signed(value: float) -> str:
    return f"{value:.3f}".replace("-", "\N{MINUS SIGN}")
