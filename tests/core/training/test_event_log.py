"""The events of a run as another process sees them."""

from __future__ import annotations

from mtm_core.training.event_log import EventLog, EventTail
from mtm_core.training.events import CheckpointSaved, StepDone


def step(number: int) -> StepDone:
    return StepDone(
        step=number, n_steps=9, loss=1.0, lr=0.1, grad_norm=1.0, seconds=1.0, seconds_left=2.0
    )


def test_a_tail_returns_each_event_once_and_waits_for_half_a_line(tmp_path):
    tail, log = EventTail(tmp_path / "events.jsonl"), EventLog(tmp_path / "events.jsonl")
    assert tail.read_new() == ([], False)
    log.append([step(1), step(2)])
    assert tail.read_new() == ([step(1), step(2)], True)
    with log.path.open("a") as file:
        file.write('{"event": "checkpoint_saved", "step"')
        file.flush()
        assert tail.read_new() == ([], False)
        file.write(': 2, "path": "m"}\n')
    assert tail.read_new() == ([CheckpointSaved(step=2, path="m")], False)
    log.close()


def test_a_tail_begins_anew_where_a_resumed_run_wrote_the_file_anew(tmp_path):
    tail, log = EventTail(tmp_path / "events.jsonl"), EventLog(tmp_path / "events.jsonl")
    log.append([step(1), step(2), step(3)])
    tail.read_new()
    log.forget_after(1)
    log.append([step(2)])
    assert tail.read_new() == ([step(1), step(2)], True)
    log.close()


def test_a_tail_reads_a_long_file_in_parts(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    log.append([step(k) for k in range(1, 21)])
    log.close()
    tail, seen = EventTail(log.path), []
    while events := tail.read_new(most_bytes=300)[0]:
        assert len(events) < 20
        seen += events
    assert [event.step for event in seen] == list(range(1, 21))
