from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mtm_core.data.alf import read_alf
from mtm_core.errors import DatasetError, MissingDatasetError
from tests.core.data.alf_folder import N_TRIALS, one_probe, trial_table, write

TABLE = "alf/_ibl_trials.table.pqt"
NPY = "alf/_ibl_trials.{}.npy"


def _read(tmp_path, changed, without=()):
    raw = read_alf(write(tmp_path, {**one_probe(), **changed}, without=without))
    return raw.trials, "\n".join(raw.origin.notes)


def _equal(one, other):
    assert sorted(one.columns) == sorted(other.columns)
    for name, column in one.columns.items():
        assert np.array_equal(column.values, other.values(name)), name
        assert np.array_equal(column.is_valid, other.column(name).is_valid), name


@pytest.fixture
def trials(tmp_path):
    return _read(tmp_path, {})[0]


def test_events_choice_and_outcome_of_each_trial(trials):
    table = trial_table()
    assert trials.values("trial_id").tolist() == list(range(N_TRIALS))
    for ours, theirs in {
        "stim_on_s": "stimOn_times",
        "go_cue_s": "goCue_times",
        "response_s": "response_times",
        "feedback_s": "feedback_times",
        "start_s": "intervals_0",
        "end_s": "intervals_1",
        "reward_volume_ul": "rewardVolume",
    }.items():
        assert trials.values(ours).tolist() == table[theirs].tolist()
    assert trials.values("choice").tolist() == [1, -1, 1, 1, 0, -1]
    assert trials.values("feedback").tolist() == [1, 1, 1, -1, -1, -1]


def test_absent_entries_are_not_valid_and_zero(trials):
    movement, block = trials.column("first_movement_s"), trials.column("block")
    assert movement.is_valid.tolist() == [True] * 4 + [False, True]
    assert movement.values[4] == 0
    assert block.is_valid.tolist() == [True] * 5 + [False]


def test_a_side_without_a_contrast_has_no_stimulus_even_at_contrast_0(trials):
    assert trials.values("stim_side").tolist() == [1, -1, 1, -1, 1, 0]
    assert trials.column("stim_side").is_valid.tolist() == [True] * 5 + [False]
    assert trials.values("contrast_left").tolist() == [1, 0, 0, 0, 0.25, 0]
    assert trials.values("contrast_right").tolist() == [0, 0.5, 0, 0, 0, 0]
    assert trials.column("contrast_left").is_valid.tolist() == [True] * 5 + [False]


def test_choice_and_side_agree_on_what_is_correct(trials):
    """IBL's signs: +1 answers a stimulus on the left, -1 one on the right."""
    choice, side = trials.values("choice")[:4], trials.values("stim_side")[:4]
    assert ((choice == side) == (trials.values("feedback")[:4] == 1)).all()


def test_tables_with_0_for_the_empty_side_tell_the_side_by_the_other(tmp_path):
    table = trial_table().assign(
        contrastLeft=[1.0, 0, 0, 0.5, 0.25, 1], contrastRight=[0, 0.5, 0, 0.5, 0, 0.25]
    )
    trials, _ = _read(tmp_path, {TABLE: table})
    assert trials.values("stim_side").tolist() == [1, -1, 0, 0, 1, 0]
    assert trials.column("stim_side").is_valid.tolist() == [True, True, False, False, True, False]
    assert trials.column("contrast_left").is_valid.all()


def test_contrasts_in_percent_are_noticed(tmp_path):
    table = trial_table()
    table[["contrastLeft", "contrastRight"]] *= 100
    trials, notes = _read(tmp_path, {TABLE: table})
    assert trials.values("contrast_left").tolist() == [1, 0, 0, 0, 0.25, 0]
    assert "taken as percent" in notes


def _columns():
    table = trial_table()
    files = {NPY.format(name): table[name].to_numpy() for name in table if "intervals" not in name}
    return files | {NPY.format("intervals"): table[["intervals_0", "intervals_1"]].to_numpy()}


def test_one_file_for_each_column_gives_the_same_table(tmp_path, trials):
    _equal(_read(tmp_path / "npy", _columns(), without=[TABLE])[0], trials)


def test_a_table_and_files_complete_each_other(tmp_path, trials):
    some = ["choice", "feedback_times", "contrastLeft"]
    files = {NPY.format(name): trial_table()[name].to_numpy() for name in some}
    files[TABLE] = trial_table().drop(columns=some)
    _equal(_read(tmp_path / "mix", files)[0], trials)


