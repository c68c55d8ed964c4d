from __future__ import annotations

import h5py
import numpy as np
import pytest

from mtm_core.data.truth_file import TRUTH_FILE, read_truth, write_truth
from mtm_core.errors import OutputError, SessionFileError
from tests.core.data.simulations import simulated


@pytest.fixture
def written(tmp_path):
    write_truth(simulated().truth, tmp_path / TRUTH_FILE)
    return tmp_path / TRUTH_FILE


def test_what_is_read_is_what_was_written(written):
    truth, found = simulated().truth, read_truth(written)
    for name in ("session_id", "eid", "seed", "step_s", "factor_names", "regions"):
        assert getattr(found, name) == getattr(truth, name), name
    assert found.config["trials"] == 60
    np.testing.assert_array_equal(found.unit_id, truth.unit_id)
    np.testing.assert_array_equal(found.coupling.strength, truth.coupling.strength)
    np.testing.assert_array_equal(found.coupling.delay, truth.coupling.delay)
    np.testing.assert_array_equal(found.trial_start_s, truth.trial_start_s)
    rows = slice(100, 200), slice(None)
    np.testing.assert_array_equal(found.drive.rate_hz(*rows), truth.drive.rate_hz(*rows))


def test_the_folder_will_do(written):
    assert read_truth(written.parent).session_id == simulated().truth.session_id


def test_a_folder_above_one_session_will_do_and_above_two_will_not(written):
    root = written.parent.parent
    below = root / "above" / "session"
    below.mkdir(parents=True)
    written.rename(below / TRUTH_FILE)
    assert read_truth(root / "above").session_id == simulated().truth.session_id
    (root / "above" / "other").mkdir()
    write_truth(simulated().truth, root / "above" / "other" / TRUTH_FILE)
    with pytest.raises(SessionFileError, match="There are 2 of"):
        read_truth(root / "above")


def test_a_folder_without_truth_says_that_only_simulations_have_one(tmp_path):
    with pytest.raises(SessionFileError, match="only simulated sessions have a known truth"):
        read_truth(tmp_path)


def test_another_file_is_refused(tmp_path, written):
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file.attrs["schema"] = "mtm-session"
    with pytest.raises(SessionFileError, match="does not hold the truth"):
        read_truth(other)
    with h5py.File(written, "a") as file:
        file.attrs["schema_version"] = 99
    with pytest.raises(SessionFileError, match="another version"):
        read_truth(written)


def test_damage_is_one_sentence(written):
    data = written.read_bytes()
    written.write_bytes(data[: len(data) // 2])
    with pytest.raises(SessionFileError, match="truncated"):
        read_truth(written)


@pytest.mark.parametrize("name", ["factors", "coupling", "unit_id"])
def test_a_missing_part_is_named(written, name):
    with h5py.File(written, "a") as file:
        del file[name]
    with pytest.raises(SessionFileError, match=name):
        read_truth(written)


def test_parts_that_do_not_fit_are_refused(written):
    with h5py.File(written, "a") as file:
        del file["loadings"]
        file["loadings"] = np.zeros((3, 2), dtype=np.float32)
    with pytest.raises(SessionFileError, match="do not fit together"):
        read_truth(written)


def test_no_folder_is_said(tmp_path):
    with pytest.raises(OutputError, match="there is no folder"):
        write_truth(simulated().truth, tmp_path / "nowhere" / TRUTH_FILE)
