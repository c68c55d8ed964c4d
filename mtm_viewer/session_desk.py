"""What a person does about sessions: find, drop, paste, open, prepare, save."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QSettings, QTimer
from PyQt6.QtWidgets import QApplication

from mtm_core import resources
from mtm_viewer.browsing import BrowserWorks, Browsing
from mtm_viewer.explorer import Explorer
from mtm_viewer.jobs.open_job import OpenRequest
from mtm_viewer.jobs.prepare_job import PrepareRequest, SaveRequest
from mtm_viewer.presenters.health import health_details
from mtm_viewer.presenters.preparation_form import (
    preparation_words,
    preset_words,
    read_settings,
    write_settings,
)
from mtm_viewer.presenters.recent import RecentSession
from mtm_viewer.presenters.session_list import SessionRow, find_eid, find_source
from mtm_viewer.presenters.status_words import train_command
from mtm_viewer.presenters.workspace import Workspace
from mtm_viewer.session_menus import DEMO, SessionMenus
from mtm_viewer.state import ViewerState
from mtm_viewer.views.details import SessionDetailsView
from mtm_viewer.views.file_questions import ask_file, ask_folder

_SESSIONS = ("Sessions (*.h5 *.hdf5 *.nwb)", "All files (*)")
_CHECKPOINTS = ("Checkpoints (*.safetensors)", "All files (*)")
_CHECKPOINT = ".safetensors"


class SessionDesk:
    """The deeds of the Session menu and of the session browser.

    Parameters
    ----------
    explorer : Explorer
        The running program.
    settings : QSettings
        Recent sessions, the last folder, the settings of preparation.
    works : BrowserWorks
        What the threads of the browser run.
    """

    def __init__(
        self, explorer: Explorer, settings: QSettings, works: BrowserWorks | None = None
    ) -> None:
        self.explorer = explorer
        self.settings = settings
        self._menus = SessionMenus(explorer, settings, self.open_source)
        self._n_opened = 0
        self._asked_at: dict[str, int] = {}
        window, opener = explorer.window, explorer.opener
        self.browsing = Browsing(explorer.state, window, works or BrowserWorks(), explorer.tell)
        opener.set_config(read_settings(str(settings.value("preparation", ""))))
        self._relisting = QTimer(explorer)
        self._relisting.setSingleShot(True)
        self._relisting.timeout.connect(self.list_sessions)
        window.closing.connect(self._relisting.stop)
        self._connect_window()
        self._connect_browser()
        opener.offline = self.browsing.work_offline
        opener.settings_changed.connect(lambda _: self._show_preparation())
        explorer.opened.connect(self._on_opened)
        self._show_preparation()

    @property
    def state(self) -> ViewerState:
        """The state of the program."""
        return self.explorer.state

    def attempt(self, title: str, deed: Callable[[], object]) -> None:
        """Do it, and tell in a dialog what went wrong."""
        self.explorer.attempt(title, deed)

    def open_source(
        self,
        source: str,
        *,
        name: str = "",
        checkpoints: Sequence[Path] = (),
        is_downloaded: bool = False,
        is_accepted: bool = False,
    ) -> None:
        """Open a file, a folder or an eid, whatever it is; prepare it if need be.

        Parameters
        ----------
        source : str
            What to open; see `mtm_core.data.sources.kind_of`.
        name : str
            What people call it.
        checkpoints : sequence of Path
            Models to open with it.
        is_downloaded : bool
            Whether the files of an eid lie on this machine.
        is_accepted : bool
            Whether many trials may be dropped without asking.
        """
        opener = self.explorer.opener
        opener.prepare(
            PrepareRequest(
                source=source,
                config=opener.config,
                name=name or Path(source).name,
                account=self.browsing.account.without_secrets(),
                current=self.state.workspace,
                checkpoint_paths=tuple(checkpoints),
                is_downloaded=is_downloaded,
                is_accepted=is_accepted,
            )
        )

    def open_session(self, path: Path) -> None:
        """Open a file or a folder."""
        self.open_source(str(path))

    def open_checkpoint(self, path: Path) -> None:
        """Open a checkpoint for the session that is open, or for its own."""
        self.explorer.open_files(
            OpenRequest(checkpoint_paths=(path,), current=self.state.workspace)
        )

    def open_demo(self) -> None:
        """Open the demo's checkpoint with the recording it was trained on."""

        def deed() -> None:
            path = resources.checkpoint_path(DEMO)
            self.explorer.open_files(OpenRequest(checkpoint_paths=(path,)))

        self.attempt("The demo", deed)

    def open_dropped(self, paths: list[Path]) -> None:
        """Open dropped files and folders; of several sessions one can be chosen from a list."""
        checkpoints = [path for path in paths if path.suffix == _CHECKPOINT]
        sessions = [path for path in paths if path.suffix != _CHECKPOINT]
        if len(sessions) > 1:
            self.browse()
            self.browsing.scan(sessions)
        elif sessions:
            self.open_source(str(sessions[0]), checkpoints=checkpoints)
        else:
            self.explorer.open_files(
                OpenRequest(checkpoint_paths=tuple(checkpoints), current=self.state.workspace)
            )

    def open_text(self, text: str) -> bool:
        """Open the path or the eid in a text; tell whether there is one."""
        source = find_source(text)
        if source is None:
            return False
        self.open_dropped([Path(source)]) if not find_eid(source) else self.open_source(source)
        return True

    def paste(self) -> None:
        """Open the path or the eid that was copied."""
        clipboard = QApplication.clipboard()
        data = None if clipboard is None else clipboard.mimeData()
        paths = [Path(url.toLocalFile()) for url in data.urls()] if data is not None else []
        if paths and all(path.exists() for path in paths):
            self.open_dropped(paths)
        elif not self.open_text(data.text() if data is not None else ""):
            self.explorer.tell(
                "Nothing to open was copied",
                "The clipboard holds neither the path of a session nor an eid (for example "
                "5dcee0eb-b34d-4652-acc3-d10afc6eae68). Copy one, then paste again.",
            )

    def browse(self) -> None:
        """Show the session browser, or go back to the session."""
        window = self.explorer.window
        is_open = self.state.workspace is not None
        window.show_welcome(is_shown=not (is_open and window.is_browsing))
        self._menus.draw_page()
        if window.is_browsing:
            window.browser.search.setFocus()

    def browse_database(self) -> None:
        """Show the IBL database in the session browser."""
        self._show_browser()
        self.explorer.window.browser.choose_shelf("database")

    def ask_session(self) -> None:
        """Ask for a session file and open it."""
        window = self.explorer.window
        ask_file(window, "Open session", _SESSIONS, self._folder, self.open_session)

    def ask_folder(self) -> None:
        """Ask for a folder and open the session in it, or list its sessions."""
        ask_folder(self.explorer.window, "Open folder", self._folder, self.open_session)

    def ask_scan(self) -> None:
        """Ask for a folder and list the sessions in it."""

        def then(path: Path) -> None:
            self.browsing.scan([path])

        title = "Look for sessions in a folder"
        ask_folder(self.explorer.window, title, self._folder, then)

    def ask_checkpoint(self) -> None:
        """Ask for a checkpoint and open it."""
        window = self.explorer.window
        ask_file(window, "Open checkpoint", _CHECKPOINTS, self._folder, self.open_checkpoint)

    def ask_login(self) -> None:
        """Ask for an account of the database."""
        self.browsing.ask_login()

    def ask_preparation(self) -> None:
        """Show the settings of preparation; what is open is prepared again."""
        workspace = self.state.workspace
        if workspace is None or workspace.opened is None or self.explorer.window.is_browsing:
            self.explorer.opener.ask_settings()
            return
        self.explorer.opener.ask_settings(
            PrepareRequest(
                source=workspace.opened.source,
                config=workspace.opened.config,
                name=workspace.name,
                account=self.browsing.account.without_secrets(),
                current=workspace,
                is_downloaded=True,
            )
        )

    def show_details(self) -> None:
        """Show where the session came from and how it was prepared."""
        workspace = self.state.workspace
        if workspace is not None:
            text = health_details(workspace.recording, workspace.health)
            SessionDetailsView(workspace.name, text, self.explorer.window).open()

    def copy_training_command(self) -> None:
        """Copy the line that trains a model for this session."""
        clipboard, workspace = QApplication.clipboard(), self.state.workspace
        if clipboard is not None and workspace is not None:
            clipboard.setText(train_command(workspace))
            self._say("The training command was copied.")

    def ask_copy(self) -> None:
        """Ask where to save the session as it was prepared, and save it."""
        kinds = ["Session files (*.h5)"]
        self.explorer.files.ask("Save session as", kinds, "session", self.save_copy)

    def save_copy(self, path: Path) -> None:
        """Save the session as it was prepared."""
        workspace = self.state.workspace
        if workspace is not None:
            self.explorer.opener.save(SaveRequest(session=workspace.recording, path=path))

    def recent(self) -> list[RecentSession]:
        """Return the sessions that were open last, the newest first, if they still exist."""
        return self._menus.recent()

    def list_sessions(self) -> None:
        """Fill the browser and the menus with what can be opened."""
        self.browsing.list_files([path for _, path in self._menus.bundled], self.recent())
        self._menus.draw()

    def _show_browser(self) -> None:
        if not self.explorer.window.is_browsing:
            self.browse()

    def _connect_window(self) -> None:
        window = self.explorer.window
        window.files_dropped.connect(self.open_dropped)
        window.text_dropped.connect(self._on_text_dropped)
        page = window.welcome
        page.demo_requested.connect(self.open_demo)
        page.open_requested.connect(self.ask_session)
        page.folder_requested.connect(self.ask_folder)
        page.back_requested.connect(self.browse)
        window.scores.copy_requested.connect(self.copy_training_command)
        window.health.details_requested.connect(self.show_details)
        window.health.settings_requested.connect(self.ask_preparation)

    def _connect_browser(self) -> None:
        browser, opener = self.explorer.window.browser, self.explorer.opener
        browser.entered.connect(self._on_entered)
        browser.scan_requested.connect(self.ask_scan)
        browser.settings_requested.connect(lambda: opener.ask_settings())
        self.browsing.chosen.connect(self._open_row)
        self.browsing.downloads.arrived.connect(self._on_arrived)
        opener.download_wanted.connect(self._download)
        opener.many_found.connect(self._on_many)
        opener.login_failed.connect(lambda text: self.browsing.ask_login(text))
        opener.said.connect(self._say)

    def _open_row(self, row: SessionRow) -> None:
        if row.problem:
            self.explorer.tell(f"{row.name} cannot be opened", row.problem)
        else:
            self.open_source(row.source, name=row.name)

    def _on_entered(self, text: str) -> None:
        """Open what is typed if it is a path or an eid; else go on to the list."""
        if not self.open_text(text):
            self.explorer.window.browser.go_to_list()

    def _on_text_dropped(self, text: str) -> None:
        if not self.open_text(text):
            sentence = "It holds neither the path of a session nor an eid."
            self.explorer.tell("This text cannot be opened", sentence)

    def _download(self, request: PrepareRequest) -> None:
        self._download_row(request.source, request.name or request.source)

    def _download_row(self, source: str, name: str) -> None:
        self._asked_at[source] = self._n_opened
        row = SessionRow(source=source, name=name, kind="IBL session", is_local=False)
        self.browsing.download(row)

    def _on_arrived(self, row: SessionRow) -> None:
        """Open what has arrived, unless the person has gone on to something else."""
        asked_at = self._asked_at.pop(row.source, self._n_opened)
        if asked_at == self._n_opened:
            self.open_source(row.source, name=row.name, is_downloaded=True)
        else:
            deed = partial(self.open_source, row.source, name=row.name, is_downloaded=True)
            sentence = "It can be opened now, or later from the list of recent sessions."
            self.explorer.tell(f"{row.name} has arrived", sentence, {"Open it": deed})

    def _on_many(self, root: Path) -> None:
        self._show_browser()
        self.browsing.scan([root])

    def _on_opened(self, workspace: Workspace) -> None:
        self._n_opened += 1
        source = workspace.source
        if find_eid(source) != source.lower():
            self.settings.setValue("folder", str(Path(source).parent))
        self._menus.remember(workspace)
        self._relisting.start(0)  # apart from what shows the session: each takes its time

    def _show_preparation(self) -> None:
        config = self.explorer.opener.config
        self.settings.setValue("preparation", write_settings(config))
        rules = f"Preset {preset_words(config)}."
        words = f"Preparation: {preparation_words(config)}"
        tooltip = f"{rules} Session files are opened as they were prepared."
        self.explorer.window.browser.draw_preparation(words, f"{words}.\n{tooltip}")

    def _say(self, sentence: str) -> None:
        bar = self.explorer.window.statusBar()
        if bar is not None:
            bar.showMessage(sentence, 6000)

    @property
    def _folder(self) -> str:
        return str(self.settings.value("folder", str(Path.home())))
