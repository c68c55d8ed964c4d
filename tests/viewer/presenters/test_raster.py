from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.data.table import Column, Table
from mtm_core.evaluation.colour_scale import Levels
from mtm_core.evaluation.rasters import trial_mean_hz
from mtm_core.evaluation.row_order import keep_rows
from mtm_viewer.presenters.compared import ComparedMaps
from mtm_viewer.presenters.raster import (
    RasterMaps,
    RasterMask,
    hover_text,
    raster_image,
)
from mtm_viewer.presenters.raster_drawable import ShownTrials
from mtm_viewer.presenters.raster_scene import colours_of, median_events, raster_scene
from mtm_viewer.presenters.raster_settings import RasterSettings
from mtm_viewer.theme import DIFFERENCE
from tests.core.sessions import make_session

SESSION = make_session(n_trials=30, n_bins=10, n_units=12)
TRAIN, TEST = np.arange(20), np.arange(20, 30)
SCENE = raster_scene(SESSION, TRAIN)
TRUE_HZ = trial_mean_hz(SESSION.counts[TEST], SESSION.bin_size_s)
TRIALS = ShownTrials(n_done=10, n_wanted=10)


def _drawable(model_hz=TRUE_HZ, maps=None, **options):
    options = {"scene": SCENE, "trials": TRIALS, **options}
    known = RasterMaps(true_hz=TRUE_HZ, model_hz=model_hz, **(maps or {}))
    return raster_image(known, **options)


def test_three_panels_share_one_scale_that_the_true_map_alone_decides():
    alone = _drawable()
    drawable = _drawable(TRUE_HZ * 50, {"temporal_hz": TRUE_HZ * 9})
    levels = {panel.levels for panel in drawable.panels}
    assert levels == {alone.panels[0].levels}
    assert [panel.title for panel in drawable.panels] == [
        "True",
        "Reconstructed",
        "Temporal baseline",
    ]


def test_row_and_column_of_a_value_are_its_unit_and_bin():
    plain = RasterSettings(sigma_s=0.0, scale="linear")
    drawable = _drawable(settings=plain)
    for row, unit in enumerate(SCENE.order.rows):
        assert drawable.rows.unit_id[row] == SESSION.unit_id[unit]
        np.testing.assert_allclose(drawable.panels[0].values[row], TRUE_HZ[:, unit], rtol=1e-6)
    brightest = np.unravel_index(drawable.panels[0].image.argmax(), (12, 10))
    assert drawable.panels[0].values[brightest] >= drawable.panels[0].levels.high * 0.99


def test_the_order_does_not_change_with_the_trials_that_are_shown():
    other_test = raster_scene(SESSION, TRAIN)
    np.testing.assert_array_equal(other_test.order.rows, SCENE.order.rows)
    shuffled = raster_scene(SESSION, np.arange(10), within="peak")
    assert not np.array_equal(shuffled.order.rows, SCENE.order.rows)


def test_true_and_model_are_smoothed_alike():
    drawable = _drawable(settings=RasterSettings(sigma_s=0.03))
    np.testing.assert_array_equal(drawable.panels[0].image, drawable.panels[1].image)
    assert not np.allclose(drawable.true_hz, TRUE_HZ[:, SCENE.order.rows].T)


def test_without_a_baseline_the_third_panel_is_the_difference_in_expected_errors():
    panel = _drawable(TRUE_HZ * 0.2).panels[2]
    assert panel.unit == "expected Poisson errors"
    assert panel.lut == DIFFERENCE
    assert panel.levels.low == -panel.levels.high
    assert panel.values.mean() > 0


def test_equal_maps_differ_nowhere():
    panel = _drawable().panels[2]
    assert np.all(panel.values == 0)
    assert np.all(panel.image == panel.centre)


def test_the_difference_can_be_chosen_although_there_is_a_baseline():
    settings = RasterSettings(panels=("true", "model", "difference"))
    maps = {"temporal_hz": TRUE_HZ, "has_temporal": True}
    assert _drawable(maps=maps, settings=settings).panels[2].lut == DIFFERENCE


def test_z_scores_are_signed_and_shown_with_the_difference_colours():
    panel = _drawable(settings=RasterSettings(scale="zscore")).panels[0]
    assert panel.unit == "SD"
    assert panel.lut == DIFFERENCE
    assert panel.values.min() < 0 < panel.values.max()


