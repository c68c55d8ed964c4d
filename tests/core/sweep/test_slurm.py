from __future__ import annotations

import json

import pytest

from mtm_core.errors import ConfigError
from mtm_core.sweep import slurm as module
from mtm_core.sweep.slurm import submit
from tests.core.sweep.specs import make_spec


def test_without_slurm_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    with pytest.raises(ConfigError, match="Slurm is not on this machine"):
        submit(make_spec(tmp_path), tmp_path / "out", [], 1)


def test_what_submitit_does_not_know_is_named(tmp_path):
    spec = make_spec(tmp_path, slurm="slurm_partitoin = 'gpu'")
    with pytest.raises(ConfigError, match=r"\[slurm\] asks for .*partitoin"):
        submit(spec, tmp_path / "out", [], 1, cluster="local")


@pytest.mark.slow
def test_jobs_share_the_trials_of_a_sweep(tmp_path):
    spec = make_spec(tmp_path, "trials = 3", slurm="timeout_min = 5\ncpus_per_task = 1")
    jobs = submit(spec, tmp_path / "out", [tmp_path / "small.h5"], 2, cluster="local")
    assert 3 in [job.result() for job in jobs]
    found = json.loads((tmp_path / "out" / "table.json").read_text(encoding="utf-8"))
    assert [t["state"] for t in found["trials"]] == ["finished"] * 3
    for job in jobs:
        job.wait()


def test_a_job_whose_time_is_up_is_submitted_again_as_it_is(tmp_path):
    job = module.Job(make_spec(tmp_path), tmp_path, (), 1)
    assert job.checkpoint().function is job
