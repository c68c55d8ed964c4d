from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mtm_core.cli.__main__ import main
from mtm_core.data.session_file import write_session
from tests.core.checkpoints import make_checkpoint, write_checkpoint
from tests.core.evaluation.behaving import make_behaving_session, with_trials


def write_files(folder: Path, session) -> list[str]:
    checkpoint = make_checkpoint(session)
    write_session(session, folder / "s.h5")
    model = folder / "m.safetensors"
    write_checkpoint(model, checkpoint)
    return [str(model), str(folder / "s.h5")]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> list[str]:
    folder = tmp_path_factory.mktemp("decode")
    return write_files(folder, make_behaving_session(n_trials=120))


def said(capsys) -> str:
    return " ".join(capsys.readouterr().out.split())


def test_the_tables_say_what_the_numbers_are(files, capsys):
    assert main(["decode", *files, "--chance", "20"]) == 0
    text = said(capsys)
    for words in (
        "behaving, SIMULATED",
        "scored: test (random split, seed 0)",
        "features end at the movement; prompt causal",
        "features end at the stimulus",
        "circular shifts of the labels by at least 5 trials, in the order of trials (20 drawn)",
        "pseudo-sessions: 90 unbiased trials",
        "10 neither of the biased blocks",
        "Without neurons, stimulus: accuracy",
        "Without neurons, time of the cut: accuracy",
        "Without neurons, average trace: R2",
        "reduced_rank",
        "rank",
        "C from 0.0001 to 10000",
        "1e-06 stands for 0",
    ):
        assert words in text
    for target in ("choice", "contrast_side", "reward", "block", "wheel_speed"):
        assert re.search(rf"{target}: 2\d (\(.*?\) )?test trials", text)


def test_json_goes_to_a_file_beside_the_table(files, tmp_path, capsys):
    out = tmp_path / "decoding.json"
    words = ["--targets", "reward", "--features", "counts", "--chance", "0", "--json", str(out)]
    assert main(["decode", *files, *words]) == 0
    values = json.loads(out.read_text())
    assert list(values["targets"]) == ["reward"]
    assert values["checkpoint"] == files[0]
    assert values["targets"]["reward"]["decoders"][0]["chance"]["accuracy"] is None
    assert f"Wrote {out}" in capsys.readouterr().out


def test_json_alone_can_be_piped(files, capsys):
    words = ["--targets", "choice", "--until", "end", "--prompt", "neuron", "--chance", "0"]
    assert main(["decode", *files, *words, "--json", "-"]) == 0
    out, error = capsys.readouterr()
    choice = json.loads(out)["targets"]["choice"]
    assert (choice["until"], choice["prompt"]) == ("end", "neuron")
    assert "choice" in error


def test_one_region_alone(files, capsys):
    words = ["--targets", "choice", "--region", "CA1", "--chance", "0", "--json", "-"]
    assert main(["decode", *files, *words]) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["region"], values["n_units_read"]) == ("CA1", 6)


def test_each_region_in_turn(files, tmp_path, capsys):
    out = tmp_path / "regions.json"
    words = ["--targets", "choice", "--features", "counts", "--each-region", "--chance", "20"]
    assert main(["decode", *files, *words, "--json", str(out)]) == 0
    text = said(capsys)
    assert "Visible each region in turn" in text
    assert "more units tell more" in text
    assert "CA1 6 raw counts" in text
    assert "DG 6 raw counts" in text
    assert set(json.loads(out.read_text())["regions"]) == {"CA1", "DG"}


def test_a_choice_that_is_the_stimulus_side_is_left_out_and_told(tmp_path, capsys):
    session = make_behaving_session(n_trials=120)
    side = session.trials.values("contrast_left") > 0
    files = write_files(tmp_path, with_trials(session, choice=2 * side - 1))
    assert main(["decode", *files, "--features", "counts", "--chance", "0"]) == 0
    assert "Left out choice: In all 120 trials of known choice" in said(capsys)
    assert main(["decode", *files, "--targets", "choice"]) == 2
    assert "Decode contrast_side instead" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--targets", "chioce"], "Did you mean 'choice'"),
        (["--targets", "licks"], "no licks. It has: choice, contrast_side, reward, block"),
        (["--features", "rates"], "'--features' cannot be 'rates'. Did you mean 'states'"),
        (["--prompt", "neurons"], "Did you mean 'neuron'"),
        (["--until", "lunch"], "must be a number of seconds"),
        (["--region", "CA2"], "Did you mean 'CA1'"),
        (["--region", "CA1", "--each-region"], "not allowed with argument"),
        (["--chance", "-1"], "--chance is -1, but must be 0 or more"),
        (["--json", "."], "it is a folder"),
    ],
)
def test_bad_input_is_a_sentence(files, words, told, capsys):
    assert main(["decode", *files, *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert len([line for line in error.splitlines() if line.startswith("mtm-core")]) == 1


def test_a_session_without_named_regions_is_told(tmp_path, capsys):
    session = make_behaving_session(n_trials=120)
    files = write_files(
        tmp_path, session.take_units(session.region == "CA1").take_units([0, 1, 2])
    )
    assert main(["decode", *files, "--each-region"]) == 2
    assert "no named region of at least 5 units" in capsys.readouterr().err
