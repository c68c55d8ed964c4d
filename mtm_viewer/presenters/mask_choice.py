"""From a click to a mask: what each recipe makes of a region, and how a custom mask is edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.errors import MaskError, UnknownNameError
from mtm_core.masking import tasks
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.entries import cover
from mtm_core.masking.recipes import RecipeSettings, recipe_spec
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
    others : tuple of str
        Further regions that it targets.
    spec : MaskSpec or None
        The mask; None hides nothing.
    prompt : str or None
        The prompt that a person picked; None picks the recipe's own, or the fitting one.
    settings : RecipeSettings
        The parameters of the recipe; a custom mask has none.
    """

    recipe: str = "inter_region"
    region: str | None = None
    others: tuple[str, ...] = ()
    spec: MaskSpec | None = None
    prompt: str | None = None
    settings: RecipeSettings = field(default_factory=RecipeSettings)

    @property
    def regions(self) -> tuple[str, ...]:
        """All regions that the recipe targets."""
        return () if self.region is None else (self.region, *self.others)

    @property
    def title(self) -> str:
        """Name of the recipe and its regions, for example ``"Inter-region CA1"``."""
        title = RECIPES[self.recipe].title
        return f"{title} {region_words(self.regions)}" if self.regions else title


def region_words(regions: Sequence[str], most: int = 3) -> str:
    """Name regions, or a few of them and how many more there are.

    Examples
    --------
    >>> region_words(["CA1", "DG"]), region_words(["a", "b", "c", "d", "e"])
    ('CA1, DG', 'a, b, c and 2 more')
    """
    if len(regions) <= most:
        return ", ".join(regions)
    return f"{', '.join(regions[:most])} and {len(regions) - most} more"


def default_region(session: Session) -> str | None:
    """Return the named region with the most units that leaves others visible, else None.

    It is what a recipe targets before a person has chosen.
    """
    sizes = region_sizes(session.region)
    named = [name for name in target_regions(session.region, 2) if sizes[name] < session.n_units]
    return max(named, key=lambda name: (sizes[name], name), default=None)


def recipe_choice(
    recipe: str,
    region: str | None,
    session: Session,
    others: tuple[str, ...] = (),
    settings: RecipeSettings | None = None,
) -> MaskChoice:
    """Make the mask of a recipe for a region, or for several.

    Parameters
    ----------
    recipe : str
        One of the four tasks.
    region : str or None
        Co-smoothing and forward prediction score it alone (None: every unit); intra- and
        inter-region need it.
    session : Session
        The recording.
    others : tuple of str
        Further regions: hidden, kept or scored as well.
    settings : RecipeSettings, optional
        Its parameters.

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
    regions = () if region is None else (region, *others)
    settings = settings or RecipeSettings()
    spec = recipe_spec(recipe, regions, session.n_bins, settings)
    return MaskChoice(recipe=recipe, region=region, others=others, spec=spec, settings=settings)


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
    painted : tuple of Block
        Further entries, each with its units and bins.
    """

    regions: tuple[str, ...] = ()
    ids: frozenset[str] = frozenset()
    rule: str = ""
    bins: tuple[int, int] | None = None
    painted: tuple[Block, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True if nothing is hidden."""
        return not (self.regions or self.ids or self.rule or self.bins or self.painted)

    def to_spec(self) -> MaskSpec | None:
        """Make a mask of it; None where nothing is hidden."""
        if self.is_empty:
            return None
        units = [UnitChoice.of_region(region) for region in self.regions]
        units += [UnitChoice.these(self.ids)] if self.ids else []
        units += [UnitChoice.by_rule(self.rule)] if self.rule else []
        if not units and self.bins is not None:
            units = [UnitChoice()]
        return MaskSpec(
            blocks=(*(Block(choice, bins=self.bins) for choice in units), *self.painted)
        )

    def hidden_entries(self, session: Session, rates: Rates) -> NDArray[np.bool_]:
        """Say which entries are hidden, bool (n_bins, n_units)."""
        spec = self.to_spec() or MaskSpec()
        return spec.hidden_entries(session, rates)

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
        if self.painted:
            entries = self.hidden_entries(session, rates)
            entries[:, wanted] = not entries[:, wanted].all()
            return parts_from_entries(entries, session)
        is_hidden = self.hidden_units(session, rates)
        if not is_hidden[wanted].all():
            return self._with_units(is_hidden | wanted, session)
        return self._with_units(is_hidden & ~wanted, session)

    def toggle_region(self, region: str, session: Session, rates: Rates) -> HiddenParts:
        """Hide a region, or show it again if all of its units are hidden."""
        is_inside = UnitChoice.of_region(region).select(session)
        if self.painted or self.hidden_units(session, rates)[is_inside].all():
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
        for block in self.painted:
            is_hidden |= block.select_units(session, rates)
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


def parts_from_entries(is_hidden: NDArray[np.bool_], session: Session) -> HiddenParts:
    """Write entries, bool (n_bins, n_units), as parts: units where whole trials are hidden.

    A single range of bins that all hidden units share becomes the range of the parts.
    """
    if is_hidden.all():
        return HiddenParts(bins=(0, len(is_hidden)))
    blocks = cover(is_hidden, session)
    ranges = {block.bins for block in blocks}
    if len(ranges) == 1:
        return _gather(blocks)
    whole = tuple(block for block in blocks if block.bins is None)
    painted = tuple(block for block in blocks if block.bins is not None)
    return replace(_gather(whole), painted=painted)


def parts_of(choice: MaskChoice, session: Session, rates: Rates) -> HiddenParts:
    """Read the mask on screen as a custom mask, so that editing goes on from it.

    Units that are hidden in turn count as visible.
    """
    blocks = () if choice.spec is None else choice.spec.blocks
    painted = tuple(block for block in blocks if block.bins is not None)
    others = tuple(block for block in blocks if block.bins is None)
    is_one_range = not others and len({block.bins for block in painted}) == 1
    gathered = painted if is_one_range else others
    if not _can_gather(gathered):
        return parts_from_entries(MaskSpec(blocks=blocks).hidden_entries(session, rates), session)
    return replace(_gather(gathered), painted=() if is_one_range else painted)


def _can_gather(blocks: tuple[Block, ...]) -> bool:
    """Tell whether blocks of the same bins fit into the fields of `HiddenParts`."""
    kinds = [block.units for block in blocks]
    n_rules = sum(units.rule is not None for units in kinds)
    has_all = any(units == UnitChoice() for units in kinds)
    is_alone = len(blocks) == 1 and blocks[0].bins is not None
    return n_rules <= 1 and not any(block.invert for block in blocks) and (not has_all or is_alone)


def _gather(blocks: tuple[Block, ...]) -> HiddenParts:
    """Put blocks of the same bins into the fields of `HiddenParts`."""
    units = [block.units for block in blocks]
    ids = [unit_id for choice in units for unit_id in choice.ids or ()]
    return HiddenParts(
        regions=tuple(choice.region for choice in units if choice.region is not None),
        ids=frozenset(ids),
        rule=next((choice.rule for choice in units if choice.rule is not None), ""),
        bins=blocks[0].bins if blocks else None,
    )


def group_units(session: Session, group: str, column: str = "region_cosmos") -> NDArray[np.bool_]:
    """Say which units belong to a group of regions, bool (n_units,)."""
    field = session.units.column(column)
    return np.asarray((field.values == group) & field.is_valid)
