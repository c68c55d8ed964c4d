"""What is saved of a panel is what it shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.data.table import Table
from mtm_core.evaluation.mask_scores import PredictorScore
from mtm_core.evaluation.paired_change import ChangeScore, PairedChange, UnitChanges
from mtm_core.evaluation.unit_facts import unit_facts
from mtm_core.evaluation.unit_table import CSV_HEADER, csv_rows
from mtm_viewer.jobs.reconstruct_job import ReconstructionJob, ReconstructionRequest
from mtm_viewer.presenters.honesty import HonestyLine
from mtm_viewer.presenters.mask_choice import recipe_choice
from mtm_viewer.presenters.numbers_of_panels import (
    change_numbers,
    honesty_numbers,
    matrix_numbers,
    population_numbers,
    raster_numbers,
    score_numbers,
    training_numbers,
    tree_numbers,
    unit_numbers,
)
from mtm_viewer.presenters.psth import unit_panel
from mtm_viewer.presenters.training_curve import TrainingDrawable
from tests.core.evaluation.answered import make_answered
from tests.core.evaluation.matrices import make_report
from tests.core.sessions import make_session
from tests.viewer.workspaces import make_small_workspace

WORKSPACE = make_small_workspace(n_trials=60)
OTHER = PredictorScore(
    name="Drift",
    bps_beyond_psth=0.1,
    interval=None,
    bps_pooled=0.2,
    bps_unit_mean=None,
    n_units=3,
    n_spikes=90,
)
MASK = recipe_choice("inter_region", "CA1", WORKSPACE.session)


@pytest.fixture(scope="module")
def picture():
    request = ReconstructionRequest(workspace=WORKSPACE, spec=MASK.spec, regions=("CA1",))
    *_, last = ReconstructionJob()(request, lambda: False)
    return last


def column(table, name):
    (found,) = [each for each in table.columns if each.name == name]
    return found


def test_rasters_are_saved_row_by_row(picture):
    drawable = picture.raster
    numbers = raster_numbers(drawable)
    names = [table.name for table in numbers.tables]
    assert names == ["left_true", "middle_model", "right_temporal", "hidden", "scored"]
    for table, panel in zip(numbers.tables, drawable.panels, strict=False):
        shown = column(table, panel.name)
        assert np.array_equal(shown.values, panel.values)
        assert shown.unit == panel.unit
        assert column(table, "unit_id").values.tolist() == drawable.rows.unit_id.tolist()
    middle = 1000 * (drawable.bin_start_s[0] + drawable.bin_size_s / 2)
    assert column(numbers.tables[0], "true").labels[0] == f"{middle:g} ms"
    hidden = column(numbers.tables[3], "hidden").values
    assert np.array_equal(hidden > 0, drawable.rows.is_hidden)
    bare = replace(drawable.panels[1], message="No model")
    panels = (drawable.panels[0], bare, drawable.panels[2])
    without = raster_numbers(replace(drawable, panels=panels))
    assert [table.name for table in without.tables][:2] == ["left_true", "right_temporal"]


def test_scores_are_saved_and_absent_ones_left_empty(picture):
    lines = (*picture.lines, replace(picture.lines[0], name="x", interval=None, bps_pooled=None))
    (table,) = score_numbers(lines).tables
    shown = column(table, "beyond_psth").values
    assert shown.tolist() == [line.bps_beyond_psth for line in lines]
    assert column(table, "interval_low").cells()[-1, 0] == ""
    assert column(table, "over_mean_rate_pooled").cells()[-1, 0] == ""


def drawable_of_a_unit(picture):
    row = 2
    return unit_panel(
        WORKSPACE.session, row, picture.trials, picture.model_hz[:, :, row], trial_kind="test"
    )


def test_a_unit_is_saved_with_psths_and_trials(picture):
    drawable = drawable_of_a_unit(picture)
    psth, *trials = unit_numbers(drawable).tables
    lines = [line for plot in drawable.plots for line in plot.lines]
    assert column(psth, "condition").values.tolist() == [line.name for line in lines]
    assert np.array_equal(column(psth, "true").values[0], lines[0].true_hz)
    assert np.array_equal(column(psth, "model").values[-1], lines[-1].model_hz)
    assert [table.name for table in trials] == ["trials_true", "trials_model", "trials_residual"]
    assert np.array_equal(column(trials[0], "true").values, drawable.trials[0].values)
    first = drawable.groups[0]
    assert column(trials[0], "condition").values[first.start] == first.name
    lone = replace(lines[0], sem_hz=None, model_hz=None)
    plots = (replace(drawable.plots[0], lines=(lone,)),)
    psth = unit_numbers(replace(drawable, plots=plots, trials=())).tables[0]
    assert set(column(psth, "sem").cells()[0]) == {""}


def test_what_the_model_sees_of_a_unit_is_not_saved_as_a_prediction(picture):
    drawable = drawable_of_a_unit(picture)
    is_shown = np.arange(len(drawable.bin_start_s)) < 3
    drawable = replace(
        drawable,
        is_model_shown=is_shown,
        trials=(drawable.trials[0], *(replace(p, is_veiled=True) for p in drawable.trials[1:])),
    )
    tables = unit_numbers(drawable).tables
    for table, name in zip(tables, ("model", "true", "model", "residual"), strict=True):
        cells = np.array(column(table, name).cells())
        assert ((cells != "") == (is_shown | (name == "true"))).all()
    assert (np.array(column(tables[0], "true").cells()) != "").all()
    assert unit_numbers(replace(drawable, plots=(), trials=())).tables == ()


def test_a_matrix_is_saved_cell_by_cell():
    report = make_report()
    (table,) = matrix_numbers(report).tables
    rows = report.csv_rows()
    for place, each in enumerate(table.columns):
        text = ["" if row[place] == "" else str(row[place]) for row in rows]
        got = each.cells()[:, 0].tolist()
        if each.values.dtype.kind == "f":
            assert [cell and float(cell) for cell in got] == [
                cell and float(cell) for cell in text
            ]
        else:
            assert got == text


def test_curves_of_training_are_saved():
    steps = np.arange(3.0)
    drawable = TrainingDrawable(
        step=steps,
        loss=steps / 7,
        smooth=steps / 8,
        pooled=2,
        validation={"mean": (steps, steps / 3)},
        n_steps=3,
        best_step=2,
        best_bps=0.1,
    )
    loss, validation = training_numbers(drawable).tables
    assert np.array_equal(column(loss, "loss").values, steps / 7)
    assert np.array_equal(column(validation, "mean").values, steps / 3)


def test_units_are_saved_with_what_the_mask_does():
    session = WORKSPACE.session
    resolved = MASK.spec.resolve(session, WORKSPACE.rate_hz)
    (table,) = tree_numbers(session, WORKSPACE.rate_hz, resolved).tables
    is_hidden = session.region == "CA1"
    assert np.array_equal(column(table, "hidden_bins").values, is_hidden * session.n_bins)
    (table,) = tree_numbers(session, WORKSPACE.rate_hz, None).tables
    assert not column(table, "hidden_bins").values.any()
    assert np.array_equal(column(table, "rate").values, WORKSPACE.rate_hz)
    assert column(table, "depth").unit == "um"
    kept = {
        name: session.units.column(name) for name in session.units.columns if name != "depth_um"
    }
    flat = replace(session, units=Table(kept))
    (table,) = tree_numbers(flat, WORKSPACE.rate_hz, None).tables
    assert "depth" not in [each.name for each in table.columns]


def test_the_change_of_each_unit_is_saved():
    units = np.array([2, 5, 7])
    change = PairedChange(
        score=ChangeScore(
            name="MtM",
            other="Drift",
            bps=0.2,
            other_bps=0.1,
            change=0.1,
            interval=(0.0, 0.2),
            n_units=3,
            n_spikes=90,
            n_trials=12,
            n_judged=1,
            n_above=1,
            n_below=0,
        ),
        other=OTHER,
        units=UnitChanges(
            units=units,
            bps=np.array([0.3, 0.2, 0.0]),
            other_bps=np.array([0.1, 0.4, 0.0]),
            change=np.array([0.2, -0.2, 0.0]),
            low=np.array([0.1, 0.0, 0.0]),
            high=np.array([0.3, 0.0, 0.0]),
            is_valid=np.array([True, True, False]),
            has_interval=np.array([True, False, False]),
            n_spikes=np.array([80, 10, 0]),
        ),
    )
    numbers = change_numbers(WORKSPACE.session, change)
    (table,) = numbers.tables
    assert column(table, "unit_id").values.tolist() == WORKSPACE.session.unit_id[units].tolist()
    assert column(table, "change").cells()[:, 0].tolist() == ["0.2", "-0.2", ""]
    assert column(table, "low").cells()[:, 0].tolist() == ["0.1", "", ""]
    assert ("change", "MtM minus Drift") in numbers.notes


def test_the_population_is_saved_unit_by_unit():
    session = make_session(n_trials=60, n_units=12)
    facts = unit_facts(make_answered(session, scored=tuple(range(12))))
    (table,) = population_numbers(facts, session, "15 test trials").tables
    rows = list(csv_rows(facts, session, "15 test trials"))
    place = CSV_HEADER.index("bps_beyond_psth")
    shown = column(table, "bps_beyond_psth").cells()[:, 0]
    assert [float(cell) for cell in shown] == [float(row[place]) for row in rows]
    assert column(table, "unit_id").values.tolist() == [str(row[0]) for row in rows]


def test_what_stands_behind_a_picture_is_saved_in_words():
    lines = (HonestyLine(what="Data", words="simulated, by a program", verdict="mind"),)
    (table,) = honesty_numbers(lines).tables
    assert table.to_text() == 'what,verdict,words\nData,mind,"simulated, by a program"\n'
