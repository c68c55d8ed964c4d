"""Threads of PyTorch that wait for each other give way to other programs soon."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

NAMES = ("GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_WAIT_POLICY")
PROGRAMS = {
    "mtm_core": "import mtm_core; from mtm_core.models import backend",
    "mtm_viewer": "import mtm_viewer.app",
}


def openmp_says(program: str, **environment: str) -> str:
    """Return what OpenMP says of its settings when a program loads it."""
    usual = {name: value for name, value in os.environ.items() if name not in NAMES}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAMS[program]],
        env={**usual, "OMP_DISPLAY_ENV": "VERBOSE", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="GNU's OpenMP is PyTorch's on Linux only")
@pytest.mark.parametrize("program", PROGRAMS)
def test_openmp_is_told_before_it_is_loaded(program):
    assert "GOMP_SPINCOUNT = '10000'" in openmp_says(program)


@pytest.mark.skipif(sys.platform != "linux", reason="GNU's OpenMP is PyTorch's on Linux only")
@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("GOMP_SPINCOUNT", "77", "GOMP_SPINCOUNT = '77'"),
        ("OMP_WAIT_POLICY", "ACTIVE", "OMP_WAIT_POLICY = 'ACTIVE'"),
    ],
)
def test_what_a_person_set_stays(name, value, says):
    said = openmp_says("mtm_core", **{name: value})
    assert says in said
    assert "GOMP_SPINCOUNT = '10000'" not in said
