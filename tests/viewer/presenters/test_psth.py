from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.data.conditions import trial_conditions
from mtm_core.data.table import Column, Table
from mtm_core.evaluation.mask_scores import SingleUnitScore
from mtm_viewer.presenters.psth import NOT_IN_SESSION, unit_panel
from mtm_viewer.presenters.rectangles import Rectangle
from mtm_viewer.presenters.trial_order import TrialValues
from tests.core.sessions import make_session

SESSION = make_session(n_trials=40, n_bins=10, n_units=12)
TRIALS = np.arange(5, 35)
UNIT = 3
MODEL_HZ = np.full((30, 10), 40.0)


def _without(*fields):
    columns = {k: c for k, c in SESSION.trials.columns.items() if k not in fields}
    return replace(SESSION, trials=Table(columns))


def test_a_psth_is_the_mean_of_the_trials_of_its_condition():
    drawable = unit_panel(SESSION, UNIT, TRIALS, MODEL_HZ, sigma_s=0.0)
    conditions = trial_conditions(SESSION, ("contrast_side",))
    for line in drawable.plots[0].lines:
        is_member = conditions.label[TRIALS] == conditions.names.index(line.name)
        counts = SESSION.counts[TRIALS[is_member], :, UNIT]
        assert line.n_trials == len(counts)
        np.testing.assert_allclose(line.true_hz, counts.mean(axis=0) / 0.01)
        sem = counts.std(axis=0, ddof=1) / 0.01 / np.sqrt(len(counts))
        np.testing.assert_allclose(line.sem_hz, sem)
        np.testing.assert_allclose(line.model_hz, 40.0)
        np.testing.assert_allclose(line.model_sem_hz, 0.0, atol=1e-9)


def test_all_fields_have_a_plot_with_trial_counts():
    drawable = unit_panel(SESSION, UNIT, TRIALS, MODEL_HZ)
    titles = ["Stimulus side", "Outcome", "Choice", "Block"]
    assert [plot.title for plot in drawable.plots] == titles
    for plot in drawable.plots[:2]:
        assert sum(line.n_trials for line in plot.lines) == 30


def test_a_field_that_the_session_lacks_is_said_to_be_absent():
    session = _without("choice", "feedback")
    plots = unit_panel(session, UNIT, TRIALS, MODEL_HZ).plots
    assert [plot.message for plot in plots] == ["", *[NOT_IN_SESSION] * 3]
    assert plots[1].lines == ()


def test_trials_in_which_the_choice_is_unknown_are_left_out_and_counted():
    plot = unit_panel(SESSION, UNIT, TRIALS, MODEL_HZ).plots[2]
    n_known = int(SESSION.trials.column("choice").is_valid[TRIALS].sum())
    assert sum(line.n_trials for line in plot.lines) == n_known < 30
    assert plot.note == f"known in {n_known} of 30 trials"


def test_a_field_known_in_none_of_the_trials_says_so():
    choice = Column(SESSION.trials.values("choice"), np.zeros(40, dtype=bool))
    session = replace(SESSION, trials=Table({**SESSION.trials.columns, "choice": choice}))
    plot = unit_panel(session, UNIT, TRIALS, MODEL_HZ).plots[2]
    assert plot.message == "known in none of these trials"


def test_a_single_trial_has_no_error_band():
    drawable = unit_panel(SESSION, UNIT, TRIALS[:1], MODEL_HZ[:1])
    (line,) = drawable.plots[0].lines
    assert line.sem_hz is None
    assert line.model_sem_hz is None
    assert np.isfinite(drawable.top_hz)


def test_left_and_right_have_the_same_colours_in_every_plot():
    drawable = unit_panel(SESSION, UNIT, TRIALS, MODEL_HZ)
    roles = {line.name: line.role for plot in drawable.plots for line in plot.lines}
    assert roles["left > right"] == roles["left chosen"] == "left"
    assert roles["right > left"] == roles["right chosen"] == "right"


def test_conditions_without_a_colour_of_their_own_take_turns():
    drawable = unit_panel(SESSION, UNIT, TRIALS, MODEL_HZ, fields=("contrast",))
    roles = [line.role for line in drawable.plots[0].lines]
    assert len(set(roles)) == len(roles) > 2


