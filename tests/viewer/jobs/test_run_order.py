"""Orders of training on disk."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mtm_core.errors import OutputError, TrainingError
from mtm_viewer.jobs import run_order
from mtm_viewer.jobs.prepared_cache import PreparedCache
from mtm_viewer.jobs.process import train_words
from mtm_viewer.jobs.run_order import FILE, keep_sessions, make_new_folder, read_order, write_order
from tests.viewer.jobs.fake_training import make_order


def test_an_order_is_read_as_it_was_written(tmp_path):
    write_order(tmp_path / "run", make_order())
    assert read_order(tmp_path / "run") == make_order()


@pytest.mark.parametrize("text", ["", "{}", '{"schema": "mtm-viewer-order", "version": 9}'])
def test_what_is_no_order_is_refused(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(TrainingError):
        read_order(tmp_path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Keep runs elsewhere"):
        write_order(tmp_path / "file" / "run", make_order())


def test_every_run_has_a_folder_of_its_own(tmp_path):
    made = [make_new_folder(tmp_path / "runs", "a session", "presets/own.toml") for _ in range(2)]
    assert [folder.name for folder in made] == ["a-session-own", "a-session-own-2"]
    assert all(folder.is_dir() for folder in made)


def test_what_differs_from_the_preset_names_run_and_folder(tmp_path):
    order = replace(make_order(), seed=2, split="blocked")
    assert order.title == "quick, seed 2, blocked split, on small"
    assert make_order().title == "quick on small"
    folder = make_new_folder(tmp_path, "small", order.variant)
    assert folder.name == "small-quick-seed-2-blocked-split"
    words = train_words(folder, order)
    assert words[words.index("--run.seed") + 1] == "2"
    assert words[words.index("--data.split") + 1] == "blocked"
    assert "--run.seed" not in train_words(folder, make_order())


def test_orders_from_before_seeds_and_splits_are_read(tmp_path):
    write_order(tmp_path, make_order())
    values = json.loads((tmp_path / FILE).read_text())
    for name in ("seed", "split"):
        values.pop(name)
    (tmp_path / FILE).write_text(json.dumps(values))
    assert read_order(tmp_path) == make_order()


def test_a_session_in_the_cache_survives_its_pruning(tmp_path, monkeypatch):
    cache = PreparedCache(tmp_path / "cache")
    cache.folder.mkdir()
    monkeypatch.setattr(run_order, "default_cache", lambda: cache)
    cached = cache.folder / "s.h5"
    cached.write_text("counts")
    (kept,) = keep_sessions(tmp_path / "run", make_order(str(cached))).session_paths
    cached.unlink()
    assert (tmp_path / "run" / "s.h5").read_text() == "counts"
    assert kept == str(tmp_path / "run" / "s.h5")
