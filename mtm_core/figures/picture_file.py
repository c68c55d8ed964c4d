"""Writing a figure: whole or not at all, as PNG, SVG or PDF, with its recipe inside."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

import mtm_core
from mtm_core.errors import OutputError
from mtm_core.figures.attachment import attach
from mtm_core.resources import atomic_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg", ".pdf")
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "mtm-core",
    "pdf.fonttype": 42,
}
"""Text stays text that an illustrator can edit, and the same figure gives the same file."""


def check_path(path: Path) -> None:
    """Refuse a path that no figure can be written to, before anything is computed.

    Raises
    ------
    OutputError
        If the ending is not one of `SUFFIXES`, or the folder does not exist.

    Examples
    --------
    >>> check_path(Path("rasters.png"))
    """
    if path.suffix.lower() not in SUFFIXES:
        ending = f"'{path.suffix}'" if path.suffix else "no ending"
        msg = f"{path} has {ending}, but a figure is written as .png, .svg or .pdf."
        raise OutputError(msg)
    if not path.parent.is_dir():
        msg = f"There is no folder {path.parent} to write {path.name} to. Make it first."
        raise OutputError(msg)


def write_figure(
    figure: Figure,
    path: Path,
    *,
    title: str,
    recipe: str,
    dpi: float,
    attachment: str | None = None,
) -> None:
    """Write a figure and, in its metadata, what it shows and how it was made.

    Parameters
    ----------
    figure : Figure
        What to write.
    path : Path
        Where; the ending says in which format.
    title, recipe : str
        What it shows, and how it was made.
    dpi : float
        Pixels per inch of a PNG.
    attachment : str or None
        ASCII text to carry inside, such as an experiment; see `mtm_core.figures.attachment`.

    Raises
    ------
    OutputError
        If it cannot be written; a file that was there before is left as it was.
    """
    check_path(path)
    kind = path.suffix.lower().removeprefix(".")
    software = f"mtm-core {mtm_core.__version__}"
    metadata: dict[str, dict[str, str | None]] = {
        "png": {"Title": title, "Description": recipe, "Software": software},
        "svg": {"Title": title, "Description": recipe, "Creator": software, "Date": None},
        "pdf": {"Title": title, "Subject": recipe, "Creator": software, "CreationDate": None},
    }
    with mpl.rc_context(_STYLE), atomic_write(path) as temporary:
        image = io.BytesIO()  # on a full disk matplotlib raises other errors than OSError
        figure.savefig(image, format=kind, dpi=dpi, metadata=metadata[kind])
        picture = image.getvalue()
        if attachment is not None:
            picture = attach(picture, path.suffix, attachment)
        temporary.write_bytes(picture)
