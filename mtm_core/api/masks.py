"""Saying what is hidden."""

from __future__ import annotations

from collections.abc import Iterable

from mtm_core.errors import MaskError
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.spec import MaskSpec


def hide(
    rule: str | None = None,
    *,
    region: str | None = None,
    units: Iterable[str] | None = None,
    bins: tuple[int, int] | None = None,
    score: str | None = None,
    one_at_a_time: bool = False,
) -> MaskSpec:
    """Say what to hide from a model: some units, some bins, or both.

    Parameters
    ----------
    rule : str, optional
        Units by a rule, such as ``'region in ("CA1", "DG") and rate_hz > 2'``.
    region : str, optional
        Units of a region, in place of a rule.
    units : iterable of str, optional
        Units by their ids, in place of a rule.
    bins : (int, int), optional
        First bin, and the one after the last; by default all bins. Without units: of all units.
    score : str, optional
        Score only the units of this rule; by default all that is hidden.
    one_at_a_time : bool
        Predict each unit of `score` in a pass of its own, in which it is hidden too.

    Returns
    -------
    MaskSpec
        The same for every session; `MaskSpec.to_json` writes it down.

    Raises
    ------
    MaskError
        If nothing is to be hidden, units are chosen in two ways, or the rule is none.

    Examples
    --------
    >>> from mtm_core.api.sessions import open_session
    >>> session = open_session("steinmetz2019_s12")
    >>> hide(region="DG", bins=(20, 40)).describe(session)
    'DG in bins 20 to 39 (200 to 400 ms) hidden: 4.7 % of 698 units x 40 bins, neuron prompt'
    """
    choices = [
        *([] if rule is None else [UnitChoice.by_rule(rule)]),
        *([] if region is None else [UnitChoice.of_region(region)]),
        *([] if units is None else [UnitChoice.these(units)]),
    ]
    if len(choices) > 1:
        msg = "Choose the units to hide by a rule, a region or their ids, not by two of them."
        raise MaskError(msg)
    if one_at_a_time and score is None:
        msg = "one_at_a_time needs score=RULE: the units to predict in turn."
        raise MaskError(msg)
    if not choices and bins is None and not one_at_a_time:
        msg = "What shall be hidden? Give a rule, region=, units= or bins=."
        raise MaskError(msg)
    if not choices and bins is not None:
        choices = [UnitChoice.every()]
    scored = None if score is None else (Block(UnitChoice.by_rule(score)),)
    blocks = tuple(Block(choice, bins) for choice in choices)
    return MaskSpec(blocks=blocks, scored=scored, one_at_a_time=one_at_a_time)
