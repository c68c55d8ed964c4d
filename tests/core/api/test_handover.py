from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mtm_core.api import handover
from mtm_core.api.handover import to_pynapple, to_xarray
from mtm_core.api.masks import hide
from mtm_core.api.models import train
from mtm_core.api.predictions import reconstruct
from mtm_core.data.session import Behavior
from mtm_core.data.table import Column, Table
from mtm_core.errors import ConfigError, DataError
from tests.core.sessions import make_session


def with_times(session, spacing_s):
    """Give trials their times, last trial first, and a signal that the second trial lacks."""
    align_s = spacing_s * np.arange(session.n_trials, 0, -1, dtype=float)
    columns = {**session.trials.columns, "align_s": Column.full(align_s)}
    is_valid = np.arange(session.n_trials) != 1
    values = np.ones((session.n_trials, session.n_bins), dtype=np.float32)
    values[~is_valid] = 0
    speed = Behavior(values=values, is_valid=is_valid)
    return dataclasses.replace(session, trials=Table(columns), behaviors={"wheel_speed": speed})


@pytest.fixture(scope="module")
def session():
    return with_times(make_session(), 10.0)


@pytest.fixture(scope="module")
def predicted(session, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "own"
    model = train(session, folder, settings={"optim.steps": 2, "run.threads": 1})
    return reconstruct(model, session, hide(region=session.region_names()[0]))


def test_a_session_becomes_an_xarray_data_set(session):
    pytest.importorskip("xarray")
    data = to_xarray(session)
    assert data["count"].dims == ("trial", "time", "unit")
    assert np.array_equal(data["count"].values, session.counts)
    assert data["time"].values[0] == pytest.approx(session.window_start_s + session.bin_size_s / 2)
    assert list(data["unit"].values) == list(session.unit_id)
    assert data["wheel_speed"].isnull().all("time").values.nonzero()[0].tolist() == [1]
    assert data.attrs["session_id"] == session.session_id


def test_a_prediction_becomes_an_xarray_data_set(predicted):
    pytest.importorskip("xarray")
    data = to_xarray(predicted)
    hidden = data["is_hidden"].all("time")
    assert np.allclose(data["rate_hz"].values, predicted.rate_hz)
    assert set(data["region"].values[hidden.values]) == {predicted.session.region_names()[0]}
    assert "inter_region" in data.attrs["mask"]


def test_a_session_becomes_pynapple_time_series_in_order_of_time(session):
    pytest.importorskip("pynapple")
    series = to_pynapple(session)
    count = series["count"]
    assert count.shape == (session.n_trials * session.n_bins, session.n_units)
    assert len(count.time_support) == session.n_trials
    assert (np.diff(count.times()) > 0).all()
    assert np.array_equal(count.values[: session.n_bins], session.counts[-1])
    assert list(count.metadata["region"]) == list(session.region)
    assert len(series["wheel_speed"].time_support) == session.n_trials - 1


def test_a_prediction_becomes_pynapple_time_series(predicted):
    pytest.importorskip("pynapple")
    series = to_pynapple(predicted)
    assert series["rate_hz"].shape == series["count"].shape
    last = predicted.trials.argmax()
    n_bins = predicted.session.n_bins
    assert np.allclose(series["rate_hz"].values[:n_bins], predicted.rate_hz[last])


def test_overlapping_trials_are_not_handed_to_pynapple(monkeypatch):
    monkeypatch.setattr(handover, "_import", lambda name: None)
    with pytest.raises(DataError, match="overlap"):
        to_pynapple(with_times(make_session(), 1e-3))


@pytest.mark.parametrize("hand_over", [to_xarray, to_pynapple])
def test_a_package_that_is_not_there_is_named(hand_over, session, monkeypatch):
    def refuse(name):
        raise ImportError(name)

    monkeypatch.setattr(handover.importlib, "import_module", refuse)
    with pytest.raises(ConfigError, match="pip install"):
        hand_over(session)
