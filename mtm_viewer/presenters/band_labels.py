"""Which region names fit beside a raster, and where."""

from __future__ import annotations

from collections.abc import Sequence

from mtm_core.evaluation.row_order import RegionBand


def place_labels(
    bands: Sequence[RegionBand], first_row: float, last_row: float, row_px: float, text_px: float
) -> tuple[tuple[float, str], ...]:
    """Place names so that none covers another; larger regions are served first.

    Parameters
    ----------
    bands : sequence of RegionBand
        Regions, top to bottom.
    first_row, last_row : float
        The visible rows.
    row_px : float
        Height of a row on screen.
    text_px : float
        Height of a line of text.

    Returns
    -------
    tuple of (float, str)
        Row at the middle of each name, and the name.

    Examples
    --------
    >>> place_labels([RegionBand("CA1", 0, 40), RegionBand("DG", 40, 41)], 0, 41, 1.0, 12.0)
    ((20.0, 'CA1'),)
    """
    placed: list[tuple[float, str]] = []
    for band in sorted(bands, key=lambda band: band.start - band.stop):
        top, bottom = max(band.start, first_row), min(band.stop, last_row)
        middle = (top + bottom) / 2
        if bottom <= top or (bottom - top) * row_px < text_px * 0.6:
            continue
        if all(abs(middle - other) * row_px >= text_px for other, _ in placed):
            placed.append((middle, band.region))
    return tuple(sorted(placed))
