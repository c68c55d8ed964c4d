"""The session browser at work: lists, searches, downloads, and hands over to be opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from mtm_core.data.one_records import SearchQuery
from mtm_core.data.pick_lists import load_pick_lists, released_sessions
from mtm_core.data.regions import load_regions
from mtm_viewer.downloads import Downloads
from mtm_viewer.jobs.database_job import (
    Account,
    DatabaseAnswer,
    DatabaseJob,
    DownloadFailure,
    DownloadJob,
    SearchRequest,
)
from mtm_viewer.jobs.engine_thread import Answer, EngineThread, Work
from mtm_viewer.jobs.shelf_job import (
    Listing,
    ListRequest,
    ScanAnswer,
    ScanRequest,
    list_work,
    scan_work,
)
from mtm_viewer.main_window import MainWindow
from mtm_viewer.presenters.recent import RecentSession
from mtm_viewer.presenters.session_list import SessionRow, ShelfName, filter_rows
from mtm_viewer.state import ViewerState
from mtm_viewer.views.database_bar import LinkName
from mtm_viewer.views.dialogs import Actions
from mtm_viewer.views.login_dialog import LoginDialog, LoginForm
from mtm_viewer.views.session_browser import ShelfDrawable, shelf_message

DEBOUNCE_MS = 300
"""A database is asked only when typing has paused for so long."""
NOTHING_HERE = (
    "Without the database only sessions that were downloaded before can be opened, and none of "
    "them fits. Choose a list above to see which sessions a release holds."
)
OFFLINE_BY_CHOICE = "You work offline, with the sessions that were downloaded before."
_MOST_FOUND = SearchQuery().limit
CUT_NOTE = " (the newest; more fit, so search for less)"
Tell = Callable[[str, str, Actions | None], None]


@dataclass(frozen=True, kw_only=True)
class BrowserWorks:
    """What the browser's threads run; tests put others in their place."""

    listing: Work = list_work
    scanning: Work = scan_work
    database: Work = field(default_factory=DatabaseJob)
    download: Work = field(default_factory=DownloadJob)


