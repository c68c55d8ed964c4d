"""Opening and saving recordings."""

from __future__ import annotations

import os
from pathlib import Path

from mtm_core import config_io
from mtm_core.api.typed import typed_text
from mtm_core.data.preparation import prepare
from mtm_core.data.prepare_binned import prepare_session
from mtm_core.data.session import Session
from mtm_core.data.session_file import write_session
from mtm_core.data.sources import open_source
from mtm_core.errors import DataError

DEFAULT = "default"


def open_session(
    source: str | os.PathLike[str], preparation: str | None = None, **settings: object
) -> Session:
    """Open a recording, whatever it lies in.

    Parameters
    ----------
    source : str or path-like
        A session file, the beginning of a bundled recording's name, a folder (ALF, or the layout
        of docs/bring_your_own.md), an NWB file, or an eid of the IBL database.
    preparation : str, optional
        Preset by which units, trials and bins are chosen (``default``, ``paper``,
        ``brain-wide-map``, or a TOML file). A session file is left as it is unless one is given.
    **settings
        Single choices of preparation, such as ``align="first_movement"`` or ``units="all"``.

    Returns
    -------
    Session
        Counts of shape (n_trials, n_bins, n_units), unit table, trial table, behaviour.

    Raises
    ------
    DataError
        If it is no recording, cannot be trusted, or nothing of it is left.
    ConfigError
        If there is no such preset or setting.

    Examples
    --------
    >>> session = open_session("steinmetz2019_s12")
    >>> session.counts.shape, session.bin_size_s
    ((340, 40, 698), 0.01)
    """
    typed = {f"prepare.{name}": typed_text(value) for name, value in settings.items()}
    config = config_io.load_preparation(preparation or DEFAULT, typed.items())
    opened = open_source(os.fspath(source))
    if opened is None:
        msg = f"{source} was not opened."
        raise DataError(msg)
    if not isinstance(opened, Session):
        return prepare(opened, config)
    if preparation is None and not typed:
        return opened
    return prepare_session(opened, config, tuple(settings))


def save_session(session: Session, path: str | os.PathLike[str]) -> Path:
    """Write a session file, whole or not at all; return its path.

    Parameters
    ----------
    session : Session
        What to write.
    path : path-like
        Where; ends in ``.h5``.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    write_session(session, path)
    return Path(path)
