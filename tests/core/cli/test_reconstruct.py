from __future__ import annotations

import resource
import signal
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from mtm_core import hide, reconstruct
from mtm_core.cli import reconstruct_summary
from mtm_core.cli.__main__ import main
from mtm_core.cli.bound_model import find_model
from mtm_core.config import MaskingConfig, TrainConfig
from mtm_core.data.conditions import trial_conditions
from mtm_core.data.session_file import write_session
from mtm_core.errors import CheckpointError
from mtm_core.evaluation.scores import Truth
from mtm_core.inference import Reconstructor
from mtm_core.masking.named_masks import (
    NamedMasks,
    masks_file,
    masks_folder,
    write_named_masks,
)
from mtm_core.masking.spec import MaskSpec
from mtm_core.masking.tasks import inter_region, intra_region, plan_task
from mtm_core.models.baselines import BaselineData
from mtm_core.models.checkpoint import Checkpoint, split_part
from tests.core.checkpoints import SMALL_MODEL, make_checkpoint, write_checkpoint
from tests.core.sessions import make_session

SESSION = make_session(n_trials=60, n_bins=8, n_units=30)  # CA1, DG, VISp: ten units each
CHECKPOINT = make_checkpoint(SESSION)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reconstruct")
    write_session(SESSION, path / "s.h5")
    write_session(make_session(n_units=30, seed=1, n_bins=8), path / "other.h5")
    write_session(SESSION.take_units(np.arange(5, 30)), path / "fewer.h5")
    another_day = replace(SESSION.take_units(np.arange(5, 30)), session_id="another-day")
    write_session(another_day, path / "another_day.h5")
    write_session(SESSION.take_trials(np.sort(test_rows())), path / "test_only.h5")
    save(CHECKPOINT, path / "m.safetensors")
    config = TrainConfig(model=SMALL_MODEL, masking=MaskingConfig(schemes=("temporal",)))
    save(make_checkpoint(SESSION, config), path / "temporal.safetensors")
    (path / "mask.json").write_text(inter_region("DG").to_json())
    (path / "broken.json").write_text('{"schema": "mtm-mask"')
    (path / "bytes.json").write_bytes(b"\xff\xfe")
    return path


def save(checkpoint: Checkpoint, path: Path) -> None:
    write_checkpoint(path, checkpoint)


def test_rows() -> np.ndarray:
    return split_part(CHECKPOINT.manifest, SESSION, "test")


test_rows.__test__ = False  # a helper


