"""Which training schemes a mask resembles, and what to say when it resembles none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtm_core.config import SchemeName
from mtm_core.data.regions import UNNAMED_REGIONS
from mtm_core.masking.masked_batch import scheme_prompt
from mtm_core.masking.targets import target_regions

if TYPE_CHECKING:
    from mtm_core.masking.spec import ResolvedMask

MAX_NEURON_SHARE = 0.6
"""Above this share of hidden units a mask is unlike neuron masking (which hides 30 %)."""
_BADGE = "not trained for this"


def schemes_alike(mask: ResolvedMask, region: NDArray[np.str_]) -> tuple[SchemeName, ...]:
    """Name the schemes that draw masks like this one, the most alike first.

    Parameters
    ----------
    mask : ResolvedMask
        The mask.
    region : ndarray of str, shape (n_units,)
        Region of each unit.

    Returns
    -------
    tuple of str
        Empty if no scheme does: for example one region visible and another scored.
    """
    is_hidden = mask.is_hidden
    if (is_hidden == is_hidden[0]).all():
        return _whole_units(np.all(is_hidden, axis=0), mask, region)
    if (is_hidden == is_hidden[:, :1]).all() and not mask.one_at_a_time:
        return ("causal", "temporal") if mask.is_causal else ("temporal", "causal")
    return ()


def untrained_reason(
    mask: ResolvedMask, region: NDArray[np.str_], schemes: Sequence[SchemeName]
) -> str | None:
    """Say why a model trained on these schemes was not trained for this mask; None if it was."""
    alike = schemes_alike(mask, region)
    if not alike:
        return f"{_BADGE}: no training scheme hides units and bins in this pattern"
    prompts = list(dict.fromkeys(scheme_prompt(name) for name in alike if name in schemes))
    if not prompts:
        known = _names(schemes, ", ")
        return f"{_BADGE}: it is a mask of {_names(alike)}, the model knows {known}"
    if mask.prompt not in prompts and not (mask.prompt == "none" and len(schemes) == 1):
        wrong = _names([mask.prompt])
        return f"{_BADGE}: with this mask goes the prompt {_names(prompts)}, not {wrong}"
    return None


def _whole_units(
    is_hidden: NDArray[np.bool_], mask: ResolvedMask, region: NDArray[np.str_]
) -> tuple[SchemeName, ...]:
    is_scored = np.any(mask.is_scored, axis=0)
    alike: list[SchemeName] = []
    if not mask.one_at_a_time and _is_one_region(is_hidden, region):
        alike.append("inter_region")
    if not mask.one_at_a_time and _is_set_of_regions(is_hidden, is_scored, region):
        alike.append("region_subset")
    if _is_inside_one(is_scored, is_hidden, region):
        alike.append("intra_region")
    if is_hidden.mean() <= MAX_NEURON_SHARE:
        alike.append("neuron")
    return tuple(alike)


def _is_one_region(is_hidden: NDArray[np.bool_], region: NDArray[np.str_]) -> bool:
    """Tell whether exactly the units of one named region are hidden."""
    names = np.unique(region[is_hidden])
    is_named = len(names) == 1 and str(names[0]) not in UNNAMED_REGIONS
    return is_named and bool(((region == names[0]) == is_hidden).all())


def _is_set_of_regions(
    is_hidden: NDArray[np.bool_], is_scored: NDArray[np.bool_], region: NDArray[np.str_]
) -> bool:
    """Tell whether whole regions are hidden, named ones scored, and a named one is visible."""
    hidden, visible = set(region[is_hidden].tolist()), set(region[~is_hidden].tolist())
    named = set(target_regions(region, 1))
    is_scored_named = set(region[is_scored].tolist()) <= named
    return not hidden & visible and is_scored_named and bool(visible & named)


def _is_inside_one(
    is_scored: NDArray[np.bool_], is_hidden: NDArray[np.bool_], region: NDArray[np.str_]
) -> bool:
    """Tell whether scored and visible units lie in one region, all others being hidden."""
    names = np.unique(region[is_scored | ~is_hidden])
    return len(names) == 1 and bool(is_hidden.any())


def _names(schemes: Sequence[str], between: str = " or ") -> str:
    return between.join(name.replace("_", "-") for name in schemes)
