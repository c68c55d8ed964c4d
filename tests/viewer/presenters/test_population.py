from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.data.table import Column, Table
from mtm_core.evaluation.metrics import UnitValues
from mtm_core.evaluation.unit_reasons import NO_REASON
from mtm_core.evaluation.unit_table import NO_REGION
from mtm_core.masking.tasks import inter_region
from mtm_viewer.presenters.population import (
    AXES,
    NOT_IN_SESSION,
    NOTHING_SCORED,
    PopulationChoice,
    next_unit,
    outlying_units,
    region_bars,
    scatter,
    score_limits,
    trials_words,
    unit_words,
)
from mtm_viewer.presenters.population_drawable import Mark
from tests.viewer.presenters.populations import make_answer, make_picture, with_scores
from tests.viewer.workspaces import make_small_workspace

ANSWER = make_answer()
N = 24


def _with_session(answer, session):
    workspace = replace(answer.picture.workspace, session=session)
    return replace(answer, picture=replace(answer.picture, workspace=workspace))


@pytest.mark.parametrize("axis", list(AXES))
def test_every_axis_draws_every_scored_unit_at_its_score(axis):
    cloud = scatter(ANSWER, PopulationChoice(axis=axis))
    assert cloud.message == ""
    np.testing.assert_array_equal(cloud.units, np.arange(N))
    np.testing.assert_allclose(cloud.y, ANSWER.facts.bps.values)
    assert (cloud.x_range[0] < cloud.x).all()
    assert (cloud.x < cloud.x_range[1]).all()


def test_rates_and_spikes_are_drawn_by_their_logarithm_with_plain_numbers_below():
    cloud = scatter(ANSWER, PopulationChoice(axis="rate"))
    np.testing.assert_allclose(10**cloud.x, ANSWER.facts.train_hz)
    for place, text in cloud.x_ticks:
        assert float(text.replace(",", "")) == pytest.approx(10**place)
    spikes = scatter(ANSWER, PopulationChoice(axis="spikes"))
    np.testing.assert_allclose(10**spikes.x, ANSWER.facts.n_spikes)


def test_regions_are_columns_in_the_order_of_the_atlas():
    cloud = scatter(ANSWER, PopulationChoice(axis="region"))
    assert [text for _, text in cloud.x_ticks] == ["VISp", "CA1", "DG"]
    names = np.array(["VISp", "CA1", "DG"])[np.rint(cloud.x).astype(int)]
    np.testing.assert_array_equal(names, ANSWER.session.region)
    coarse = scatter(ANSWER, PopulationChoice(axis="region", level="cosmos"))
    assert [text for _, text in coarse.x_ticks] == ["Isocortex", "HPF"]


def test_units_without_a_region_have_a_column_of_their_own():
    answer = make_answer(make_picture(make_small_workspace(regions=("CA1", ""))))
    cloud = scatter(answer, PopulationChoice(axis="region"))
    assert [text for _, text in cloud.x_ticks] == ["CA1", NO_REGION]


def test_an_axis_that_the_session_lacks_says_so():
    columns = {k: c for k, c in ANSWER.session.units.columns.items() if k != "depth_um"}
    bare = _with_session(ANSWER, replace(ANSWER.session, units=Table(columns)))
    cloud = scatter(bare, PopulationChoice(axis="depth"))
    assert cloud.message == f"Probe depth: {NOT_IN_SESSION}."
    assert len(cloud.units) == 0


def test_units_of_unknown_depth_and_without_spikes_are_left_out_and_counted():
    depth = ANSWER.session.units.columns["depth_um"]
    is_known = np.arange(N) >= 2
    units = Table({**ANSWER.session.units.columns, "depth_um": Column(depth.values, is_known)})
    answer = _with_session(ANSWER, replace(ANSWER.session, units=units))
    bps = UnitValues(ANSWER.facts.bps.values, np.arange(N) != 5)
    answer = replace(answer, facts=replace(answer.facts, bps=bps))
    cloud = scatter(answer, PopulationChoice(axis="depth"))
    assert len(cloud.units) == 21
    assert cloud.note.startswith(
        "21 of 24 scored units; 1 without a scored spike left out; 2 of unknown place left out"
    )


def test_outliers_and_units_with_few_spikes_have_marks_of_their_own():
    values = np.concatenate([np.linspace(0.1, 0.2, 21), [2.0, -1.0, 9.0]])
    answer = with_scores(ANSWER, values)
    n_spikes = answer.facts.n_spikes.copy()
    n_spikes[23] = 5
    answer = replace(answer, facts=replace(answer.facts, n_spikes=n_spikes))
    cloud = scatter(answer, PopulationChoice())
    assert cloud.mark[20:].tolist() == [Mark.USUAL, Mark.WELL, Mark.BADLY, Mark.FEW]
    assert "1 with few spikes drawn at the edge" in cloud.note
    assert "far better than most" in cloud.note
    assert cloud.y_range[0] < cloud.y.min()
    assert cloud.y.max() < cloud.y_range[1] < 3
    ids = answer.session.unit_id
    assert outlying_units(answer, 1) == (ids[21],)
    assert outlying_units(answer, -1) == (ids[22],)


def test_nothing_scored_is_said():
    assert scatter(None, PopulationChoice()).message == NOTHING_SCORED
    assert region_bars(None, "given").message == NOTHING_SCORED


