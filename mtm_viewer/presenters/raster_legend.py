"""What the marks in the rasters mean, as a line of rich text."""

from __future__ import annotations

from mtm_viewer.presenters.raster_drawable import RasterDrawable
from mtm_viewer.theme import Theme

_GAP = "&nbsp;&nbsp; "
"""Between two marks, where the line may be broken."""
_SPACE = "&nbsp;"


def time_caption(drawable: RasterDrawable) -> str:
    """Name the time axis, for example ``"time from stimulus onset (ms)"``."""
    return f"time from {_event(drawable)} (ms)"


def legend_text(drawable: RasterDrawable, theme: Theme, pool_note: str) -> str:
    """Explain event lines, hatch and veil, and say what shares a pixel.

    Parameters
    ----------
    drawable : RasterDrawable
        The rasters.
    theme : Theme
        Colours.
    pool_note : str
        What shares a pixel; "" if nothing does.
    """
    marks = [_mark(_signed("&#9475;", theme), _event(drawable))]
    marks += [
        _mark(
            _signed("&#9479;" if line.is_median else "&#9475;", theme),
            f"{line.name}, {'median ' if line.is_median else ''}{1000 * line.time_s:.0f} ms",
        )
        for line in drawable.events[1:]
    ]
    if drawable.hatch:
        marks.append(_mark("&#9640;", "hidden from the model"))
    if drawable.veil:
        marks.append(_mark("&#9617;", "not scored"))
    marks += [pool_note.replace(" ", _SPACE)] if pool_note else []
    return f"<span style='color:{theme.muted}'>{_GAP.join(marks)}</span>"


def _mark(sign: str, words: str) -> str:
    """Keep a sign and its words on one line."""
    return f"{sign}{_SPACE}{words.replace(' ', _SPACE)}"


def _signed(sign: str, theme: Theme) -> str:
    return f"<span style='color:{theme.event}'>{sign}</span>"


def _event(drawable: RasterDrawable) -> str:
    return drawable.events[0].name if drawable.events else "start"