class Browsing(QObject):
    """Fills the session browser.

    Parameters
    ----------
    state : ViewerState
        For the theme.
    window : MainWindow
        Holds the browser.
    works : BrowserWorks
        What the threads run.
    tell : callable
        Shows a problem: title, sentence, ways out.

    Notes
    -----
    Signals: `chosen` a `SessionRow` that can be opened at once, `entered` a text that may be a
    path or an eid.
    """

    chosen = pyqtSignal(object)

    def __init__(
        self, state: ViewerState, window: MainWindow, works: BrowserWorks, tell: Tell
    ) -> None:
        super().__init__(window)
        self.account = Account()
        self.login_dialog: LoginDialog | None = None
        self._state = state
        self._window = window
        self._browser = window.browser
        self._tell = tell
        self._rows: dict[ShelfName, tuple[SessionRow, ...]] = {}
        self._searching: set[ShelfName] = set()
        self._problems: dict[ShelfName, str] = {}
        self._query: SearchQuery | None = None
        self._after_login: Callable[[], object] | None = None
        self._url = ""
        self._link: LinkName = "unknown"
        self._names: dict[str, str] = {}
        self._listing = EngineThread(works.listing, "listing sessions", self)
        self._scanning = EngineThread(works.scanning, "looking through folders", self)
        self._database = EngineThread(works.database, "database", self)
        self.downloads = Downloads(works.download, window.download, self)
        self._debounce = QTimer(self)
        self._debounce.setSingleShot(True)
        self._debounce.setInterval(DEBOUNCE_MS)
        self._debounce.timeout.connect(self.search_database)
        self._connect()

    def list_files(self, bundled: Iterable[Path], recent: Iterable[RecentSession]) -> None:
        """Describe what came along and what was open lately."""
        recent = list(recent)
        self._names = {session.source: session.name for session in recent}
        self._searching |= {"bundled", "recent"}
        self._listing.request(
            ListRequest(
                bundled=tuple(str(path) for path in bundled),
                recent=tuple(session.source for session in recent),
            )
        )

    @property
    def session_files(self) -> tuple[SessionRow, ...]:
        """The session files that were listed, each once."""
        shelves: tuple[ShelfName, ...] = ("recent", "bundled", "disk")
        rows = {row.source: row for shelf in shelves for row in self._rows.get(shelf, ())}
        return tuple(row for row in rows.values() if row.kind == "session file")

    def scan(self, roots: Iterable[Path]) -> None:
        """Look for sessions in folders, and show what is found."""
        self._rows["disk"] = ()
        self._searching.add("disk")
        self._scanning.request(ScanRequest(roots=tuple(roots)))
        self._browser.choose_shelf("disk")
        self._browser.search.clear()
        self.draw()

    def search_database(self) -> None:
        """Ask the database for what the fields say."""
        self._debounce.stop()
        filters = self._browser.database.filters
        self._query = SearchQuery(
            text=self._browser.search.text().strip(),
            lab=filters.lab,
            region=filters.region,
            pick_list=filters.pick_list,
            date_from=filters.date_from,
            date_to=filters.date_to,
        )
        if self._link == "unknown":
            self._browser.database.draw_link("connecting")
        self._searching.add("database")
        self._database.request(SearchRequest(account=self.account, query=self._query))
        self.draw()

    def reconnect(self, account: Account) -> None:
        """Use another account, or the same one anew."""
        self.account = replace(account, attempt=self.account.attempt + 1)
        self._browser.database.draw_link("connecting")
        self.search_database()

    def work_offline(self) -> None:
        """Go on with what was downloaded before."""
        self.reconnect(replace(self.account.without_secrets(), mode="local"))

    def try_again(self) -> None:
        """Ask the database again."""
        self.reconnect(replace(self.account, mode="auto"))

    def ask_login(self, sentence: str = "", then: Callable[[], object] | None = None) -> None:
        """Ask for an account; `then` is done once it was accepted."""
        self._after_login = then
        if self.login_dialog is None:
            url = self.account.url or self._url
            form = LoginForm(url=url, username=self.account.username or "")
            self.login_dialog = LoginDialog(form, self._state.theme, self._window)
            self.login_dialog.submitted.connect(self._log_in)
            self.login_dialog.finished.connect(lambda _: self._forget_dialog())
            self.login_dialog.open()
        if sentence:
            self.login_dialog.tell(sentence)

    def download(self, row: SessionRow) -> None:
        """Download a session; it is opened when it has arrived."""
        self.downloads.add(row, self.account.without_secrets())

    def stop(self) -> None:
        """End all threads."""
        self._debounce.stop()
        for thread in (self._listing, self._scanning, self._database):
            thread.cancel()
        self.downloads.stop()
        for thread in (self._listing, self._scanning, self._database):
            thread.stop()

    def draw(self) -> None:
        """Show the chosen shelf as far as it is known."""
        shelf, query = self._browser.shelf, self._browser.search.text()
        rows = self._rows.get(shelf, ())
        shown = rows if shelf == "database" else tuple(filter_rows(rows, query))
        problem = self._problems.get(shelf)
        self._browser.draw(
            ShelfDrawable(
                rows=shown,
                n_all=len(rows),
                is_searching=shelf in self._searching,
                message=shelf_message(shelf, query, [problem] if problem else []),
                note=CUT_NOTE if shelf == "database" and len(rows) >= _MOST_FOUND else "",
            )
        )
        counted: tuple[ShelfName, ...] = ("bundled", "recent", "disk")
        notes = {name: f"{len(self._rows[name]):,}" for name in counted if name in self._rows}
        offline: Mapping[ShelfName, str] = {"database": "offline"}
        is_offline = self._link in ("offline", "local")
        self._browser.draw_shelves({**notes, **(offline if is_offline else {})})

    def _connect(self) -> None:
        browser, bar = self._browser, self._browser.database
        browser.shelf_chosen.connect(self._on_shelf)
        browser.searched.connect(lambda _: self._on_typing())
        bar.changed.connect(lambda _: self._debounce.start())
        bar.login_requested.connect(lambda: self.ask_login())
        bar.retry_requested.connect(self.try_again)
        bar.offline_requested.connect(self.work_offline)
        browser.session_chosen.connect(self.chosen)
        self._listing.partial.connect(self._on_listing)
        self._scanning.partial.connect(self._on_scan)
        self._scanning.failed.connect(lambda _, text: self._on_fault("disk", text))
        self._database.partial.connect(self._on_database)
        self._database.failed.connect(lambda _, text: self._on_fault("database", text))
        self.downloads.failed.connect(self._on_download_failed)

    def _on_shelf(self, shelf: ShelfName) -> None:
        if shelf == "database" and self._query is None:
            self._fill_choices()
            self.search_database()
        self.draw()

    def _on_typing(self) -> None:
        if self._browser.shelf == "database":
            self._debounce.start()
        else:
            self.draw()

    def _fill_choices(self) -> None:
        labs = sorted({entry.lab for entry in released_sessions().values()})
        lists = [pick_list.name for pick_list in load_pick_lists()]
        self._browser.database.draw_choices(labs, lists, list(load_regions()))

    def _on_listing(self, answer: Answer) -> None:
        if isinstance(answer.value, Listing):
            self._searching -= {"bundled", "recent"}
            self._rows["bundled"] = answer.value.bundled
            self._rows["recent"] = tuple(self._named(row) for row in answer.value.recent)
            self.draw()

    def _named(self, row: SessionRow) -> SessionRow:
        """Call a session without a name of its own what it was called when it was open."""
        return replace(row, name=self._names.get(row.source, row.name))

    def _on_scan(self, answer: Answer) -> None:
        if isinstance(answer.value, ScanAnswer):
            self._rows["disk"] = answer.value.rows
            self._problems.pop("disk", None)
            if answer.value.is_complete:
                self._searching.discard("disk")
                if not answer.value.rows:
                    places = ", ".join(str(root) for root in answer.value.roots)
                    self._problems["disk"] = (
                        f"No session was found in {places}. Looked for ALF sessions (a folder "
                        "'alf' with spikes.times.npy), NWB files and session files."
                    )
            self.draw()

    def _on_database(self, answer: Answer) -> None:
        found = answer.value
        if not isinstance(found, DatabaseAnswer) or found.account != self.account:
            return
        self._show_link(found)
        if found.query is None or found.query != self._query:
            return
        self._searching.discard("database")
        self._rows["database"] = found.rows
        self._problems.pop("database", None)
        if found.problem:
            self._problems["database"] = found.problem
        elif not found.is_online and not found.rows:
            self._problems["database"] = NOTHING_HERE
        self.draw()

    def _show_link(self, found: DatabaseAnswer) -> None:
        link: LinkName = "online" if found.is_online else "offline"
        sentence = found.sentence
        if found.account.mode == "local":
            link, sentence = "local", OFFLINE_BY_CHOICE
        if found.needs_login:
            link = "login"
        self._link, self._url = link, found.url or self._url
        self._browser.database.draw_link(link, sentence)
        self._window.status.draw_link(is_offline=link in ("offline", "local"))
        if self.login_dialog is not None and self.account.attempt:
            self._answer_dialog(found)

    def _answer_dialog(self, found: DatabaseAnswer) -> None:
        dialog = self.login_dialog
        if dialog is None:
            return
        if not found.is_online:
            dialog.tell(found.sentence)
            return
        self.account = self.account.without_secrets()
        then, self._after_login = self._after_login, None
        dialog.accept()
        if then is not None:
            then()

    def _log_in(self, form: LoginForm) -> None:
        self.reconnect(
            replace(
                self.account,
                url=form.url or None,
                username=form.username or None,
                password=form.password or None,
                token=form.token or None,
                mode="auto",
            )
        )

    def _forget_dialog(self) -> None:
        self.login_dialog = None
        self.account = self.account.without_secrets()

    def _on_fault(self, shelf: ShelfName, sentence: str) -> None:
        self._searching.discard(shelf)
        self._problems[shelf] = sentence
        self.draw()

    def _on_download_failed(self, failure: DownloadFailure) -> None:
        def again() -> None:
            self.download(failure.row)

        if failure.needs_login:
            self.ask_login(failure.sentence, then=again)
            return
        actions = {"Try again": again, "Work offline": self.work_offline}
        self._tell(f"{failure.row.name} was not downloaded", failure.sentence, actions)
