"""What stands above the curves of a run."""

from __future__ import annotations

from dataclasses import dataclass

from mtm_viewer.presenters.run_list import RunInfo, outcome_words
from mtm_viewer.presenters.training_curve import TrainingCurve
from mtm_viewer.presenters.transfer import duration_words


@dataclass(frozen=True, kw_only=True)
class RunHead:
    """What stands above the curves.

    Parameters
    ----------
    title : str
        Which run is shown.
    detail : str
        How far it is, or what came of it.
    share : float or None
        0 to 1; None where nobody knows.
    is_running : bool
        Whether it trains now.
    can_pause, can_cancel : bool
        Whether it can be asked to pause, and be stopped or taken out of the queue.
    """

    title: str
    detail: str
    share: float | None = None
    is_running: bool = False
    can_pause: bool = False
    can_cancel: bool = False


def live_head(
    title: str, curve: TrainingCurve, *, seconds: float, n_waiting: int, is_stopping: bool
) -> RunHead:
    """Describe the run that trains now.

    Parameters
    ----------
    title : str
        Its name.
    curve : TrainingCurve
        What happened in it.
    seconds : float
        Time since its process was started.
    n_waiting : int
        Runs that come after it.
    is_stopping : bool
        Whether it was asked to pause.
    """
    words = "saving a checkpoint" if is_stopping else curve.words()
    if not curve.n_steps and not is_stopping:
        words += f", {duration_words(max(0.0, seconds))} so far"
    later = f"   ({n_waiting} more waiting)" if n_waiting else ""
    return RunHead(
        title=title,
        detail=words[:1].upper() + words[1:] + later,
        share=curve.share,
        is_running=True,
        can_pause=not is_stopping,
        can_cancel=True,
    )


def past_head(run: RunInfo) -> RunHead:
    """Describe a run that does not train now."""
    return RunHead(title=run.title, detail=outcome_words(run), can_cancel=run.state == "waiting")
