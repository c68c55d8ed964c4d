"""Runs one after the other, stopped and found again; the training itself is a stand-in."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QObject

from mtm_viewer.jobs.run_order import read_order
from mtm_viewer.training_queue import TrainingQueue
from tests.viewer.jobs.fake_training import fake_training, make_order

pytestmark = pytest.mark.gui
PATIENCE_MS = 30_000


@pytest.fixture
def queue(qapp):
    owner = QObject()
    queue = TrainingQueue(owner)
    yield queue
    queue.clear()
    queue.cancel()
    queue.let_go()
    del owner


def test_runs_are_trained_one_at_a_time_in_their_order(queue, qtbot, tmp_path, monkeypatch):
    fake_training(monkeypatch, "finish")
    done = []
    queue.finished.connect(lambda folder, _: done.append(folder.name))
    first, second = (queue.add(tmp_path, make_order()) for _ in range(2))
    assert (queue.folder, queue.waiting) == (first, (second,))
    qtbot.waitUntil(lambda: queue.folder is None, timeout=PATIENCE_MS)
    assert done == ["small-quick", "small-quick-2"]
    assert queue.curve.finished.bps == 0.3


def test_a_run_that_fails_is_told_and_the_next_one_begins(queue, qtbot, tmp_path, monkeypatch):
    fake_training(monkeypatch, "fail")
    told = []
    queue.failed.connect(lambda folder, sentence: told.append((folder.name, sentence)))
    for _ in range(2):
        queue.add(tmp_path, make_order())
    qtbot.waitUntil(lambda: queue.folder is None, timeout=PATIENCE_MS)
    assert told == [("small-quick", "The disk is full."), ("small-quick-2", "The disk is full.")]


def test_a_paused_run_stops_by_itself_and_is_not_told_as_a_failure(
    queue, qtbot, tmp_path, monkeypatch
):
    fake_training(monkeypatch, "wait")
    told = []
    queue.failed.connect(lambda _, sentence: told.append(sentence))
    folder = queue.add(tmp_path, make_order())
    qtbot.waitUntil(lambda: queue.curve.step == 2, timeout=PATIENCE_MS)
    queue.pause()
    assert queue.is_stopping
    qtbot.waitUntil(lambda: queue.folder is None, timeout=PATIENCE_MS)
    assert told == []
    assert read_order(folder).stopped == "paused"


def test_a_run_that_was_let_go_is_found_again_and_can_be_cancelled(
    queue, qtbot, tmp_path, monkeypatch
):
    fake_training(monkeypatch, "wait")
    folder = queue.add(tmp_path, make_order())
    child = queue._running._child  # to await its end
    queue.let_go()
    assert queue.folder is None
    assert queue.watch(folder)
    qtbot.waitUntil(lambda: queue.curve.step == 2, timeout=PATIENCE_MS)
    queue.cancel()
    assert child.wait(timeout=30) != 0
    assert queue.folder is None
    assert not queue.watch(folder)


def test_a_waiting_run_can_be_taken_out(queue, tmp_path, monkeypatch):
    fake_training(monkeypatch, "wait")
    queue.add(tmp_path, make_order())
    second = queue.add(tmp_path, make_order())
    queue.cancel(second)
    assert queue.waiting == ()
    assert queue.folder is not None
    queue.resume(second)
    assert queue.waiting == (second,)