def test_before_a_reconstruction_the_panels_say_so():
    panels = _drawable(None).panels
    assert panels[0].message == ""
    assert panels[1].message == panels[2].message == "no reconstruction yet"
    assert panels[1].image.shape == panels[0].image.shape


def test_the_hatch_lies_over_hidden_units_and_the_veil_over_those_that_are_not_scored():
    is_hidden = np.zeros((10, 12), dtype=bool)
    is_hidden[:, SESSION.region == "CA1"] = True
    drawable = _drawable(mask=RasterMask(is_hidden=is_hidden, is_scored=is_hidden))
    band = next(b for b in drawable.rows.bands if b.region == "CA1")
    (hatch,) = drawable.hatch
    assert (hatch.row_start, hatch.row_stop) == (band.start, band.stop)
    assert (hatch.bin_start, hatch.bin_stop) == (0, 10)
    veiled = sum(part.row_stop - part.row_start for part in drawable.veil)
    assert veiled == 12 - band.n_units
    assert [panel.is_veiled for panel in drawable.panels] == [False, True, True]
    assert [panel.is_hatched for panel in drawable.panels] == [False, True, False]


def test_without_a_mask_nothing_is_hatched_or_veiled():
    drawable = _drawable()
    assert drawable.hatch == drawable.veil == ()


def test_rows_can_be_limited_to_a_region():
    order = keep_rows(SCENE.order, SESSION.region == "DG", SESSION.region)
    drawable = _drawable(order=order)
    assert set(drawable.rows.region) == {"DG"}
    assert drawable.panels[0].image.shape[0] == len(order.rows) == 4


def test_hovering_names_unit_time_values_unit_and_trials():
    drawable = _drawable(TRUE_HZ + 1.0, settings=RasterSettings(sigma_s=0.0))
    row, unit = 5, int(SCENE.order.rows[5])
    text = hover_text(drawable, row, 7).replace("\N{MINUS SIGN}", "-")
    assert text == (
        f"unit {SESSION.region[unit]} #{unit}, 70 ms, true {TRUE_HZ[7, unit]:.1f} spikes/s, "
        f"model {TRUE_HZ[7, unit] + 1:.1f}, "
        f"difference {drawable.panels[2].values[5, 7]:+.1f} expected errors (10 trials)"
    )


def test_hovering_a_hidden_entry_says_so_and_a_missing_model_is_left_out():
    everything = np.ones((10, 12), dtype=bool)
    drawable = _drawable(None, mask=RasterMask(is_hidden=everything, is_scored=everything))
    text = hover_text(drawable, 0, 0)
    assert text.endswith("(10 trials), hidden")
    assert "model" not in text


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (RasterSettings(), "Gaussian of 20 ms"),
        (RasterSettings(sigma_s=0.0), "not smoothed"),
        (RasterSettings(scale="zscore"), "training mean and SD"),
        (RasterSettings(scale="sqrt"), "square-root colour scale"),
    ],
)
def test_the_note_says_how_the_picture_was_made(settings, words):
    note = _drawable(settings=settings).note
    assert words in note
    assert "10 test trials" in note
    assert "training trials" in note or "depth" in note


def test_the_note_tells_a_partial_average_from_a_complete_one():
    partial = ShownTrials(n_done=4, n_wanted=10)
    assert "4 of 10 test trials so far" in _drawable(trials=partial).note


def test_a_scene_without_training_trials_can_still_be_drawn():
    scene = raster_scene(SESSION, np.arange(0), within="peak")
    drawable = _drawable(scene=scene, settings=RasterSettings(scale="zscore"))
    assert np.isfinite(drawable.panels[0].values).all()


def test_rows_carry_the_colours_of_the_atlas():
    assert colours_of(np.array(["CA1", "root"])).tolist() == [[0x7E, 0xD0, 0x4B], [180] * 3]
    drawable = _drawable()
    assert drawable.rows.colour.shape == (12, 3)


def test_drawing_edits_none_of_its_inputs():
    before = TRUE_HZ.copy()
    _drawable(settings=RasterSettings(scale="zscore"))
    np.testing.assert_array_equal(TRUE_HZ, before)


