from __future__ import annotations

import json
import math

import pytest

from mtm_core.errors import OutputError, TrainingError
from mtm_core.training.event_log import EventLog
from mtm_core.training.events import (
    CheckpointSaved,
    RunFinished,
    RunStarted,
    StepDone,
    ValidationDone,
    from_json,
    to_json,
)

STEP = StepDone(
    step=3, n_steps=9, loss=0.25, lr=1e-3, grad_norm=2.0, seconds=1.5, seconds_left=3.0
)
ALL = [
    RunStarted(
        step=0,
        n_steps=9,
        n_parameters=10,
        n_train=28,
        n_val=4,
        backend="cpu",
        notes=("begun with another torch",),
    ),
    STEP,
    ValidationDone(step=3, bps=0.1, scores={"neuron": 0.1}, is_best=True),
    CheckpointSaved(step=3, path="runs/é/model.safetensors"),
    RunFinished(step=9, best_step=3, bps=0.1, seconds=4.0, path="model.safetensors"),
]


@pytest.mark.parametrize("event", ALL, ids=lambda event: type(event).__name__)
def test_an_event_survives_its_line_of_json(event):
    line = to_json(event)
    assert "\n" not in line
    assert from_json(line) == event


def test_a_number_that_is_none_is_null_in_json_and_nan_again():
    event = ValidationDone(step=1, bps=math.nan, scores={"causal": math.inf}, is_best=False)
    line = to_json(event)
    assert json.loads(line)["bps"] is None
    restored = from_json(line)
    assert math.isnan(restored.bps)
    assert math.isnan(restored.scores["causal"])


@pytest.mark.parametrize(
    "line", ["", "{", "[]", "3", '{"event": "party"}', '{"step": 1}', '{"event": "step_done"}']
)
def test_a_line_that_is_no_event_is_told(line):
    with pytest.raises(TrainingError, match="not a line of a run's events"):
        from_json(line)


def test_a_log_reads_what_was_written_and_leaves_out_half_a_line(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    assert list(log.read()) == []
    log.append(ALL[:2])
    log.append(ALL[2:])
    assert list(log.read()) == ALL
    log.close()
    with log.path.open("a") as file:
        file.write(to_json(STEP)[:20])
    assert list(log.read()) == ALL


def test_forgetting_drops_later_steps_and_the_end(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    log.append(ALL)
    log.forget_after(3)
    assert list(log.read()) == ALL[:-1]
    log.forget_after(9)
    assert list(log.read()) == ALL[:-1]
    log.forget_after(0)
    assert list(log.read()) == ALL[:1]
    log.append([STEP])
    assert list(log.read()) == [ALL[0], STEP]
    log.close()


def test_a_log_that_cannot_be_opened_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="not a directory"):
        EventLog(tmp_path / "file" / "events.jsonl").append(ALL)