def test_single_trials_are_sorted_by_condition_and_keep_their_spikes():
    drawable = unit_panel(SESSION, UNIT, TRIALS, MODEL_HZ, sigma_s=0.0)
    true, model, residual = drawable.trials
    label = trial_conditions(SESSION, ("contrast_side",)).label[TRIALS]
    order = np.argsort(label, kind="stable")
    np.testing.assert_allclose(true.values, SESSION.counts[TRIALS[order], :, UNIT] / 0.01)
    assert model.levels == true.levels
    assert residual.unit == "expected Poisson errors"
    assert np.sign(residual.values[0, 0]) == np.sign(true.values[0, 0] - 40.0)
    assert [group.stop - group.start for group in drawable.groups] == np.bincount(label).tolist()


def test_trials_are_sorted_by_the_first_field_that_the_session_has():
    drawable = unit_panel(_without("contrast_left", "contrast_right"), UNIT, TRIALS, None)
    assert [group.name for group in drawable.groups] == ["rewarded", "not rewarded"]


def test_trials_of_unknown_condition_stand_last():
    drawable = unit_panel(SESSION, UNIT, TRIALS, None, fields=("choice",))
    last = drawable.groups[-1]
    assert last.name == "unknown"
    assert last.stop == 30


def test_without_any_field_trials_stay_in_the_order_of_the_session():
    session = _without("contrast_left", "contrast_right", "feedback", "choice")
    drawable = unit_panel(session, UNIT, TRIALS, None, sigma_s=0.0)
    assert drawable.groups == ()
    np.testing.assert_allclose(drawable.trials[0].values, session.counts[TRIALS, :, UNIT] / 0.01)


def test_without_a_model_only_the_truth_is_shown():
    drawable = unit_panel(SESSION, UNIT, TRIALS, None)
    assert [panel.title for panel in drawable.trials] == ["True"]
    assert all(line.model_hz is None for plot in drawable.plots for line in plot.lines)


def test_the_rate_axis_holds_every_line_and_band():
    drawable = unit_panel(SESSION, UNIT, TRIALS, MODEL_HZ * 5)
    assert drawable.top_hz > 200


def test_a_silent_unit_can_be_drawn():
    counts = SESSION.counts.copy()
    counts[:, :, UNIT] = 0
    drawable = unit_panel(replace(SESSION, counts=counts), UNIT, TRIALS, MODEL_HZ * 0)
    assert drawable.top_hz == 1.0
    assert drawable.subtitle.endswith("0 spikes in 30 test trials")


def test_the_title_names_the_unit_and_the_subtitle_its_depth_and_spikes():
    drawable = unit_panel(SESSION, UNIT, TRIALS, MODEL_HZ)
    n_spikes = int(SESSION.counts[TRIALS, :, UNIT].sum())
    assert drawable.title == "unit CA1 #3 (simulated)"
    assert drawable.subtitle.startswith("depth 1036 µm, ")
    assert drawable.subtitle.endswith(f"{n_spikes} spikes in 30 test trials")


def test_a_session_without_depths_leaves_the_depth_out():
    columns = {k: c for k, c in SESSION.units.columns.items() if k != "depth_um"}
    session = replace(SESSION, units=Table(columns))
    assert "depth" not in unit_panel(session, UNIT, TRIALS, MODEL_HZ).subtitle


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (None, "not scored under this mask"),
        (
            SingleUnitScore(bps_beyond_psth=0.214, interval=(0.17, 0.25), n_spikes=500),
            "beyond PSTH +0.214 bits/spike [+0.170,\N{NO-BREAK SPACE}+0.250]",
        ),
        (
            SingleUnitScore(bps_beyond_psth=-0.1, interval=None, n_spikes=12),
            "beyond PSTH −0.100 bits/spike, few spikes",  # noqa: RUF001
        ),
        (
            SingleUnitScore(bps_beyond_psth=None, interval=None, n_spikes=0),
            "no score: no spikes in the scored entries",
        ),
    ],
)
def test_the_score_is_told_in_words(score, words):
    drawable = unit_panel(SESSION, UNIT, TRIALS, MODEL_HZ, score=score)
    assert drawable.score == words
    assert ("noise" in drawable.score_tooltip) == (score is not None and score.n_spikes < 30)


@pytest.mark.parametrize(("sigma_s", "words"), [(0.02, "with 20 ms"), (0.0, "not smoothed")])
def test_the_note_says_how_lines_were_smoothed(sigma_s, words):
    note = unit_panel(SESSION, UNIT, TRIALS, MODEL_HZ, sigma_s=sigma_s).note
    assert words in note


