"""Pieces that come faster than they can be shown must not freeze the window."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from PyQt6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from mtm_viewer.jobs.engine_thread import Answer, EngineThread

PIECES = 60


def quick_work(request: object, should_stop: Callable[[], bool]) -> Iterator[object]:
    """Yield many pieces, each a little sooner than the last could be drawn."""
    for piece in range(PIECES):
        time.sleep(0.002)
        yield piece
        if should_stop():
            return


@pytest.fixture
def engine(qapp: object) -> Iterator[EngineThread]:
    engine = EngineThread(quick_work)
    yield engine
    engine.stop()


def test_a_window_that_draws_slowly_still_hears_its_user(
    engine: EngineThread, qtbot: QtBot
) -> None:
    seen: list[object] = []

    def draw_slowly(answer: Answer) -> None:
        time.sleep(0.02)
        seen.append(answer.value)

    ticks: list[float] = []
    clock = QTimer()
    clock.timeout.connect(lambda: ticks.append(time.perf_counter()))
    engine.partial.connect(draw_slowly)
    clock.start(2)
    with qtbot.waitSignal(engine.finished, timeout=20_000):
        engine.request("ca1")
    clock.stop()
    # Between any two drawings the window came round; without the pause there is no tick at all.
    assert len(ticks) >= len(seen) - 1
    assert 1 < len(seen) < PIECES


def test_what_is_skipped_is_never_the_last_piece(engine: EngineThread, qtbot: QtBot) -> None:
    seen: list[object] = []

    def draw_slowly(answer: Answer) -> None:
        time.sleep(0.02)
        seen.append(answer.value)

    engine.partial.connect(draw_slowly)
    with qtbot.waitSignal(engine.finished, timeout=20_000) as final:
        engine.request("ca1")
    assert seen == sorted(seen)
    assert seen[0] < 5
    assert seen[-1] == final.args[0].value == PIECES - 1


def test_the_first_piece_of_a_new_request_does_not_wait_for_the_pause(
    engine: EngineThread, qtbot: QtBot
) -> None:
    slow = engine.partial.connect(lambda _: time.sleep(0.2))
    with qtbot.waitSignal(engine.finished, timeout=20_000):
        engine.request("ca1")
    engine.partial.disconnect(slow)
    with qtbot.waitSignal(engine.partial, timeout=20_000) as first:
        asked_s = time.perf_counter()
        engine.request("dg")
    assert first.args[0].ticket == 2
    assert time.perf_counter() - asked_s < 0.2
