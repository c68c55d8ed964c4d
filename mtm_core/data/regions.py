"""Brain regions: the Allen structure tree with its colours, and IBL's Beryl and Cosmos levels."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.table import Column
from mtm_core.errors import UnknownNameError
from mtm_core.resources import table_path

UNNAMED_REGIONS = ("root", "void")
"""``root``: inside the brain, no finer region known; ``void``: outside it, or not known at all."""


@dataclass(frozen=True, kw_only=True)
class RegionInfo:
    """One region of the Allen mouse brain atlas.

    Parameters
    ----------
    acronym, name : str
        For example ``"CA1"`` and ``"Field CA1"``.
    color_hex : str
        The atlas's colour as ``"#rrggbb"``.
    graph_order : int
        Place in the atlas's drawing order; -1 for ``void``, which stands before the tree.
    parent : str
        Acronym of the parent; "" at the top of the tree.
    beryl : str
        The region at IBL's Beryl level. A region above that level (``ACA``, ``TH``) keeps its
        own acronym, where IBL's table says ``root``; see `load_regions`.
    cosmos : str
        The region at IBL's Cosmos level, for example ``"HPF"``.
    """

    acronym: str
    name: str
    color_hex: str
    graph_order: int
    parent: str
    beryl: str
    cosmos: str


@cache
def load_regions() -> dict[str, RegionInfo]:
    """Return every region of the atlas by acronym.

    The Beryl rule: IBL's mapping sends a region without a Beryl region to ``root``. Where that
    region has finer parts that do have one, it lies *above* the Beryl level, and it keeps its own
    acronym (a unit known to be in ``TH`` stays in ``TH``). Regions that Beryl leaves out
    altogether (fibre tracts, ventricles) stay ``root``. Cosmos is IBL's mapping as it is.

    References
    ----------
    The package iblatlas (International Brain Laboratory); Wang et al. 2020, Cell 181, 936-953.
    """
    with table_path("allen_regions").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    above = _regions_above_beryl(rows)
    return {row["acronym"]: _region(row, is_above=row["acronym"] in above) for row in rows}


def region_info(acronym: str) -> RegionInfo:
    """Look a region up.

    Raises
    ------
    UnknownNameError
        If the atlas has no such region; the text offers the nearest one.

    Examples
    --------
    >>> region_info("CA1").name, region_info("CA1").cosmos
    ('Field CA1', 'HPF')
    >>> region_info("VISp6a").beryl, region_info("TH").beryl, region_info("cc").beryl
    ('VISp', 'TH', 'root')
    """
    known = load_regions()
    if acronym not in known:
        raise UnknownNameError("region", acronym, known)
    return known[acronym]


def region_columns(acronyms: Iterable[str]) -> dict[str, Column]:
    """Make the columns region, region_beryl and region_cosmos of a unit table.

    Parameters
    ----------
    acronyms : iterable of str
        One per unit, as given; "" where a unit has none. A name that the atlas does not know is
        kept as it is, at every level.

    Returns
    -------
    dict of str to Column
        A unit without a region is not valid in any of the three.
    """
    given = np.array(list(acronyms), dtype=np.str_)
    known = load_regions()
    is_valid: NDArray[np.bool_] = given != ""
    beryl = [known[name].beryl if name in known else name for name in given.tolist()]
    cosmos = [known[name].cosmos if name in known else name for name in given.tolist()]
    names = {"region": given, "region_beryl": np.array(beryl), "region_cosmos": np.array(cosmos)}
    return {field: Column(values.astype(np.str_), is_valid) for field, values in names.items()}


def region_names_of_ids(ids: NDArray[Any]) -> tuple[NDArray[np.str_], int]:
    """Return the acronym of each atlas id, and how many ids the atlas does not know.

    Parameters
    ----------
    ids : ndarray, shape (n,)
        Allen CCF 2017 structure ids. Negative ones (left hemisphere, where ids are lateralised)
        count as positive; 0 is ``void``.

    Returns
    -------
    tuple of ndarray of str, shape (n,), and int
        As many acronyms as ids: an unknown id (NaN too) is ``void``.

    Examples
    --------
    >>> names, n_unknown = region_names_of_ids(np.array([382, -382, 0, 123456789]))
    >>> names.tolist(), n_unknown
    (['CA1', 'CA1', 'void', 'void'], 1)
    """
    acronym_of = _acronym_of_id()
    unique, which = np.unique(np.asarray(ids, dtype=np.float64), return_inverse=True)
    known = np.array([abs(number) in acronym_of for number in unique.tolist()], dtype=bool)
    names = [acronym_of.get(abs(number), "void") for number in unique.tolist()]
    which = which.reshape(-1)
    return np.array(names, dtype=np.str_)[which], int((~known)[which].sum())


def sort_regions(acronyms: Iterable[str]) -> list[str]:
    """Sort acronyms in the atlas's order, then names that it does not know, then root and void.

    Examples
    --------
    >>> sort_regions(["void", "root", "my nucleus", "CA1", "VISp"])
    ['VISp', 'CA1', 'my nucleus', 'root', 'void']
    """
    known = load_regions()

    def place(name: str) -> tuple[int, int, str]:
        if name in UNNAMED_REGIONS:
            return 2, 0, name
        return (0, known[name].graph_order, name) if name in known else (1, 0, name)

    return sorted(acronyms, key=place)


@cache
def _acronym_of_id() -> dict[float, str]:
    with table_path("allen_regions").open(encoding="utf-8", newline="") as stream:
        return {float(row["id"]): row["acronym"] for row in csv.DictReader(stream)}


def _regions_above_beryl(rows: list[dict[str, str]]) -> set[str]:
    acronym_of = {row["id"]: row["acronym"] for row in rows}
    return {
        acronym_of[ancestor]
        for row in rows
        if row["beryl"] not in UNNAMED_REGIONS
        for ancestor in row["structure_id_path"].strip("/").split("/")
    }


def _region(row: dict[str, str], *, is_above: bool) -> RegionInfo:
    keeps_own_name = row["beryl"] == "root" and is_above
    return RegionInfo(
        acronym=row["acronym"],
        name=row["name"],
        color_hex=f"#{row['color_hex'].lower() or '000000'}",
        graph_order=int(row["graph_order"] or -1),
        parent=row["parent_acronym"],
        beryl=row["acronym"] if keeps_own_name else row["beryl"],
        cosmos=row["cosmos"],
    )
