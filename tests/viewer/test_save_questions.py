"""Files to write are proposed where the last one went, under a name that says what it is."""

from __future__ import annotations

from functools import partial

import pytest
from PyQt6.QtWidgets import QFileDialog

from mtm_viewer.panel_exports import PICTURE_KINDS
from mtm_viewer.save_questions import SaveQuestions, file_name
from tests.viewer.workspaces import make_small_workspace

pytestmark = pytest.mark.gui
PATIENCE_MS = 30_000


@pytest.fixture
def opened(desktop, qtbot):
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.state.open_workspace(make_small_workspace())
    return desktop


def question(desktop) -> QFileDialog:
    dialogs = desktop.explorer.window.findChildren(QFileDialog)
    (dialog,) = [each for each in dialogs if each.isVisible()]
    return dialog


def test_a_picture_is_named_after_session_mask_and_panel(opened, tmp_path):
    asked = []
    ask = partial(opened.explorer.files.ask, "Save", PICTURE_KINDS, "rasters")
    ask(asked.append)
    dialog = question(opened)
    (proposed,) = dialog.selectedFiles()
    assert proposed.endswith("small-simulated_Inter-region-VISp_rasters.png")
    dialog.setDirectory(str(tmp_path))
    dialog.selectFile("mine")
    dialog.accept()
    assert asked == [tmp_path / "mine.png"]
    assert opened.explorer.files.folder == tmp_path


def test_the_ending_follows_the_kind_that_is_chosen(opened):
    opened.explorer.registry.run("export.rasters.picture")
    dialog = question(opened)
    pdf = next(kind for kind in PICTURE_KINDS if "pdf" in kind)
    dialog.filterSelected.emit(pdf)
    (proposed,) = dialog.selectedFiles()
    assert proposed.endswith("_rasters.pdf")
    dialog.reject()


def test_the_folder_is_kept_between_starts_while_it_is_there(opened, settings, tmp_path):
    settings.setValue("saved_in", str(tmp_path))
    files = SaveQuestions(opened.state, opened.explorer.window)
    files.remember_in(settings)
    assert files.folder == tmp_path
    settings.setValue("saved_in", str(tmp_path / "gone"))
    files.remember_in(settings)
    assert files.folder.is_dir()


def test_without_a_session_the_name_says_what_it_is(desktop):
    assert desktop.explorer.files.name("experiment") == "experiment"


@pytest.mark.parametrize("name", ["a/b", "..", "x" * 400, "µ region: CA1?"])
def test_names_are_such_that_every_system_takes_them(name):
    made = file_name(name, "rasters")
    assert made.endswith("rasters") or len(made) == 120
    assert not set(made) & set('/\\:*?"<>| ')
