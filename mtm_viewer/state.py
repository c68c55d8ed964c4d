"""The one state object: what is open, hidden, selected and shown; it tells of every change."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from PyQt6.QtCore import QObject, pyqtSignal

from mtm_core.errors import DataError
from mtm_core.evaluation.row_order import WithinName
from mtm_viewer.mask_editing import MaskEditing
from mtm_viewer.presenters.compare_choice import CompareChoice
from mtm_viewer.presenters.raster_settings import RasterSettings
from mtm_viewer.presenters.trial_filter import TrialFilter, filter_trials
from mtm_viewer.presenters.unit_settings import UnitSettings
from mtm_viewer.presenters.workspace import Workspace
from mtm_viewer.theme import LIGHT, Theme


@dataclass(frozen=True, kw_only=True)
class Display:
    """How things are shown.

    Parameters
    ----------
    raster : RasterSettings
        Scale, smoothing, colours, which maps.
    within : str
        Order of units within a region.
    is_by_region : bool
        Keep the units of a region together; otherwise all units are ordered as one.
    is_focused : bool
        Show the rows of the target regions only.
    """

    raster: RasterSettings = field(default_factory=RasterSettings)
    within: WithinName = "auto"
    is_by_region: bool = True
    is_focused: bool = False


class ViewerState(MaskEditing):
    """What the window shows, with a signal for each thing that can change.

    Notes
    -----
    Signals carry the new value: those of `MaskState`, and `unit_changed` a unit id or "",
    `display_changed` a `Display`, `trials_changed` the `Workspace` with the trials that are
    shown now, `compare_changed` a `CompareChoice`, `unit_settings_changed` the `UnitSettings`,
    `picked_changed` the ids of the units that are picked (a frozenset), `control_changed`
    whether the shuffle control is wanted, `device_changed` a device name, `theme_changed` a
    `Theme`.
    """

    unit_changed = pyqtSignal(str)
    display_changed = pyqtSignal(Display)
    trials_changed = pyqtSignal(object)
    compare_changed = pyqtSignal(object)
    unit_settings_changed = pyqtSignal(object)
    picked_changed = pyqtSignal(object)
    control_changed = pyqtSignal(bool)
    device_changed = pyqtSignal(str)
    theme_changed = pyqtSignal(Theme)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._unit_id = ""
        self._picked: frozenset[str] = frozenset()
        self._display = Display()
        self._unit_settings = UnitSettings()
        self._filter = TrialFilter()
        self._compare = CompareChoice()
        self._shown: Workspace | None = None
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
    def picked(self) -> frozenset[str]:
        """Ids of the units that are picked in the population; picking hides nothing."""
        return self._picked

    @property
    def unit_settings(self) -> UnitSettings:
        """How the selected unit is shown."""
        return self._unit_settings

    @property
    def trial_filter(self) -> TrialFilter:
        """Which trials are shown."""
        return self._filter

    @property
    def compare(self) -> CompareChoice:
        """What is compared with the model on screen."""
        return self._compare

    @property
    def shown(self) -> Workspace | None:
        """What is open, with the trials that are shown in place of all test trials."""
        return self._shown

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
        if self._open(workspace):
            self._filter = TrialFilter()
        try:
            self._shown = filter_trials(workspace, self._filter)
        except DataError:  # another model has another split
            self._filter, self._shown = TrialFilter(), workspace
        if self._row_of(self._unit_id) is None:
            self._unit_id = ""
        self._compare = self._compare.within(workspace)
        still_there = self._picked & set(workspace.session.unit_id.tolist())
        self.workspace_changed.emit(workspace)
        self.pick_units(still_there)
        self.names_changed.emit(self._names)
        self.mask_changed.emit(self._mask)
        self.unit_changed.emit(self._unit_id)

    def select_unit(self, unit_id: str) -> None:
        """Look closer at a unit; "" at none."""
        if unit_id != self._unit_id and (not unit_id or self._row_of(unit_id) is not None):
            self._unit_id = unit_id
            self.unit_changed.emit(unit_id)

    def pick_units(self, unit_ids: Collection[str]) -> None:
        """Pick units in place of those that are picked; none ends it."""
        picked = frozenset(unit_ids)
        if picked != self._picked:
            self._picked = picked
            self.picked_changed.emit(picked)

    def set_unit_settings(self, settings: UnitSettings) -> None:
        """Change how the selected unit is shown."""
        if settings != self._unit_settings:
            self._unit_settings = settings
            self.unit_settings_changed.emit(settings)

    def set_display(self, display: Display) -> None:
        """Change how things are shown."""
        if display != self._display:
            self._display = display
            self.display_changed.emit(display)

    def show_trials(self, wanted: TrialFilter) -> None:
        """Show other trials.

        Raises
        ------
        DataError
            If there are none such; what is shown stays.
        """
        if self._workspace is None or wanted == self._filter:
            return
        self._shown = filter_trials(self._workspace, wanted)
        self._filter = wanted
        self.trials_changed.emit(self._shown)

    def set_compare(self, choice: CompareChoice) -> None:
        """Compare something else; what the open session and models do not have is left out."""
        choice = CompareChoice() if self._workspace is None else choice.within(self._workspace)
        if choice != self._compare:
            self._compare = choice
            self.compare_changed.emit(choice)

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
