"""The one state object: what is open, hidden, selected and shown; it tells of every change."""

from __future__ import annotations

from dataclasses import dataclass, field

from PyQt6.QtCore import QObject, pyqtSignal

from mtm_core.evaluation.row_order import WithinName
from mtm_viewer.mask_editing import MaskEditing
from mtm_viewer.presenters.mask_choice import MaskChoice
from mtm_viewer.presenters.raster import RasterSettings
from mtm_viewer.presenters.workspace import Workspace
from mtm_viewer.theme import LIGHT, Theme


@dataclass(frozen=True, kw_only=True)
class Display:
    """How things are shown.

    Parameters
    ----------
    raster : RasterSettings
        Scale, smoothing, colours, third panel.
    within : str
        Order of units within a region.
    is_focused : bool
        Show the rows of the target region only.
    """

    raster: RasterSettings = field(default_factory=RasterSettings)
    within: WithinName = "auto"
    is_focused: bool = False


class ViewerState(MaskEditing):
    """What the window shows, with a signal for each thing that can change.

    Notes
    -----
    Signals carry the new value: those of `MaskState`, and `unit_changed` a unit id or "",
    `display_changed` a `Display`, `control_changed` whether the shuffle control is wanted,
    `device_changed` a device name, `theme_changed` a `Theme`.
    """

    unit_changed = pyqtSignal(str)
    display_changed = pyqtSignal(Display)
    control_changed = pyqtSignal(bool)
    device_changed = pyqtSignal(str)
    theme_changed = pyqtSignal(Theme)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._unit_id = ""
        self._display = Display()
        self._wants_control = False
        self._device = "cpu"
        self._theme = LIGHT

    @property
    def unit_id(self) -> str:
        """The selected unit, "" for none."""
        return self._unit_id

    @property
    def display(self) -> Display:
        """How things are shown."""
        return self._display

    @property
    def wants_control(self) -> bool:
        """Whether the shuffle control is computed too."""
        return self._wants_control

    @property
    def device(self) -> str:
        """Where the model computes."""
        return self._device

    @property
    def theme(self) -> Theme:
        """The colours of the window."""
        return self._theme

    @property
    def unit_row(self) -> int | None:
        """Column of the selected unit in the session's counts."""
        return self._row_of(self._unit_id)

    def has_unit_field(self, name: str) -> bool:
        """Tell whether every unit of the open session has this field."""
        if self._workspace is None or not self._workspace.session.units.has(name):
            return False
        return bool(self._workspace.session.units.column(name).is_valid.all())

    def open_workspace(self, workspace: Workspace) -> None:
        """Put a session and its models on screen; the mask is kept where it still applies."""
        self._open(workspace)
        if self._row_of(self._unit_id) is None:
            self._unit_id = ""
        self.workspace_changed.emit(workspace)
        self.names_changed.emit(self._names)
        self.mask_changed.emit(self._mask)
        self.unit_changed.emit(self._unit_id)

    def select_unit(self, unit_id: str) -> None:
        """Look closer at a unit; "" at none."""
        if unit_id != self._unit_id and (not unit_id or self._row_of(unit_id) is not None):
            self._unit_id = unit_id
            self.unit_changed.emit(unit_id)

    def set_display(self, display: Display) -> None:
        """Change how things are shown."""
        if display != self._display:
            self._display = display
            self.display_changed.emit(display)

    def set_control(self, *, is_wanted: bool) -> None:
        """Ask for the shuffle control, or no longer."""
        if is_wanted != self._wants_control:
            self._wants_control = is_wanted
            self.control_changed.emit(is_wanted)

    def set_device(self, device: str) -> None:
        """Compute elsewhere."""
        if device != self._device:
            self._device = device
            self.device_changed.emit(device)

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        if theme != self._theme:
            self._theme = theme
            self.theme_changed.emit(theme)

    def _show_mask(self, mask: MaskChoice) -> None:
        self._wants_control = False
        super()._show_mask(mask)
