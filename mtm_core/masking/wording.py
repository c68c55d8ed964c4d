"""Masks in words, for status lines, titles and reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtm_core.data.session import Session
from mtm_core.masking.rules import parse_rule

if TYPE_CHECKING:
    from mtm_core.masking.choice import Block
    from mtm_core.masking.spec import MaskSpec, ResolvedMask

MOST_PAINTED = 2
"""So many ranges of bins are named one by one; with more a sentence would be no sentence."""


def describe(spec: MaskSpec, mask: ResolvedMask, session: Session) -> str:
    """Say in words what a mask hides in a session, and by which prompt."""
    parts = []
    if spec.blocks:
        parts.append(f"{_join(_phrases(spec.blocks, session))} hidden")
    if spec.scored is not None and not spec.one_at_a_time:
        parts.append(f"{_join(_phrases(spec.scored, session))} scored")
    if spec.one_at_a_time:
        parts.append(f"each of {len(mask.scored_units)} units hidden in turn")
    return f"{', '.join(parts)}: {_extent(mask)}, {prompt_words(spec.prompt)}"


def _phrases(blocks: tuple[Block, ...], session: Session) -> list[str]:
    """Name blocks one by one; of many painted ones only how many units they touch."""
    painted = [b for b in blocks if b.bins is not None and b.units.rule is None]
    if len(painted) <= MOST_PAINTED:
        return [block_words(block, session) for block in blocks]
    others = [block_words(block, session) for block in blocks if block not in painted]
    touched = np.any([block.select_units(session) for block in painted], axis=0)
    return [*others, f"some bins of {int(touched.sum())} units"]


def block_words(block: Block, session: Session) -> str:
    """Name the units of a block and its bins, for example ``"CA1 in bins 36 to 39 (...)"``."""
    who = f"all but {_who(block)}" if block.invert else _who(block)
    if block.bins is None:
        return who
    first, stop = block.bins
    start_ms = 1e3 * (session.window_start_s + first * session.bin_size_s)
    stop_ms = 1e3 * (session.window_start_s + stop * session.bin_size_s)
    which = f"bin {first}" if stop == first + 1 else f"bins {first} to {stop - 1}"
    return f"{who} in {which} ({start_ms:.0f} to {stop_ms:.0f} ms)"


def prompt_words(prompt: str) -> str:
    """Name a prompt.

    Examples
    --------
    >>> prompt_words("inter_region"), prompt_words("none")
    ('inter-region prompt', 'no prompt')
    """
    return "no prompt" if prompt == "none" else f"{prompt.replace('_', '-')} prompt"


def _who(block: Block) -> str:
    units = block.units
    if units.region is not None:
        return units.region
    if units.rule is not None:
        return f"units where {parse_rule(units.rule)}"
    if units.ids is None:
        return "all units"
    return f"unit {units.ids[0]}" if len(units.ids) == 1 else f"{len(units.ids)} chosen units"


def _extent(mask: ResolvedMask) -> str:
    """Say how much is hidden: units, bins, or a share of the entries."""
    is_hidden = mask.is_hidden
    n_bins, n_units = is_hidden.shape
    if not is_hidden.any():
        return f"{len(mask.scored_units)} of {n_units} units"
    if (is_hidden == is_hidden[0]).all():
        return f"{int(is_hidden[0].sum())} of {n_units} units"
    if (is_hidden == is_hidden[:, :1]).all():
        return f"{int(is_hidden[:, 0].sum())} of {n_bins} bins"
    return f"{100 * is_hidden.mean():.2g} % of {n_units} units x {n_bins} bins"


def _join(phrases: list[str]) -> str:
    if len(phrases) == 1:
        return phrases[0]
    return f"{', '.join(phrases[:-1])} and {phrases[-1]}"