EVERY = {
    "temporal_hz": TRUE_HZ * 2,
    "psth_hz": TRUE_HZ * 3,
    "control_gain": TRUE_HZ * 0 + 1.5,
    "has_temporal": True,
}


@pytest.mark.parametrize(
    ("name", "factor", "is_hatched"),
    [("model", 1, True), ("temporal", 2, True), ("psth", 3, False)],
)
def test_each_map_can_stand_on_the_left(name, factor, is_hatched):
    settings = RasterSettings(sigma_s=0.0, scale="linear").with_panel(0, name)
    drawable = _drawable(maps=EVERY, settings=settings)
    panel = drawable.panels[0]
    assert panel.name == name
    np.testing.assert_allclose(panel.values, factor * drawable.true_hz, rtol=1e-5)
    assert (panel.is_hatched, panel.is_veiled) == (is_hatched, True)


def test_maps_that_are_not_there_yet_say_so():
    settings = RasterSettings(panels=("psth", "control", "temporal"))
    panels = _drawable(maps={"has_temporal": True}, settings=settings).panels
    assert [panel.message for panel in panels] == [
        "no PSTH yet",
        "no shuffle control yet",
        "no temporal baseline yet",
    ]


@pytest.mark.parametrize(
    ("titles", "messages"),
    [
        ({}, ("nothing compared yet", "nothing compared yet", "no contrast yet")),
        ({"opponent": "Drift"}, ("comparing", "comparing", "no contrast yet")),
        ({"contrast_true": "True: L"}, ("nothing compared yet", "nothing", "too few trials")),
    ],
)
def test_an_empty_map_of_a_comparison_tells_asked_for_from_not_asked_for(titles, messages):
    names = ("opponent", "opponent_gain", "contrast_true")
    compared = ComparedMaps(opponent_hz=None, signed={}, titles=titles)
    panels = _drawable(maps={"compared": compared}, settings=RasterSettings(panels=names)).panels
    for panel, words in zip(panels, messages, strict=True):
        assert panel.message.startswith(words)


def test_without_a_baseline_its_place_says_so_where_the_difference_stands_already():
    settings = RasterSettings(panels=("true", "difference", "temporal"))
    assert _drawable(settings=settings).panels[2].message == "no temporal baseline yet"


def test_the_read_out_names_every_map_that_is_shown():
    settings = RasterSettings(sigma_s=0.0, panels=("psth", "control", "temporal"))
    text = hover_text(_drawable(maps=EVERY, settings=settings), 2, 3)
    true = float(TRUE_HZ[3, SCENE.order.rows[2]])
    assert f"PSTH {3 * true:.1f}, temporal {2 * true:.1f}" in text
    assert "gain over shuffle +1.5 standard errors" in text
    assert f"true {true:.1f} spikes/s" in text


def test_the_peak_of_a_unit_in_training_is_one_for_true_and_model_alike():
    panels = _drawable(TRUE_HZ * 0.5, settings=RasterSettings(scale="peak")).panels
    peak = SCENE.peak_scale(2.0).peak_hz[SCENE.order.rows]
    np.testing.assert_allclose(panels[0].values * peak[:, None], panels[0].rate_hz, rtol=1e-5)
    np.testing.assert_allclose(panels[1].values, panels[0].values / 2, rtol=1e-4)
    assert panels[0].unit == "of training peak"


def test_levels_set_by_hand_rule_all_panels_of_rates():
    drawable = _drawable(settings=RasterSettings(levels=Levels(2.0, 7.0)))
    assert [panel.levels for panel in drawable.panels[:2]] == [Levels(2.0, 7.0)] * 2
    assert drawable.panels[2].levels.high == 4.0


def test_a_colour_bar_stands_right_of_the_last_panel_of_its_kind():
    def places(*panels):
        settings = RasterSettings(panels=panels)
        drawable = _drawable(maps=EVERY, settings=settings)
        return [panel and panel.name for panel in drawable.bar_panels()]

    assert places("true", "model", "temporal") == [None, None, "temporal"]
    assert places("true", "model", "difference") == [None, "model", "difference"]
    assert places("true", "difference", "model") == ["true", "difference", "model"]
    assert places("difference", "true", "model") == ["difference", None, "model"]
    alone = _drawable(None).bar_panels()
    assert [panel and panel.name for panel in alone] == [None, None, "true"]


