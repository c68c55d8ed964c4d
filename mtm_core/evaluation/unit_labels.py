"""How units and regions are called and coloured, in figures and on screen alike."""

from __future__ import annotations

from collections.abc import Iterable

from mtm_core.data.regions import load_regions

_NO_ATLAS_COLOUR = {"root": "#b4b4b4", "void": "#787878", "": "#787878"}
_UNKNOWN_COLOUR = "#9a9a9a"


def unit_number(unit_id: str) -> str:
    """Return the part of a unit's id that people say aloud.

    Examples
    --------
    >>> unit_number("steinmetz2019_s12/0123"), unit_number("0f3a9c1e-77aa-4f0e-9f5c-2b8a1d0c4e55")
    ('123', '0f3a9c1e')
    """
    last = unit_id.rsplit("/", 1)[-1]
    if last.isdigit():
        return str(int(last))
    return last.split("-", 1)[0]


def unit_label(unit_id: str, region: str) -> str:
    """Name a unit in words.

    Examples
    --------
    >>> unit_label("steinmetz2019_s12/0123", "CA1"), unit_label("a/7", "")
    ('unit CA1 #123', 'unit #7')
    """
    return " ".join(word for word in ("unit", region, f"#{unit_number(unit_id)}") if word)


def region_colour(acronym: str) -> str:
    """Return the atlas's colour as ``#rrggbb``; grey where the atlas has none.

    Examples
    --------
    >>> region_colour("CA1")
    '#7ed04b'
    """
    info = load_regions().get(acronym)
    if acronym in _NO_ATLAS_COLOUR or info is None:
        return _NO_ATLAS_COLOUR.get(acronym, _UNKNOWN_COLOUR)
    return info.color_hex


def region_ranks(acronyms: Iterable[str]) -> dict[str, float]:
    """Return the atlas's place of each region it knows; `root` and `void` come last."""
    known = load_regions()
    after = float(len(known))
    return {
        name: after if name in _NO_ATLAS_COLOUR else float(known[name].graph_order)
        for name in acronyms
        if name in known
    }
