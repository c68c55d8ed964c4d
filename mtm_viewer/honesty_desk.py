"""Shows what stands behind the picture, and tries out whether hidden values leak."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PyQt6.QtCore import QObject

from mtm_core.evaluation.leak_check import LeakCheck, leak_check
from mtm_core.masking.spec import MaskSpec
from mtm_viewer.commands import Command, Panels, panel_command
from mtm_viewer.explorer import Explorer
from mtm_viewer.jobs.engine_thread import Answer, EngineThread
from mtm_viewer.presenters.honesty import Screen, honesty_lines
from mtm_viewer.presenters.workspace import Workspace, spec_for

SIDE = "honesty"
_SEED = 0


@dataclass(frozen=True, eq=False, kw_only=True)
class _Wish:
    """Try out the mask on screen."""

    workspace: Workspace
    spec: MaskSpec
    device: str


class HonestyDesk(QObject):
    """Draws the panel, and runs the leak check in a thread of its own.

    Parameters
    ----------
    explorer : Explorer
        The running program.
    """

    def __init__(self, explorer: Explorer) -> None:
        super().__init__(explorer.window)
        self._explorer = explorer
        self._panel = explorer.window.honesty
        self._dock = explorer.window.side_docks[SIDE]
        self._thread = EngineThread(_work, "leak check", self)
        self._thread.partial.connect(self._on_answer)
        self._thread.failed.connect(lambda _, text: self._take(text))
        self._thread.busy.connect(lambda _: self._draw())
        self._asked: _Wish | None = None
        self._found: tuple[Workspace, MaskSpec, LeakCheck | str] | None = None
        state = explorer.state
        self._panel.check_requested.connect(self.check)
        state.workspace_changed.connect(self._forget)
        for signal in (state.mask_changed, state.workspace_changed, state.trials_changed):
            signal.connect(self._draw)
        explorer.pictured.connect(self._draw)
        self._dock.visibilityChanged.connect(self._draw)
        self._draw()

    def check(self) -> None:
        """Try out whether hidden values reach their predictions."""
        wish = self._wish()
        if wish is None:
            return
        self._asked = wish
        self._thread.request(wish)

    def stop(self) -> None:
        """End the thread."""
        self._thread.stop()

    def commands(self, panels: Panels) -> tuple[Command, ...]:
        """Return the commands of the panel."""
        return (
            panel_command(
                panels,
                SIDE,
                "view.honesty",
                title="Behind the picture",
                shortcut="Ctrl+Shift+B",
                help="Show what is hidden, scored, averaged and compared, and what to mind.",
            ),
            Command(
                id="model.leak_check",
                title="Check for leaks",
                menu="Model",
                help="Replace all that is hidden by other counts, and look whether any "
                "prediction moves.",
                run=lambda: self._show_and_check(panels),
                is_enabled=lambda: self._wish() is not None,
            ),
        )

    def _show_and_check(self, panels: Panels) -> None:
        if not panels.is_side_shown(SIDE):
            panels.toggle_side(SIDE)
        self.check()

    def _wish(self) -> _Wish | None:
        state = self._explorer.state
        workspace, spec = state.shown, state.mask.spec
        if workspace is None or workspace.model is None or spec is None:
            return None
        return _Wish(
            workspace=workspace, spec=spec_for(workspace.model, spec), device=state.device
        )

    def _on_answer(self, answer: Answer) -> None:
        if isinstance(answer.value, LeakCheck):
            self._take(answer.value)

    def _take(self, found: LeakCheck | str) -> None:
        if self._asked is not None:
            self._found = (self._asked.workspace, self._asked.spec, found)
        self._draw()

    def _forget(self) -> None:
        """Let go of a session that was closed."""
        self._asked = self._found = None

    def _draw(self, _: object = None) -> None:
        """Draw what is known, where it can be seen."""
        state = self._explorer.state
        if self._dock.isHidden():
            return
        if state.shown is None:
            self._panel.draw((), can_check=False)
            return
        wish, leak = self._wish(), None
        if wish is not None and self._found is not None:
            workspace, spec, found = self._found
            leak = found if workspace is wish.workspace and spec == wish.spec else None
        picture = self._explorer.picture
        is_shown = picture is not None and picture.workspace is state.shown
        is_checking = self._thread.is_busy
        lines = honesty_lines(
            Screen(
                workspace=state.shown,
                picture=picture if is_shown else None,
                mask=state.describe_mask(),
                split=state.trial_filter.split,
                untrained=state.untrained_reason(),
                leak="checking\N{HORIZONTAL ELLIPSIS}" if is_checking else leak,
            )
        )
        self._panel.draw(lines, can_check=wish is not None and not is_checking)


def _work(request: object, should_stop: Callable[[], bool]) -> Iterator[object]:
    if isinstance(request, _Wish) and request.workspace.model is not None:
        yield leak_check(
            request.workspace.model.checkpoint,
            request.workspace.recording,
            request.spec,
            request.workspace.test,
            np.random.default_rng(_SEED),
            device=request.device,
        )