def test_scored_units_without_a_spike_are_said():
    none = UnitValues(np.zeros(N), np.zeros(N, dtype=bool))
    facts = replace(ANSWER.facts, bps=none, n_spikes=np.zeros(N, dtype=np.int64))
    silent = tuple(replace(score, bps=None, interval=None) for score in ANSWER.regions["given"])
    answer = replace(ANSWER, facts=facts, regions={**ANSWER.regions, "given": silent})
    assert scatter(answer, PopulationChoice()).message == "No scored unit has a spike."
    assert region_bars(answer, "given").message == "No scored unit has a spike."
    assert score_limits(facts) == (-0.004, 0.004)


def test_bars_are_the_scores_of_regions_with_their_intervals():
    drawable = region_bars(ANSWER, "given")
    assert [bar.name for bar in drawable.bars] == ["VISp", "CA1", "DG"]
    for bar, score in zip(drawable.bars, ANSWER.regions["given"], strict=True):
        assert (bar.bps, bar.interval) == (score.bps, score.interval)
        assert bar.text == "8 units"
        assert (
            f"95 % interval {score.interval[0]:.3f}".replace("-", "\N{MINUS SIGN}") in bar.sentence
        )
    low, high = drawable.limits
    assert low <= 0 <= high
    assert all(low < bar.interval[0] and bar.interval[1] < high for bar in drawable.bars)


def test_regions_without_a_spike_or_an_interval_are_told():
    first, second, third = ANSWER.regions["given"]
    scores = (replace(first, bps=None), replace(second, interval=None, n_units=1), third)
    drawable = region_bars(replace(ANSWER, regions={"given": scores}), "given")
    assert "Without a scored spike: VISp." in drawable.note
    assert drawable.bars[0].text == "1 unit"
    assert "interval" not in drawable.bars[0].sentence


def test_a_unit_is_told_with_its_score_standing_and_reasons():
    words = unit_words(ANSWER, 3)
    assert words.head == "unit CA1 #3"
    assert "bits/spike beyond PSTH [" in words.numbers
    n_others = int(ANSWER.facts.is_counted.sum()) - 1
    assert f"of the {n_others} other units with at least 30 spikes" in words.numbers
    first = words.full.splitlines()[0]
    assert first[0] in "\N{BLACK UP-POINTING TRIANGLE}\N{BLACK DOWN-POINTING TRIANGLE}≈"
    assert len(words.brief.split(" \N{MIDDLE DOT} ")) == len(words.full.splitlines())


def test_a_unit_without_reasons_says_that_no_rule_applies():
    facts = replace(
        with_scores(ANSWER, np.full(N, 0.1)).facts,
        **{name: np.zeros(N) for name in ("change_z", "drift_z", "twin_r", "top_gain")},
        model_hz=ANSWER.facts.shown_hz,
        fano=UnitValues(np.full(N, 1.5), np.ones(N, dtype=bool)),
        psth_bps=UnitValues(np.zeros(N), np.ones(N, dtype=bool)),
        crowd=UnitValues(np.zeros(N), np.ones(N, dtype=bool)),
        n_train_spikes=np.full(N, 900),
        n_visible=100,
    )
    words = unit_words(replace(ANSWER, facts=facts), 3)
    assert words.brief == words.full == NO_REASON


def test_a_unit_without_spikes_has_no_score_and_one_that_is_not_scored_no_words():
    facts, gains = ANSWER.facts, ANSWER.picture.gains
    none = UnitValues(facts.bps.values, np.zeros(N, dtype=bool))
    picture = replace(ANSWER.picture, gains=None)
    changed = replace(facts, bps=none, r2=none, n_spikes=np.zeros(N, dtype=np.int64))
    words = unit_words(replace(ANSWER, picture=picture, facts=changed), 3)
    assert words.numbers.startswith("0 scored spikes")
    part = make_answer(make_picture(spec=inter_region("CA1")))
    assert unit_words(part, int(np.setdiff1d(np.arange(N), part.facts.units)[0])) is None
    silent = replace(gains, spikes=np.zeros_like(gains.spikes))
    words = unit_words(replace(ANSWER, picture=replace(picture, gains=silent)), 3)
    assert "beyond PSTH" not in words.numbers


def test_with_few_trials_there_is_no_interval():
    gains = ANSWER.picture.gains
    few = replace(gains, gain=gains.gain[:3], spikes=gains.spikes[:3])
    words = unit_words(replace(ANSWER, picture=replace(ANSWER.picture, gains=few)), 3)
    assert "beyond PSTH \N{MIDDLE DOT}" in words.numbers


def test_the_walk_goes_by_score_and_stays_at_its_ends():
    answer = with_scores(ANSWER, np.arange(N) / 10)
    facts = answer.facts
    assert next_unit(facts, None, -1) == 0
    assert next_unit(facts, None, 1) == 23
    assert next_unit(facts, 7, 1) == 8
    assert next_unit(facts, 0, -1) == 0
    assert next_unit(facts, 23, 1) == 23
    assert next_unit(with_scores(ANSWER, np.arange(N), spikes=3).facts, 7, 1) is None


def test_the_trials_behind_the_picture_are_told():
    words = trials_words(ANSWER.picture)
    n_trials = len(ANSWER.picture.trials)
    assert words == f"{n_trials} test trials, exact, simulated"
    provenance = replace(ANSWER.picture.workspace.recording.provenance, is_simulated=False)
    recording = replace(ANSWER.picture.workspace.recording, provenance=provenance)
    workspace = replace(ANSWER.picture.workspace, recording=recording)
    real = replace(ANSWER.picture, workspace=workspace, is_exact=False)
    assert trials_words(real) == f"{n_trials} test trials, preview"
