"""Whatever a person names as a recording: find out what it is, open it, prepare it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mtm_core.config import PreparationConfig
from mtm_core.data.alf import is_alf_folder, read_alf
from mtm_core.data.byo import is_byo_folder, read_byo
from mtm_core.data.nwb import is_nwb_file, read_nwb
from mtm_core.data.one_records import EID
from mtm_core.data.one_refs import query_of_place
from mtm_core.data.preparation import prepare, prepare_session
from mtm_core.data.raw import RawSession
from mtm_core.data.session import Session
from mtm_core.data.session_file import is_session_file, read_session
from mtm_core.errors import DataError, UnknownNameError
from mtm_core.resources import list_sessions, session_path

if TYPE_CHECKING:
    from mtm_core.data.one_client import OneClient

SourceKind = Literal["alf", "nwb", "byo", "session_file", "eid", "bundled"]
Report = Callable[[object], None]
ShouldStop = Callable[[], bool]

DEMO = "demo:"
"""Before the name of a bundled session, or the beginning of its name."""
ACCEPTED = (
    "Give a session's folder (ALF, or the layout of docs/bring_your_own.md), an .nwb or session "
    "file, an eid, subject/date/number, or demo:NAME"
)


def kind_of(source: str | Path) -> SourceKind:
    """Say what a source is, without reading all of it.

    Parameters
    ----------
    source : str or Path
        A folder, a file, an eid or ``subject/date/number`` of the IBL database, or ``demo:NAME``.

    Raises
    ------
    DataError
        If it is none of these; the text says what would be accepted.
    UnknownNameError
        If no bundled session is called so.

    Examples
    --------
    >>> kind_of("demo:steinmetz2019_s12"), kind_of("56956777-dca5-468c-87cb-78150432cc57")
    ('bundled', 'eid')
    """
    text = str(source).strip()
    if text.startswith(DEMO):
        session_path(text.removeprefix(DEMO))
        return "bundled"
    path = Path(text)
    if path.is_dir():
        return _kind_of_folder(path)
    if path.exists():
        return _kind_of_file(path)
    if EID.fullmatch(text) or _is_place(text):
        return "eid"
    if _is_bundled(text):
        return "bundled"
    near = _nearest_bundled(text)
    msg = f"There is no file or folder {text}, and it is no eid.{near} {ACCEPTED}."
    raise DataError(msg)


def open_source(
    source: str | Path,
    *,
    one: OneClient | None = None,
    progress: Report | None = None,
    should_stop: ShouldStop | None = None,
) -> RawSession | Session | None:
    """Read a source.

    Parameters
    ----------
    source : str or Path
        See `kind_of`.
    one : OneClient, optional
        The database and cache for an eid; by default what `OneClient.connect` finds.
    progress : callable, optional
        Told how far it is: a `DownloadProgress`, or a few words.
    should_stop : callable, optional
        Asked during a download.

    Returns
    -------
    RawSession, Session or None
        A `Session` where the recording lies binned already (a session file, a bundled one); None
        if `should_stop` said so.

    Raises
    ------
    DataError
        If it is no source, or cannot be trusted.
    NetworkError
        If it must be downloaded and cannot.
    """
    text = str(source).strip()
    kind, tell = kind_of(text), progress or _tell_nobody
    if kind == "eid":
        return _client(one).read(text, progress=tell, should_stop=should_stop)
    tell("reading")
    if kind in ("session_file", "bundled"):
        is_bundled = kind == "bundled"
        return read_session(session_path(text.removeprefix(DEMO)) if is_bundled else text)
    if kind == "nwb":
        return read_nwb(text)
    return read_byo(Path(text)) if kind == "byo" else read_alf(Path(text))


def prepare_source(
    source: str | Path,
    config: PreparationConfig,
    typed: Collection[str] = (),
    *,
    one: OneClient | None = None,
    progress: Report | None = None,
    should_stop: ShouldStop | None = None,
) -> Session | None:
    """Read a source and turn it into a session.

    Parameters
    ----------
    source : str or Path
        See `kind_of`.
    config : PreparationConfig
        The rules.
    typed : collection of str
        Settings that a person asked for; see `preparation.prepare_session`.
    one, progress, should_stop
        See `open_source`.

    Returns
    -------
    Session or None
        None if `should_stop` said so.

    Raises
    ------
    DataError
        If the source cannot be trusted, or nothing is left of it.
    """
    tell, stopped = progress or _tell_nobody, should_stop or _never
    opened = open_source(source, one=one, progress=tell, should_stop=stopped)
    if opened is None or stopped():
        return None
    tell("counting spikes")
    if isinstance(opened, Session):
        return prepare_session(opened, config, typed)
    return prepare(opened, config)


def _kind_of_folder(path: Path) -> SourceKind:
    if is_byo_folder(path):
        return "byo"
    if is_alf_folder(path):
        return "alf"
    if (path / "model.safetensors").exists() or (path / "config.toml").exists():
        msg = f"{path} is the folder of a training run, not of a recording. {ACCEPTED}."
        raise DataError(msg)
    msg = (
        f"{path} is no recording: it has neither a folder 'alf' with spikes.times.npy in a probe "
        f"folder, nor spikes, clusters.csv and trials.csv of its own. {ACCEPTED}."
    )
    raise DataError(msg)


def _kind_of_file(path: Path) -> SourceKind:
    if is_session_file(path):
        return "session_file"
    if is_nwb_file(path) or path.suffix == ".nwb":
        return "nwb"
    if path.suffix == ".safetensors":
        msg = f"{path} is a checkpoint, not a recording. {ACCEPTED}."
    elif path.suffix in (".npy", ".pqt", ".csv", ".toml"):
        msg = f"{path} is one file of a recording. Give its folder: {path.absolute().parent}."
    else:
        msg = f"{path} is neither a session file nor NWB. {ACCEPTED}."
    raise DataError(msg)


def _is_place(text: str) -> bool:
    try:
        query_of_place(text)
    except DataError:
        return False
    return True


def _is_bundled(text: str) -> bool:
    try:
        session_path(text)
    except UnknownNameError:
        return False
    return bool(text)


def _nearest_bundled(text: str) -> str:
    nearest = UnknownNameError("session", text, list_sessions()).nearest
    return f" Did you mean demo:{nearest}?" if nearest else ""


def _client(one: OneClient | None) -> OneClient:
    if one is not None:
        return one
    from mtm_core.data.one_client import OneClient  # ONE is imported when it is needed

    return OneClient.connect()


def _tell_nobody(_: object) -> None:
    """Report to nobody."""


def _never() -> bool:
    return False
