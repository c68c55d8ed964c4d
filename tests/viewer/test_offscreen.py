"""Drawing the window once, without a display, with its scores as a table."""

from __future__ import annotations

import pytest

from mtm_core.errors import DataError
from mtm_viewer import offscreen
from mtm_viewer.offscreen import draw_once
from tests.viewer.workspaces import make_small_workspace

pytestmark = pytest.mark.gui


def test_every_task_is_scored_and_the_window_saved(desktop, tmp_path, capsys):
    path = tmp_path / "window.png"
    workspace = make_small_workspace(n_trials=60)
    assert draw_once(desktop, lambda: desktop.state.open_workspace(workspace), path) == 0
    said = capsys.readouterr().out
    assert "simulated-0: 24 units, 60 trials; MtM (mtm); 12 test trials" in said
    assert "bits per spike of units of VISp" in said
    for task in ("Co-smoothing", "Forward prediction", "Intra-region", "Inter-region"):
        assert task in said
    assert said.count("Temporal baseline") == 4
    assert path.read_bytes().startswith(b"\x89PNG")
    assert desktop.state.mask.recipe == "inter_region"


def test_without_a_model_the_recording_is_drawn(desktop, tmp_path, capsys):
    workspace = make_small_workspace(has_models=False)
    path = tmp_path / "window.png"
    assert draw_once(desktop, lambda: desktop.state.open_workspace(workspace), path) == 0
    said = capsys.readouterr().out
    assert "no model" in said
    assert "95 % interval" not in said


def test_what_cannot_be_opened_is_told(desktop, tmp_path, capsys):
    foreign = tmp_path / "foreign.h5"
    foreign.write_bytes(b"no session")
    assert draw_once(desktop, lambda: desktop.open_session(foreign), None) == 2
    assert "foreign.h5" in capsys.readouterr().err


def test_what_cannot_be_begun_is_told(desktop, capsys):
    def begin() -> None:
        msg = "There is nothing to draw."
        raise DataError(msg)

    assert draw_once(desktop, begin, None) == 2
    assert "There is nothing to draw." in capsys.readouterr().err


def test_what_takes_too_long_is_ended(desktop, monkeypatch, capsys):
    monkeypatch.setattr(offscreen, "PATIENCE_MS", 50)
    assert draw_once(desktop, lambda: None, None) == 2
    assert "took too long" in capsys.readouterr().err


def test_a_picture_that_cannot_be_written_is_told(desktop, tmp_path, capsys):
    (tmp_path / "file").write_bytes(b"")
    workspace = make_small_workspace(has_models=False)
    path = tmp_path / "file" / "window.png"
    assert draw_once(desktop, lambda: desktop.state.open_workspace(workspace), path) == 2
    assert "Could not write" in capsys.readouterr().err
