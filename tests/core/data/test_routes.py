"""One and the same simulated session by every route: whatever it lay in, it is the same."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mtm_core.config_io import load_preparation
from mtm_core.data.alf import read_alf
from mtm_core.data.alf_writer import write_alf
from mtm_core.data.nwb import read_nwb
from mtm_core.data.one_client import OneClient
from mtm_core.data.preparation import prepare
from mtm_core.data.raw import RawSession
from mtm_core.data.session import Session
from mtm_core.data.simulated_truth import true_rate_hz
from mtm_core.data.table import Table
from mtm_core.data.truth_file import read_truth
from tests.core.data.nwb_file import write_nwb
from tests.core.data.simulations import simulated
from tests.core.data.stub_alyx import PASSWORD, USER, StubAlyx

PRESETS = ("default", "paper", "brain-wide-map")


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """Return a lab's folder that holds the session, with a revision and an older sorting."""
    root = tmp_path_factory.mktemp("lab")
    write_alf(simulated(), root, revision="2024-05-06", all_datasets=True)
    return root


@pytest.fixture(scope="module")
def folder(root) -> Path:
    (folder,) = root.glob("*/Subjects/*/*/*")
    return folder


def by_alf_folder(folder: Path, root: Path, tmp_path: Path) -> RawSession:
    del root
    copied = shutil.copytree(folder, tmp_path / "a copied session")
    return read_alf(copied)


def by_one_in_local_mode(folder: Path, root: Path, tmp_path: Path) -> RawSession:
    del folder, tmp_path
    client = OneClient.connect(cache_dir=root, mode="local")
    (entry,) = client.search()
    return client.read(entry.session_id)


def by_one_from_the_server(folder: Path, root: Path, tmp_path: Path) -> RawSession:
    del folder
    cache = tmp_path / "cache"
    with StubAlyx(root) as server:
        client = OneClient.connect(
            server.url, username=USER, password=PASSWORD, cache_dir=cache, mode="remote"
        )
        (entry,) = client.search()
        downloaded = client.download(entry.eid)
        assert downloaded.is_relative_to(cache)
        return client.read(entry.eid)


def by_nwb(generation: str) -> Callable[..., RawSession]:
    def route(folder: Path, root: Path, tmp_path: Path) -> RawSession:
        del folder, root
        return read_nwb(write_nwb(simulated(), tmp_path / "session.nwb", generation))

    return route


ROUTES = {
    "ALF folder": by_alf_folder,
    "ONE, local": by_one_in_local_mode,
    "ONE, from the server": by_one_from_the_server,
    "NWB, new names": by_nwb("new"),
    "NWB, old names": by_nwb("old"),
}


@pytest.fixture(scope="module")
def read(root, folder, tmp_path_factory) -> Callable[[str], RawSession]:
    """Return a function that reads the session by a route, once."""
    known: dict[str, RawSession] = {}

    def reader(route: str) -> RawSession:
        if route not in known:
            known[route] = ROUTES[route](folder, root, tmp_path_factory.mktemp("route"))
        return known[route]

    return reader


@pytest.fixture(scope="module")
def wanted() -> dict[str, Session]:
    """Return the session as it is prepared straight from the simulation."""
    return {name: prepare(simulated().raw, load_preparation(name)) for name in PRESETS}


def assert_same_table(found: Table, wanted: Table) -> None:
    """Compare every field of `wanted`; a reader may know more."""
    for name, column in wanted.columns.items():
        other = found.column(name)
        np.testing.assert_array_equal(other.is_valid, column.is_valid, err_msg=name)
        np.testing.assert_array_equal(other.values, column.values, err_msg=name)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("route", ROUTES)
def test_every_route_gives_the_same_session(route, preset, home, read, wanted):
    raw, session = read(route), wanted[preset]
    found = prepare(raw, load_preparation(preset))
    np.testing.assert_array_equal(found.counts, session.counts)
    np.testing.assert_array_equal(found.unit_id, session.unit_id)
    np.testing.assert_array_equal(found.region, session.region)
    assert_same_table(found.units, session.units)
    assert_same_table(found.trials, session.trials)
    assert set(found.behaviors) == set(session.behaviors)
    for name, behavior in session.behaviors.items():
        np.testing.assert_array_equal(found.behaviors[name].is_valid, behavior.is_valid)
        np.testing.assert_array_equal(found.behaviors[name].values, behavior.values)
    assert session.counts.any()


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_says_that_it_is_simulated(route, home, read):
    origin = read(route).origin
    assert origin.is_simulated
    assert (origin.subject, origin.lab, origin.date) == ("tiny-0", "simulated", "2000-01-01")


@pytest.mark.parametrize("route", ROUTES)
def test_the_truth_fits_by_every_route(route, home, read, folder):
    session = prepare(read(route), load_preparation())
    rates = true_rate_hz(read_truth(folder), session)
    total = rates.sum(dtype=np.float64) * session.bin_size_s
    assert session.counts.sum() == pytest.approx(total, abs=4 * np.sqrt(total))


@pytest.mark.parametrize("route", ["ONE, local", "ONE, from the server"])
def test_ids_are_those_of_the_place_or_of_the_database(route, home, read):
    session_id = read(route).origin.session_id
    if route == "ONE, local":
        assert session_id == simulated().raw.origin.session_id
    else:
        assert len(session_id) == 36
    assert read("NWB, new names").origin.session_id == simulated().eid
