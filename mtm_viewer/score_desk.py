"""Connects the score panel with the picture on screen and with what a person asks of it."""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtCore import QObject

from mtm_viewer.main_window import MainWindow
from mtm_viewer.presenters.picture import Picture
from mtm_viewer.presenters.score_lines import (
    lines_by_condition,
    opponent_line,
    score_groupings,
)
from mtm_viewer.presenters.scores import (
    PREDICTIONS,
    ScoreContext,
    ScoreDrawable,
    ScoreLine,
    score_panel,
)
from mtm_viewer.presenters.status_words import no_model_panel
from mtm_viewer.presenters.workspace import Workspace
from mtm_viewer.state import ViewerState


class ScoreDesk(QObject):
    """Draws scores: of the model and its rivals, or of the model by conditions of trials.

    Parameters
    ----------
    state : ViewerState
        What is shown.
    window : MainWindow
        Where it is shown.
    """

    def __init__(self, state: ViewerState, window: MainWindow) -> None:
        super().__init__(window)
        self._state = state
        self._view = window.scores
        self._picture: Picture | None = None
        self._grouping = PREDICTIONS
        view = window.scores
        view.shuffle_requested.connect(lambda is_on: state.set_control(is_wanted=is_on))
        view.grouping_chosen.connect(self.group_by)
        state.control_changed.connect(lambda _: self.draw(self._picture))

    @property
    def grouping(self) -> str:
        """What rows stand for: "" for predictions, or a field of trials."""
        return self._grouping

    @property
    def lines(self) -> tuple[ScoreLine, ...]:
        """The rows of the table."""
        picture = self._picture
        return () if picture is None else self._groups(picture) or self._predictions(picture)

    def group_by(self, grouping: str) -> None:
        """Let rows stand for something else."""
        self._grouping = grouping
        self.draw(self._picture)

    def draw(self, picture: Picture | None) -> None:
        """Show the scores of a picture; None while there is none."""
        self._picture = picture
        workspace = self._state.workspace
        if workspace is not None and workspace.model is None:
            self._view.draw(no_model_panel(workspace))
        else:
            self._view.draw(self._drawable(picture, workspace))

    def _drawable(self, picture: Picture | None, workspace: Workspace | None) -> ScoreDrawable:
        if picture is None or workspace is None:
            return score_panel((), None, is_coming=self._is_coming(picture, workspace))
        drawable = score_panel(
            self._predictions(picture),
            self._context(picture, workspace),
            can_shuffle=picture.n_done > 0,
            groups=self._groups(picture),
            is_coming=self._is_coming(picture, workspace),
        )
        groupings = score_groupings(workspace.session)
        grouping = self._grouping if self._grouping in groupings else PREDICTIONS
        return replace(
            drawable,
            is_shuffled=self._state.wants_control,
            groupings=groupings,
            grouping=grouping,
        )

    def _is_coming(self, picture: Picture | None, workspace: Workspace | None) -> bool:
        """Tell whether scores will follow: the first pictures do not wait for them."""
        if workspace is None or self._state.mask.spec is None:
            return False
        mask = None if picture is None else picture.mask
        return mask is None or bool(mask.is_scored.any())

    def _context(self, picture: Picture, workspace: Workspace) -> ScoreContext | None:
        if not picture.lines:
            return None
        return ScoreContext(
            task=self._state.mask.title,
            trials=picture.raster.trials.words(),
            checkpoint="" if workspace.model is None else workspace.model.name,
            is_final=picture.is_exact,
        )

    def _predictions(self, picture: Picture) -> tuple[ScoreLine, ...]:
        """Return the model and its rivals; what it is compared with stands right below it."""
        change = None if picture.compared is None else picture.compared.change
        if not picture.lines or change is None:
            return picture.lines
        line = opponent_line(change)
        rivals = (each for each in picture.lines[1:] if each.name != line.name)
        return (picture.lines[0], line, *rivals)

    def _groups(self, picture: Picture) -> tuple[ScoreLine, ...]:
        session = picture.workspace.session
        if picture.gains is None or self._grouping == PREDICTIONS:
            return ()
        if self._grouping not in score_groupings(session):
            return ()
        return lines_by_condition(session, picture.trials, picture.gains, self._grouping)
