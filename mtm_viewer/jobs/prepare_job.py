"""Opening recordings that must be prepared first: read, cut, count, ask, keep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal

from mtm_core.config import PreparationConfig
from mtm_core.data.alf_folders import find_sessions
from mtm_core.data.preparation import prepare
from mtm_core.data.raw import RawSession
from mtm_core.data.session import Session
from mtm_core.data.session_file import write_session
from mtm_core.data.sources import DEMO, kind_of, open_source
from mtm_core.errors import (
    ConfigError,
    DataError,
    LoginError,
    MtmError,
    NetworkError,
    OutputError,
)
from mtm_core.resources import session_path
from mtm_viewer.jobs.database_job import Account, Connect, connect_one
from mtm_viewer.jobs.experiment_job import ExperimentRequest, open_experiment
from mtm_viewer.jobs.open_job import OpenRequest, look_over, open_files, open_work
from mtm_viewer.jobs.prepared_cache import PreparedCache, default_cache
from mtm_viewer.presenters.workspace import Opened, Workspace

ShouldStop = Callable[[], bool]

ASK_ABOVE = 0.2
"""Dropping a larger share of the trials than this is asked about."""


FailureKind = Literal["network", "login", "file", "settings"]
_NOT_OPENED = (ConfigError, DataError)
"""Errors of the source, its settings or the network."""


def _tell_nobody(_: object) -> None:
    """Report to nobody."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PrepareRequest:
    """Open a recording by preparing it.

    Parameters
    ----------
    source : str
        A folder, a file, or an eid.
    config : PreparationConfig
        How to prepare it.
    name : str
        What people call it, for the progress.
    account : Account
        How to reach the database, for an eid.
    current : Workspace or None
        What is open now.
    checkpoint_paths : tuple of Path
        Checkpoints to open with it.
    is_downloaded : bool
        Whether the files of an eid are known to lie on this machine.
    is_accepted : bool
        Whether the person agreed to lose many trials, or is not to be asked.
    report : callable
        Told how far it is, from the working thread.
    """

    source: str
    config: PreparationConfig
    name: str = ""
    account: Account = field(default_factory=Account)
    current: Workspace | None = None
    checkpoint_paths: tuple[Path, ...] = ()
    is_downloaded: bool = False
    is_accepted: bool = False
    report: Callable[[object], None] = _tell_nobody


@dataclass(frozen=True, eq=False, kw_only=True)
class Question:
    """A prepared session that lost many trials: to be shown only if a person says so.

    Parameters
    ----------
    request : PrepareRequest
        What was asked for.
    session : Session
        The session; its report says what was dropped.
    """

    request: PrepareRequest
    session: Session


@dataclass(frozen=True, eq=False, kw_only=True)
class KeepRequest:
    """Go on with the session of a question."""

    question: Question


@dataclass(frozen=True, eq=False, kw_only=True)
class Failure:
    """A recording that could not be prepared.

    Parameters
    ----------
    request : PrepareRequest
        What was asked for.
    kind : str
        ``"network"``, ``"login"``, ``"file"`` for what could not be read, ``"settings"`` for what
        could be read, but not prepared like this.
    sentence : str
        What is wrong, where, what to do next.
    """

    request: PrepareRequest
    kind: FailureKind
    sentence: str


@dataclass(frozen=True, eq=False, kw_only=True)
class NeedsDownload:
    """An eid whose files must be fetched first."""

    request: PrepareRequest


@dataclass(frozen=True, kw_only=True)
class ManySessions:
    """A folder with more than one session."""

    root: Path


@dataclass(frozen=True, eq=False, kw_only=True)
class SaveRequest:
    """Save a session as it was prepared."""

    session: Session
    path: Path


@dataclass(frozen=True, kw_only=True)
class Saved:
    """A session that was saved."""

    path: Path


