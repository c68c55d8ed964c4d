"""From a click to a mask: what each recipe makes of a region, and how a custom mask is edited."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.errors import MaskError, UnknownNameError
from mtm_core.masking import tasks
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.spec import MaskSpec
from mtm_core.masking.targets import region_sizes, target_regions
from mtm_viewer.presenters.recipes import RECIPES

Rates = NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class MaskChoice:
    """The mask on screen, and the recipe that says what the next click means.

    Parameters
    ----------
    recipe : str
        One of `RECIPES`.
    region : str or None
        The region that the recipe targets; None for none in particular.
    spec : MaskSpec or None
        The mask; None hides nothing.
    prompt : str or None
        The prompt that a person picked for a custom mask; None picks the fitting one.
    """

    recipe: str = "inter_region"
    region: str | None = None
    spec: MaskSpec | None = None
    prompt: str | None = None

    @property
    def title(self) -> str:
        """Name of the recipe and its region, for example ``"Inter-region CA1"``."""
        title = RECIPES[self.recipe].title
        return f"{title} {self.region}" if self.region else title


def default_region(session: Session) -> str | None:
    """Return the named region with the most units that leaves others visible, else None.

    It is what a recipe targets before a person has chosen.
    """
    sizes = region_sizes(session.region)
    named = [name for name in target_regions(session.region, 2) if sizes[name] < session.n_units]
    return max(named, key=lambda name: (sizes[name], name), default=None)


def recipe_choice(recipe: str, region: str | None, session: Session) -> MaskChoice:
    """Make the mask of a recipe for a region.

    Parameters
    ----------
    recipe : str
        One of the four tasks.
    region : str or None
        Co-smoothing and forward prediction score it alone (None: every unit); intra- and
        inter-region need it.
    session : Session
        The recording.

    Raises
    ------
    MaskError
        If the recipe needs a region and there is none.
    """
    if recipe not in tasks.TASKS:
        raise UnknownNameError("recipe", recipe, tasks.TASKS)
    if region is None and recipe in ("intra_region", "inter_region"):
        msg = f"{RECIPES[recipe].title} needs a region: click one in the list or in the raster."
        raise MaskError(msg)
    if recipe == "co_smoothing":
        spec = tasks.co_smoothing()
    elif recipe == "forward_prediction":
        spec = tasks.forward_prediction(session.n_bins)
    elif recipe == "intra_region":
        spec = tasks.intra_region(str(region))
    else:
        spec = tasks.inter_region(str(region))
    if region is not None and recipe in ("co_smoothing", "forward_prediction"):
        spec = replace(spec, scored=(Block(UnitChoice.of_region(region)),))
    return MaskChoice(recipe=recipe, region=region, spec=spec)


@dataclass(frozen=True, kw_only=True)
class HiddenParts:
    """A custom mask as a person edits it.

    Parameters
    ----------
    regions : tuple of str
        Regions hidden as a whole.
    ids : frozenset of str
        Single units hidden beside them.
    rule : str
        Units for which this rule is true are hidden; "" for no rule.
    bins : tuple of int or None
        Hide only these bins (first, and the one after the last); without any unit chosen, of
        every unit.
    """

    regions: tuple[str, ...] = ()
    ids: frozenset[str] = frozenset()
    rule: str = ""
    bins: tuple[int, int] | None = None

    @property
    def is_empty(self) -> bool:
        """True if nothing is hidden."""
        return not (self.regions or self.ids or self.rule or self.bins)

    def to_spec(self) -> MaskSpec | None:
        """Make a mask of it; None where nothing is hidden."""
        if self.is_empty:
            return None
        units = [UnitChoice.of_region(region) for region in self.regions]
        units += [UnitChoice.these(self.ids)] if self.ids else []
        units += [UnitChoice.by_rule(self.rule)] if self.rule else []
        return MaskSpec(
            blocks=tuple(Block(choice, bins=self.bins) for choice in units or [UnitChoice()])
        )

    def toggle_units(
        self, wanted: NDArray[np.bool_], session: Session, rates: Rates
    ) -> HiddenParts:
        """Hide units, or show them again if all of them are hidden.

        Parameters
        ----------
        wanted : ndarray of bool, shape (n_units,)
            The units.
        session : Session
            The recording.
        rates : ndarray, shape (n_units,)
            Mean rates of training trials, for rules.
        """
        is_hidden = self.hidden_units(session, rates)
        if not is_hidden[wanted].all():
            return self._with_units(is_hidden | wanted, session)
        return self._with_units(is_hidden & ~wanted, session)

    def toggle_region(self, region: str, session: Session, rates: Rates) -> HiddenParts:
        """Hide a region, or show it again if all of its units are hidden."""
        is_inside = UnitChoice.of_region(region).select(session)
        if self.hidden_units(session, rates)[is_inside].all():
            return self.toggle_units(is_inside, session, rates)
        inside = set(session.unit_id[is_inside].tolist())
        return replace(self, regions=(*self.regions, region), ids=self.ids - inside)

    def hidden_units(self, session: Session, rates: Rates) -> NDArray[np.bool_]:
        """Say which units are hidden, in some bins at least, bool (n_units,)."""
        is_hidden = np.isin(session.region, self.regions) | np.isin(
            session.unit_id, sorted(self.ids)
        )
        if self.rule:
            is_hidden |= UnitChoice.by_rule(self.rule).select(session, rates)
        return is_hidden

    def _with_units(self, is_hidden: NDArray[np.bool_], session: Session) -> HiddenParts:
        """Name hidden units by region where whole regions are hidden; the rule is used up."""
        if not is_hidden.any():
            return HiddenParts()
        names = [
            name for name in session.region_names() if is_hidden[session.region == name].all()
        ]
        loose = is_hidden & ~np.isin(session.region, names)
        ids = frozenset(session.unit_id[loose].tolist())
        return replace(self, regions=tuple(names), ids=ids, rule="")


def parts_of(choice: MaskChoice, session: Session, rates: Rates) -> HiddenParts:
    """Read the mask on screen as a custom mask, so that editing goes on from it.

    Units that are hidden in turn count as visible.
    """
    if choice.spec is None:
        return HiddenParts()
    parts = HiddenParts()
    for block in choice.spec.blocks:
        parts = _with_block(parts, block, session, rates)
    return parts


def _with_block(parts: HiddenParts, block: Block, session: Session, rates: Rates) -> HiddenParts:
    parts = replace(parts, bins=block.bins)
    units = block.units
    if block.invert:
        return parts._with_units(~units.select(session, rates), session)
    if units.region is not None:
        return replace(parts, regions=(*parts.regions, units.region))
    if units.ids is not None:
        return replace(parts, ids=parts.ids | frozenset(units.ids))
    return replace(parts, rule=units.rule) if units.rule is not None else parts


def group_units(session: Session, group: str, column: str = "region_cosmos") -> NDArray[np.bool_]:
    """Say which units belong to a group of regions, bool (n_units,)."""
    field = session.units.column(column)
    return np.asarray((field.values == group) & field.is_valid)