def test_rows_of_all_regions_can_be_ordered_as_one():
    scene = raster_scene(SESSION, TRAIN, within="rate", is_by_region=False)
    drawable = _drawable(scene=scene)
    rates = SCENE.train_hz.mean(axis=0)[scene.order.rows]
    assert (np.diff(rates) <= 0).all()
    assert drawable.rows.bands == ()


def test_the_gain_over_the_shuffle_is_signed_and_has_a_bar_of_its_own():
    settings = RasterSettings(panels=("true", "difference", "control"))
    drawable = _drawable(maps=EVERY, settings=settings)
    panel = drawable.panels[2]
    assert (panel.unit, panel.lut, panel.centre) == ("standard errors", DIFFERENCE, 128)
    assert [bar and bar.name for bar in drawable.bar_panels()] == ["true", "difference", "control"]


def _with_events(**columns):
    trials = {
        name: Column(np.array(values), np.array(known))
        for name, (values, known) in columns.items()
    }
    return replace(SESSION, trials=Table({**SESSION.trials.columns, **trials}))


def test_events_of_trials_are_marked_at_their_median_where_it_lies_in_the_window():
    known, every = np.arange(30) % 3 > 0, np.ones(30, dtype=bool)
    session = _with_events(
        go_cue_s=(np.zeros(30), every),
        first_movement_s=(np.linspace(0.02, 0.06, 30), known),
        response_s=(np.full(30, 5.0), every),
        feedback_s=(np.full(30, 0.05), ~every),
    )
    (line,) = median_events(session, TEST)
    shown = np.linspace(0.02, 0.06, 30)[TEST][known[TEST]]
    assert (line.name, line.is_median) == ("first movement", True)
    assert line.time_s == pytest.approx(np.median(shown))


def test_a_session_without_events_has_no_medians():
    assert median_events(SESSION, TEST) == ()


def test_what_is_compared_stands_in_its_panels_and_blinks():
    compared = ComparedMaps(
        opponent_hz=TRUE_HZ / 3,
        signed={"opponent_gain": TRUE_HZ * 0 + 2.0},
        titles={"opponent": "Drift"},
    )
    settings = RasterSettings(panels=("model", "opponent", "opponent_gain"), sigma_s=0.0)
    drawable = _drawable(maps={"compared": compared}, settings=settings)
    own, other, gain = drawable.panels
    assert [panel.title for panel in drawable.panels] == [
        "Reconstructed",
        "Drift",
        "Gain over compared",
    ]
    assert np.allclose(other.rate_hz, own.rate_hz / 3)
    assert other.levels == own.levels
    assert (gain.unit, gain.centre) == ("standard errors", 128)
    assert [panel.title for panel in drawable.blinked()] == [
        "Drift",
        "Reconstructed",
        "Gain over compared",
    ]
    text = hover_text(drawable, 0, 0)
    assert "compared" in text
    assert "gain over compared +2.0 standard errors" in text


def test_without_anything_compared_nothing_blinks_and_panels_say_what_to_do():
    settings = RasterSettings(panels=("true", "opponent", "contrast_true"))
    drawable = _drawable(settings=settings)
    assert drawable.blink is None
    assert drawable.blinked() == drawable.panels
    assert "panel Compare" in drawable.panels[1].message
    assert "two conditions" in drawable.panels[2].message
    empty = ComparedMaps(opponent_hz=None, signed={}, titles={})
    waiting = _drawable(settings=settings, maps={"compared": empty})
    assert waiting.panels[1].title == "Compared"
    assert waiting.blink is None


def test_a_true_contrast_is_not_veiled():
    signed = {"contrast_true": TRUE_HZ * 0, "contrast_model": TRUE_HZ * 0}
    compared = ComparedMaps(opponent_hz=None, signed=signed, titles={})
    settings = RasterSettings(panels=("contrast_true", "contrast_model", "true"))
    one, other, _ = _drawable(settings=settings, maps={"compared": compared}).panels
    assert (one.is_veiled, other.is_veiled) == (False, True)
    assert one.unit == "expected Poisson errors"


def test_maps_that_all_say_why_they_are_empty_have_no_colour_bar():
    drawable = _drawable(None)
    panels = tuple(replace(panel, message="No model") for panel in drawable.panels)
    assert replace(drawable, panels=panels).bar_panels() == (None, None, None)
