from __future__ import annotations

import dataclasses

import h5py
import numpy as np
import pytest

from mtm_core.evaluation.region_matrix_file import (
    MatrixKey,
    default_folder,
    read_tally,
    write_tally,
)
from mtm_core.evaluation.region_matrix_plan import MatrixSettings
from tests.core.evaluation.matrices import make_plan, make_tally

PLAN = make_plan()
KEY = MatrixKey("a" * 64, "b" * 32, MatrixSettings())
FRESH = make_tally(PLAN, is_done=False)


@pytest.fixture
def path(tmp_path):
    write_tally(tmp_path / KEY.file_name, KEY, make_tally(PLAN))
    return tmp_path / KEY.file_name


def test_sums_come_back_as_they_were(path):
    found, written = read_tally(path, KEY, FRESH), make_tally(PLAN)
    for source in ("model", "regression"):
        for field in dataclasses.fields(found.model):
            one, other = (getattr(tally.of(source), field.name) for tally in (found, written))
            assert one.dtype == other.dtype
            assert np.array_equal(one, other)
    assert found.spikes is FRESH.spikes


@pytest.mark.parametrize(
    "other",
    [
        dataclasses.replace(KEY, session_hash="c" * 64),
        dataclasses.replace(KEY, model_digest="c" * 32),
        dataclasses.replace(KEY, precision="bf16"),
        dataclasses.replace(KEY, settings=MatrixSettings(level="cosmos")),
        dataclasses.replace(KEY, settings=MatrixSettings(n_draws=11)),
    ],
)
def test_sums_of_another_key_are_not_taken(path, other):
    assert other.file_name != KEY.file_name
    assert read_tally(path, other, FRESH) is None


def test_wanting_no_regression_is_the_same_key():
    assert (
        dataclasses.replace(KEY, settings=MatrixSettings(with_regression=False)).text == KEY.text
    )


def test_no_file_is_no_sums(tmp_path):
    assert read_tally(tmp_path / "none.h5", KEY, FRESH) is None


def test_a_damaged_file_is_left_aside_with_a_word(path, caplog):
    path.write_bytes(path.read_bytes()[:2000])
    assert read_tally(path, KEY, FRESH) is None
    assert "made anew" in caplog.text


@pytest.mark.parametrize("fault", ["shape", "missing", "nan"])
def test_sums_that_do_not_fit_are_left_aside(path, fault, caplog):
    with h5py.File(path, "a") as file:
        values = file["model/ceiling"][()]
        del file["model/ceiling"]
        if fault == "shape":
            file["model/ceiling"] = values[:, :1]
        elif fault == "nan":
            file["model/ceiling"] = np.full_like(values, np.nan)
    assert read_tally(path, KEY, FRESH) is None
    assert "made anew" in caplog.text


def test_matrices_lie_in_the_common_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("MTM_CACHE", str(tmp_path))
    assert default_folder() == tmp_path / "region_matrix"
