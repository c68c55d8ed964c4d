"""What is bundled under a name that a person typed, where no file or folder has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mtm_core.errors import MtmError


def find_bundled(
    name: str,
    look_up: Callable[[str], Path],
    *,
    kind: str,
    otherwise: str,
    error: type[MtmError],
) -> Path:
    """Return the bundled file of a name.

    Parameters
    ----------
    name : str
        What was typed.
    look_up : callable
        From a name to a bundled file, for example `mtm_core.resources.session_path`.
    kind : str
        What it looks up, in a word.
    otherwise : str
        What the name might have stood for, for example ``"file or folder"``.
    error : type of MtmError
        What to raise.

    Raises
    ------
    MtmError
        Of the type `error`, if nothing bundled has that name; the nearest one is proposed.
    """
    from mtm_core.errors import UnknownNameError

    try:
        return look_up(name)
    except UnknownNameError as unknown:
        near = f" Did you mean the bundled {kind} {unknown.nearest}?" if unknown.nearest else ""
        msg = f"There is no {otherwise} {name}.{near}"
        raise error(msg) from unknown
