"""Named masks lie on disk, come back with their session, and are never lost to a broken file."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtCore import QSettings

from mtm_core.masking.named_masks import masks_folder, read_named_masks
from mtm_viewer.mask_shelf import MaskShelf
from mtm_viewer.state import ViewerState
from tests.viewer.workspaces import make_small_workspace

ONE, TWO = make_small_workspace(), make_small_workspace(seed=1)


@pytest.fixture
def open_program(qapp, tmp_path):
    """Start programs that keep their masks in one folder."""
    shelves: list[MaskShelf] = []

    def start() -> tuple[ViewerState, MaskShelf, list[str]]:
        state, told = ViewerState(), []
        shelf = MaskShelf(state, tmp_path / "masks", lambda _, text: told.append(text))
        shelves.append(shelf)
        return state, shelf, told

    yield start
    for shelf in shelves:
        shelf.wait()


def test_named_masks_come_back_the_next_time(open_program):
    state, shelf, _ = open_program()
    state.open_workspace(ONE)
    state.name_mask("visual")
    shelf.wait()
    again, _, told = open_program()
    again.open_workspace(ONE)
    assert again.names == state.names
    assert told == []


def test_each_session_has_its_own_masks(open_program):
    state, _, _ = open_program()
    state.open_workspace(ONE)
    state.name_mask("visual")
    state.open_workspace(TWO)
    assert state.names.names == ()
    state.open_workspace(ONE)
    assert state.names.names == ("visual",)


def test_another_model_of_the_session_keeps_the_masks(open_program):
    state, _, _ = open_program()
    state.open_workspace(ONE)
    state.name_mask("visual")
    state.open_workspace(make_small_workspace(has_models=False))
    assert state.names.names == ("visual",)


def test_undoing_a_name_reaches_the_disk(open_program):
    state, shelf, _ = open_program()
    state.open_workspace(ONE)
    state.name_mask("visual")
    state.undo_stack.undo()
    shelf.wait()
    session_id = ONE.session.session_id
    assert read_named_masks(shelf.path_for(session_id), session_id).names == ()


def test_looking_at_a_session_writes_nothing(open_program, tmp_path):
    state, shelf, _ = open_program()
    state.open_workspace(ONE)
    state.click_region("CA1")
    shelf.wait()
    assert not (tmp_path / "masks").exists()


def test_names_of_files_are_plain_and_differ_with_the_id(open_program):
    _, shelf, _ = open_program()
    names = {shelf.path_for(session_id).name for session_id in ("a/b", "a-b", "../a", "ä b")}
    assert len(names) == 4
    assert all("/" not in name and " " not in name for name in names)


def test_a_file_that_is_no_file_of_masks_is_put_aside(open_program):
    _, shelf, _ = open_program()
    path = shelf.path_for(ONE.session.session_id)
    path.parent.mkdir()
    path.write_text("not masks")
    state, _, told = open_program()
    state.open_workspace(ONE)
    assert "no file of named masks" in told[0]
    (aside,) = path.parent.glob("*.unread.json")
    assert aside.read_text() == "not masks"
    state.name_mask("visual")
    assert str(aside) in told[0]


def test_two_windows_on_one_session_keep_the_masks_of_both(open_program):
    first, shelf, _ = open_program()
    second, other, told = open_program()
    for state, name in ((first, "visual"), (second, "other")):
        state.open_workspace(ONE)
        state.name_mask(name)
    shelf.wait()
    other.wait()
    first.name_mask("third")
    first.undo_stack.undo()
    shelf.wait()
    session_id = ONE.session.session_id
    assert set(read_named_masks(shelf.path_for(session_id), session_id).names) == {
        "visual",
        "other",
    }
    assert told == []


def test_a_file_that_cannot_be_put_aside_is_told(open_program, monkeypatch):
    _, shelf, _ = open_program()
    path = shelf.path_for(ONE.session.session_id)
    path.parent.mkdir()
    path.write_text("not masks")
    state, _, told = open_program()

    def refuse(*_) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "replace", refuse)
    state.open_workspace(ONE)
    assert "read-only file system" in told[0]
    assert path.read_text() == "not masks"


def test_a_folder_that_cannot_be_written_is_told(open_program, tmp_path, qtbot):
    (tmp_path / "masks").write_text("a file in the way")
    state, shelf, told = open_program()
    state.open_workspace(ONE)
    state.name_mask("visual")
    shelf.wait()
    qtbot.waitUntil(lambda: len(told) == 1)
    assert state.names.names == ("visual",)


def test_the_command_line_looks_where_the_window_keeps_its_masks(qapp):
    kind, scope = QSettings.Format.IniFormat, QSettings.Scope.UserScope
    own = QSettings(kind, scope, "mtm-viewer", "mtm-viewer").fileName()
    assert masks_folder() == Path(own).parent / "masks"
