from __future__ import annotations

import sys

import pytest

from mtm_core.errors import OutputError, TrainingError
from mtm_core.shared_folder import Claim
from mtm_core.sweep.journal import Journal
from tests.core.sweep.specs import make_spec


@pytest.fixture
def spec(tmp_path):
    return make_spec(tmp_path, "trials = 2")


def test_each_worker_gets_a_trial_of_its_own_and_no_more_than_there_are(spec, tmp_path):
    one, other = (Journal(tmp_path / "out", spec) for _ in range(2))
    mine, yours = one.claim(), other.claim()
    assert (mine.number, yours.number) == (0, 1)
    assert one.claim() is None
    mine.finish(0.5, 3.0)
    yours.fail("no reason")
    assert one.claim() is None
    first, second = other.records()
    assert (first.state, first.score, first.seconds) == ("finished", 0.5, 3.0)
    assert (second.state, second.score, second.why) == ("failed", None, "no reason")


def test_a_trial_that_was_let_go_is_taken_over_as_it_is(spec, tmp_path):
    first = Journal(tmp_path / "out", spec).claim()
    first.let_go()
    second = Journal(tmp_path / "out", spec).claim()
    assert (second.number, second.values) == (first.number, first.values)
    second.let_go()


def test_a_worker_killed_before_it_knew_what_to_try_leaves_nothing_behind(spec, tmp_path):
    journal = Journal(tmp_path / "out", spec)
    journal._study.ask()  # what a kill between two lines of the journal leaves
    trial = journal.claim()
    assert set(trial.values) == set(spec.search)
    assert [record.number for record in journal.records()] == [trial.number] == [1]
    trial.let_go()


def test_a_trial_lags_behind_the_median_at_the_same_step(spec, tmp_path):
    spec = make_spec(tmp_path, "trials = 7\nprune = true")
    journal = Journal(tmp_path / "out", spec)
    for _ in range(5):
        trial = journal.claim()
        assert not trial.is_behind(10, 0.2)
        trial.finish(0.2, 1.0)
    good, bad = journal.claim(), journal.claim()
    assert not good.is_behind(10, 0.3)
    assert bad.is_behind(10, 0.1)
    assert bad.is_behind(10, 0.4)  # a step counts once: a resumed run tells it again
    good.let_go()
    bad.stop_early(1.0)
    assert journal.records()[-1].state == "stopped early"


def test_a_new_trial_that_somebody_holds_is_an_error(spec, tmp_path):
    journal = Journal(tmp_path / "out", spec)
    folder = journal.folder_of(0)
    folder.mkdir(parents=True)
    holder = Claim(folder / "trial.lock")
    assert holder.take()
    with pytest.raises(TrainingError, match="held by another process"):
        journal.claim()
    holder.release()


@pytest.mark.skipif(sys.platform != "linux", reason="limits sizes of files")
def test_a_disk_that_fills_up_in_a_line_stops_one_worker_and_harms_no_other(spec, tmp_path):
    first, second = (Journal(tmp_path / "out", spec) for _ in range(2))
    trial, other = first.claim(), second.claim()
    from tests.fuzz.stopping import files_end_at

    said = pytest.raises(OutputError, match=r"file too large. Make room there, then call")
    with files_end_at((tmp_path / "out" / "journal.jsonl").stat().st_size + 10), said:
        trial.finish(0.5, 3.0)
    other.finish(0.25, 1.0)
    trial.finish(0.5, 3.0)
    found = [record.score for record in Journal(tmp_path / "out", spec).records()]
    assert found == [record.score for record in second.records()] == [0.5, 0.25]
