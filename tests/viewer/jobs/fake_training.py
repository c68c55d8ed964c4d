"""A stand-in for the training process: writes real events, obeys signals, costs nothing."""

from __future__ import annotations

import sys
import time

import pytest

from mtm_viewer.jobs import process
from mtm_viewer.jobs.run_order import RunOrder

SCRIPT = """
import json, os, signal, sys, time
folder, how = sys.argv[1], sys.argv[2]
stops = []
signal.signal(signal.SIGTERM, lambda *_: stops.append(1))
path = os.path.join(folder, "events.jsonl")
def say(**event):
    with open(path, "a") as file:
        file.write(json.dumps(event) + chr(10))
say(event="run_started", step=0, n_steps=4, n_parameters=1, n_train=8, n_val=2, backend="cpu",
    notes=[])
say(event="validation_done", step=0, bps=0.1, scores={"neuron": 0.1}, is_best=True)
if how == "fail":
    print("mtm-core: The disk is full.", file=sys.stderr)
    sys.exit(2)
for step in range(1, 5):
    say(event="step_done", step=step, n_steps=4, loss=1.0 / step, lr=0.1, grad_norm=1.0,
        seconds=1.0 * step, seconds_left=4.0 - step)
    while how == "wait" and not stops and step == 2:
        time.sleep(0.02)
    if stops:
        sys.exit(143)
say(event="validation_done", step=4, bps=0.3, scores={"neuron": 0.3}, is_best=True)
say(event="run_finished", step=4, best_step=4, bps=0.3, seconds=4.0, path="model.safetensors")
"""


def fake_training(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Let training processes finish at once, fail, or wait in the middle to be stopped."""

    def command(words: list[str]) -> list[str]:
        return [sys.executable, "-c", SCRIPT, words[words.index("--out") + 1], how]

    monkeypatch.setattr(process, "core_command", command)


def make_order(session: str = "small.h5", preset: str = "quick") -> RunOrder:
    """Make an order for one session file."""
    return RunOrder(
        preset=preset,
        session_paths=(session,),
        session_names=("small",),
        asked_paths=(session,),
        created="2026-11-28T12:00:00+00:00",
    )


def wait_until(condition, most_s: float = 60.0) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + most_s
    while not condition():
        assert time.monotonic() < end, "It took too long."
        time.sleep(0.05)