class OpenJob:
    """The work of the thread that opens sessions.

    Parameters
    ----------
    cache : PreparedCache or None
        Where prepared sessions are kept; None for the person's own cache folder.
    connect : Connect
        Makes the client of a database.
    """

    def __init__(self, cache: PreparedCache | None = None, connect: Connect = connect_one) -> None:
        self._cache = cache
        self._connect = connect

    @property
    def cache(self) -> PreparedCache:
        """Where prepared sessions are kept."""
        if self._cache is None:
            self._cache = default_cache()
        return self._cache

    def limit_cache(self, max_bytes: int) -> None:
        """Keep so many bytes of prepared sessions, from the next one on."""
        self.cache.max_bytes = max_bytes

    def __call__(self, request: object, should_stop: ShouldStop) -> Iterator[object]:
        """Yield a `Workspace`, or in its place what must be asked, done or told first.

        Raises
        ------
        MtmError
            If a file cannot be trusted, or the prepared session cannot be kept.
        """
        if isinstance(request, PrepareRequest):
            yield from self._open_any(request, should_stop)
        elif isinstance(request, KeepRequest):
            yield from self._keep(request.question.session, request.question.request)
        elif isinstance(request, SaveRequest):
            write_session(request.session, request.path)
            yield Saved(path=request.path)
        elif isinstance(request, ExperimentRequest):
            yield open_experiment(request)
        else:
            yield from open_work(request, should_stop)

    def _open_any(self, request: PrepareRequest, should_stop: ShouldStop) -> Iterator[object]:
        try:
            kind = kind_of(request.source)
            kept = None if kind == "session_file" else self._find(request)
            if kind in ("session_file", "bundled"):
                name = request.source.removeprefix(DEMO)
                path = session_path(name) if kind == "bundled" else Path(request.source)
                yield self._open_session_file(path, request)
            elif kept is not None:
                yield self._open(*kept, request)
            elif kind == "eid" and not request.is_downloaded:
                yield NeedsDownload(request=request)
            elif kind == "alf" and len(list(islice(find_sessions(Path(request.source)), 2))) > 1:
                yield ManySessions(root=Path(request.source))
            else:
                yield from self._prepare(request, should_stop)
        except _NOT_OPENED as error:
            yield _failure(request, error, "file")

    def _find(self, request: PrepareRequest) -> tuple[Session, Path] | None:
        return self.cache.find(request.source, request.config)

    def _prepare(self, request: PrepareRequest, should_stop: ShouldStop) -> Iterator[object]:
        raw = self._read(request, should_stop)
        if raw is None or should_stop():
            return
        request.report("choosing trials and units, counting spikes")
        try:
            session = prepare(raw, request.config) if isinstance(raw, RawSession) else raw
        except _NOT_OPENED as error:
            yield _failure(request, error, "settings")
            return
        report = session.preparation
        is_much = report is not None and report.share_of_trials_dropped > ASK_ABOVE
        if should_stop():
            return
        if is_much and not request.is_accepted:
            yield Question(request=request, session=session)
            return
        yield from self._keep(session, request)

    def _read(
        self, request: PrepareRequest, should_stop: ShouldStop
    ) -> RawSession | Session | None:
        one = self._connect(request.account) if kind_of(request.source) == "eid" else None
        request.report("reading")
        return open_source(
            request.source, one=one, progress=request.report, should_stop=should_stop
        )

    def _keep(self, session: Session, request: PrepareRequest) -> Iterator[object]:
        """Keep a session for next time and open it; a full disk does not stand in the way."""
        problem: MtmError | None = None
        path = Path(request.source)
        try:
            path = self.cache.keep(session, request.source, request.config)
        except OutputError as error:
            problem = error
        yield self._open(session, path, request)
        if problem is not None:
            raise problem

    def _open_session_file(self, path: Path, request: PrepareRequest) -> object:
        answer = open_files(
            OpenRequest(
                session_path=path,
                checkpoint_paths=request.checkpoint_paths,
                current=request.current,
            )
        )
        look_over(answer)
        return answer

    def _open(self, session: Session, path: Path, request: PrepareRequest) -> object:
        answer = open_files(
            OpenRequest(
                session=session,
                session_path=path,
                checkpoint_paths=request.checkpoint_paths,
                current=request.current,
                opened=Opened(source=request.source, config=request.config),
            )
        )
        look_over(answer)
        return answer


def _failure(request: PrepareRequest, error: MtmError, kind: FailureKind) -> Failure:
    if isinstance(error, LoginError):
        kind = "login"
    elif isinstance(error, NetworkError):
        kind = "network"
    return Failure(request=request, kind=kind, sentence=str(error))
