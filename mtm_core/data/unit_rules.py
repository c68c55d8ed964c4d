"""Which units are kept: quality, regions and their sizes, firing rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtm_core.config import PreparationConfig
from mtm_core.data.dropping import Choice, Reason, choose
from mtm_core.data.regions import UNNAMED_REGIONS
from mtm_core.data.table import Column, Table
from mtm_core.errors import DataError, UnknownNameError

LEVEL_FIELD = {"given": "region", "beryl": "region_beryl", "cosmos": "region_cosmos"}
LEVEL_WORDS = {"given": "as given", "beryl": "at the Beryl level", "cosmos": "at the Cosmos level"}
GIVEN_FIELD = "region_given"
"""Where the acronyms as given are kept when another level takes their place."""


def at_region_level(units: Table, level: str) -> Table:
    """Return a unit table whose ``region`` is at the chosen level.

    The acronyms as given are kept as `GIVEN_FIELD`, so that the level can be chosen anew.
    """
    given = units.column(GIVEN_FIELD if units.has(GIVEN_FIELD) else "region")
    columns = {name: c for name, c in units.columns.items() if name != GIVEN_FIELD}
    if level == "given":
        return Table({**columns, "region": given})
    return Table({**columns, "region": units.column(LEVEL_FIELD[level]), GIVEN_FIELD: given})


def unit_reasons(units: Table, config: PreparationConfig) -> list[Reason]:
    """Return the reasons to leave units out that the unit table alone gives.

    Parameters
    ----------
    units : Table
        With ``region`` at the chosen level (`at_region_level`).
    config : PreparationConfig
        The rules.

    Raises
    ------
    UnknownNameError
        If a region that is asked for does not occur.
    MissingFieldError
        If good units are asked for and the recording says nothing about quality.
    """
    reasons: list[Reason] = []
    if config.units == "good":
        good = units.column("is_good")
        reasons.append(("not good", ~(good.is_valid & good.values.astype(bool))))
    region = region_names(units)
    if config.named_regions_only:
        reasons.append(("without a named region", np.isin(region, ["", *UNNAMED_REGIONS])))
    if config.regions:
        known = sorted(set(region.tolist()) - {""})
        for name in config.regions:
            if name not in known:
                kind = f"region {LEVEL_WORDS[config.region_level]} in this recording"
                raise UnknownNameError(kind, name, known)
        reasons.append(("in another region", ~np.isin(region, config.regions)))
    return reasons


def choose_by_counts(
    units: Table, rate_hz: NDArray[np.float64], config: PreparationConfig
) -> Choice:
    """Choose among units that met every other rule, by rate and by the size of their region.

    Parameters
    ----------
    units : Table
        With ``region`` at the chosen level.
    rate_hz : ndarray of float64, shape (n_units,)
        Mean rate over the kept trials.
    config : PreparationConfig
        The rules.
    """
    is_slow: NDArray[np.bool_] = rate_hz < config.min_rate_hz
    _, which = np.unique(region_names(units), return_inverse=True)
    size = np.bincount(which, weights=~is_slow)[which]
    is_small: NDArray[np.bool_] = size < config.min_region_units
    return choose(
        units.n_rows,
        [
            (f"below {config.min_rate_hz:g} Hz", is_slow),
            (f"in a region of fewer than {config.min_region_units}", is_small),
        ],
    )


def unit_rules(config: PreparationConfig) -> tuple[str, ...]:
    """Return the rules about units in words, one sentence each."""
    which = (
        "those that pass every quality criterion" if config.units == "good" else "all with a spike"
    )
    rules = [f"Units: {which}.", f"Regions: {LEVEL_WORDS[config.region_level]}."]
    if config.min_rate_hz:
        rules.append(f"Units below {config.min_rate_hz:g} spikes/s are left out.")
    if config.regions:
        rules.append(f"Units of {', '.join(config.regions)} only.")
    if config.named_regions_only:
        rules.append("Units in root, in void or without a region are left out.")
    if config.min_region_units > 1:
        rules.append(f"Regions of fewer than {config.min_region_units} units are left out.")
    return tuple(rules)


def check_units_left(choice: Choice, kind: str = "units") -> None:
    """Refuse a choice that leaves nothing.

    Raises
    ------
    DataError
        Says what took how many.
    """
    if not choice.is_kept.any():
        reasons = ", ".join(f"{n} {words}" for words, n in choice.dropped)
        msg = (
            f"No unit is left of {len(choice.is_kept)} {kind}: {reasons or 'there are none'}. "
            "Loosen a rule, for example with --prepare.units all, "
            "--prepare.min_region_units 1 or --prepare.named_regions_only false."
        )
        raise DataError(msg)


def region_names(units: Table) -> NDArray[np.str_]:
    """Return the region of each unit; "" where it has none."""
    column: Column = units.column("region")
    return np.where(column.is_valid, column.values.astype(np.str_), "").astype(np.str_)
