"""What an IBL database and its cache are asked, and what they answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

EID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
"""The form of a session's eid, and of every other id of the database."""


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Who asks. A token alone is enough; a password needs an account.

    Parameters
    ----------
    username : str or None
        The account at the database.
    password : str or None
        Its password. Never shown, stored or logged.
    token : str or None
        The API token that the database shows at ``/me``. Never shown or logged.
    """

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)

    @property
    def are_given(self) -> bool:
        """Whether there is something to log in with."""
        return bool(self.token) or bool(self.username and self.password)


@dataclass(frozen=True, kw_only=True)
class SearchQuery:
    """Which sessions are wanted; all that is given must hold, upper and lower case are one.

    Parameters
    ----------
    text : str
        A part of an eid, a lab or a subject: what a person types into one box.
    subject, lab : str
        A part of the name.
    date_from, date_to : str
        ``"2020-01-31"``, both included.
    number : int or None
        The session's number on its day.
    region : str
        Acronym of a region that a probe goes through, for example ``"CA1"``.
    pick_list : str
        Name of a pick list (see `pick_lists`).
    only_cached : bool
        Only what lies on this machine.
    limit : int
        At most so many.
    """

    text: str = ""
    subject: str = ""
    lab: str = ""
    date_from: str = ""
    date_to: str = ""
    number: int | None = None
    region: str = ""
    pick_list: str = ""
    only_cached: bool = False
    limit: int = 500


@dataclass(frozen=True, kw_only=True)
class SessionEntry:
    """One session of a database or of a folder, as a line of a list.

    Parameters
    ----------
    eid : str or None
        None in a folder that no database knows.
    lab, subject, date : str
        Empty where not known (a pick list may hold nothing but eids).
    number : int or None
        The session's number on its day.
    n_probes : int or None
        None where not known before the session is asked for.
    regions : tuple of str or None
        Beryl acronyms that its probes go through; None where not known.
    is_cached : bool
        Whether what is needed lies on this machine.
    local_path : Path or None
        Its ALF folder on this machine, if there is one.
    """

    eid: str | None = None
    lab: str = ""
    subject: str = ""
    date: str = ""
    number: int | None = None
    n_probes: int | None = None
    regions: tuple[str, ...] | None = None
    is_cached: bool = False
    local_path: Path | None = None

    @property
    def place(self) -> str:
        """``lab/subject/date/number``, as far as it is known.

        Examples
        --------
        >>> SessionEntry(lab="mainenlab", subject="ZM_2240", date="2020-01-21", number=1).place
        'mainenlab/ZM_2240/2020-01-21/001'
        """
        number = "" if self.number is None else f"{self.number:03d}"
        return "/".join(part for part in (self.lab, self.subject, self.date, number) if part)

    @property
    def session_id(self) -> str:
        """The eid or, without one, the place."""
        return self.eid or self.place


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One file of a session, as the database has it on record.

    Parameters
    ----------
    path : PurePosixPath
        Relative to the session's folder, with its revision:
        ``alf/probe00/pykilosort/#2024-05-06#/spikes.times.npy``.
    dataset_id : str
        Its id at the database.
    url : str or None
        Where it can be fetched.
    n_bytes : int or None
        Size on record; not always right.
    md5 : str or None
        Hash on record.
    """

    path: PurePosixPath
    dataset_id: str
    url: str | None
    n_bytes: int | None = None
    md5: str | None = None

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name


@dataclass(frozen=True, kw_only=True)
class SessionDetails:
    """One session and its files.

    Parameters
    ----------
    entry : SessionEntry
        The session itself.
    probes : tuple of str
        Labels of its probes.
    datasets : tuple of Dataset
        The files that preparing it needs.
    n_datasets : int
        Files of the session in all.
    n_bytes : int
        Size of `datasets` together.
    n_bytes_cached : int
        How much of that lies on this machine, whole.
    """

    entry: SessionEntry
    probes: tuple[str, ...]
    datasets: tuple[Dataset, ...]
    n_datasets: int
    n_bytes: int
    n_bytes_cached: int


Stage = Literal["looking up", "waiting", "downloading", "done"]


@dataclass(frozen=True, kw_only=True)
class DownloadProgress:
    """How far a download is.

    Parameters
    ----------
    stage : {"looking up", "waiting", "downloading", "done"}
        ``"waiting"``: another process downloads the same session.
    n_bytes, n_bytes_total : int
        What has arrived or lay there before, and what there is in all.
    n_files, n_files_total : int
        Files that are whole, and files in all.
    file : str
        Name of a file that is on its way.
    seconds_left : float or None
        Estimate; None while there is nothing to make it from.
    """

    stage: Stage
    n_bytes: int = 0
    n_bytes_total: int = 0
    n_files: int = 0
    n_files_total: int = 0
    file: str = ""
    seconds_left: float | None = None

    @property
    def fraction(self) -> float:
        """From 0 to 1."""
        if self.stage == "done":
            return 1.0
        return min(self.n_bytes / self.n_bytes_total, 1.0) if self.n_bytes_total else 0.0


@dataclass(frozen=True, kw_only=True)
class CachedSession:
    """A session that lies in the cache.

    Parameters
    ----------
    entry : SessionEntry
        The session; `SessionEntry.local_path` is its folder.
    n_files, n_bytes : int
        What its folder holds.
    is_ours : bool
        Whether this program downloaded files of it (only those are ever pruned).
    is_whole : bool
        Whether every file that was wanted has arrived.
    last_used : str
        ISO date and time when it was last downloaded or opened; empty where not known.
    """

    entry: SessionEntry
    n_files: int
    n_bytes: int
    is_ours: bool
    is_whole: bool
    last_used: str = ""


@dataclass(frozen=True, kw_only=True)
class PruneReport:
    """What pruning removed, or would remove.

    Parameters
    ----------
    sessions : tuple of str
        Session ids whose downloaded files went.
    n_files, n_bytes : int
        Everything that went, leftovers of broken downloads included.
    n_leftovers : int
        Leftovers of broken downloads among them.
    """

    sessions: tuple[str, ...] = ()
    n_files: int = 0
    n_bytes: int = 0
    n_leftovers: int = 0
