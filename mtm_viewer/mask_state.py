"""The mask on screen, its undo history and the named masks; it tells of every change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QUndoStack

from mtm_core.errors import MaskError
from mtm_core.masking.named_masks import NamedMasks
from mtm_core.masking.recipes import RecipeSettings, own_prompt
from mtm_core.masking.spec import MaskSpec, ResolvedMask, best_prompt
from mtm_viewer.mask_steps import MaskStep, NamesStep
from mtm_viewer.presenters.mask_choice import (
    HiddenParts,
    MaskChoice,
    default_region,
    parts_of,
    recipe_choice,
)
from mtm_viewer.presenters.mask_history import MOST_STEPS, HistoryStep, MaskHistory
from mtm_viewer.presenters.recipes import CUSTOM
from mtm_viewer.presenters.workspace import Workspace, spec_for


class MaskState(QObject):
    """What is open, and what of it is hidden.

    Notes
    -----
    Signals carry the new value: `workspace_changed` a `Workspace` or None, `mask_changed` a
    `MaskChoice`, `names_changed` the `NamedMasks` of the session.
    """

    workspace_changed = pyqtSignal(object)
    mask_changed = pyqtSignal(MaskChoice)
    names_changed = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.undo_stack = QUndoStack(self)
        self._workspace: Workspace | None = None
        self._mask = MaskChoice()
        self._resolved: ResolvedMask | None = None
        self._last_resolved: tuple[Workspace, MaskSpec, ResolvedMask] | None = None
        self._names = NamedMasks()
        self._is_loading = False

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
    def names(self) -> NamedMasks:
        """The named masks of the session."""
        return self._names

    def load_names(self, names: NamedMasks) -> None:
        """Take the named masks that were kept of this session; no step of the history."""
        self._show_names(names)

    @property
    def parts(self) -> HiddenParts:
        """The mask on screen as a custom mask."""
        if self._workspace is None:
            return HiddenParts()
        return parts_of(self._mask, self._workspace.session, self._workspace.rate_hz)

    @property
    def history(self) -> MaskHistory:
        """The newest steps of the mask; those that gave masks their names are not among them."""
        stack, steps, n_done = self.undo_stack, [], 0
        for place in range(stack.count()):
            step = stack.command(place)
            if isinstance(step, MaskStep):
                steps.append(HistoryStep(text=step.text(), before=step.before, after=step.after))
                n_done += place < stack.index()
        n_dropped = max(0, min(len(steps) - MOST_STEPS, n_done))
        return MaskHistory(steps=tuple(steps[n_dropped:]), n_done=n_done - n_dropped)

    def load_history(self, history: MaskHistory) -> bool:
        """Take steps that were kept, in place of those there are; tell whether they fit.

        They fit if they lead to the mask on screen, which stays; none fit every mask.
        """
        if history.mask not in (None, self._mask):
            return False
        self._is_loading = True
        self.undo_stack.clear()
        for step in history.steps:
            self.undo_stack.push(MaskStep(self._on_step, step.before, step.after, step.text))
        self.undo_stack.setIndex(history.n_done)
        self._is_loading = False
        return True

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

    @property
    def automatic_prompt(self) -> str:
        """The prompt that the mask on screen gets where a person picks none; "" without a mask."""
        mask, workspace = self._mask, self._workspace
        if mask.spec is None or workspace is None:
            return ""
        if mask.recipe == CUSTOM:
            return self._fitting_prompt(mask.spec)
        choice = self._recipe(mask.recipe, mask.regions, mask.settings)
        return "" if choice.spec is None else choice.spec.prompt

    def _open(self, workspace: Workspace) -> bool:
        """Put a session on screen; tell whether it is another than before."""
        before = self._workspace
        is_same = before is not None and (
            before.session.session_id == workspace.session.session_id
        )
        self._workspace, self._last_resolved = workspace, None
        mask = self._mask if is_same else MaskChoice(recipe=self._mask.recipe)
        self._mask, self._resolved = self._first_mask(mask)
        if not is_same:
            self.undo_stack.clear()
            self._names = NamedMasks()
        return not is_same

    def _edit(self, parts: HiddenParts, text: str, stroke: str = "") -> None:
        self._push(self._custom(parts, prompt=self._mask.prompt), text, stroke)

    def _custom(self, parts: HiddenParts, prompt: str | None = None) -> MaskChoice:
        spec = parts.to_spec()
        if spec is not None and self._workspace is not None:
            spec = spec.with_prompt(prompt or self._fitting_prompt(spec))
        return MaskChoice(recipe=CUSTOM, region=None, spec=spec, prompt=prompt)

    def _recipe(
        self,
        recipe: str,
        regions: Sequence[str],
        settings: RecipeSettings,
        prompt: str | None = None,
    ) -> MaskChoice:
        """Make the mask of a recipe, under a prompt that was picked or its own."""
        if self._workspace is None:
            return MaskChoice(recipe=recipe)
        first, others = (regions[0], tuple(regions[1:])) if regions else (None, ())
        choice = recipe_choice(recipe, first, self._workspace.session, others, settings)
        if choice.spec is None:
            return choice
        told = prompt or self._own_prompt(choice.spec)
        return replace(choice, spec=choice.spec.with_prompt(told), prompt=prompt)

    def _own_prompt(self, spec: MaskSpec) -> str:
        workspace = self._workspace
        if workspace is None or workspace.model is None or workspace.model.is_temporal:
            return spec.prompt
        return own_prompt(spec, workspace.model.schemes, self._fitting_prompt(spec))

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
            self.undo_stack.push(MaskStep(self._on_step, self._mask, after, text, stroke))

    def _on_step(self, mask: MaskChoice) -> None:
        if not self._is_loading:
            self._show_mask(mask)

    def _show_mask(self, mask: MaskChoice) -> None:
        self._mask, self._resolved = mask, self._resolve(mask)
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
                region = default_region(self._workspace.session)
                regions = () if region is None else (region,)
                mask = self._recipe(mask.recipe, regions, mask.settings, mask.prompt)
            elif mask.recipe != CUSTOM and self._workspace is not None:
                mask = self._recipe(mask.recipe, mask.regions, mask.settings, mask.prompt)
            return mask, self._resolve(mask)
        except MaskError:
            pass
        return MaskChoice(recipe=CUSTOM), None

    def _push_names(self, after: NamedMasks, text: str) -> None:
        if after != self._names:
            self.undo_stack.push(NamesStep(self._show_names, self._names, after, text))

    def _show_names(self, names: NamedMasks) -> None:
        self._names = names
        self.names_changed.emit(names)

    def _row_of(self, unit_id: str) -> int | None:
        if self._workspace is None or not unit_id:
            return None
        rows = np.flatnonzero(self._workspace.session.unit_id == unit_id)
        return int(rows[0]) if len(rows) else None
