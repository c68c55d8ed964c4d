"""What is on screen becomes an experiment, a table and a caption."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mtm_core.experiment.comparison import Comparison
from mtm_viewer.jobs.reconstruct_job import ReconstructionJob, ReconstructionRequest
from mtm_viewer.presenters.experiment_made import (
    caption_of,
    difference_words,
    experiment_of,
    numbers_table,
    shown_numbers,
)
from mtm_viewer.presenters.experiment_view import View
from mtm_viewer.presenters.mask_choice import recipe_choice
from mtm_viewer.presenters.picture import Picture
from tests.viewer.workspaces import make_small_workspace

WORKSPACE = make_small_workspace(n_trials=60)
MASK = recipe_choice("inter_region", "CA1", WORKSPACE.session)
UNIT = str(WORKSPACE.session.unit_id[2])


@pytest.fixture(scope="module")
def picture() -> Picture:
    request = ReconstructionRequest(workspace=WORKSPACE, spec=MASK.spec)
    *_, last = ReconstructionJob()(request, lambda: False)
    assert isinstance(last, Picture)
    return last


def made(picture: Picture | None, unit_id: str = UNIT, workspace=WORKSPACE):
    view = View(mask=MASK, unit_id=unit_id)
    return experiment_of(workspace, picture, view, title="cA1 hidden", device="cpu")


def test_all_that_is_on_screen_is_written_down(picture):
    experiment = made(picture)
    assert experiment.title == "CA1 hidden"
    assert experiment.session.content_hash == WORKSPACE.recording.content_hash
    assert (experiment.model.name, experiment.baseline.name) == (
        "MtM (mtm)",
        "Temporal baseline (temporal)",
    )
    assert experiment.mask == MASK.spec
    assert experiment.trials.rows == tuple(WORKSPACE.test)
    shown = [line.bps_beyond_psth for line in picture.lines]
    assert [score.bps_beyond_psth for score in experiment.numbers.predictors] == shown
    assert experiment.numbers.unit.unit_id == UNIT


def test_a_unit_that_was_not_scored_has_no_numbers(picture):
    assert shown_numbers(picture, str(WORKSPACE.session.unit_id[-1])).unit is None
    assert shown_numbers(picture, "").unit is None
    assert shown_numbers(replace(picture, gains=None), UNIT).unit is None


def test_the_table_holds_every_number_to_the_last_digit(picture):
    experiment = made(picture)
    rows = [line.split("\t") for line in numbers_table(experiment).splitlines()]
    head = next(row for row in rows if row[0] == "prediction")
    own = dict(zip(head, rows[rows.index(head) + 1], strict=True))
    score = experiment.numbers.predictors[0]
    assert float(own["bps_beyond_psth"]) == score.bps_beyond_psth
    assert float(own["interval_high"]) == score.interval[1]
    assert rows[-1][0] == f"unit {UNIT}"
    assert all(len(row) == len(head) for row in rows if not row[0].startswith("#"))
    bare = numbers_table(replace(made(None), model=None))
    assert "model: none" in bare
    assert "unit simulated" not in bare


def test_a_caption_says_what_is_shown_and_that_it_is_simulated(picture):
    text = caption_of(made(picture), WORKSPACE)
    assert text.startswith("CA1 hidden.")
    for words in ("simulated-0, simulated", "12 test trials", "MtM (mtm)", "Null:", "Licence"):
        assert words in text
    assert "no scores" in caption_of(made(None), WORKSPACE)


def test_trials_that_the_model_has_seen_are_called_so(picture):
    experiment = made(picture)
    seen = replace(experiment, trials=replace(experiment.trials, split="train", kind="training"))
    assert "this is no test of it" in caption_of(seen, WORKSPACE)


def test_without_a_model_there_is_nothing_to_compute():
    workspace = make_small_workspace(has_models=False)
    view = View()
    experiment = experiment_of(workspace, None, view, title="", device="cpu")
    assert experiment.model is None
    assert not experiment.numbers
    assert "Reconstructed" not in caption_of(experiment, workspace)


def test_numbers_that_differ_are_named():
    pairs = [
        Comparison(who="MtM", what=f"number {i}", saved=i, replayed=None if i == 1 else i + 1)
        for i in range(5)
    ]
    words = difference_words(pairs, 0.5)
    assert words.startswith("5 of 5 numbers are not those that were saved. MtM, number 0:")
    assert "saved 1, now none" in words
    assert words.endswith("and 2 more.")
    assert difference_words(pairs[:1], 2.0) == ""
    assert difference_words(pairs[:1], 0.5).endswith("now 1.")
