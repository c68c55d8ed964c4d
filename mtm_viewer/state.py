"""The one state object: what is open, hidden, selected and shown; it tells of every change."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QUndoCommand, QUndoStack

from mtm_core.errors import MaskError
from mtm_core.evaluation.row_order import WithinName
from mtm_core.evaluation.unit_labels import unit_label
from mtm_core.masking.rules import parse_rule
from mtm_core.masking.spec import MaskSpec, ResolvedMask, best_prompt
from mtm_viewer.presenters.mask_choice import (
    HiddenParts,
    MaskChoice,
    default_region,
    group_units,
    parts_of,
    recipe_choice,
)
from mtm_viewer.presenters.raster import RasterSettings
from mtm_viewer.presenters.recipes import CUSTOM
from mtm_viewer.presenters.workspace import LoadedModel, Workspace
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


class MaskStep(QUndoCommand):
    """One step of the undo history: the mask before and after.

    Steps of one stroke (the same `stroke` in a row, for example a range being dragged) merge.
    """

    def __init__(
        self, state: ViewerState, before: MaskChoice, after: MaskChoice, text: str, stroke: str
    ) -> None:
        super().__init__(text)
        self.before = before
        self.after = after
        self.stroke = stroke
        self._state = state

    def redo(self) -> None:
        """Put the later mask on screen (Qt's own hook)."""
        self._state._show_mask(self.after)

    def undo(self) -> None:
        """Put the earlier mask on screen (Qt's own hook)."""
        self._state._show_mask(self.before)

    def id(self) -> int:
        """Say which steps may merge (Qt's own hook)."""
        return 1 if self.stroke else -1

    def mergeWith(self, other: QUndoCommand | None) -> bool:
        """Take in the next step of the same stroke (Qt's own hook)."""
        if not isinstance(other, MaskStep) or other.stroke != self.stroke:
            return False
        self.after = other.after
        self.setText(other.text())
        self.setObsolete(self.after == self.before)
        return True


class ViewerState(QObject):
    """What the window shows, with a signal for each thing that can change.

    Notes
    -----
    Signals carry the new value: `workspace_changed` a `Workspace` or None, `mask_changed` a
    `MaskChoice`, `unit_changed` a unit id or "", `display_changed` a `Display`,
    `control_changed` whether the shuffle control is wanted, `device_changed` a device name,
    `theme_changed` a `Theme`.
    """

    workspace_changed = pyqtSignal(object)
    mask_changed = pyqtSignal(MaskChoice)
    unit_changed = pyqtSignal(str)
    display_changed = pyqtSignal(Display)
    control_changed = pyqtSignal(bool)
    device_changed = pyqtSignal(str)
    theme_changed = pyqtSignal(Theme)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.undo_stack = QUndoStack(self)
        self._workspace: Workspace | None = None
        self._mask = MaskChoice()
        self._resolved: ResolvedMask | None = None
        self._last_resolved: tuple[Workspace, MaskSpec, ResolvedMask] | None = None
        self._unit_id = ""
        self._display = Display()
        self._wants_control = False
        self._device = "cpu"
        self._theme = LIGHT

    @property
    def workspace(self) -> Workspace | None:
        """What is open."""
        return self._workspace

    @property
    def mask(self) -> MaskChoice:
        """The mask on screen and the recipe."""
        return self._mask

    @property
    def resolved(self) -> ResolvedMask | None:
        """The mask in the arrays of the session; None where nothing is hidden."""
        return self._resolved

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
        before = self._workspace
        is_same = before is not None and (
            before.session.session_id == workspace.session.session_id
        )
        self._workspace = workspace
        mask = self._mask if is_same else MaskChoice(recipe=self._mask.recipe)
        self._mask, self._resolved = self._first_mask(mask)
        if not is_same:
            self.undo_stack.clear()
        if self._row_of(self._unit_id) is None:
            self._unit_id = ""
        self.workspace_changed.emit(workspace)
        self.mask_changed.emit(self._mask)
        self.unit_changed.emit(self._unit_id)

    def choose_recipe(self, recipe: str) -> None:
        """Switch to a recipe, for the region on screen or else the largest.

        Raises
        ------
        MaskError
            If the recipe's mask does not fit this session; the mask stays as it was.
        """
        if self._workspace is None or recipe == self._mask.recipe:
            return
        session = self._workspace.session
        if recipe == CUSTOM:
            parts = parts_of(self._mask, session, self._workspace.rate_hz)
            self._push(self._custom(parts), "custom mask")
            return
        region = self._mask.region
        if recipe in ("intra_region", "inter_region") and region is None:
            region = default_region(session)
        choice = recipe_choice(recipe, region, session)
        self._push(choice, choice.title)

    def click_region(self, region: str) -> None:
        """Do with a region what the recipe says.

        Raises
        ------
        MaskError
            If that mask does not fit this session; the mask stays as it was.
        """
        if self._workspace is None:
            return
        if self._mask.recipe == CUSTOM:
            self.toggle_region(region)
            return
        is_again = region == self._mask.region
        is_optional = self._mask.recipe in ("co_smoothing", "forward_prediction")
        wanted = None if is_again and is_optional else region
        choice = recipe_choice(self._mask.recipe, wanted, self._workspace.session)
        self._push(choice, choice.title)

    def toggle_region(self, region: str) -> None:
        """Hide a region in a custom mask, or show it again."""
        if self._workspace is not None:
            session, rates = self._workspace.session, self._workspace.rate_hz
            parts = self.parts.toggle_region(region, session, rates)
            self._edit(parts, f"{self._verb(parts)} {region}")

    def toggle_group(self, group: str) -> None:
        """Hide a Cosmos group in a custom mask, or show it again."""
        if self._workspace is not None:
            self._toggle(group_units(self._workspace.session, group), group)

    def toggle_unit(self, unit_id: str) -> None:
        """Hide a unit in a custom mask, or show it again."""
        row = self._row_of(unit_id)
        if self._workspace is not None and row is not None:
            session = self._workspace.session
            self._toggle(
                np.arange(session.n_units) == row, unit_label(unit_id, str(session.region[row]))
            )

    def hide_by_rule(self, rule: str) -> None:
        """Hide the units for which a rule is true, beside what is hidden already; "" ends it."""
        text = f"hide units where {parse_rule(rule)}" if rule.strip() else "drop the rule"
        self._edit(replace(self.parts, rule=rule.strip()), text)

    def hide_bins(self, bins: tuple[int, int] | None) -> None:
        """Hide only these bins of what is hidden (of every unit, if none is chosen)."""
        text = "hide all bins" if bins is None else f"hide bins {bins[0]} to {bins[1] - 1}"
        self._edit(replace(self.parts, bins=bins), text, stroke="bins")

    def choose_prompt(self, prompt: str | None) -> None:
        """Give a custom mask a prompt; None picks the fitting one."""
        choice = self._custom(self.parts, prompt=prompt)
        self._push(choice, f"prompt {prompt or 'picked for the mask'}")

    def show_everything(self) -> None:
        """Hide nothing."""
        self._edit(HiddenParts(), "show everything")

    @property
    def parts(self) -> HiddenParts:
        """The mask on screen as a custom mask."""
        if self._workspace is None:
            return HiddenParts()
        return parts_of(self._mask, self._workspace.session, self._workspace.rate_hz)

    def describe_mask(self) -> str:
        """Say in words what is hidden, and by which prompt."""
        if self._workspace is None or self._mask.spec is None:
            return "nothing hidden"
        session = self._workspace.session
        text = self._mask.spec.describe(session, self._workspace.rate_hz)
        return text.replace(f"{session.session_id}/", "#")

    def untrained_reason(self) -> str | None:
        """Say why the model on screen was not trained for this mask; None if it was."""
        workspace = self._workspace
        if workspace is None or workspace.model is None or self._mask.spec is None:
            return None
        spec = spec_for(workspace.model, self._mask.spec)
        return spec.untrained_reason(workspace.session, workspace.model.schemes, workspace.rate_hz)

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

    def _toggle(self, wanted: NDArray[np.bool_], name: str) -> None:
        if self._workspace is not None:
            session, rates = self._workspace.session, self._workspace.rate_hz
            parts = self.parts.toggle_units(wanted, session, rates)
            self._edit(parts, f"{self._verb(parts)} {name}")

    def _verb(self, after: HiddenParts) -> str:
        if self._workspace is None:
            return "hide"
        session, rates = self._workspace.session, self._workspace.rate_hz
        n_before = self.parts.hidden_units(session, rates).sum()
        return "hide" if after.hidden_units(session, rates).sum() > n_before else "show"

    def _edit(self, parts: HiddenParts, text: str, stroke: str = "") -> None:
        self._push(self._custom(parts, prompt=self._mask.prompt), text, stroke)

    def _custom(self, parts: HiddenParts, prompt: str | None = None) -> MaskChoice:
        spec = parts.to_spec()
        if spec is not None and self._workspace is not None:
            spec = spec.with_prompt(prompt or self._fitting_prompt(spec))
        return MaskChoice(recipe=CUSTOM, region=None, spec=spec, prompt=prompt)

    def _fitting_prompt(self, spec: MaskSpec) -> str:
        workspace = self._workspace
        if workspace is None or workspace.model is None:
            return spec.prompt
        schemes = workspace.model.schemes
        return best_prompt(spec, workspace.session, schemes, workspace.rate_hz)

    def _push(self, after: MaskChoice, text: str, stroke: str = "") -> None:
        """Check a mask, then put it on screen as a step that can be undone."""
        self._resolve(after)
        if after != self._mask:
            self.undo_stack.push(MaskStep(self, self._mask, after, text, stroke))

    def _show_mask(self, mask: MaskChoice) -> None:
        self._mask, self._resolved = mask, self._resolve(mask)
        self._wants_control = False
        self.mask_changed.emit(mask)

    def _resolve(self, mask: MaskChoice) -> ResolvedMask | None:
        workspace = self._workspace
        if workspace is None or mask.spec is None:
            return None
        last = self._last_resolved  # a mask is resolved to check it, and again to show it
        if last is not None and last[0] is workspace and last[1] == mask.spec:
            return last[2]
        resolved = mask.spec.resolve(workspace.session, workspace.rate_hz)
        resolved = replace(
            resolved,
            is_hidden=resolved.is_hidden | workspace.is_missing,
            is_scored=resolved.is_scored & ~workspace.is_missing,
        )
        self._last_resolved = (workspace, mask.spec, resolved)
        return resolved

    def _first_mask(self, mask: MaskChoice) -> tuple[MaskChoice, ResolvedMask | None]:
        """Keep a mask that still applies; else target the largest region; else hide nothing."""
        try:
            if mask.recipe == CUSTOM and self._workspace is not None:
                parts = parts_of(mask, self._workspace.session, self._workspace.rate_hz)
                mask = self._custom(parts, prompt=mask.prompt)
            elif mask.spec is None and self._workspace is not None:
                session = self._workspace.session
                mask = recipe_choice(mask.recipe, default_region(session), session)
            return mask, self._resolve(mask)
        except MaskError:
            pass
        return MaskChoice(recipe=CUSTOM), None

    def _row_of(self, unit_id: str) -> int | None:
        if self._workspace is None or not unit_id:
            return None
        rows = np.flatnonzero(self._workspace.session.unit_id == unit_id)
        return int(rows[0]) if len(rows) else None


def spec_for(model: LoadedModel, spec: MaskSpec) -> MaskSpec:
    """Return a mask as a model takes it: the temporal baseline is scored without a prompt."""
    return spec.with_prompt("none") if model.is_temporal else spec
