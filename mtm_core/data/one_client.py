"""Sessions of an IBL database (Alyx) and of its cache on this machine, by way of ONE."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal

from mtm_core.data import one_datasets, one_search
from mtm_core.data.one_cache import Cache
from mtm_core.data.one_fetch import fetch_session
from mtm_core.data.one_network import host_of, normal_url, probe
from mtm_core.data.one_records import (
    CachedSession,
    Credentials,
    DownloadProgress,
    PruneReport,
    SearchQuery,
    SessionDetails,
    SessionEntry,
)
from mtm_core.data.one_refs import is_at, is_eid, query_of_place
from mtm_core.data.one_server import Record, Server, unknown_session
from mtm_core.data.one_settings import (
    Settings,
    default_url,
    fill_from_environment,
    find_cache_dir,
    load_settings,
    settings_lock,
)
from mtm_core.data.one_transfer import is_whole
from mtm_core.data.pick_lists import PickList, load_pick_list, released_sessions
from mtm_core.data.raw import Origin, RawSession
from mtm_core.errors import DataError, LoginError, UnreachableError

Mode = Literal["auto", "remote", "local"]
ReportProgress = Callable[[DownloadProgress], None]
ShouldStop = Callable[[], bool]

_ASKED_FOR = "The cache alone is used, as asked."


class OneClient:
    """A database and the cache folder that its sessions are downloaded to.

    Made by `connect`. A session is named by its eid or by ``subject/date/number``, with or without
    the lab before it. Nothing here asks a person anything. Nothing secret is logged; ONE keeps the
    token in its own settings, as it always does, and a password nowhere.

    Parameters
    ----------
    cache : Cache
        The cache folder.
    url : str
        Address of the database; "" in a folder that belongs to none.
    server : Server or None
        The database, with somebody logged in; None to go by the cache alone.
    settings : Settings or None
        ONE's settings of the database.
    why_offline : str
        One sentence for people; "" when online.
    needs_login : bool
        Whether the database could be asked if somebody logged in.
    """

    def __init__(
        self,
        cache: Cache,
        *,
        url: str = "",
        server: Server | None = None,
        settings: Settings | None = None,
        why_offline: str = "",
        needs_login: bool = False,
    ) -> None:
        self.url = url
        self.why_offline = why_offline
        self.needs_login = needs_login
        self._cache = cache
        self._server = server
        self._settings = settings

    @classmethod
    def connect(
        cls,
        url: str | None = None,
        *,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        cache_dir: Path | None = None,
        mode: Mode = "auto",
    ) -> OneClient:
        """Find the settings, see whether the database can be reached, log in.

        Blocks for a few seconds at most where there is no network. Without credentials the token
        that ONE keeps from an earlier login serves.

        Parameters
        ----------
        url : str, optional
            The database; by default ``MTM_ALYX_URL``, ONE's own default, the public one.
        username, password, token : str, optional
            By default ``MTM_ALYX_USERNAME``, ``MTM_ALYX_PASSWORD``, ``MTM_ALYX_TOKEN``.
        cache_dir : Path, optional
            A ONE cache or a lab's folder; by default ``MTM_ONE_CACHE``, then ONE's own.
        mode : {"auto", "remote", "local"}
            ``"auto"`` goes on with the cache alone where the database cannot be reached or nobody
            is logged in; ``"remote"`` raises then; ``"local"`` asks nobody.

        Raises
        ------
        LoginError
            If what was given was not accepted, or (``"remote"``) nothing was given.
        UnreachableError
            If the database cannot be reached (``"remote"``).
        ConfigError
            If there is no home folder for ONE's settings, or they are damaged.
        """
        if mode == "local" and cache_dir is not None:
            return cls(
                Cache(cache_dir), url=normal_url(url) if url else "", why_offline=_ASKED_FOR
            )
        address = normal_url(url) if url else default_url()
        cache = Cache(cache_dir or find_cache_dir(address))
        if mode == "local":
            return cls(cache, url=address, why_offline=_ASKED_FOR)
        given = Credentials(username=username, password=password, token=token)
        who = fill_from_environment(given)
        try:
            probe(address)
            with settings_lock():
                settings = load_settings(address, cache.root)
                server = Server(settings, who)
        except (LoginError, UnreachableError) as error:
            needs_login = isinstance(error, LoginError)
            if mode == "remote" or (needs_login and who.are_given):
                raise
            return cls(cache, url=address, why_offline=str(error), needs_login=needs_login)
        return cls(cache, url=address, server=server, settings=settings)

    @property
    def is_online(self) -> bool:
        """Whether the database is asked; False on the cache alone."""
        return self._server is not None

    @property
    def cache_dir(self) -> Path:
        """Folder of the cache."""
        return self._cache.root

    def search(self, query: SearchQuery | None = None) -> list[SessionEntry]:
        """Return the sessions that fit, newest first.

        Offline these are the sessions of the cache and those of a pick list that is asked for.

        Raises
        ------
        ConfigError, UnknownNameError
            If the query cannot be meant.
        NetworkError
            If the database does not answer as it should.
        """
        query = query or SearchQuery()
        one_search.check(query)
        picked = load_pick_list(query.pick_list) if query.pick_list else None
        if self._server is None or query.only_cached:
            found = [e for e in self._known(picked) if one_search.fits(e, query)]
        else:
            entries = self._asked(self._server, query, picked)
            found = [e for e in entries if one_search.fits(e, query, knows_regions=True)]
        newest_first = sorted(found, key=lambda e: (e.date, e.place), reverse=True)
        return newest_first[: query.limit]

    def _known(self, picked: PickList | None) -> Iterable[SessionEntry]:
        if picked is None:
            return self._cache.entries()
        return [self._cache.complete(entry) for entry in picked.entries]

    def _asked(
        self, server: Server, query: SearchQuery, picked: PickList | None
    ) -> Iterable[SessionEntry]:
        eids = picked.eids if picked else None
        found: dict[str, SessionEntry] = {}
        for filters in one_search.server_filters(query, eids):
            for record in server.sessions(filters, query.limit):
                entry = one_search.entry_of_record(record, released_sessions())
                found[entry.session_id] = entry
        return [self._cache.complete(entry) for entry in found.values()]

    def show(self, ref: str) -> SessionDetails:
        """Return one session and the files that preparing it needs.

        Raises
        ------
        DataError
            If no such session is known.
        NetworkError
            If the database does not answer as it should.
        """
        if self._server is None:
            entry = self._find_local(ref)
            return one_datasets.details_on_disk(entry)
        record = self._record(self._server, ref)
        entry = self._entry(record)
        wanted = one_datasets.wanted(record, entry)
        folder = self._cache.folder_of(entry)
        here = [d.n_bytes or 0 for d in wanted if is_whole(folder / d.path, d)]
        return SessionDetails(
            entry=entry,
            probes=one_datasets.probes(record),
            datasets=wanted,
            n_datasets=len(one_datasets.on_record(record)),
            n_bytes=sum(dataset.n_bytes or 0 for dataset in wanted),
            n_bytes_cached=sum(here),
        )

    def download(
        self,
        ref: str,
        *,
        progress: ReportProgress | None = None,
        should_stop: ShouldStop | None = None,
        refresh: bool = False,
    ) -> Path | None:
        """Fetch what preparing the session needs, and return its ALF folder.

        Files that are whole already are not fetched again; what a stopped or broken download left
        is continued. Both callbacks are called in the caller's thread, about ten times a second.

        Parameters
        ----------
        ref : str
            The session.
        progress, should_stop : callable, optional
            Told how far it is; asked whether to stop.
        refresh : bool
            Ask the database for newer files even if the session lies whole in the cache.

        Returns
        -------
        Path or None
            None if `should_stop` said so: that is no error.

        Raises
        ------
        DataError
            If no such session is known, or offline it is not in the cache.
        NetworkError
            If the database or its file server does not answer as it should.
        OutputError
            If the cache folder is full or cannot be written.
        """
        report = progress or (lambda _: None)
        stopped = should_stop or (lambda: False)
        report(DownloadProgress(stage="looking up"))
        note = self._cache.notes.find(ref.lower())
        if note is not None and note.holds(self.cache_dir) and not (refresh and self._server):
            self._cache.notes.touch(note)
            report(DownloadProgress(stage="done"))
            return self.cache_dir / note.folder
        if self._server is None:
            return self._local_folder(ref)
        record = self._record(self._server, ref)
        if stopped():
            return None
        return fetch_session(
            self._server,
            self._cache,
            record,
            self._entry(record),
            login_for=self._settings.login_for if self._settings else lambda _: None,
            progress=report,
            should_stop=stopped,
        )

    def read(
        self,
        ref: str,
        *,
        progress: ReportProgress | None = None,
        should_stop: ShouldStop | None = None,
    ) -> RawSession | None:
        """Download what is missing and read the session; None if stopped.

        Raises
        ------
        DataError
            See `download`, and `alf.read_alf` for what can be wrong with the files.
        """
        from mtm_core.data.alf import read_alf

        folder = self.download(ref, progress=progress, should_stop=should_stop)
        if folder is None:
            return None
        return read_alf(folder, origin=self._origin(self._cache.at(folder)))

    def origin(self, ref: str) -> Origin:
        """Return where a session that lies in the cache came from.

        Raises
        ------
        DataError
            If it is not in the cache.
        """
        return self._origin(self._find_local(ref))

    def _origin(self, entry: SessionEntry) -> Origin:
        return Origin(
            session_id=entry.session_id,
            source=f"IBL database {host_of(self.url)}" if self.url else "ONE cache",
            source_id=entry.place,
            subject=entry.subject or None,
            lab=entry.lab or None,
            date=entry.date or None,
            number=entry.number,
            eid=entry.eid,
        )

    def cached(self) -> list[CachedSession]:
        """Return the sessions that lie in the cache folder, the last used first."""
        return self._cache.sessions()

    def prune(
        self,
        refs: Sequence[str] = (),
        *,
        older_than_days: float | None = None,
        dry_run: bool = False,
    ) -> PruneReport:
        """Remove leftovers of broken downloads and, where asked for, downloaded sessions.

        Only files that this program downloaded are ever removed.

        Parameters
        ----------
        refs : sequence of str
            Sessions to remove.
        older_than_days : float, optional
            Also the sessions that were last used so long ago; 0 means all.
        dry_run : bool
            Only say what would go.

        Raises
        ------
        DataError
            If a session is not in the cache, or was not downloaded by this program.
        """
        entries = [self._find_local(ref) for ref in refs]
        for entry in entries:
            if not entry.eid or self._cache.notes.find(entry.eid) is None:
                msg = (
                    f"{entry.place or entry.eid} was not downloaded by this program: "
                    f"remove {entry.local_path} yourself if it shall go."
                )
                raise DataError(msg)
        return self._cache.prune(entries, older_than_days, dry_run=dry_run)

    def _entry(self, record: Record) -> SessionEntry:
        entry = one_search.entry_of_record(record, released_sessions())
        one_datasets.check_entry(entry)
        return self._cache.complete(entry)

    def _record(self, server: Server, ref: str) -> Record:
        """Ask the database for a session by eid, or by subject, date and number."""
        return server.session(self._eid_at_server(server, ref))

    def _eid_at_server(self, server: Server, ref: str) -> str:
        if is_eid(ref):
            return ref.lower()
        query = query_of_place(ref)
        for filters in one_search.server_filters(query, None):
            for record in server.sessions(filters, query.limit):
                entry = one_search.entry_of_record(record, {})
                if is_at(entry, query) and entry.eid:
                    return entry.eid
        raise DataError(unknown_session(self.url, ref))

    def _find_local(self, ref: str) -> SessionEntry:
        entry = self._cache.find(ref)
        if entry is None:
            msg = f"Session {ref} is not in the cache {self.cache_dir}. {self._how_to_get_it()}"
            raise DataError(msg)
        return entry

    def _local_folder(self, ref: str) -> Path:
        entry = self._find_local(ref)
        if not entry.is_cached or entry.local_path is None:
            msg = f"Session {ref} was not downloaded whole. {self._how_to_get_it()}"
            raise DataError(msg)
        return entry.local_path

    def _how_to_get_it(self) -> str:
        if self.is_online:
            return "Download it first."
        return f"It has to be downloaded, and that does not work now: {self.why_offline}"
