from __future__ import annotations

import numpy as np
import pytest

from mtm_core.data.steinmetz import convert_steinmetz2019
from mtm_core.errors import DataError, SessionFileError
from tests.core.data.steinmetz_file import datasets, write_steinmetz_file


@pytest.fixture
def session(tmp_path):
    return convert_steinmetz2019(write_steinmetz_file(tmp_path / "raw.h5"))


def test_counts_are_turned_to_trials_bins_units(session):
    source = datasets()["spike_counts"]
    assert session.counts.shape == (6, 4, 5)
    assert session.counts[2, 3, 1] == source[2, 1, 3]
    assert session.counts.sum() == source.sum()


def test_areas_come_as_given_with_beryl_and_cosmos(session):
    assert session.region.tolist() == ["VISp", "CA1", "TH", "root", "void"]
    levels = (session.units.values(f"region_{level}").tolist() for level in ("beryl", "cosmos"))
    assert next(levels) == ["VISp", "CA1", "TH", "root", "void"]
    assert next(levels) == ["Isocortex", "HPF", "TH", "root", "void"]


def test_choice_is_filled_in_only_where_the_rule_fixes_it(session):
    choice = session.trials.column("choice")
    assert choice.values.tolist() == [1, -1, 0, 0, 0, 0]
    assert choice.is_valid.tolist() == [True, True, True, False, False, False]


def test_trials_keep_their_order_times_and_outcomes(session):
    assert session.trials.values("trial_id").tolist() == list(range(6))
    assert session.trials.values("align_s")[:2].tolist() == [3.25, 8.25]
    assert session.trials.values("feedback").tolist() == [1, 1, 1, 1, -1, -1]
    assert session.trials.values("source_part").tolist() == [0] * 6


def test_ids_are_the_name_with_a_hash_of_the_counts_and_the_row(session, tmp_path):
    assert session.session_id.startswith("steinmetz2019_s99_Nemo_2020-01-02_")
    assert session.unit_id.tolist() == [f"{session.session_id}/{row:04d}" for row in range(5)]
    again = convert_steinmetz2019(write_steinmetz_file(tmp_path / "again.h5"))
    assert again.session_id == session.session_id
    relabelled = write_steinmetz_file(tmp_path / "r.h5", changed={"brain_area": ["CA1"] * 5})
    assert convert_steinmetz2019(relabelled).session_id == session.session_id
    counts = datasets()["spike_counts"]
    counts[0, 0, 0] += 1
    other = write_steinmetz_file(tmp_path / "o.h5", changed={"spike_counts": counts})
    assert convert_steinmetz2019(other).session_id != session.session_id


def test_it_says_where_it_came_from_and_what_was_inferred(session):
    source = session.provenance
    assert (source.subject, source.date, source.lab) == ("Nemo", "2020-01-02", None)
    assert "not checked against the figshare page" in source.licence
    assert "10.1038/s41586-019-1787-x" in source.citation
    assert any("corrected here by one row" in note for note in source.notes)
    assert not source.is_simulated


def test_a_file_without_the_source_part_is_enough(tmp_path):
    path = write_steinmetz_file(tmp_path / "raw.h5", without=("source_part",))
    assert not convert_steinmetz2019(path).trials.has("source_part")


def _counts(value, dtype=np.float64):
    counts = datasets()["spike_counts"].astype(dtype)
    counts[1, 2, 3] = value
    return {"spike_counts": counts}


_FAULTS = {
    "NaN counts": ({"changed": _counts(np.nan)}, r"nan at \(1, 2, 3\) is not a number"),
    "negative counts": ({"changed": _counts(-2, np.int16)}, r"-2 at \(1, 2, 3\) is negative"),
    "counts above 255": ({"changed": _counts(300, np.int32)}, "300 .* is above 255"),
    "halves of spikes": ({"changed": _counts(0.5)}, "0.5 .* is not a whole number"),
    "no spikes": ({"without": ("spike_counts",)}, "it lacks spike_counts"),
    "no areas": ({"without": ("brain_area",)}, "it lacks brain_area"),
    "no attributes": ({"without": ("date", "mouse_name")}, "it lacks mouse_name, date"),
    "a bin width of text": ({"attributes": {"bin_width_s": "ten"}}, "'bin_width_s' is 'ten'"),
    "a bin width of 0": ({"attributes": {"bin_width_s": 0.0}}, "bin size must be a positive"),
    "counts of two axes": (
        {"changed": {"spike_counts": np.zeros((6, 5), np.uint8)}},
        "must have the axes",
    ),
    "too few areas": (
        {"changed": {"brain_area": ["CA1"] * 3}},
        r"'brain_area' has the shape \(3,\), but \(5,\)",
    ),
    "too few parts": (
        {"changed": {"source_part": np.zeros(2, np.uint8)}},
        r"'source_part' has the shape \(2,\), but \(6,\)",
    ),
    "outcomes of another kind": (
        {"changed": {"feedback_type": np.zeros(6, np.int8)}},
        "feedback_type must be 1 .* or -1",
    ),
    "contrasts in percent": (
        {"changed": {"contrast_left": np.full(6, 50.0)}},
        "contrasts must lie between 0 and 1",
    ),
    "NaN contrasts": (
        {"changed": {"contrast_right": np.full(6, np.nan)}},
        "contrasts must lie between 0 and 1",
    ),
    "NaN onsets": (
        {"changed": {"stim_onset_time": np.full(6, np.nan)}},
        "'align_s' holds nan in row 0",
    ),
    "zero trials": (
        {
            "changed": {
                name: np.asarray(values)[:0]
                for name, values in datasets().items()
                if name not in ("brain_area", "bin_centers")
            }
        },
        "zero trials",
    ),
}


@pytest.mark.parametrize("fault", _FAULTS)
def test_a_source_is_refused_with_a_sentence_for(fault, tmp_path):
    how, sentence = _FAULTS[fault]
    path = write_steinmetz_file(tmp_path / "raw.h5", **how)
    with pytest.raises(DataError, match=sentence) as caught:
        convert_steinmetz2019(path)
    assert len(str(caught.value).splitlines()) == 1


def test_a_truncated_source_is_refused(tmp_path):
    path = write_steinmetz_file(tmp_path / "raw.h5")
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(SessionFileError, match=r"raw.h5 is truncated"):
        convert_steinmetz2019(path)
