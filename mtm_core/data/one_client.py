"""Sessions of an IBL database (Alyx) and of its cache on this machine, by way of ONE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from mtm_core.data.one_records import (
    CachedSession,
    DownloadProgress,
    PruneReport,
    SearchQuery,
    SessionDetails,
    SessionEntry,
)
from mtm_core.data.raw import Origin, RawSession

Mode = Literal["auto", "remote", "local"]
ReportProgress = Callable[[DownloadProgress], None]
ShouldStop = Callable[[], bool]


class OneClient:
    """A database and the cache folder that its sessions are downloaded to.

    Made by `connect`. A session is named by its eid or by ``subject/date/number``, with or without
    the lab before it. Nothing here asks a person anything; nothing secret is stored or logged
    except by ONE itself, which keeps the token in its own settings.

    Attributes
    ----------
    is_online : bool
        Whether the database is asked; False on the cache alone.
    why_offline : str
        One sentence for people; empty when online.
    needs_login : bool
        Whether the database could be asked if somebody logged in.
    url : str
        Address of the database; empty in a folder that belongs to none.
    cache_dir : Path
        Folder of the cache.
    """

    is_online: bool
    why_offline: str
    needs_login: bool
    url: str
    cache_dir: Path

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
        """Find the settings, see whether the database answers, log in.

        Blocks for two seconds at most where there is no network. Without credentials those that
        ONE keeps from an earlier login serve.

        Parameters
        ----------
        url : str, optional
            The database; by default ``MTM_ALYX_URL``, ONE's own default, the public one.
        username, password, token : str, optional
            By default ``MTM_ALYX_USERNAME``, ``MTM_ALYX_PASSWORD``, ``MTM_ALYX_TOKEN``.
        cache_dir : Path, optional
            A ONE cache or a lab's folder; by default ``MTM_ONE_CACHE``, then ONE's own.
        mode : {"auto", "remote", "local"}
            ``"auto"`` goes on with the cache alone where the database cannot be reached or
            nobody is logged in; ``"remote"`` raises then; ``"local"`` asks nobody.

        Raises
        ------
        LoginError
            If what was given was not accepted, or (``"remote"``) nothing was given.
        UnreachableError
            If the database cannot be reached (``"remote"``).
        """
        raise NotImplementedError

    def search(self, query: SearchQuery | None = None) -> list[SessionEntry]:
        """Return the sessions that fit, newest first; offline, those of the cache and of a
        pick list that is asked for.
        """
        raise NotImplementedError

    def show(self, ref: str) -> SessionDetails:
        """Return one session and the files that preparing it needs."""
        raise NotImplementedError

    def download(
        self,
        ref: str,
        *,
        progress: ReportProgress | None = None,
        should_stop: ShouldStop | None = None,
    ) -> Path | None:
        """Fetch what preparing the session needs, and return its ALF folder.

        Files that are whole already are not fetched again; what a stopped or broken download left
        is continued. Both callbacks are called in the caller's thread, ten times a second or so.

        Returns
        -------
        Path or None
            None if `should_stop` said so: that is no error.
        """
        raise NotImplementedError

    def read(
        self,
        ref: str,
        *,
        progress: ReportProgress | None = None,
        should_stop: ShouldStop | None = None,
    ) -> RawSession | None:
        """Download what is missing and read the session; None if stopped."""
        raise NotImplementedError

    def origin(self, ref: str) -> Origin:
        """Return where a session came from, with what the database knows of it."""
        raise NotImplementedError

    def cached(self) -> list[CachedSession]:
        """Return the sessions that lie in the cache folder."""
        raise NotImplementedError

    def prune(
        self,
        refs: Sequence[str] = (),
        *,
        older_than_days: float | None = None,
        dry_run: bool = False,
    ) -> PruneReport:
        """Remove leftovers of broken downloads and, where asked for, downloaded sessions."""
        raise NotImplementedError