class Program:
    """Runs `mtm-core reconstruct` and keeps what it said."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def __call__(self, *words: str, model: str = "m.safetensors", session: str = "s.h5") -> int:
        paths = [str(self.folder / model), str(self.folder / session)]
        code = main(["reconstruct", *paths, *words])
        self.out, self.err = self._capsys.readouterr()
        return code


@pytest.fixture
def program(folder: Path, capsys: pytest.CaptureFixture[str]) -> Program:
    return Program(folder, capsys)


def test_it_says_what_was_hidden_from_which_trials_by_which_prompt(program: Program) -> None:
    assert program("--hide", 'region == "CA1"') == 0
    assert f"simulated-0 (simulated), {len(test_rows())} test trials" in program.out
    assert "region is CA1 hidden: 10 of 30 units, inter-region prompt" in program.out
    assert "bits/spike beyond the training PSTH by condition" in program.out
    assert "Reconstructing: 100%" in program.err
    assert "Warning" not in program.err


def test_the_file_holds_the_rates_and_where_they_come_from(
    program: Program, tmp_path: Path
) -> None:
    out = tmp_path / "rates.h5"
    assert program("--hide", 'region == "CA1"', "--out", str(out)) == 0
    assert f"Wrote {out}" in program.out
    spec = inter_region("CA1")
    expected = Reconstructor(CHECKPOINT, SESSION).complete(spec, test_rows())
    with h5py.File(out) as file:
        np.testing.assert_allclose(file["rate_hz"], expected.rate_hz(), rtol=1e-5)
        assert np.array_equal(file["count"], SESSION.counts[test_rows()])
        assert np.array_equal(file["is_hidden"], expected.mask.is_hidden)
        assert np.array_equal(file["is_scored"], expected.mask.is_scored)
        assert file["trial_id"][:].tolist() == test_rows().tolist()
        assert file["unit_id"].asstr()[:].tolist() == SESSION.unit_id.tolist()
        assert file["region"].asstr()[:].tolist() == SESSION.region.tolist()
        assert np.array_equal(file["bin_start_s"], SESSION.bin_start_s)
        facts = dict(file.attrs)
    assert MaskSpec.from_json(facts["mask"]).blocks[0].units.rule == 'region == "CA1"'
    assert facts["schema"] == "mtm-reconstruction"
    assert facts["prompt"] == "inter_region"
    assert facts["session_hash"] == SESSION.content_hash
    assert facts["split"] == "test"
    assert facts["is_simulated"]
    assert "CA1 hidden" in facts["mask_words"]


def test_equal_requests_write_equal_files(program: Program, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.h5", "b.h5")]
    for out in files:
        assert program("--bins", "6:8", "--out", str(out)) == 0
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--bins", "6:8"], "all units in bins 6 to 7 (60 to 80 ms) hidden: 2 of 8 bins, causal"),
        (["--hide", 'region == "DG"', "--hide", 'region == "CA1"'], "20 of 30 units, neuron"),
        (["--hide", 'region == "CA1"', "--prompt", "neuron"], "10 of 30 units, neuron prompt"),
        (["--hide", "good", "--bins", "0:4"], "units where good in bins 0 to 3"),
        (["--hide", "rate_hz > 60"], "units where rate_hz above 60 hidden"),
        (["--task", "forward_prediction"], "1 of 8 bins, causal prompt"),
        (["--task", "co_smoothing"], "each of 30 units hidden in turn"),
        (["--task", "inter_region", "--region", "DG"], "DG hidden: 10 of 30 units, inter-region"),
        (["--task", "intra_region", "--region", "DG"], "all but DG hidden, each of 10 units"),
        (
            ["--score", 'region == "DG"', "--one-at-a-time"],
            "each of 10 units hidden in turn: 10 of 30 units, neuron prompt",
        ),
        (["--hide", "depth_um > 1000", "--score", "depth_um > 3000"], "Scored    7 units"),
        (["--hide", 'region == "CA1"', "--split", "val"], "6 val trials"),
        (["--hide", 'region == "CA1"', "--split", "train"], "42 train trials"),
        (["--hide", 'region == "CA1"', "--split", "all"], "60 trials, those trained on among"),
    ],
)
def test_every_way_to_say_what_is_hidden(program: Program, words: list[str], said: str) -> None:
    assert program(*words) == 0
    assert said in program.out


def test_a_saved_mask_is_used_as_it_is(program: Program) -> None:
    assert program("--mask", str(program.folder / "mask.json")) == 0
    assert "DG hidden: 10 of 30 units, inter-region prompt" in program.out


def test_a_model_gets_a_prompt_that_it_knows(program: Program) -> None:
    assert program("--task", "forward_prediction", model="temporal.safetensors") == 0
    assert "temporal prompt" in program.out
    assert program("--task", "co_smoothing", model="temporal.safetensors") == 0
    assert "temporal prompt" in program.out
    assert "Warning: not trained for this" in program.err


def test_a_mask_unlike_any_trained_one_is_warned_of(program: Program) -> None:
    assert program("--hide", 'region == "CA1"', "--bins", "2:4") == 0
    assert "Warning: not trained for this: no training scheme" in program.err


def test_missing_units_can_be_allowed(program: Program) -> None:
    words = ["--hide", 'region == "CA1"']
    assert program(*words, session="fewer.h5") == 2
    assert "5 of the checkpoint's 30 units are not in the session" in program.err
    assert program(*words, "--allow-overlap", session="fewer.h5") == 0
    assert "Warning: 5 of the model's 30 units are not in the session" in program.err
    assert "Scored    5 units" in program.out


def test_a_rule_on_rates_works_where_only_some_units_are_shared(program: Program) -> None:
    middle = float(np.median(SESSION.counts.mean(axis=(0, 1)) / SESSION.bin_size_s))
    words = ["--hide", f"rate_hz > {middle:g}", "--split", "all", "--allow-overlap"]
    assert program(*words, session="another_day.h5") == 0
    assert f"rate_hz above {middle:g} hidden" in program.out


def test_without_training_trials_there_is_no_score_but_there_are_rates(program: Program) -> None:
    assert program("--hide", 'region == "CA1"', session="test_only.h5") == 0
    assert "Score     not available: the session holds none" in program.out
    assert program("--hide", "rate_hz > 2", session="test_only.h5") == 2
    assert "none of the checkpoint's train trials" in program.err


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ([], "What shall be hidden? Give --hide RULE"),
        (["--hide", "import os"], "This is not a rule: import os"),
        (["--hide", 'region == "CA2"'], "Did you mean 'CA1'?"),
        (["--hide", "probe == 3"], "no field 'probe'"),
        (["--hide", "depth_um >= 0"], "The mask hides everything"),
        (["--hide", "depth_um > 1e9"], "No unit of this session fits the rule"),
        (["--score", "good"], "The mask hides nothing"),
        (["--hide", "good", "--score", "not good"], "Nothing that is scored is hidden"),
        (["--one-at-a-time"], "--one-at-a-time needs --score RULE"),
        (["--hide", "good", "--bins", "3"], "--bins is '3', but must be FIRST:STOP"),
        (["--bins", "5:3"], "Bins 5:3 are no range"),
        (["--bins", "5:99"], "reach behind the last of the 8 bins"),
        (["--task", "intra-region"], "Did you mean 'intra_region'?"),
        (["--task", "intra_region"], "needs --region ACRONYM: CA1, DG, VISp"),
        (["--task", "inter_region", "--region", "CA"], "Did you mean 'CA1'?"),
        (["--task", "co_smoothing", "--region", "CA1"], "has no region. Leave --region out"),
        (["--region", "CA1"], "--region goes with --task"),
        (["--task", "co_smoothing", "--hide", "good"], "--task says what is hidden, and so does"),
        (["--mask", "x.json", "--task", "co_smoothing"], "Give one of them"),
        (["--mask", "nowhere.json"], "The mask nowhere.json cannot be read"),
        (["--hide", "good", "--prompt", "nuron"], "no prompt 'nuron'. Did you mean 'neuron'?"),
        (["--hide", "good", "--split", "tset"], "Did you mean 'test'?"),
        (["--hide", "good", "--device", "tpu"], "device 'tpu' cannot be used"),
        (["--hide", "good", "--out", "/nowhere/rates.h5"], "there is no such folder"),
        (["--hide", "good", "--out", "/"], "it is a folder"),
    ],
)
def test_what_cannot_be_done_is_answered_in_a_sentence(
    program: Program, words: list[str], answer: str
) -> None:
    assert program(*words) == 2
    assert answer in program.err
    assert program.out == ""
    said = [line for line in program.err.splitlines() if not line.startswith("Warning")]
    assert len(said) <= 3


@pytest.mark.parametrize(
    ("session", "model", "answer"),
    [
        ("other.h5", "m.safetensors", "None of the checkpoint's 30 units is in the session"),
        ("nowhere.h5", "m.safetensors", "no file or folder"),
        ("s.h5", "nowhere.safetensors", "There is no checkpoint or run folder"),
        ("s.h5", "s.h5", "s.h5"),
        ("m.safetensors", "m.safetensors", "not an HDF5 file"),
    ],
)
def test_files_that_do_not_fit_are_refused(
    program: Program, session: str, model: str, answer: str
) -> None:
    assert program("--hide", "good", session=session, model=model) == 2
    assert answer in program.err


@pytest.mark.parametrize("name", ["broken.json", "bytes.json"])
def test_a_file_that_is_no_mask_is_refused(program: Program, name: str) -> None:
    assert program("--mask", str(program.folder / name)) == 2
    assert "mask" in program.err


def test_a_mask_of_absurd_size_is_refused(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as stream:
        stream.truncate(2**30)
    assert program("--mask", str(path)) == 2
    assert "too large to be a mask" in program.err


def test_a_region_that_cannot_be_a_target_says_why(program: Program, tmp_path: Path) -> None:
    session = make_session(n_trials=30, n_units=4, regions=("CA1", "CA1", "CA1", "DG"))
    write_session(session, tmp_path / "s.h5")
    save(make_checkpoint(session), tmp_path / "m.safetensors")
    program.folder = tmp_path
    assert program("--task", "intra_region", "--region", "DG") == 2
    assert "DG cannot be a target of intra_region: 1 units, fewer than 2" in program.err


def test_what_is_read_is_never_replaced(program: Program) -> None:
    before = (program.folder / "s.h5").read_bytes()
    assert program("--hide", "good", "--out", str(program.folder / "s.h5")) == 2
    assert "would replace what is read" in program.err
    assert (program.folder / "s.h5").read_bytes() == before


def test_a_full_disk_leaves_nothing_behind(program: Program, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        assert program("--hide", "good", "--out", str(tmp_path / "rates.h5")) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert f"Could not write {tmp_path / 'rates.h5'}" in program.err
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_is_found_by_path_or_run_folder(tmp_path: Path) -> None:
    save(CHECKPOINT, tmp_path / "model.safetensors")
    assert find_model(str(tmp_path)) == tmp_path / "model.safetensors"
    assert find_model(str(tmp_path / "model.safetensors")) == tmp_path / "model.safetensors"
    with pytest.raises(CheckpointError, match="There is no checkpoint or run folder nowhere"):
        find_model("nowhere")


@pytest.mark.parametrize("name", ["inter_region", "forward_prediction"])
def test_scores_agree_with_those_of_the_evaluation(name: str) -> None:
    bound, rows = Reconstructor(CHECKPOINT, SESSION), test_rows()
    plan = plan_task(name, SESSION, target_regions=["DG"])
    answer = bound.complete(plan.specs[0], rows)
    sums = reconstruct_summary.sum_units(bound, answer)
    conditions = trial_conditions(SESSION)
    data = BaselineData(
        counts=SESSION.counts,
        region=SESSION.region,
        condition=np.where(conditions.is_valid, conditions.label, -1),
        train=split_part(CHECKPOINT.manifest, SESSION, "train"),
        val=split_part(CHECKPOINT.manifest, SESSION, "val"),
        bin_size_s=SESSION.bin_size_s,
    )
    truth = Truth(data, plan, rows, unit_id=SESSION.unit_id, rng=np.random.default_rng(0))
    overall = truth.score(answer.log_rate).overall
    n_spikes, to_bits = sums.spikes.sum(), np.log(2)
    assert sums.gains is not None
    assert sums.gains.over_mean.sum() / n_spikes / to_bits == pytest.approx(overall.bps_pooled)
    assert sums.gains.gain.sum() / n_spikes / to_bits == pytest.approx(overall.bps_beyond_psth)
    assert n_spikes == overall.n_spikes


def test_the_interval_is_that_of_the_window_and_of_python(program: Program) -> None:
    assert program("--hide", 'region == "DG"') == 0
    checkpoint = str(program.folder / "m.safetensors")
    predicted = reconstruct(checkpoint, SESSION, hide(region="DG"))
    low, high = predicted.scores()[0].interval
    assert f" [{low:.3f}, {high:.3f}] bits/spike" in program.out


def test_a_mask_without_a_scored_spike_has_no_score(program: Program, tmp_path: Path) -> None:
    counts = SESSION.counts.copy()
    counts[..., :10] = 0
    silent = type(SESSION)(
        session_id="silent",
        counts=counts,
        units=SESSION.units,
        trials=SESSION.trials,
        provenance=SESSION.provenance,
    )
    write_session(silent, tmp_path / "s.h5")
    save(make_checkpoint(silent), tmp_path / "m.safetensors")
    program.folder = tmp_path
    assert program("--hide", 'region == "CA1"') == 0
    assert "not available: no spike is scored" in program.out


def test_ctrl_c_writes_nothing(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Reconstructor, "reconstruct", interrupted)
    assert program("--hide", "good", "--out", str(tmp_path / "rates.h5")) == 130
    assert "Stopped." in program.err
    assert list(tmp_path.iterdir()) == []


def test_one_unit_in_turn_equals_the_library(program: Program, tmp_path: Path) -> None:
    out = tmp_path / "rates.h5"
    assert program("--task", "intra_region", "--region", "VISp", "--out", str(out)) == 0
    expected = Reconstructor(CHECKPOINT, SESSION).complete(intra_region("VISp"), test_rows())
    with h5py.File(out) as file:
        np.testing.assert_allclose(file["rate_hz"], expected.rate_hz(), rtol=1e-5)
        assert file.attrs["one_at_a_time"]


def test_a_mask_named_in_the_window_is_used_by_its_name(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = masks_file(masks_folder(), SESSION.session_id)
    path.parent.mkdir(parents=True)
    write_named_masks(
        path, NamedMasks().with_mask("dentate", inter_region("DG")), SESSION.session_id
    )
    words = ["reconstruct", str(folder / "m.safetensors"), str(folder / "s.h5")]
    assert main([*words, "--named", "dentate"]) == 0
    assert "DG hidden: 10 of 30 units, inter-region prompt" in capsys.readouterr().out
    assert main([*words, "--named", "dentat"]) == 2
    assert "Named are: 'dentate'" in capsys.readouterr().err
    assert main([*words, "--named", "dentate", "--hide", "good"]) == 2
    assert "Give one of them" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--task", "forward_prediction", "--last", "3"], "bins 5 to 7"),
        (["--task", "inter_region", "--region", "CA1", "DG"], "20 of 30 units"),
        (["--task", "inter_region", "--region", "DG", "--score", "depth_um > 1500"], "DG hidden"),
    ],
)
def test_parameters_of_a_task_are_flags(folder, capsys, flags, told):
    words = ["reconstruct", str(folder / "m.safetensors"), str(folder / "s.h5"), *flags]
    assert main(words) == 0
    assert told in capsys.readouterr().out


def test_last_bins_go_with_forward_prediction_only(folder, capsys):
    words = ["reconstruct", str(folder / "m.safetensors"), str(folder / "s.h5")]
    assert main([*words, "--task", "co_smoothing", "--last", "3"]) == 2
    assert "--last goes with --task forward_prediction" in capsys.readouterr().err
