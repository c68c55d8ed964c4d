"""Click through the session browser on a real X server: disk, NWB, a database, its faults.

``python tests/gui/click_sessions.py FOLDER`` writes simulated sessions, serves them on the
loopback interface as an IBL database would, finds, downloads and opens them as a person would,
checks after each step what the window says, and saves a picture of it. It ends with a code other
than 0 at the first thing that is wrong.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

# Settings, caches and the database of the person who runs this stay untouched.
_HOME = tempfile.TemporaryDirectory(prefix="mtm-gui-")
for _name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
    os.environ[_name] = _HOME.name
for _name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
    os.environ.pop(_name, None)

from PyQt6.QtWidgets import QApplication, QMessageBox, QPushButton, QWidget  # noqa: E402

from mtm_core.config import PreparationConfig  # noqa: E402
from mtm_core.config_simulation import SimulationConfig  # noqa: E402
from mtm_core.data.alf_writer import write_alf  # noqa: E402
from mtm_core.data.simulated import simulate  # noqa: E402
from mtm_viewer import app as program  # noqa: E402
from mtm_viewer.desktop import LogKeeper  # noqa: E402
from mtm_viewer.theme import THEMES  # noqa: E402
from mtm_viewer.views.details import SessionDetailsView  # noqa: E402
from mtm_viewer.views.preparation_dialog import PreparationDialog  # noqa: E402
from tests.core.data.nwb_file import write_nwb  # noqa: E402
from tests.core.data.stub_alyx import PASSWORD, USER, StubAlyx  # noqa: E402
from tests.gui.click_through import SIZES, Person, WrongError, check, set_stage  # noqa: E402

EXCERPT = Path(__file__).parents[1] / "data" / "ibl_excerpt"
PLACES = (
    "churchlandlab/Subjects/SIM_001/2024-01-01/001",
    "churchlandlab/Subjects/SIM_002/2024-02-01/001",
    "mainenlab/Subjects/SIM_003/2024-02-01/002",
)


class World:
    """Sessions on a disk and behind a server."""

    def __init__(self, root: Path, server: StubAlyx) -> None:
        self.root = root
        self.server = server
        self.nwb = root / "disk" / "sub-SIM-001_ses-1_desc-processed_behavior+ecephys.nwb"


@contextmanager
def world() -> Iterator[World]:
    """Write the sessions and serve them."""
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mtm-gui-data-")))
        simulated = simulate(SimulationConfig(trials=200, good_units=80, other_units=40), 0)
        folder = write_alf(simulated, root / "made")
        for place in PLACES:
            shutil.copytree(folder, root / "served" / place)
        shutil.copytree(folder, root / "disk" / PLACES[0])
        shutil.copytree(EXCERPT / "alf", root / "disk" / "excerpt" / "alf")
        write_nwb(simulated, World(root, None).nwb)  # type: ignore[arg-type]
        server = stack.enter_context(StubAlyx(root / "served"))
        os.environ["MTM_ALYX_URL"] = server.url
        os.environ["MTM_ONE_CACHE"] = str(root / "one")
        yield World(root, server)


def main(words: list[str]) -> int:
    """Click through; return the exit code."""
    pictures = Path(words[0])
    faults = set_stage(pictures)
    if faults is None:
        return 2
    with world() as here:
        person = Person(program.build(LogKeeper(), is_offscreen=True), pictures)
        try:
            step: Callable[[Person, World], object] = _show
            _show(person, here)
            for step in STEPS:
                step(person, here)
                check(faults)
        except (WrongError, RuntimeError, AttributeError, LookupError) as error:
            person.look("wrong")
            sys.stderr.write(f"{step.__name__}: {error}\n")
            return 1
        finally:
            person.window.close()
    sys.stdout.write(f"{person.n_pictures} pictures in {pictures}\n")
    return 0


def _show(person: Person, _: World) -> None:
    person.window.move(0, 0)
    person.window.resize(*SIZES[0])
    person.window.show()
    person.window.activateWindow()
    person.wait(person.window.isActiveWindow, "the window is in front", 10)
    person.wait(lambda: len(_rows(person)) == 14, "the bundled recordings are listed")
    person.look("bundled")


def _bundled(person: Person, _: World) -> None:
    """Find a bundled recording by a region, sort by a header."""
    person.click(person.window.browser.search)
    person.type("CA1 Cori")
    if {"Cori" in name for name in _rows(person)} != {True}:
        raise WrongError(f"the search left {_rows(person)}")
    person.look("bundled-search")
    person.window.browser.search.clear()


def _disk(person: Person, here: World) -> None:
    """Look through a folder and open the real excerpt from the list."""
    person.desktop.browsing.scan([here.root / "disk"])
    person.wait(lambda: len(_rows(person)) == 3, "three sessions are found")
    person.look("on-disk")
    _choose(person, "excerpt")
    person.act(lambda: person.click(person.window.browser.open), "the excerpt is open")
    person.says(person.window.health.labels["Trials"].text(), part="24 of 30 trials kept")
    person.says(person.window.scores.verdict.text(), part="mtm-core train")
    person.look("excerpt")
    person.click(person.window.health.details)
    person.wait(lambda: bool(person.window.findChildren(SessionDetailsView)), "the details")
    person.look("details")
    person.press("Escape")


def _prepare_again(person: Person, _: World) -> None:
    """Change the settings, lose many trials, be asked, change them again."""
    person.click(person.window.health.settings)
    dialog = _dialog(person, PreparationDialog)
    person.look("preparation")
    dialog.fields["window_end_s"].setValue(12.0)
    person.idle(0.2)
    person.click(dialog.buttons.button(dialog.buttons.StandardButton.Ok))
    person.wait(lambda: bool(_boxes(person)), "the question is asked")
    person.look("many-trials")
    _press(person, "Change settings…")
    dialog = _dialog(person, PreparationDialog)
    dialog._take_preset("paper")
    person.act(
        lambda: person.click(dialog.buttons.button(dialog.buttons.StandardButton.Ok)),
        "it is prepared as in the paper",
    )
    person.says(person.window.health.labels["Trials"].text(), part="27 of 30 trials kept")
    person.look("paper")
    person.desktop.explorer.opener.set_config(PreparationConfig())


def _nwb(person: Person, here: World) -> None:
    """Drop an NWB file; it is simulated and says so."""
    before = person.explorer.state.workspace
    person.desktop.open_dropped([here.nwb])
    person.wait(
        lambda: bool(_boxes(person)) or person.explorer.state.workspace is not before,
        "the file is prepared",
    )
    if _boxes(person):
        _press(person, "Go on with these trials")
    person.wait(lambda: _is_open(person, here.nwb), "the NWB file is open")
    person.wait(lambda: not person.explorer.engine.is_busy, "it is drawn")
    person.says(person.window.windowTitle(), part="(simulated)")
    person.look("nwb")


def _database(person: Person, here: World) -> None:
    """Log in with a wrong and with the right password, then search as one types."""
    person.press("ctrl+shift+l")
    bar = person.window.browser.database
    person.wait(lambda: bar.badge.text() == "not logged in", "a login is asked for")
    person.look("database-login-needed")
    person.click(bar.login)
    dialog = person.desktop.browsing.login_dialog
    assert dialog is not None
    person.wait(dialog.isActiveWindow, "the dialog is in front", 10)
    person.type(USER)
    person.press("Tab")
    person.type("wrong")
    person.press("Return")
    person.wait(dialog.problem.isVisible, "the password is refused")
    person.look("wrong-password")
    dialog.password.clear()
    person.click(dialog.password)
    person.type(PASSWORD)
    person.press("Return")
    person.wait(lambda: bar.badge.text() == "online", "the database answers")
    person.wait(lambda: len(_rows(person)) == 3, "its sessions are listed")
    person.look("database")
    person.click(person.window.browser.search)
    person.type("mainen")
    person.wait(lambda: len(_rows(person)) == 1, "one session is left")
    person.look("database-search")


def _download(person: Person, here: World) -> None:
    """Download slowly, cancel, download again by a pasted eid."""
    here.server.faults.slow_s, here.server.faults.slow_bytes = 0.05, 2**15
    _choose(person, _rows(person)[0])
    person.click(person.window.browser.open)
    strip = person.window.download
    person.wait(lambda: " of " in strip.detail.text(), "the download tells how far it is")
    person.idle(1.0)
    person.look("downloading")
    person.click(strip.cancel)
    person.wait(lambda: not strip.isVisible(), "the download is cancelled")
    here.server.faults.slow_s = 0.0
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    eid = here.server.eid("SIM_003")
    clipboard.setText(eid)
    person.window.browser.table.setFocus()
    before = person.explorer.state.workspace
    person.press("ctrl+v")
    person.wait(
        lambda: bool(_boxes(person)) or person.explorer.state.workspace is not before,
        "the session has arrived",
    )
    if _boxes(person):
        person.look("many-trials-of-a-download")
        _press(person, "Go on with these trials")
    person.wait(lambda: person.explorer.state.workspace.source == eid, "the download is open")
    person.wait(lambda: not person.explorer.engine.is_busy, "it is drawn")
    person.look("downloaded")


def _offline(person: Person, here: World) -> None:
    """Lose the server; what was downloaded is still there."""
    here.server.faults.status = 503
    person.press("ctrl+shift+l")
    browser = person.window.browser
    person.click(browser.search)
    person.press("ctrl+a")
    person.type("SIM")
    person.wait(lambda: browser.database.badge.text() == "offline", "the badge says so", 30)
    person.look("server-down")
    person.click(browser.database.offline)
    person.wait(lambda: len(_rows(person)) == 1, "the downloaded session is listed")
    person.look("offline")
    here.server.faults.status = None
    person.press("Escape")
    if person.window.is_browsing:
        raise WrongError("Esc did not go back to the session")


def _looks(person: Person, _: World) -> None:
    """Look at both themes in both sizes."""
    for theme in THEMES.values():
        person.explorer.state.set_theme(theme)
        for width, height in SIZES:
            person.window.resize(width, height)
            for page in ("session", "browser"):
                person.idle(0.3)
                person.look(f"{theme.name}-{width}x{height}-{page}")
                person.press("ctrl+l")
            person.window.browser.choose_shelf("bundled")


STEPS = (_bundled, _disk, _prepare_again, _nwb, _database, _download, _offline, _looks)


def _rows(person: Person) -> list[str]:
    return [row.name for row in person.window.browser.table.sessions.rows]


def _choose(person: Person, name: str) -> None:
    """Click a row of the list."""
    table = person.window.browser.table
    index = table.sessions.index(_rows(person).index(name), 0)
    person.click(table.viewport(), table.visualRect(index).center())


def _dialog(person: Person, kind: type[QWidget]) -> QWidget:
    def found() -> list[QWidget]:
        return [each for each in person.window.findChildren(kind) if each.isVisible()]

    person.wait(lambda: bool(found()), f"the {kind.__name__} is there", 10)
    person.idle(0.3)
    return found()[0]


def _boxes(person: Person) -> list[QMessageBox]:
    return [box for box in person.window.findChildren(QMessageBox) if box.isVisible()]


def _press(person: Person, name: str) -> None:
    """Click a button of the dialog that is open."""
    person.idle(0.3)
    buttons: list[QPushButton] = _boxes(person)[0].findChildren(QPushButton)
    person.click(next(button for button in buttons if button.accessibleName() == name))


def _is_open(person: Person, path: Path) -> bool:
    workspace = person.explorer.state.workspace
    return workspace is not None and workspace.source == str(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
