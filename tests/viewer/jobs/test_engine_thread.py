"""The engine: newest request wins, the running piece is finished, the window never waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from PyQt6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from mtm_core.errors import MaskError
from mtm_viewer.jobs.engine_thread import Answer, EngineThread, Mailbox, Work, _Worker


class SlowWork:
    """Yields (request, piece) slowly, waiting for `gate` before each piece if one is given."""

    def __init__(self, pieces: int = 3, piece_s: float = 0.01) -> None:
        self.pieces = pieces
        self.piece_s = piece_s
        self.started: list[object] = []
        self.threads: set[int] = set()
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, request: object, should_stop: Callable[[], bool]) -> Iterator[object]:
        self.started.append(request)
        self.threads.add(threading.get_ident())
        for piece in range(self.pieces):
            self.gate.wait(5)
            time.sleep(self.piece_s)
            yield (request, piece)
            if should_stop():
                return


Start = Callable[[Work], EngineThread]


@pytest.fixture
def work() -> SlowWork:
    return SlowWork()


@pytest.fixture
def start(qapp: object) -> Iterator[Start]:
    """Start engines that are stopped however the test ends."""
    engines: list[EngineThread] = []

    def start_engine(work: Work) -> EngineThread:
        engines.append(EngineThread(work))
        return engines[-1]

    yield start_engine
    for engine in engines:
        engine.stop()


@pytest.fixture
def engine(start: Start, work: SlowWork) -> Iterator[EngineThread]:
    yield start(work)
    work.gate.set()


def values(answers: list[Answer]) -> list[object]:
    return [answer.value for answer in answers]


def test_a_newer_letter_replaces_the_one_that_waits() -> None:
    box = Mailbox()
    box.put(1, "a")
    box.put(2, "b")
    letter = box.take()
    assert letter is not None
    assert (letter.ticket, letter.request) == (2, "b")
    assert not box.is_waiting()


def test_results_arrive_in_order_and_the_last_is_final(engine: EngineThread, qtbot: QtBot) -> None:
    seen: list[Answer] = []
    engine.partial.connect(seen.append)
    with qtbot.waitSignal(engine.finished, timeout=5000) as final:
        ticket = engine.request("ca1")
    assert values(seen) == [("ca1", 0), ("ca1", 1), ("ca1", 2)]
    assert final.args == [Answer(ticket=ticket, value=("ca1", 2))]


def test_an_engine_that_was_stopped_does_nothing_more(
    engine: EngineThread, work: SlowWork
) -> None:
    engine.stop()
    engine.request("ca1")
    assert not engine.is_busy
    assert work.started == []


def test_work_runs_off_the_gui_thread(engine: EngineThread, work: SlowWork, qtbot: QtBot) -> None:
    with qtbot.waitSignal(engine.finished, timeout=5000):
        engine.request("ca1")
    assert threading.get_ident() not in work.threads


def test_answers_are_delivered_in_the_gui_thread(engine: EngineThread, qtbot: QtBot) -> None:
    threads: set[int] = set()
    engine.partial.connect(lambda _: threads.add(threading.get_ident()))
    with qtbot.waitSignal(engine.finished, timeout=5000):
        engine.request("ca1")
    assert threads == {threading.get_ident()}


def test_newest_request_wins_and_the_running_piece_is_shown(
    engine: EngineThread, work: SlowWork, qtbot: QtBot
) -> None:
    work.gate.clear()
    seen: list[Answer] = []
    engine.partial.connect(seen.append)
    engine.request("first")
    qtbot.waitUntil(lambda: work.started == ["first"], timeout=5000)
    for name in ("second", "third", "fourth"):
        engine.request(name)
    with qtbot.waitSignal(engine.finished, timeout=5000):
        work.gate.set()
    assert work.started == ["first", "fourth"]
    assert values(seen) == [("first", 0), ("fourth", 0), ("fourth", 1), ("fourth", 2)]


def test_a_person_who_keeps_clicking_keeps_seeing_pictures(start: Start, qtbot: QtBot) -> None:
    engine = start(SlowWork(pieces=100, piece_s=0.03))
    seen: list[Answer] = []
    engine.partial.connect(seen.append)
    for click in range(20):
        engine.request(click)
        qtbot.wait(10)
    engine.stop()
    assert len(seen) >= 3
    assert len({answer.ticket for answer in seen}) >= 3


def test_no_answer_arrives_after_cancelling(
    engine: EngineThread, work: SlowWork, qtbot: QtBot
) -> None:
    work.gate.clear()
    seen: list[Answer] = []
    engine.partial.connect(seen.append)
    engine.finished.connect(seen.append)
    engine.request("ca1")
    qtbot.waitUntil(lambda: work.started == ["ca1"], timeout=5000)
    engine.cancel()
    work.gate.set()
    qtbot.wait(80)
    assert seen == []
    assert not engine.is_busy


def test_the_engine_works_on_after_cancelling(
    engine: EngineThread, work: SlowWork, qtbot: QtBot
) -> None:
    engine.request("ca1")
    engine.cancel()
    with qtbot.waitSignal(engine.finished, timeout=5000) as final:
        engine.request("dg")
    assert final.args[0].value == ("dg", 2)


def test_a_request_waiting_when_cancelled_is_never_started(
    engine: EngineThread, work: SlowWork, qtbot: QtBot
) -> None:
    work.gate.clear()
    engine.request("first")
    qtbot.waitUntil(lambda: work.started == ["first"], timeout=5000)
    engine.request("second")
    engine.cancel()
    work.gate.set()
    qtbot.wait(50)
    assert work.started == ["first"]


def test_busy_is_told_at_once_and_ends_with_the_last_request(
    engine: EngineThread, qtbot: QtBot
) -> None:
    told: list[bool] = []
    engine.busy.connect(told.append)
    engine.request("a")
    assert told == [True]
    engine.request("b")
    qtbot.waitUntil(lambda: not engine.is_busy, timeout=5000)
    assert told == [True, False]


def test_an_error_that_teaches_is_passed_on_word_by_word(start: Start, qtbot: QtBot) -> None:
    def work(request: object, should_stop: Callable[[], bool]) -> Iterator[object]:
        yield 1
        msg = "This mask hides every unit. Leave at least one visible."
        raise MaskError(msg)

    engine = start(work)
    with qtbot.waitSignal(engine.failed, timeout=5000) as failed:
        ticket = engine.request("all")
    assert failed.args == [ticket, "This mask hides every unit. Leave at least one visible."]
    qtbot.waitUntil(lambda: not engine.is_busy, timeout=5000)


def test_a_fault_of_the_program_does_not_kill_the_engine(
    start: Start, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    def work(request: object, should_stop: Callable[[], bool]) -> Iterator[object]:
        if request == "bad":
            raise ZeroDivisionError
        yield request

    engine = start(work)
    with qtbot.waitSignal(engine.failed, timeout=5000) as failed:
        engine.request("bad")
    assert "ZeroDivisionError" in failed.args[1]
    assert "Traceback" not in failed.args[1]
    assert "failed in the engine" in caplog.text
    with qtbot.waitSignal(engine.finished, timeout=5000) as final:
        engine.request("good")
    assert final.args[0].value == "good"


def test_the_gui_keeps_ticking_while_the_engine_works(start: Start, qtbot: QtBot) -> None:
    engine = start(SlowWork(pieces=30, piece_s=0.01))
    ticks: list[float] = []
    timer = QTimer()
    timer.setInterval(5)
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    timer.start()
    started_s = time.perf_counter()
    with qtbot.waitSignal(engine.finished, timeout=10_000):
        engine.request("ca1")
    elapsed_s = time.perf_counter() - started_s
    timer.stop()
    engine.stop()
    assert len(ticks) > elapsed_s / 0.005 / 5


def test_the_worker_takes_the_newest_letter_after_each_piece() -> None:
    box, told = Mailbox(), []

    def work(request: object, should_stop: Callable[[], bool]) -> Iterator[object]:
        for piece in range(3):
            if request == "first":
                box.put(2, "second")
            yield f"{request} {piece}"
            assert should_stop() is (request == "first")

    worker = _Worker(work, box)
    worker.piece.connect(lambda answer: told.append(answer.value))
    worker.done.connect(lambda answer: told.append(f"done {answer.ticket}"))
    worker.idle.connect(lambda ticket: told.append(f"idle {ticket}"))
    box.put(1, "first")
    worker.wake()
    assert told == ["first 0", "idle 1", "second 0", "second 1", "second 2", "done 2", "idle 2"]


def test_the_worker_passes_cancelled_letters_over() -> None:
    box, told = Mailbox(), []
    worker = _Worker(lambda *_: iter(["never"]), box)
    worker.piece.connect(told.append)
    worker.cancelled_up_to = 1
    box.put(1, "first")
    worker.wake()
    assert told == []


@pytest.mark.parametrize(
    ("error", "said"),
    [(MaskError("Hide less."), "Hide less."), (ZeroDivisionError("oh"), "ZeroDivisionError: oh")],
)
def test_the_worker_tells_of_errors_and_goes_on(error: Exception, said: str) -> None:
    def work(request: object, should_stop: Callable[[], bool]) -> Iterator[object]:
        yield request
        raise error

    box, told = Mailbox(), []
    worker = _Worker(work, box)
    worker.broke.connect(lambda ticket, text: told.append((ticket, text)))
    box.put(7, "ca1")
    worker.wake()
    assert told[0][0] == 7
    assert said in told[0][1]


def test_stopping_ends_the_thread(start: Start) -> None:
    engine = start(SlowWork())
    engine.request("ca1")
    engine.stop()
    assert engine._thread.isFinished()
