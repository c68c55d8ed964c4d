"""Fixtures of the ONE tests: sessions on a loopback server, a home of one's own, a cache.

`tests/conftest.py` offers them to every test.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from mtm_core.config_simulation import SimulationConfig
from mtm_core.data import one_server, one_transfer
from mtm_core.data.alf_writer import write_alf
from mtm_core.data.one_client import OneClient
from mtm_core.data.simulated import simulate
from tests.core.data.one_world import OTHER, PLACES, REVISION, WITHOUT_SPIKES
from tests.core.data.stub_alyx import PASSWORD, USER, StubAlyx

VISP6A = 33


@pytest.fixture(scope="session")
def shelf(tmp_path_factory) -> Path:
    """Write four sessions with spikes and one without, in three labs."""
    root = tmp_path_factory.mktemp("alyx")
    config = SimulationConfig(trials=10, good_units=10, other_units=4)
    folder = write_alf(simulate(config, 0), root / "made", revision=REVISION)
    without_origin = shutil.ignore_patterns("_mtm_session.origin.json")
    for place in PLACES.values():
        shutil.copytree(folder, root / "sessions" / place, ignore=without_origin)
    other = root / "sessions" / PLACES[OTHER]
    for path in other.rglob("channels.brainLocationIds_ccf_2017.npy"):
        np.save(path, np.full_like(np.load(path), VISP6A))
    no_spikes = shutil.ignore_patterns("probe*", "_mtm*")
    shutil.copytree(folder, root / "sessions" / WITHOUT_SPIKES, ignore=no_spikes)
    return root / "sessions"


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """Give the test a home folder without settings, and no secrets in the environment."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("URL", "USERNAME", "PASSWORD", "TOKEN"):
        monkeypatch.delenv(f"MTM_ALYX_{name}", raising=False)
    for name in ("MTM_ONE_CACHE", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def alyx(shelf) -> Iterator[StubAlyx]:
    """Serve the sessions."""
    with StubAlyx(shelf) as server:
        yield server


@pytest.fixture
def cache_dir(tmp_path) -> Path:
    """Return a cache folder that is not there yet."""
    return tmp_path / "cache"


@pytest.fixture
def connect(alyx, home, cache_dir) -> Callable[..., OneClient]:
    """Return a function that connects; by default with the right password."""

    def connected(**more: object) -> OneClient:
        named = {"username": USER, "password": PASSWORD, "cache_dir": cache_dir}
        return OneClient.connect(alyx.url, **{**named, **more})

    return connected


@pytest.fixture
def client(connect) -> OneClient:
    """Return a client that is logged in."""
    return connect()


@pytest.fixture
def impatient(monkeypatch):
    """Wait for a silent server for moments only."""
    for module in (one_server, one_transfer):
        monkeypatch.setattr(module, "TIMEOUT_S", (1.0, 0.3))
