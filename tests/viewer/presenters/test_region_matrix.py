from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.evaluation.region_matrix_cells import Estimate
from mtm_viewer.presenters.region_matrix import (
    MatrixAnswer,
    MatrixChoice,
    caution_words,
    cell_lines,
    cell_mask,
    duration,
    matrix_drawable,
    progress_words,
    short,
)
from tests.core.evaluation.matrices import REGIONS, UNTRAINED, make_report

REPORT = make_report()
COMMAND = "mtm-core train"


def draw(report=REPORT, **choice):
    return matrix_drawable(report, MatrixChoice(**choice), COMMAND)


def answer(report=REPORT, seconds_left=None):
    reports = {"psth_by_condition": report, "psth_all_trials": report}
    return MatrixAnswer(
        settings=MatrixChoice().settings, reports=reports, seconds_left=seconds_left
    )


def test_colours_are_centred_on_zero_and_reach_to_the_largest_number():
    drawable = draw()
    values, is_known = REPORT.grid()
    assert drawable.limit == np.abs(values[is_known]).max()
    strongest = np.unravel_index(np.abs(values).argmax(), values.shape)
    assert drawable.colour[strongest] in (0, 255)
    assert (drawable.colour[~is_known] == 128).all()
    assert np.array_equal(np.sign(drawable.colour[is_known] - 127.5), np.sign(values[is_known]))


def test_numbers_stand_in_their_cells_and_firm_ones_are_marked():
    drawable = draw()
    for row, name in enumerate(REGIONS):
        for column, other in enumerate(REGIONS):
            if row == column:
                assert drawable.texts[row][column] == ""
                assert not drawable.is_firm[row, column]
                continue
            score = REPORT.cells[name, other].model.score
            assert drawable.texts[row][column] == short(score)
            assert drawable.is_firm[row, column] == (not score.spans_zero)


def test_before_half_of_the_draws_nothing_is_marked_as_firm():
    cells = {
        pair: replace(cell, model=replace(cell.model, n_draws=0))
        for pair, cell in REPORT.cells.items()
    }
    early = replace(REPORT, cells=cells)
    assert not draw(early).is_firm.any()
    assert "so far 0 of 2 draws of them" in draw(early).title
    assert "so far" not in draw().title
    assert draw(early, source="regression").is_firm.any()


def test_the_title_names_the_null():
    assert "beyond the PSTH by condition" in draw().title


def test_ceilings_and_floors_stand_below_unless_it_is_the_asymmetry():
    assert draw().ceilings == tuple(short(f.ceiling) for f in REPORT.columns.values())
    assert draw().floors == tuple(short(f.floor) for f in REPORT.columns.values())
    rival = draw(source="regression")
    assert rival.ceilings == tuple(short(f.regression_ceiling) for f in REPORT.columns.values())
    drawable = draw(is_asymmetry=True)
    assert (drawable.ceilings, drawable.floors) == ((), ())
    assert "cell minus transpose" in drawable.title


def test_an_untrained_model_wears_a_badge_that_says_what_to_do():
    assert draw().badge == draw().badge_tooltip == ""
    assert not draw().is_untrained.any()
    drawable = draw(make_report(reason=UNTRAINED))
    assert drawable.badge == "Not trained for this"
    assert "it is a mask of region-subset" in drawable.badge_tooltip
    assert drawable.badge_tooltip.endswith(COMMAND)
    assert drawable.is_untrained.sum() == 6


def test_an_empty_matrix_can_be_drawn():
    drawable = draw(make_report(is_done=False))
    assert not drawable.is_known.any()
    assert drawable.ceilings == ("", "", "")


def test_a_cell_is_told_in_full():
    cell, facts = REPORT.cells["VISp", "CA1"], REPORT.columns["CA1"]
    text = "\n".join(cell_lines(REPORT, "VISp", "CA1"))
    assert f"CA1 from VISp alone: {cell.model.score.value:.3f} [" in text
    assert "beyond the PSTH by condition" in text
    assert "5 of 5 units of VISp, 5 of 8 units of CA1" in text
    assert f"{facts.ceiling.value:.3f}" in text
    assert f"({100 * cell.model.share:.0f} % of it)" in text
    assert "2 of 2 draws, SD" in text
    assert "Poisson regression:" in text
    assert f"{abs(cell.difference.value):.3f}" in text
    assert "VISp → CA1 minus CA1 → VISp" in text
    assert "not trained" not in text.lower()


def test_a_cell_of_an_untrained_model_says_so_and_unknown_numbers_too():
    lines = cell_lines(make_report(is_done=False, reason=UNTRAINED), "VISp", "CA1")
    assert lines[-1].startswith("Not trained for this: it is a mask of region-subset")
    assert "not known yet beyond" in lines[0]
    assert lines[1].startswith("0 of 2 draws;")


def test_the_diagonal_holds_nothing():
    assert cell_lines(REPORT, "CA1", "CA1") == ("CA1: a region is not predicted from itself.",)


def test_a_cell_sets_the_mask_that_it_was_asked_under():
    spec = cell_mask(REPORT, "cosmos", "HPF", "TH")
    assert spec.prompt == "inter_region"
    assert spec.blocks[0].invert
    assert spec.blocks[0].units.rule == 'cosmos == "HPF"'
    assert spec.scored[0].units.rule == 'cosmos == "TH"'


@pytest.mark.parametrize(
    ("report", "seconds", "running", "paused", "words"),
    [
        (None, None, False, False, ""),
        (make_report(is_done=False), None, True, False, "0 of 12 steps"),
        (make_report(is_done=False), 41.7, True, False, "0 of 12 steps, about 42 s left"),
        (make_report(is_done=False), 41.7, False, True, "0 of 12 steps, paused"),
        (make_report(is_done=False), 41.7, False, False, "0 of 12 steps"),
        (REPORT, 0.0, False, False, "complete"),
    ],
)
def test_progress_is_said(report, seconds, running, paused, words):
    found = None if report is None else answer(report, seconds)
    assert progress_words(found, is_running=running, is_paused=paused) == words


def test_it_is_called_predictive_not_causal():
    assert "Predictive, not causal" in caution_words()


def test_small_words():
    assert [duration(s) for s in (0.1, 60, 7200)] == ["1 s", "60 s", "120 min"]
    assert [short(Estimate(v)) for v in (0.5, -0.25, 1.25)] == [".50", "\N{MINUS SIGN}.25", "1.25"]
    assert answer(make_report(is_done=False)).share_done == 0
    assert MatrixChoice(level="cosmos", min_units=4).settings.level == "cosmos"
