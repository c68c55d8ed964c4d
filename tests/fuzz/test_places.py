"""Homes that are not there, folders with other letters, paths as long as the system takes them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mtm_core.data.session_file import write_session
from tests.core.checkpoints import make_checkpoint, write_checkpoint
from tests.core.sessions import make_session

HOMES = {"a home that cannot be made": {"HOME": "/proc/none"}, "no home": {}}
_PLACES = (
    "HOME",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "MTM_CACHE",
)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Fill a folder of an unlikely name with a session and a model of it."""
    deep = tmp_path / f"Übung 実験 {'x' * 100}" / ("y" * 200)
    deep.mkdir(parents=True)
    session = make_session()
    write_session(session, deep / "s é.h5")
    write_checkpoint(deep / "m é.safetensors", make_checkpoint(session))
    return deep


@pytest.mark.skipif(sys.platform != "linux", reason="a folder that not even root may write to")
@pytest.mark.parametrize("home", HOMES)
def test_a_model_is_used_without_a_home(home, folder):
    kept = {name: value for name, value in os.environ.items() if name not in _PLACES}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mtm_core", "reconstruct", "m é.safetensors", "s é.h5"),
            *("--hide", 'region == "CA1"', "--out", "rates é.h5"),
        ],
        cwd=folder,
        env={**kept, **HOMES[home]},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "rates é.h5").is_file()
