from __future__ import annotations

from dataclasses import replace

import numpy as np

from mtm_core.data.table import Column, Table
from mtm_viewer.presenters.population_drawable import Mark
from mtm_viewer.presenters.probe_depth import NO_DEPTH, probe_depth
from tests.viewer.presenters.populations import make_answer
from tests.viewer.workspaces import make_small_workspace

ANSWER = make_answer()
SESSION = ANSWER.session
N = 24


def _with(**columns):
    return replace(SESSION, units=Table({**SESSION.units.columns, **columns}))


def test_units_stand_at_their_depth_and_right_by_their_score():
    cloud = probe_depth(SESSION, ANSWER)
    np.testing.assert_array_equal(cloud.y, SESSION.units.values("depth_um"))
    np.testing.assert_array_equal(np.argsort(cloud.x), np.argsort(ANSWER.facts.bps.values))
    assert ((cloud.x > 0) & (cloud.x < 1)).all()
    (zero,) = cloud.zeros
    beyond = ANSWER.facts.bps.values > 0
    np.testing.assert_array_equal(cloud.x > zero[0], beyond)
    assert "bits/spike" in cloud.x_label


def test_bands_are_the_regions_of_neighbouring_units():
    cloud = probe_depth(SESSION, ANSWER)
    assert [band.name for band in cloud.bands] == ["CA1", "DG", "VISp"]
    depth = SESSION.units.values("depth_um")
    for band in cloud.bands:
        inside = (depth > band.low) & (depth < band.high)
        np.testing.assert_array_equal(inside, SESSION.region == band.name)
    assert cloud.bands[0].low == cloud.y_range[0]
    assert cloud.bands[-1].high == cloud.y_range[1]
    coarse = probe_depth(SESSION, ANSWER, "cosmos")
    assert [band.name for band in coarse.bands] == ["HPF", "Isocortex"]


def test_each_probe_has_a_lane_of_its_own():
    probe = np.where(np.arange(N) % 2, "probe01", "probe00")
    cloud = probe_depth(_with(probe=Column.full(probe)), ANSWER)
    np.testing.assert_array_equal(cloud.x > 1, np.arange(N) % 2 == 1)
    assert [text for _, text in cloud.x_ticks] == ["probe00", "probe01"]
    assert len(cloud.zeros) == 2
    assert {(band.left, band.right) for band in cloud.bands} == {(0.0, 1.0), (1.0, 2.0)}


def test_without_scores_all_units_stand_at_the_left_edge():
    cloud = probe_depth(SESSION, None)
    assert (cloud.x < 0.1).all()
    assert (cloud.mark == Mark.UNSCORED).all()
    assert cloud.zeros == ()
    assert cloud.x_label == "nothing is scored"
    assert "not scored" in cloud.note


def test_units_of_unknown_depth_are_left_out_and_counted():
    depth = SESSION.units.columns["depth_um"].values
    cloud = probe_depth(_with(depth_um=Column(depth, np.arange(N) > 3)), ANSWER)
    assert len(cloud.units) == 20
    assert cloud.note.startswith("20 of 24 units; 4 of unknown depth left out")


def test_a_session_without_depths_says_so():
    columns = {k: c for k, c in SESSION.units.columns.items() if k != "depth_um"}
    assert probe_depth(replace(SESSION, units=Table(columns)), None).message == NO_DEPTH
    unknown = Column(np.zeros(N), np.zeros(N, dtype=bool))
    assert probe_depth(_with(depth_um=unknown), None).message == NO_DEPTH


def test_a_workspace_without_a_model_can_be_looked_at_too():
    session = make_small_workspace(has_models=False).session
    assert len(probe_depth(session, None).units) == N
