"""Orders of single trials: as recorded, by condition, by reaction time, by how well they go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

SortName = Literal["condition", "recorded", "reaction", "surprise", "gain"]

UNIT_SORTS: Mapping[SortName, str] = MappingProxyType(
    {
        "condition": "condition",
        "recorded": "order of recording",
        "reaction": "reaction time",
        "gain": "the unit's gain over its PSTH",
    }
)
"""What the trials of one unit can be sorted by."""
THEATRE_SORTS: Mapping[SortName, str] = MappingProxyType(
    {
        "surprise": "surprise (nats per bin)",
        "gain": "bits per spike beyond PSTH",
        "reaction": "reaction time",
        "recorded": "order of recording",
    }
)
"""What whole trials can be sorted by."""


@dataclass(frozen=True, eq=False, kw_only=True)
class TrialValues:
    """A number for each of some trials, where there is one.

    Parameters
    ----------
    values : ndarray, shape (n_trials,)
        0 where not valid.
    is_valid : ndarray of bool, shape (n_trials,)
        Trials that have one.
    words : str
        What it is, for example ``"first movement after stimulus onset"``.
    unit : str
        Its unit, for example ``"s"``.
    """

    values: NDArray[np.float64]
    is_valid: NDArray[np.bool_]
    words: str
    unit: str

    def text(self, place: int) -> str:
        """Write the number of one trial.

        Examples
        --------
        >>> found = TrialValues(values=np.array([0.5, 0.0]), is_valid=np.array([True, False]),
        ...                     words="response", unit="s")
        >>> found.text(0), found.text(1)
        ('0.500 s', 'unknown')
        """
        if not self.is_valid[place]:
            return "unknown"
        return f"{self.values[place]:.3f} {self.unit}".replace("-", "\N{MINUS SIGN}")

    def order(self) -> NDArray[np.int64]:
        """Return places from the smallest number up; trials without one come last."""
        key = np.where(self.is_valid, self.values, np.inf)
        return np.argsort(key, kind="stable").astype(np.int64)
