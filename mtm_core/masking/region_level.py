"""Regions at a level of the atlas: as given, Beryl or Cosmos; and masks that speak of them."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.spec import MaskSpec

LevelName = Literal["given", "beryl", "cosmos"]
LEVELS: tuple[LevelName, ...] = get_args(LevelName)
"""Names of the levels, the finest first."""
LEVEL_WORDS = {"given": "regions as given", "beryl": "Beryl regions", "cosmos": "Cosmos regions"}
"""How each level is called in a sentence."""
_COLUMNS = {"given": "region", "beryl": "region_beryl", "cosmos": "region_cosmos"}


def level_labels(session: Session, level: LevelName) -> NDArray[np.str_]:
    """Return the region of each unit at a level, "" where it has none, shape (n_units,)."""
    column = session.units.column(_COLUMNS[level])
    return np.where(column.is_valid, column.values, "").astype(np.str_)


def units_at_level(level: LevelName, region: str) -> UnitChoice:
    """Choose the units of a region at a level.

    Examples
    --------
    >>> units_at_level("given", "CA1").region, units_at_level("cosmos", "HPF").rule
    ('CA1', 'cosmos == "HPF"')
    """
    if level == "given":
        return UnitChoice.of_region(region)
    return UnitChoice.by_rule(f'{level} == "{region}"')


def only_region_visible(
    level: LevelName, row: str, column: str | None, prompt: str = "inter_region"
) -> MaskSpec:
    """Hide everything outside one region for the whole trial, and score another.

    Parameters
    ----------
    level : {"given", "beryl", "cosmos"}
        Where the two names come from.
    row, column : str or None
        The region that stays visible, and the one that is scored; None scores all hidden units.
    prompt : str
        One of `PROMPTS`.
    """
    scored = None if column is None else (Block(units_at_level(level, column)),)
    hidden = Block(units_at_level(level, row), invert=True)
    return MaskSpec(blocks=(hidden,), scored=scored, prompt=prompt)


def all_others_visible(level: LevelName, column: str, prompt: str = "inter_region") -> MaskSpec:
    """Hide one region for the whole trial, and score it."""
    return MaskSpec(blocks=(Block(units_at_level(level, column)),), prompt=prompt)
