"""Asking an IBL database off the GUI thread: connect, search, download."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from mtm_core.data.one_client import Mode, OneClient
from mtm_core.data.one_records import DownloadProgress, SearchQuery, SessionEntry
from mtm_core.errors import (
    ConfigError,
    DataError,
    LoginError,
    NetworkError,
    OutputError,
    UnreachableError,
)
from mtm_viewer.presenters.session_list import SessionRow, ordered_regions

ShouldStop = Callable[[], bool]


@dataclass(frozen=True, kw_only=True)
class Account:
    """How to reach a database.

    Parameters
    ----------
    url, username, password, token : str or None
        None leaves the choice to what is set up on this machine. Secrets are never shown, and
        do not tell two accounts apart.
    mode : str
        ``"auto"``, or ``"local"`` for what was downloaded before.
    cache_dir : Path or None
        Where downloads lie; None for ONE's own folder.
    attempt : int
        Counts up to connect anew with the same account.
    """

    url: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False, compare=False)
    token: str | None = field(default=None, repr=False, compare=False)
    mode: Mode = "auto"
    cache_dir: Path | None = None
    attempt: int = 0

    def without_secrets(self) -> Account:
        """Return the same account after a login: from then on ONE's own token serves."""
        return replace(self, password=None, token=None)


class Connect(Protocol):
    """Makes a client for an account; see `OneClient.connect`."""

    def __call__(self, account: Account) -> OneClient:
        """Connect; blocks for seconds at most."""


def connect_one(account: Account) -> OneClient:
    """Connect by way of ONE."""
    return OneClient.connect(
        account.url,
        username=account.username,
        password=account.password,
        token=account.token,
        cache_dir=account.cache_dir,
        mode=account.mode,
    )


@dataclass(frozen=True, kw_only=True)
class SearchRequest:
    """What to look for, and where."""

    account: Account
    query: SearchQuery


@dataclass(frozen=True, kw_only=True)
class DatabaseAnswer:
    """What a database says.

    Parameters
    ----------
    account : Account
        The account it was asked with.
    is_online, needs_login : bool
        Whether the database itself answers; whether somebody would have to log in.
    sentence : str
        Why not; "" if all is well.
    query : SearchQuery or None
        What was looked for; None while only the connection is known.
    rows : tuple of SessionRow
        The sessions that fit.
    is_refused : bool
        Whether the account or token was not accepted.
    problem : str
        Why the query cannot be meant; "" if it can.
    url : str
        Address of the database; "" where it is not known.
    """

    account: Account
    is_online: bool = False
    needs_login: bool = False
    sentence: str = ""
    query: SearchQuery | None = None
    rows: tuple[SessionRow, ...] = ()
    is_refused: bool = False
    problem: str = ""
    url: str = ""


class DatabaseJob:
    """The work of the database's thread; keeps the connection between requests.

    Parameters
    ----------
    connect : Connect
        Makes the client.
    """

    def __init__(self, connect: Connect = connect_one) -> None:
        self._connect = connect
        self._account: Account | None = None
        self._client: OneClient | None = None

    def __call__(self, request: object, should_stop: ShouldStop) -> Iterator[object]:
        """Answer a `SearchRequest`: first how the connection is, then what was found."""
        if not isinstance(request, SearchRequest):
            msg = f"This thread asks a database; it cannot do {type(request).__name__}."
            raise TypeError(msg)
        try:
            client = self._client_for(request.account)
        except LoginError as error:
            yield _refusal(request, str(error), is_refused=True)
            return
        except (UnreachableError, ConfigError) as error:
            yield _refusal(request, str(error), is_refused=False)
            return
        link = DatabaseAnswer(
            account=request.account,
            is_online=client.is_online,
            needs_login=client.needs_login,
            sentence=client.why_offline,
            url=client.url,
        )
        yield link
        yield _search(client, link, request)

    def _client_for(self, account: Account) -> OneClient:
        if self._client is None or account != self._account:
            self._client = None  # a failed attempt must not leave the connection before it
            self._client = self._connect(account)
            self._account = account
        return self._client


def _refusal(request: SearchRequest, sentence: str, *, is_refused: bool) -> DatabaseAnswer:
    return DatabaseAnswer(
        account=request.account,
        needs_login=is_refused,
        sentence=sentence,
        query=request.query,
        is_refused=is_refused,
    )


def _search(client: OneClient, link: DatabaseAnswer, request: SearchRequest) -> DatabaseAnswer:
    """Search; a network that fails on the way is told, not thrown."""
    try:
        rows = tuple(row_of_entry(entry) for entry in client.search(request.query))
    except ConfigError as error:  # half a region's name, for example
        return replace(link, query=request.query, problem=str(error))
    except NetworkError as error:
        return DatabaseAnswer(
            account=request.account,
            needs_login=isinstance(error, LoginError),
            sentence=str(error),
            query=request.query,
        )
    return replace(link, query=request.query, rows=rows)


def row_of_entry(entry: SessionEntry) -> SessionRow:
    """Describe a session of a database as a row of the list."""
    number = "" if entry.number is None else f"{entry.number:03d}"
    name = " ".join(part for part in (entry.subject, entry.date, number) if part)
    source = entry.eid or str(entry.local_path or entry.place)
    return SessionRow(
        source=source,
        name=name or source,
        kind="IBL session",
        subject=entry.subject,
        lab=entry.lab,
        date=entry.date,
        number=entry.number,
        n_probes=entry.n_probes,
        regions=ordered_regions(entry.regions or ()),
        is_local=entry.is_cached,
    )


@dataclass(frozen=True, kw_only=True)
class DownloadRequest:
    """Fetch what preparing a session needs.

    Parameters
    ----------
    account : Account
        How to reach the database.
    row : SessionRow
        The session.
    report : callable
        Told how far the download is, from the working thread.
    """

    account: Account
    row: SessionRow
    report: Callable[[DownloadProgress], None]


@dataclass(frozen=True, kw_only=True)
class DownloadFailure:
    """A download that did not work out.

    Parameters
    ----------
    row : SessionRow
        The session.
    needs_login : bool
        Whether somebody would have to log in.
    sentence : str
        What is wrong, and what to do next.
    """

    row: SessionRow
    needs_login: bool
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Downloaded:
    """A session that lies on this machine now; `folder` is None if the download was stopped."""

    row: SessionRow
    folder: Path | None


class DownloadJob:
    """The work of the download thread.

    Parameters
    ----------
    connect : Connect
        Makes the client.
    """

    def __init__(self, connect: Connect = connect_one) -> None:
        self._connect = connect

    def __call__(self, request: object, should_stop: ShouldStop) -> Iterator[object]:
        """Fetch the session of a `DownloadRequest`; yields `Downloaded` or `DownloadFailure`."""
        if not isinstance(request, DownloadRequest):
            msg = f"This thread downloads; it cannot do {type(request).__name__}."
            raise TypeError(msg)
        try:
            client = self._connect(request.account)
            folder = client.download(
                request.row.source, progress=request.report, should_stop=should_stop
            )
        except (ConfigError, DataError, OutputError) as error:
            needs_login = isinstance(error, LoginError)
            yield DownloadFailure(row=request.row, needs_login=needs_login, sentence=str(error))
            return
        yield Downloaded(row=request.row, folder=folder)
