from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "packaging" / "slurm" / "train.sbatch"

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


@pytest.fixture
def cluster(tmp_path):
    """Return the environment of a job on three nodes whose programs only say what they got."""
    programs = {
        "scontrol": "printf 'node7\\nnode8\\nnode9\\n'",
        "srun": 'exec "$@"',
        "torchrun": 'printf "%s\\n" "$@"',
    }
    for name, line in programs.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{line}\n")
        (tmp_path / name).chmod(0o755)
    job = {"SLURM_JOB_NODELIST": "node[7-9]", "SLURM_JOB_NUM_NODES": "3", "SLURM_JOB_ID": "42"}
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **job, "SLURM_GPUS_ON_NODE": "4", "PATH": path}


def submit(cluster, *words):
    command = ["bash", str(SCRIPT), *words]
    return subprocess.run(command, env=cluster, capture_output=True, text=True)


def test_every_gpu_of_every_node_gets_a_process_and_a_second_job_goes_on(cluster):
    done = submit(cluster, "runs/many", "--preset", "multi", "--session", "a b.h5", "c.h5")
    assert done.returncode == 0, done.stderr
    words = done.stdout.splitlines()
    start = words.index("-m")
    assert words[start:] == [
        *["-m", "mtm_core", "train", "--resume", "--out", "runs/many"],
        *["--preset", "multi", "--session", "a b.h5", "c.h5"],
    ]
    flags = dict(zip(words[0:start:2], words[1:start:2], strict=True))
    assert flags["--nnodes"] == "3"
    assert flags["--nproc-per-node"] == "4"
    assert flags["--rdzv-endpoint"] == "node7:29500"


def test_a_job_without_a_run_folder_says_what_to_give(cluster):
    done = submit(cluster)
    assert done.returncode == 2
    assert "Give the run folder first" in done.stderr
