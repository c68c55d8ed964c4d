"""What a person does to the mask: recipes, clicks, strokes, rules, named masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mtm_core.errors import MaskError
from mtm_core.evaluation.unit_labels import unit_label
from mtm_core.masking.entries import combine, complement
from mtm_core.masking.recipes import RecipeSettings
from mtm_core.masking.rules import parse_rule
from mtm_core.masking.spec import MaskSpec
from mtm_viewer.mask_state import MaskState
from mtm_viewer.presenters import mask_edits
from mtm_viewer.presenters.mask_choice import (
    HiddenParts,
    MaskChoice,
    default_region,
    group_units,
    parts_of,
    region_words,
)
from mtm_viewer.presenters.recipes import CUSTOM

_OPTIONAL = ("co_smoothing", "forward_prediction")
"""Recipes that can do without a region."""


class MaskEditing(MaskState):
    """Edits of the mask, each of them one step that can be undone by its name."""

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
        regions = () if region is None else (region, *self._mask.others)
        choice = self._recipe(recipe, regions, self._mask.settings)
        self._push(choice, choice.title)

    def set_recipe(self, settings: RecipeSettings) -> None:
        """Change the parameters of the recipe.

        Raises
        ------
        MaskError
            If that mask does not fit this session; the mask stays as it was.
        """
        if self._workspace is None or self._mask.recipe == CUSTOM:
            return
        mask = self._mask
        choice = self._recipe(mask.recipe, mask.regions, settings, mask.prompt)
        self._push(choice, f"parameters of {choice.title}", stroke="parameters")

    def reset_recipe(self) -> None:
        """Take the published parameters, and the recipe's own prompt."""
        if self._workspace is not None and self._mask.recipe != CUSTOM:
            mask = self._mask
            choice = self._recipe(mask.recipe, mask.regions, RecipeSettings())
            self._push(choice, f"{choice.title} as published")

    def click_region(self, region: str) -> None:
        """Do with a region what the recipe says.

        Raises
        ------
        MaskError
            If that mask does not fit this session; the mask stays as it was.
        """
        if self._mask.recipe == CUSTOM:
            self.toggle_region(region)
            return
        is_again = (region,) == self._mask.regions
        self.target_regions(() if is_again and self._mask.recipe in _OPTIONAL else (region,))

    def add_region(self, region: str) -> None:
        """Do what the recipe says with one region more, or with one less if it was among them."""
        self.add_regions((region,))

    def add_regions(self, regions: Sequence[str]) -> None:
        """Do what the recipe says with further regions; without them if all are among them.

        Raises
        ------
        MaskError
            If that mask does not fit this session; the mask stays as it was.
        """
        if self._mask.recipe == CUSTOM:
            self.toggle_regions(regions)
            return
        before = self._mask.regions
        if set(regions) <= set(before):
            left = tuple(name for name in before if name not in regions)
            self.target_regions(left or (before if self._mask.recipe not in _OPTIONAL else ()))
            return
        self.target_regions((*before, *(name for name in regions if name not in before)))

    def target_regions(self, regions: Sequence[str]) -> None:
        """Do what the recipe says with some regions, in place of those before.

        Raises
        ------
        MaskError
            If that mask does not fit this session; the mask stays as it was.
        """
        if self._workspace is None:
            return
        session = self._workspace.session
        if self._mask.recipe == CUSTOM:
            self.hide_only_units(np.isin(session.region, regions), region_words(regions))
            return
        mask = self._mask
        choice = self._recipe(mask.recipe, regions, mask.settings, mask.prompt)
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

    def toggle_regions(self, regions: Sequence[str], name: str = "") -> None:
        """Hide several regions in a custom mask, or show them again if all are hidden."""
        if len(regions) == 1:
            self.toggle_region(regions[0])
        elif self._workspace is not None:
            wanted = np.isin(self._workspace.session.region, regions)
            self._toggle(wanted, name or region_words(regions))

    def toggle_units(self, unit_ids: Sequence[str]) -> None:
        """Hide several units in a custom mask, or show them again if all are hidden."""
        if len(unit_ids) == 1:
            self.toggle_unit(unit_ids[0])
        elif self._workspace is not None:
            wanted = np.isin(self._workspace.session.unit_id, unit_ids)
            self._toggle(wanted, f"{int(wanted.sum())} units")

    def hide_only_units(self, wanted: NDArray[np.bool_], name: str) -> None:
        """Hide these units, bool (n_units,), in a custom mask, and nothing else."""
        if self._workspace is not None:
            parts = mask_edits.only_units(wanted, self._workspace.session)
            self._edit(parts, f"hide only {name}")

    def keep_only_units(self, wanted: NDArray[np.bool_], name: str) -> None:
        """Show these units, bool (n_units,), and hide all others in a custom mask."""
        if self._workspace is not None:
            parts = mask_edits.only_units(~wanted, self._workspace.session)
            self._edit(parts, f"hide all but {name}")

    def paint(self, stroke: mask_edits.Stroke) -> None:
        """Hide what was painted, or show what was erased: one step, or none if nothing changes.

        Raises
        ------
        MaskError
            If nothing would stay visible; the mask stays as it was.
        """
        if self._workspace is None:
            return
        session, rates = self._workspace.session, self._workspace.rate_hz
        before = self.parts
        after = mask_edits.paint(before, stroke, session, rates)
        old, new = (parts.hidden_entries(session, rates) for parts in (before, after))
        if (old != new).any():
            self._edit(after, mask_edits.stroke_words(old, new))

    def grow_to_regions(self) -> None:
        """Hide whole regions where a part of them is hidden."""
        if self._workspace is not None:
            session, rates = self._workspace.session, self._workspace.rate_hz
            parts = mask_edits.grow_to_regions(self.parts, session, rates)
            names = region_words(parts.regions) or "regions"
            self._edit(parts, f"grow to {names}")

    def invert_mask(self) -> None:
        """Hide what is visible and show what is hidden."""
        if self._workspace is not None:
            session, rates = self._workspace.session, self._workspace.rate_hz
            self._edit(mask_edits.invert(self.parts, session, rates), "invert the mask")

    def hide_random(self, scope: str, percent: float, seed: int) -> None:
        """Hide a random share of units in place of what is hidden; see `random_units`."""
        if self._workspace is not None:
            session, rates = self._workspace.session, self._workspace.rate_hz
            parts = mask_edits.random_units(self.parts, scope, percent, seed, session, rates)
            where = mask_edits.RANDOM_SCOPES[scope]  # type: ignore[index]
            self._edit(parts, f"hide {percent:g} % {where} (seed {seed})")

    def name_mask(self, name: str) -> None:
        """Give the mask on screen a name.

        Raises
        ------
        MaskError
            If nothing is hidden, or that is no name.
        """
        if self._mask.spec is None:
            msg = "Nothing is hidden that could be given a name. Hide something first."
            raise MaskError(msg)
        self._push_names(self._names.with_mask(name, self._mask.spec), f"name '{name.strip()}'")

    def forget_mask(self, name: str) -> None:
        """Forget a named mask; the mask on screen stays."""
        self._push_names(self._names.without(name), f"forget '{name}'")

    def show_choice(self, choice: MaskChoice, text: str) -> None:
        """Put a mask that was kept with its recipe on screen again.

        Raises
        ------
        MaskError
            If it does not fit this session; the mask stays as it was.
        """
        self._push(choice, text)

    def use_mask(self, name: str) -> None:
        """Put a named mask on screen, as a custom one."""
        self.use_spec(self._names.get(name), f"use '{name}'")

    def use_spec(self, spec: MaskSpec, text: str) -> None:
        """Put a mask that was made elsewhere on screen, as a custom one under its own prompt."""
        is_fitting = spec.prompt == self._fitting_prompt(spec)
        self._show_spec(spec, text, None if is_fitting else spec.prompt)

    def combine_mask(self, kind: str, name: str) -> None:
        """Combine the mask on screen with a named one; see `mtm_core.masking.entries.combine`."""
        if self._workspace is not None:
            session, rates = self._workspace.session, self._workspace.rate_hz
            shown = self._mask.spec or MaskSpec()
            spec = combine(kind, shown, self._names.get(name), session, rates)
            self._show_spec(spec, f"{kind} with '{name}'", self._mask.prompt)

    def use_complement(self, name: str) -> None:
        """Hide what a named mask shows, and show what it hides."""
        if self._workspace is not None:
            session, rates = self._workspace.session, self._workspace.rate_hz
            spec = complement(self._names.get(name), session, rates)
            self._show_spec(spec, f"complement of '{name}'", self._mask.prompt)

    def hide_by_rule(self, rule: str) -> None:
        """Hide the units for which a rule is true, beside what is hidden already; "" ends it."""
        text = f"hide units where {parse_rule(rule)}" if rule.strip() else "drop the rule"
        self._edit(replace(self.parts, rule=rule.strip()), text)

    def hide_bins(self, bins: tuple[int, int] | None) -> None:
        """Hide only these bins of what is hidden (of every unit, if none is chosen)."""
        text = "hide all bins" if bins is None else f"hide bins {bins[0]} to {bins[1] - 1}"
        self._edit(replace(self.parts, bins=bins), text, stroke="bins")

    def choose_prompt(self, prompt: str | None) -> None:
        """Give the mask a prompt; None picks the recipe's own, or the fitting one."""
        mask = self._mask
        if mask.recipe == CUSTOM:
            choice = self._custom(self.parts, prompt=prompt)
        else:
            choice = self._recipe(mask.recipe, mask.regions, mask.settings, prompt)
        self._push(choice, f"prompt {prompt or 'picked for the mask'}")

    def show_everything(self) -> None:
        """Hide nothing."""
        self._edit(HiddenParts(), "show everything")

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

    def _show_spec(self, spec: MaskSpec, text: str, prompt: str | None) -> None:
        """Show a mask as a custom one, under a prompt that was picked or the fitting one."""
        spec = spec.with_prompt(prompt or self._fitting_prompt(spec))
        self._push(MaskChoice(recipe=CUSTOM, spec=spec, prompt=prompt), text)