def _values(values, is_valid=None, words="response"):
    values = np.asarray(values, dtype=np.float64)
    known = np.ones(len(values), dtype=bool) if is_valid is None else np.asarray(is_valid)
    return TrialValues(values=values, is_valid=known, words=words, unit="s")


def test_the_model_has_the_standard_error_of_its_own_trials():
    model_hz = np.arange(30.0)[:, None] * np.ones(10)
    drawable = unit_panel(SESSION, UNIT, TRIALS, model_hz, sigma_s=0.0)
    conditions = trial_conditions(SESSION, ("contrast_side",))
    line = drawable.plots[0].lines[0]
    mine = model_hz[conditions.label[TRIALS] == conditions.names.index(line.name)]
    np.testing.assert_allclose(line.model_sem_hz, mine.std(axis=0, ddof=1) / np.sqrt(len(mine)))


def test_single_trials_can_be_sorted_by_a_number_and_those_without_one_come_last():
    values = np.arange(30.0)[::-1]
    is_valid = np.arange(30) >= 2
    drawable = unit_panel(
        SESSION, UNIT, TRIALS, MODEL_HZ, sort_by=_values(values, is_valid), sigma_s=0.0
    )
    wanted = [*range(29, 1, -1), 0, 1]
    counts = SESSION.counts[TRIALS, :, UNIT]
    np.testing.assert_allclose(drawable.trials[0].values, counts[wanted] / 0.01)
    assert drawable.groups == ()
    assert drawable.trial_order == "by response, 0.00 to 27.00 s; the last 2: unknown"


def test_the_order_of_the_trials_is_told():
    assert unit_panel(SESSION, UNIT, TRIALS, MODEL_HZ).trial_order == "by condition"
    bare = unit_panel(SESSION, UNIT, TRIALS, MODEL_HZ, fields=())
    assert bare.trial_order == "in order of recording"
    unknown = _values(np.zeros(30), np.zeros(30, dtype=bool), "reaction time")
    drawable = unit_panel(SESSION, UNIT, TRIALS, MODEL_HZ, sort_by=unknown)
    assert drawable.trial_order == f"reaction time: {NOT_IN_SESSION}"


def test_what_is_seen_of_the_unit_and_a_preview_are_told():
    drawable = unit_panel(SESSION, UNIT, TRIALS, MODEL_HZ, seen="hidden, scored", is_exact=False)
    assert drawable.subtitle.endswith("test trials, hidden, scored")
    assert drawable.note.startswith("preview, more to come: 30 test trials")


def test_the_title_of_a_recording_says_nothing_of_simulation():
    real = replace(SESSION.provenance, is_simulated=False)
    drawable = unit_panel(replace(SESSION, provenance=real), UNIT, TRIALS, None)
    assert drawable.title == "unit CA1 #3"


def test_where_a_unit_is_partly_hidden_the_model_is_drawn_in_hidden_bins_alone():
    is_scored = np.zeros(SESSION.n_bins, dtype=bool)
    is_scored[5:9] = True
    wild = MODEL_HZ.copy()
    wild[:, ~is_scored] = 1e6
    drawable = unit_panel(SESSION, UNIT, TRIALS, wild, is_scored=is_scored)
    assert np.array_equal(drawable.is_model_shown, is_scored)
    assert drawable.top_hz < 1e5
    assert "hidden bins only" in drawable.note
    n_trials = len(TRIALS)
    assert drawable.veil == (
        Rectangle(0, n_trials, 0, 5),
        Rectangle(0, n_trials, 9, len(is_scored)),
    )
    assert [panel.is_veiled for panel in drawable.trials] == [False, True, True]
    lines = [line for plot in drawable.plots for line in plot.lines]
    assert max(float(line.model_hz[is_scored].max()) for line in lines) < 1e5


def test_a_unit_that_is_not_scored_or_scored_throughout_is_drawn_as_a_whole():
    nowhere = np.zeros(SESSION.n_bins, dtype=bool)
    plain = unit_panel(SESSION, UNIT, TRIALS, MODEL_HZ)
    for is_scored in (nowhere, ~nowhere):
        drawable = unit_panel(SESSION, UNIT, TRIALS, MODEL_HZ, is_scored=is_scored)
        assert drawable.note == plain.note
        assert drawable.veil == ()
        assert drawable.top_hz == plain.top_hz
        assert np.array_equal(
            drawable.plots[0].lines[0].model_hz, plain.plots[0].lines[0].model_hz
        )
