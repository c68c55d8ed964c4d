"""Connects state, engine and window: what changes in one is shown or computed by the others."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
from PyQt6.QtCore import QObject, QTimer, pyqtSignal
from PyQt6.QtWidgets import QApplication

from mtm_core.errors import MtmError
from mtm_viewer.commands import CommandRegistry
from mtm_viewer.jobs.engine_thread import Answer, EngineThread, Work
from mtm_viewer.jobs.open_job import OpenRequest
from mtm_viewer.jobs.reconstruct_job import ReconstructionRequest
from mtm_viewer.main_window import TITLE, MainWindow
from mtm_viewer.mask_desk import MaskDesk
from mtm_viewer.opening import Opener
from mtm_viewer.presenters.computing import route_tooltip, route_words
from mtm_viewer.presenters.health import health_chips
from mtm_viewer.presenters.mask_choice import MaskChoice
from mtm_viewer.presenters.picture import Picture
from mtm_viewer.presenters.region_tree import region_tree
from mtm_viewer.presenters.status_words import progress_words, session_words
from mtm_viewer.presenters.workspace import Workspace
from mtm_viewer.raster_desk import RasterDesk
from mtm_viewer.save_questions import SaveQuestions
from mtm_viewer.score_desk import ScoreDesk
from mtm_viewer.state import ViewerState
from mtm_viewer.theme import Theme
from mtm_viewer.unit_desk import UnitDesk
from mtm_viewer.views.dialogs import Actions, tell_problem
from mtm_viewer.views.style import apply_theme

logger = logging.getLogger(__name__)
_UNIT_DELAY_MS = 250
"""While trials arrive the rasters come first; the unit panel follows at this pace."""
_PAINTED_MS = 20
"""When rasters are painted that were drawn now: Qt waits for more to paint, about 5 ms."""


class Explorer(QObject):
    """The running program.

    Parameters
    ----------
    state : ViewerState
        What is shown.
    window : MainWindow
        Where it is shown.
    registry : CommandRegistry
        What can be done.
    works : (Work, Work)
        What the two engine threads run: opening files, and reconstructing.
    devices : tuple of str
        Devices of this machine.

    Notes
    -----
    Signals: `pictured` a `Picture` that is on screen now, None when a session is opened;
    `settled` when a final picture is on screen, `opened` a workspace, `told` the
    sentence of a problem.
    """

    pictured = pyqtSignal(object)
    settled = pyqtSignal()
    opened = pyqtSignal(object)
    told = pyqtSignal(str)

    def __init__(
        self,
        state: ViewerState,
        window: MainWindow,
        registry: CommandRegistry,
        works: tuple[Work, Work],
        devices: tuple[str, ...] = ("cpu",),
    ) -> None:
        super().__init__(window)
        self.state = state
        self.window = window
        self.registry = registry
        self.picture: Picture | None = None
        self.works = works
        self.devices = devices
        self._proposed_unit = ""
        self._unit_delay = QTimer(self)
        self._unit_delay.setSingleShot(True)
        self._unit_delay.timeout.connect(self._after_painting)
        self._final_ticket = 0
        self.opener = Opener(state, window, works[0], self.tell)
        self.engine = EngineThread(works[1], "reconstruction", self)
        self.masks = MaskDesk(state, window, self.attempt)
        self.rasters = RasterDesk(state, window, self.attempt)
        self.units = UnitDesk(state, window)
        self.scores = ScoreDesk(state, window)
        self.files = SaveQuestions(state, window)
        self._connect_engines()
        self._connect_views()
        self._connect_state()
        self._show_theme(state.theme)
        window.status.draw_devices(self.devices, state.device)
        self._show_status()

    def attempt(self, title: str, deed: Callable[[], object]) -> None:
        """Do it; tell in a dialog if it cannot be done, and leave all as it was."""
        try:
            deed()
        except MtmError as error:
            self.tell(f"{title} cannot be used", str(error))
            self._show_mask(self.state.mask, compute=False)

    def tell(self, title: str, sentence: str, actions: Actions | None = None) -> None:
        """Show a problem in a sentence."""
        logger.warning("%s: %s", title, sentence)
        self.told.emit(sentence)
        tell_problem(self.window, title, sentence, actions)

    def open_files(self, request: OpenRequest) -> None:
        """Open files in the background; what is on screen stays until they are read."""
        self.opener.open_files(request)

    def cancel(self) -> None:
        """Stop computing and opening; what is on screen stays."""
        self.engine.cancel()
        self.opener.cancel()
        self._show_status()

    def stop(self) -> None:
        """End both threads, and follow the state no longer."""
        self._unit_delay.stop()
        self.masks.stop()
        self.opener.stop()
        self.engine.stop()

    def compute(self) -> None:
        """Ask for the picture of what the state says now."""
        workspace = self.state.shown
        if workspace is None:
            return
        self.engine.request(
            ReconstructionRequest(
                workspace=workspace,
                spec=self.state.mask.spec,
                regions=self.state.mask.regions,
                display=self.state.display,
                wants_control=self.state.wants_control,
                device=self.state.device,
                compare=self.state.compare,
            )
        )

    def _connect_engines(self) -> None:
        self.opener.opened.connect(self._on_opened)
        self.opener.busy.connect(lambda _: self._show_busy())
        self.engine.partial.connect(self._on_picture)
        self.engine.failed.connect(lambda _, text: self.tell("The reconstruction stopped", text))
        self.engine.busy.connect(lambda _: self._show_busy())

    def _connect_views(self) -> None:
        self.window.unit.drawn.connect(self._after_unit)
        self._connect_bar()

    def _connect_bar(self) -> None:
        bar, state = self.window.models, self.state
        bar.model_chosen.connect(self._choose_model)
        bar.open_requested.connect(lambda: self.registry.run("model.open"))
        self.window.status.device_chosen.connect(state.set_device)
        self.window.status.cancelled.connect(self.cancel)

    def _connect_state(self) -> None:
        state = self.state
        state.workspace_changed.connect(self._show_workspace)
        state.mask_changed.connect(lambda mask: self._show_mask(mask, compute=True))
        state.unit_changed.connect(lambda _: self._show_unit())
        state.unit_settings_changed.connect(lambda _: self._show_unit())
        state.display_changed.connect(lambda _: self._on_display())
        state.trials_changed.connect(lambda _: self._on_display())
        state.compare_changed.connect(lambda _: self.compute())
        state.control_changed.connect(lambda _: self.compute())
        state.device_changed.connect(lambda _: self.compute())
        state.theme_changed.connect(self._show_theme)

    def _choose_model(self, place: int) -> None:
        workspace = self.state.workspace
        if workspace is not None and place != workspace.shown:
            self.open_files(OpenRequest(current=workspace, shown=place))

    def _on_opened(self, workspace: Workspace) -> None:
        self.engine.cancel()
        self.state.open_workspace(workspace)
        self.opened.emit(workspace)
        self._show_status()

    def _on_picture(self, answer: Answer) -> None:
        picture = answer.value
        if not isinstance(picture, Picture) or picture.workspace is not self.state.shown:
            return
        if self.picture is None or picture.raster is not self.picture.raster:
            self.window.raster.draw(picture.raster)
        self.picture = picture
        self.window.status.draw_progress(picture.n_done, picture.n_wanted)
        if picture.backend is not None:
            status, backend = self.window.status, picture.backend
            status.draw_route(route_words(backend), route_tooltip(backend))
        self.scores.draw(picture)
        self._show_status()
        # The unit panel is drawn after the rasters are painted, not in the same breath.
        if picture.is_final or not self._unit_delay.isActive():
            self._unit_delay.start(_PAINTED_MS if picture.is_final else _UNIT_DELAY_MS)
        self._final_ticket = answer.ticket if picture.is_final else 0
        self.pictured.emit(picture)

    def _after_painting(self) -> None:
        shown = self.state.unit_id
        if self._is_settled() and self.picture is not None:
            self._choose_first_unit(self.picture)
        if self.state.unit_id == shown:  # another unit was drawn when it was selected
            self._show_unit()

    def _is_settled(self) -> bool:
        return 0 < self._final_ticket == self.engine.newest_ticket

    def _after_unit(self) -> None:
        if self._is_settled() and not self._unit_delay.isActive():
            self._final_ticket = 0
            self.settled.emit()

    def _choose_first_unit(self, picture: Picture) -> None:
        """Look closer at the scored unit with the most spikes, until a person chooses one."""
        workspace, state = self.state.shown, self.state
        if workspace is None or state.unit_id not in ("", self._proposed_unit):
            return
        row = self._first_unit(workspace, picture)
        if row is None:
            return
        self._proposed_unit = str(workspace.session.unit_id[row])
        state.select_unit(self._proposed_unit)

    def _first_unit(self, workspace: Workspace, picture: Picture) -> int | None:
        """Find that unit's column; without a model the fastest one of the region on screen."""
        gains = picture.gains
        if gains is not None:
            is_fine = bool(self.state.unit_id) and self.state.unit_row in gains.units
            return None if is_fine else int(gains.units[gains.spikes.sum(axis=0).argmax()])
        if workspace.model is not None or self.state.unit_id:
            return None
        is_target = workspace.session.region == (self.state.mask.region or "")
        rates = np.where(is_target | ~is_target.any(), workspace.rate_hz, -1.0)
        return int(rates.argmax())

    def _on_display(self) -> None:
        self._show_bar()
        self.window.refresh_actions()
        self.compute()

    def _show_workspace(self, workspace: Workspace) -> None:
        self.picture = None
        self.pictured.emit(None)
        self.window.show_welcome(is_shown=False)
        self.window.setWindowTitle(f"{workspace.name} \N{EM DASH} {TITLE}")
        chips = health_chips(workspace.recording, workspace.health)
        self.window.health.draw(chips, can_prepare=workspace.opened is not None)
        self.window.tree.draw(region_tree(workspace.session, workspace.rate_hz))
        self.window.raster.draw(None)
        self.scores.draw(None)

    def _show_mask(self, mask: MaskChoice, *, compute: bool) -> None:
        if self.state.workspace is None:
            return
        if compute:  # first of all: the engine works while the rest is drawn
            self.compute()
        self.masks.draw(mask)
        self._show_bar()
        self.window.refresh_actions()
        self._show_status()

    def _show_bar(self) -> None:
        state, bar, workspace = self.state, self.window.models, self.state.workspace
        if workspace is None:
            return
        titles = [workspace.title_of(model.name) for model in workspace.models]
        bar.draw_models(titles, workspace.shown)
        self.rasters.draw()
        self.window.status.draw_devices(self.devices, state.device)

    def _show_unit(self) -> None:
        self.window.raster.choose_unit(self.state.unit_id)
        self.units.draw(self.picture)
        self.window.tree.show_unit(self.state.unit_id)

    def _show_busy(self) -> None:
        self.window.status.draw_busy(is_busy=self.engine.is_busy or self.opener.loader.is_busy)
        self._show_status()

    def _show_status(self) -> None:
        workspace = self.state.shown
        opening = "opening\N{HORIZONTAL ELLIPSIS}" if self.opener.loader.is_busy else ""
        self.window.status.draw(
            session=opening if workspace is None else session_words(workspace),
            mask=self.state.describe_mask() if workspace is not None else "",
            progress=opening
            or progress_words(workspace, self.picture, is_computing=self.engine.is_busy),
        )

    def _show_theme(self, theme: Theme) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            apply_theme(app, theme)
        self.window.set_theme(theme)
        self.window.refresh_actions()
