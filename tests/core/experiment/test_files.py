"""Experiments are read from files and out of figures, whatever they are called."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from mtm_core.errors import ExperimentError, OutputError
from mtm_core.experiment.files import attachment_of, read_experiment, write_experiment
from mtm_core.experiment.record_json import MAX_BYTES, to_dict
from mtm_core.figures.picture_file import write_figure
from tests.core.experiment.test_record_json import EXPERIMENT


def draw(path, attachment):
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([1, 2])
    write_figure(figure, path, title="t (1)", recipe="r", dpi=50, attachment=attachment)
    return path


@pytest.mark.parametrize("name", ["a.mtm.json", "mäuse 实验.mtm.json"])
def test_a_file_is_read_as_it_was_written(tmp_path, name):
    write_experiment(EXPERIMENT, tmp_path / name)
    assert to_dict(read_experiment(tmp_path / name)) == to_dict(EXPERIMENT)


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".PNG"])
def test_a_figure_carries_its_experiment(tmp_path, suffix):
    path = draw(tmp_path / f"figur ü{suffix}", attachment_of(EXPERIMENT))
    assert to_dict(read_experiment(path)) == to_dict(EXPERIMENT)


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_figure_without_one_is_told(tmp_path, suffix):
    path = draw(tmp_path / f"a{suffix}", None)
    with pytest.raises(ExperimentError, match="carries no experiment"):
        read_experiment(path)
    path.write_bytes(b"something else")
    with pytest.raises(ExperimentError, match="carries no experiment"):
        read_experiment(path)


def test_files_that_cannot_be_experiments_are_told(tmp_path):
    path = tmp_path / "a.json"
    with pytest.raises(ExperimentError, match="cannot be read: no such file"):
        read_experiment(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ExperimentError, match="is no text"):
        read_experiment(path)
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ExperimentError, match="holds 8000001 bytes, more than"):
        read_experiment(path)


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(OutputError, match="there is no folder"):
        write_experiment(EXPERIMENT, tmp_path / "none" / "a.mtm.json")
