"""Every place where a person points at the mask, connected with the state, and back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from PyQt6.QtCore import QObject

from mtm_core.errors import MtmError
from mtm_core.evaluation.unit_labels import unit_label
from mtm_core.masking import tasks
from mtm_core.masking.named_masks import NamedMask, NamedMasks
from mtm_core.masking.recipes import RecipeSettings
from mtm_viewer.main_window import RECIPE_SIDE, MainWindow
from mtm_viewer.presenters.mask_choice import MaskChoice
from mtm_viewer.presenters.mask_edits import Stroke
from mtm_viewer.presenters.recipe_panel import recipe_panel
from mtm_viewer.presenters.recipes import CUSTOM, RECIPES
from mtm_viewer.presenters.region_tree import Level, unit_visibility
from mtm_viewer.state import ViewerState
from mtm_viewer.views.mask_editor import EditorDrawable
from mtm_viewer.views.named_masks_panel import COMPLEMENT, FORGET, USE, NamedLine
from mtm_viewer.views.region_tree_model import TreeItem

Attempt = Callable[[str, Callable[[], object]], None]


class MaskDesk(QObject):
    """Recipes, tree, rasters, editor, named masks and history, as far as they edit the mask.

    Parameters
    ----------
    state : ViewerState
        What is hidden.
    window : MainWindow
        Where it is shown.
    attempt : callable
        ``attempt(title, deed)`` does a deed and tells in a dialog what went wrong.
    """

    def __init__(self, state: ViewerState, window: MainWindow, attempt: Attempt) -> None:
        super().__init__(window)
        self._state = state
        self._window = window
        self._attempt = attempt
        window.history.set_stack(state.undo_stack)
        self._connect_pointing()
        self._connect_editor()
        self._connect_recipe()
        self._connect_names()
        state.undo_stack.indexChanged.connect(window.refresh_actions)

    def stop(self) -> None:
        """Follow the history no longer."""
        self._state.undo_stack.indexChanged.disconnect(self._window.refresh_actions)

    def draw(self, mask: MaskChoice) -> None:
        """Show the mask wherever it can be edited."""
        state, window, workspace = self._state, self._window, self._state.workspace
        if workspace is None:
            return
        window.recipes.draw(mask.recipe)
        window.tree.draw_hint(RECIPES[mask.recipe].click.capitalize())
        n_units = workspace.session.n_units
        window.tree.draw_visibility(unit_visibility(state.resolved, n_units))
        if mask.region is not None:
            window.tree.show_region(mask.region)
        window.show_editor(is_shown=mask.recipe == CUSTOM)
        window.recipe.draw(
            recipe_panel(mask, workspace.session, state.resolved, state.automatic_prompt)
        )
        window.names.allow_naming(is_allowed=mask.spec is not None)
        window.editor.draw(
            EditorDrawable(
                session=workspace.session,
                rate_hz=workspace.rate_hz,
                parts=state.parts,
                prompt=mask.prompt,
                chosen_prompt="" if mask.spec is None else mask.spec.prompt,
            )
            if mask.recipe == CUSTOM
            else None
        )

    def _connect_pointing(self) -> None:
        window, state = self._window, self._state
        window.recipes.recipe_chosen.connect(self._click_recipe)
        for view in (window.tree, window.raster):
            view.region_clicked.connect(self._click_region)
            view.unit_clicked.connect(state.select_unit)
        window.tree.group_clicked.connect(self._click_group)
        window.tree.eye_clicked.connect(self._click_eye)
        window.tree.items_picked.connect(self._pick)
        window.tree.only_chosen.connect(partial(self._hide_only, is_kept=False))
        window.tree.others_chosen.connect(partial(self._hide_only, is_kept=True))
        raster = window.raster
        raster.painter.stroke_painted.connect(self._paint)
        raster.units_picked.connect(lambda units: self._mask(partial(state.toggle_units, units)))
        raster.regions_picked.connect(lambda names: self._mask(partial(state.add_regions, names)))
        raster.tools.grow_asked.connect(lambda: self._mask(state.grow_to_regions))
        raster.tools.invert_asked.connect(lambda: self._mask(state.invert_mask))

    def _connect_editor(self) -> None:
        editor, state = self._window.editor, self._state
        editor.rule_entered.connect(
            lambda rule: self._attempt("This rule", partial(state.hide_by_rule, rule))
        )
        editor.bins_entered.connect(lambda bins: self._mask(partial(state.hide_bins, bins)))
        editor.prompt_chosen.connect(
            lambda name: self._attempt("This prompt", partial(state.choose_prompt, name))
        )
        editor.random_asked.connect(
            lambda scope, percent, seed: self._mask(
                partial(state.hide_random, scope, percent, seed)
            )
        )
        editor.cleared.connect(lambda: self._mask(state.show_everything))

    def _connect_recipe(self) -> None:
        panel, state = self._window.recipe, self._state
        panel.settings_chosen.connect(self._set_recipe)
        panel.prompt_chosen.connect(
            lambda name: self._attempt("This prompt", partial(state.choose_prompt, name))
        )
        panel.reset_asked.connect(lambda: self._mask(state.reset_recipe))

    def _click_recipe(self, name: str) -> None:
        """Choose a recipe; show the parameters of the one that is on already."""
        if name == self._state.mask.recipe and name != CUSTOM:
            self._window.toggle_side(RECIPE_SIDE)
        else:
            self._mask(partial(self._state.choose_recipe, name))

    def _set_recipe(self, last_bins: int | None, rule: str) -> None:
        def change() -> None:
            is_usual = last_bins == self._usual_bins()
            settings = RecipeSettings(last_bins=None if is_usual else last_bins, score_rule=rule)
            self._state.set_recipe(settings)

        self._attempt("These parameters", change)

    def _usual_bins(self) -> int | None:
        """Return how many bins forward prediction hides as published."""
        workspace = self._state.workspace
        if workspace is None:
            return None
        bins = tasks.forward_prediction(workspace.session.n_bins).blocks[0].bins or (0, 0)
        return bins[1] - bins[0]

    def _connect_names(self) -> None:
        panel, state = self._window.names, self._state
        panel.named.connect(
            lambda name: self._attempt("This name", partial(state.name_mask, name))
        )
        panel.deed_chosen.connect(self._use_name)
        state.names_changed.connect(self._draw_names)

    def _mask(self, deed: Callable[[], object]) -> None:
        self._attempt("This mask", deed)

    def _paint(self, stroke: Stroke) -> None:
        self._mask(partial(self._state.paint, stroke))

    def _click_region(self, region: str) -> None:
        self._attempt(region, partial(self._state.click_region, region))

    def _click_group(self, item: TreeItem) -> None:
        """Do with all regions below a heading what the recipe says."""
        if item.regions and self._state.mask.recipe != CUSTOM:
            self._attempt(item.name, partial(self._state.target_regions, item.regions))
        else:
            self._click_eye(item)

    def _click_eye(self, item: TreeItem) -> None:
        if item.regions:
            self._mask(partial(self._state.toggle_regions, item.regions, item.name))
        else:
            self._mask(partial(self._state.toggle_units, item.unit_ids))

    def _pick(self, items: list[TreeItem]) -> None:
        regions = tuple(dict.fromkeys(name for item in items for name in item.regions))
        if regions:
            self._mask(partial(self._state.add_regions, regions))
        elif items:
            ids = [unit_id for item in items for unit_id in item.unit_ids]
            self._mask(partial(self._state.toggle_units, ids))

    def _hide_only(self, item: TreeItem, *, is_kept: bool) -> None:
        workspace, state = self._state.workspace, self._state
        if workspace is None:
            return
        ids = workspace.session.unit_id
        is_unit = item.level is Level.UNIT
        row = int(np.flatnonzero(ids == item.name)[0]) if is_unit else 0
        name = unit_label(item.name, str(workspace.session.region[row])) if is_unit else item.name
        deed = state.keep_only_units if is_kept else state.hide_only_units
        self._mask(partial(deed, np.isin(ids, item.unit_ids), name))

    def _use_name(self, deed: str, name: str) -> None:
        state = self._state
        deeds = {USE: state.use_mask, COMPLEMENT: state.use_complement, FORGET: state.forget_mask}
        run = deeds.get(deed, partial(state.combine_mask, deed))
        self._attempt(f"'{name}'", partial(run, name))

    def _draw_names(self, names: NamedMasks) -> None:
        lines = [NamedLine(name=mask.name, words=self._words(mask)) for mask in names]
        self._window.names.draw(lines, can_name=self._state.mask.spec is not None)

    def _words(self, mask: NamedMask) -> str:
        workspace = self._state.workspace
        if workspace is None:
            return ""
        try:
            return mask.spec.describe(workspace.session, workspace.rate_hz)
        except MtmError as error:
            return f"does not fit as the session is now: {error}"
