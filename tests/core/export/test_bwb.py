from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mtm_core.config import TrainConfig
from mtm_core.errors import ConfigError, DataError, MaskError, MismatchError, OutputError
from mtm_core.export.bwb import BwbSettings, export_bwb
from mtm_core.models.tensor_file import open_tensors
from tests.core.checkpoints import SMALL_MODEL, make_checkpoint
from tests.core.evaluation.behaving import with_trials
from tests.core.export.bwb_exports import CHECKPOINT, SESSION, export
from tests.core.sessions import make_session

ALL = [
    "ts2-co_smoothing",
    "ts2-forecasting",
    "ts1-choice",
    "ts1-reward",
    "ts1-wheel_speed",
    "ts1-whisker_motion_energy",
]


def test_every_task_that_the_session_allows_is_written(tmp_path):
    report = export(tmp_path)
    assert [entry.task for entry in report.entries] == ALL
    assert not report.not_written
    files = {path.name for path in tmp_path.rglob("*.safetensors")}
    assert files == {"seed_0.safetensors", "ground_truth.safetensors"}


def test_a_task_that_the_session_does_not_allow_is_left_out_with_its_reason(tmp_path):
    report = export(tmp_path, with_trials(SESSION, choice=None))
    assert [entry.task for entry in report.entries] == [t for t in ALL if t != "ts1-choice"]
    assert "has no choice" in report.not_written["ts1-choice"]


def test_a_task_that_was_asked_for_is_not_left_out_in_silence(tmp_path):
    with pytest.raises(DataError, match="has no choice"):
        export(tmp_path, with_trials(SESSION, choice=None), tasks=("reward", "choice"))


def test_nothing_at_all_is_an_error(tmp_path):
    quiet = make_session(n_bins=10, n_trials=30, mean_count=0.001)
    session = with_trials(quiet, choice=None, feedback=None)
    with pytest.raises(DataError, match=r"No task can be done.*No unit of this session fits"):
        export(tmp_path, session, units=None)


def test_the_report_says_what_the_numbers_are(tmp_path):
    values = export(tmp_path, tasks=("co_smoothing",)).to_dict()
    assert values["scores_are"] == "BWB format, own split"
    assert (values["split_kind"], values["split_seed"], values["n_trials"]) == ("random", 0, 24)
    assert values["is_simulated"] is True
    assert values["units"] == "rate_hz >= 0"
    assert values["evaluator"] is None
    (entry,) = values["tasks"]
    assert (entry["n_rows"], entry["n_bins"], entry["n_units"]) == (24, 20, 3)


def test_files_carry_the_choices_behind_them(tmp_path):
    (entry,) = export(tmp_path, tasks=("forecasting",)).entries
    for path in (entry.predictions, entry.truth):
        said = open_tensors(path).metadata
        assert said["unit_filters"] == "rate_hz >= 0"
        assert (said["split"], said["bin_size"], said["context_window"]) == ("test", "0.01", "0.2")
        assert said["is_simulated"] == "true"
        assert said["dataset_version"] == SESSION.content_hash


def test_models_and_seeds_share_a_folder(tmp_path):
    export(tmp_path, tasks=("reward",))
    other = make_checkpoint(SESSION, TrainConfig(model=SMALL_MODEL), seed=5)
    manifest = replace(other.manifest, config=_with_seed(other.manifest.config, 43))
    for label in ("one", "two"):
        settings = BwbSettings(tasks=("reward",), label=label)
        export_bwb(replace(other, manifest=manifest), SESSION, tmp_path, settings)
    found = {str(p.relative_to(tmp_path / "predictions")) for p in tmp_path.rglob("seed_*")}
    assert found == {
        "quick-own-split/ts1-reward/behaving/seed_0.safetensors",
        "one-own-split/ts1-reward/behaving/seed_43.safetensors",
        "two-own-split/ts1-reward/behaving/seed_43.safetensors",
    }


def test_other_units_in_the_same_folder_are_refused(tmp_path):
    export(tmp_path, tasks=("co_smoothing",))
    with pytest.raises(OutputError, match="Choose another folder"):
        export(tmp_path, tasks=("co_smoothing",), units='region == "CA1"')


def test_another_session_is_refused(tmp_path):
    with pytest.raises(MismatchError):
        export_bwb(CHECKPOINT, make_session(n_bins=20, n_units=30), tmp_path)


def test_a_rule_that_was_typed_is_checked_before_anything_is_written(tmp_path):
    with pytest.raises(MaskError, match="No unit of this session fits"):
        export(tmp_path / "new", units="rate_hz > 1e6")
    assert not (tmp_path / "new").exists()


def test_a_label_is_checked_before_anything_is_written(tmp_path):
    with pytest.raises(ConfigError, match="--label"):
        export(tmp_path / "new", label="a/b")
    assert not (tmp_path / "new").exists()


def test_progress_is_told(tmp_path):
    told = []
    export_bwb(
        CHECKPOINT,
        SESSION,
        tmp_path,
        BwbSettings(tasks=("reward", "choice")),
        on_step=lambda *step: told.append(step),
    )
    assert told == [("Predicting", 0, 2), ("Predicting", 1, 2), ("Predicting", 2, 2)]


def test_the_report_is_plain(tmp_path):
    from mtm_core.cli.output import json_text

    assert json.loads(json_text(export(tmp_path).to_dict()))["label"] == "quick-own-split"


def _with_seed(config, seed):
    return replace(config, run=replace(config.run, seed=seed))
