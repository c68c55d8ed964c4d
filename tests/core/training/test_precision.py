from __future__ import annotations

import json

from mtm_core.training.events import RunFinished, RunStarted, StepDone
from tests.core.training.runs import assert_same_bits, of_kind, run_all, run_until, tiny_config

CONFIG = tiny_config(run__precision="bf16")


def test_a_run_in_bf16_learns_about_the_same_and_says_so(tmp_path):
    exact, rough = run_all(tiny_config(), tmp_path / "fp32"), run_all(CONFIG, tmp_path / "bf16")
    assert "bf16 layers" in of_kind(rough, RunStarted)[0].backend
    assert "bf16" not in of_kind(exact, RunStarted)[0].backend
    losses = [[step.loss for step in of_kind(run, StepDone)] for run in (exact, rough)]
    differences = [abs(a - b) / abs(a) for a, b in zip(*losses, strict=True)]
    assert 0 < max(differences) < 0.02
    assert len(of_kind(rough, RunFinished)) == 1


def test_a_run_in_bf16_resumes_to_the_same_bits(tmp_path):
    run_all(CONFIG, tmp_path / "whole")
    run_until(CONFIG, tmp_path / "cut", 5, StepDone)
    record = json.loads((tmp_path / "cut" / "run.json").read_text())
    assert record["backend"]["precision"] == "bf16"
    run_all(CONFIG, tmp_path / "cut", resume=True)
    assert_same_bits(tmp_path / "whole", tmp_path / "cut")