def test_the_table_goes_before_a_file_of_the_same_column(tmp_path):
    trials, _ = _read(tmp_path, {NPY.format("choice"): np.full(N_TRIALS, -1)})
    assert trials.values("choice").tolist() == [1, -1, 1, 1, 0, -1]


@pytest.mark.parametrize("has_table", [True, False])
def test_a_column_of_another_length_is_not_used_and_it_is_said(tmp_path, has_table):
    files = {} if has_table else _columns()
    files[NPY.format("stimOff_times")] = np.arange(N_TRIALS + 1.0)
    trials, notes = _read(tmp_path, files, without=() if has_table else [TABLE])
    assert not trials.has("stim_off_s")
    assert trials.n_rows == N_TRIALS
    assert "each of the 6 trials: trials.stimOff_times (7)" in notes


def test_a_csv_serves_where_there_is_no_parquet(tmp_path, trials):
    files = {"alf/trials.table.csv": trial_table()}
    _equal(_read(tmp_path / "csv", files, without=[TABLE])[0], trials)


def test_trials_may_lie_in_the_folder_of_the_task(tmp_path, trials):
    files = {"alf/task_00/_ibl_trials.table.pqt": trial_table()}
    _equal(_read(tmp_path / "task", files, without=[TABLE])[0], trials)


def test_trials_of_several_tasks_are_put_together_in_order_of_time(tmp_path):
    table = trial_table()
    files = {
        "alf/task_00/_ibl_trials.table.pqt": table[4:],
        "alf/task_01/_ibl_trials.table.pqt": table[:4].drop(columns="rewardVolume"),
    }
    trials, notes = _read(tmp_path, files, without=[TABLE])
    assert trials.values("trial_id").tolist() == list(range(N_TRIALS))
    assert trials.values("stim_on_s").tolist() == table["stimOn_times"].tolist()
    assert trials.values("task").tolist() == ["task_01"] * 4 + ["task_00"] * 2
    assert trials.column("reward_volume_ul").is_valid.tolist() == [False] * 4 + [True] * 2
    assert "Trials of 2 tasks are put together: 2 of task_00, 4 of task_01." in notes


def test_without_an_event_in_every_trial_tasks_keep_their_order(tmp_path):
    files = {
        f"alf/task_0{k}/_ibl_trials.table.pqt": pd.DataFrame({"choice": [k, k]}) for k in (0, 1)
    }
    trials, _ = _read(tmp_path, files, without=[TABLE])
    assert trials.values("choice").tolist() == [0, 0, 1, 1]


def test_a_choice_that_is_none_is_absent_and_said(tmp_path):
    table = trial_table().assign(choice=[1, -1, 7, 0, 1, 1])
    trials, notes = _read(tmp_path, {TABLE: table})
    assert trials.column("choice").is_valid.tolist() == [True, True, False, True, True, True]
    assert "1 trials have a choice other than -1, 0 or 1" in notes


def test_gaps_in_whole_number_columns_are_absent(tmp_path):
    table = trial_table()
    table["choice"] = pd.array([1, -1, None, 1, 0, -1], dtype="Int64")
    trials, _ = _read(tmp_path, {TABLE: table})
    assert trials.column("choice").is_valid.tolist() == [True, True, False, True, True, True]


def test_one_contrast_alone_says_nothing_of_the_stimulus(tmp_path):
    trials, _ = _read(tmp_path, {TABLE: trial_table()[["choice", "contrastLeft"]]})
    assert sorted(trials.columns) == ["choice", "trial_id"]


def test_no_trials_at_all_are_missed(tmp_path):
    with pytest.raises(MissingDatasetError, match=r"No trials found: _ibl_trials.table.pqt.*alf"):
        _read(tmp_path, {}, without=[TABLE])


@pytest.mark.parametrize("table", [trial_table()[:0], pd.DataFrame({"unknown": [1, 2]})])
def test_an_empty_table_is_refused(tmp_path, table):
    with pytest.raises(DatasetError, match=r"The trials in alf are empty"):
        _read(tmp_path, {TABLE: table})


def test_text_for_a_time_is_refused(tmp_path):
    table = trial_table().assign(stimOn_times=list("abcdef"))
    with pytest.raises(DatasetError, match=r"alf: trials.stimOn_times holds text"):
        _read(tmp_path, {TABLE: table})
