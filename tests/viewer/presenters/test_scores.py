from __future__ import annotations

from dataclasses import replace

import pytest

from mtm_viewer.presenters.scores import COLUMNS, ScoreContext, ScoreLine, score_panel

MODEL = ScoreLine(
    name="MtM",
    bps_beyond_psth=0.21,
    interval=(0.17, 0.25),
    bps_pooled=0.35,
    bps_unit_mean=0.4,
    n_units=46,
    n_spikes=12_345,
    explanation="demo",
)
SHUFFLE = replace(MODEL, name="Shuffle control", bps_beyond_psth=-0.01, interval=(-0.02, 0.01))
CONTEXT = ScoreContext(task="inter-region", trials="66 test trials", checkpoint="demo")


def test_the_headline_is_the_gain_beyond_the_psth_with_its_interval():
    drawable = score_panel([MODEL, SHUFFLE], CONTEXT)
    assert drawable.headline == "0.210 bits/spike beyond PSTH"
    assert drawable.interval == "95 % interval 0.170 to 0.250"


@pytest.mark.parametrize(
    ("line", "role", "words"),
    [
        (MODEL, "good", "more than the mean response"),
        (SHUFFLE, "warning", "the interval holds 0"),
        (replace(MODEL, bps_beyond_psth=-0.2, interval=(-0.3, -0.1)), "bad", "worse"),
        (replace(MODEL, interval=None), "warning", "too few trials"),
        (replace(MODEL, bps_beyond_psth=None, interval=None), "warning", "no spike"),
    ],
)
def test_the_verdict_says_what_the_number_means(line, role, words):
    drawable = score_panel([line], CONTEXT)
    assert drawable.role == role
    assert words in drawable.verdict


@pytest.mark.parametrize(
    ("bps", "role", "words"),
    [
        (-0.1, "good", "to the stimulus"),
        (0.1, "good", "and than Drift (0.100)"),
        (0.2, "warning", "holds what Drift alone reaches (0.200)"),
        (None, "good", "to the stimulus"),
    ],
)
def test_the_verdict_minds_the_best_of_the_rivals(bps, role, words):
    worse = replace(MODEL, name="PSTH", bps_beyond_psth=-0.3, interval=(-0.4, -0.2))
    rival = replace(MODEL, name="Drift", bps_beyond_psth=bps, interval=None)
    drawable = score_panel([MODEL, worse, rival], CONTEXT)
    assert drawable.role == role
    assert drawable.verdict.endswith(words)


def test_while_trials_are_still_counted_there_is_no_verdict():
    drawable = score_panel([MODEL], replace(CONTEXT, is_final=False))
    assert drawable.role == "muted"
    assert "more trials" in drawable.verdict


def test_with_nothing_hidden_the_panel_says_what_to_do():
    drawable = score_panel([], None, can_shuffle=True)
    assert drawable.headline == "beyond PSTH: nothing scored"
    assert drawable.interval == ""
    assert "hide a region" in drawable.verdict
    assert not drawable.can_shuffle
    assert drawable.tooltip == "Nothing is scored yet."


def test_while_scores_are_to_come_nobody_is_told_to_hide_something():
    drawable = score_panel([], None, is_coming=True)
    assert drawable.headline == "beyond PSTH: to come"
    assert "hide" not in drawable.verdict
    assert score_panel([MODEL], CONTEXT, is_coming=True) == score_panel([MODEL], CONTEXT)


def test_a_mask_without_spikes_has_no_number():
    line = replace(MODEL, bps_beyond_psth=None, interval=None, bps_pooled=None)
    drawable = score_panel([line], CONTEXT)
    assert drawable.headline == "beyond PSTH: no spikes to score"
    assert drawable.rows[0].cells[1:4] == ("—", "—", "—")


def test_every_predictor_is_a_row_with_one_cell_per_column():
    drawable = score_panel([MODEL, SHUFFLE], CONTEXT, can_shuffle=True)
    assert [row.cells[0] for row in drawable.rows] == ["MtM", "Shuffle control"]
    assert all(len(row.cells) == len(COLUMNS) for row in drawable.rows)
    assert len(drawable.column_tooltips) == len(COLUMNS)
    assert drawable.rows[0].cells[-1] == "12,345"
    assert drawable.rows[1].cells[1] == "−0.010"  # noqa: RUF001
    assert drawable.rows[0].tooltip == "demo"
    assert drawable.can_shuffle


def test_the_tooltip_tells_every_choice_behind_the_number():
    tooltip = score_panel([MODEL], CONTEXT).tooltip
    for word in ("inter-region", "66 test trials", "demo", "PSTH", "Pooled", "bootstrap"):
        assert word in tooltip
