"""A stand-in for the client of a database: the only fake in the tests of the browser."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mtm_core.data.alf import read_alf
from mtm_core.data.one_records import DownloadProgress, SearchQuery, SessionEntry
from mtm_core.data.raw import RawSession
from mtm_core.errors import LoginError, MtmError, UnreachableError
from mtm_viewer.jobs.database_job import Account

EID = "5dcee0eb-b34d-4652-acc3-d10afc6eae68"
OTHER = "c7bf2d49-4937-4597-b307-9f39cb1c7b16"
PASSWORD = "right"
ENTRIES = (
    SessionEntry(
        eid=EID,
        lab="mainenlab",
        subject="KS014",
        date="2019-12-03",
        number=1,
        n_probes=2,
        regions=("CA1", "VISp"),
    ),
    SessionEntry(eid=OTHER, lab="zadorlab", subject="CSH_ZAD_019", date="2020-08-14", number=1),
)


@dataclass
class FakeDatabase:
    """A database in memory; what it is told to do can be changed while it is used."""

    folder: Path | None = None
    """The ALF folder that every download ends in."""
    needs_login: bool = False
    is_down: bool = False
    fault: MtmError | None = None
    """What the next download meets."""
    gate: threading.Event = field(default_factory=threading.Event)
    """A download waits here until it is let go or stopped."""
    accounts: list[Account] = field(default_factory=list)
    queries: list[SearchQuery] = field(default_factory=list)
    downloads: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()

    def connect(self, account: Account) -> FakeClient:
        """Connect as `OneClient.connect` does."""
        self.accounts.append(account)
        if account.mode == "local":
            return FakeClient(self, why_offline="You chose to work offline.")
        if self.is_down:
            sentence = "There is no network. Check the cable, or work offline."
            return FakeClient(self, why_offline=sentence)
        if account.password and account.password != PASSWORD:
            raise LoginError("The password was not accepted. Type it again.")
        if account.password == PASSWORD:
            self.needs_login = False
        if self.needs_login:
            return FakeClient(self, why_offline="Nobody is logged in.", needs_login=True)
        return FakeClient(self, is_online=True)


@dataclass
class FakeClient:
    """What `FakeDatabase.connect` returns."""

    database: FakeDatabase
    is_online: bool = False
    why_offline: str = ""
    needs_login: bool = False
    url: str = "https://alyx.example"

    def search(self, query: SearchQuery) -> list[SessionEntry]:
        """Find sessions by eid, subject and lab."""
        self.database.queries.append(query)
        if self.database.is_down and self.is_online:
            raise UnreachableError("The server does not answer.")
        text = query.text.lower()
        found = ENTRIES if self.is_online else ()
        return [
            entry
            for entry in found
            if text in f"{entry.eid} {entry.subject} {entry.lab}".lower()
            and query.lab in ("", entry.lab)
        ]

    def download(
        self,
        ref: str,
        *,
        progress: Callable[[DownloadProgress], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> Path | None:
        """Wait at the gate, then be done."""
        self.database.downloads.append(ref)
        if self.needs_login:
            raise LoginError("Nobody is logged in. Log in first.")
        if progress is not None:
            progress(
                DownloadProgress(
                    stage="downloading",
                    n_bytes=40_000_000,
                    n_bytes_total=100_000_000,
                    n_files=3,
                    n_files_total=17,
                    seconds_left=20.0,
                )
            )
        while not self.database.gate.wait(0.01):
            if should_stop is not None and should_stop():
                return None
        if self.database.fault is not None:
            fault, self.database.fault = self.database.fault, None
            raise fault
        return self.database.folder

    def read(self, ref: str, **_: object) -> RawSession:
        """Read the folder that the download ended in."""
        assert self.database.folder is not None
        return read_alf(self.database.folder)
