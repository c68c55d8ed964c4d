from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest

from mtm_core.data.session import Behavior, Session
from mtm_core.data.table import Column, Table
from mtm_core.errors import DataError
from tests.core.sessions import make_session


def with_column(table: Table, name: str, values: object, is_valid: object = None) -> Table:
    values = np.asarray(values)
    valid = np.ones(len(values), bool) if is_valid is None else np.asarray(is_valid)
    return Table({**table.columns, name: Column(values, valid)})


def without_column(table: Table, name: str) -> Table:
    return Table({key: column for key, column in table.columns.items() if key != name})


def test_sizes_and_times_follow_from_the_counts_and_the_provenance():
    session = make_session(n_trials=7, n_bins=5, n_units=6, bin_size_s=0.02)
    assert (session.n_trials, session.n_bins, session.n_units) == (7, 5, 6)
    assert session.bin_start_s.tolist() == pytest.approx([0, 0.02, 0.04, 0.06, 0.08])
    assert session.region_names() == ("CA1", "DG", "VISp")
    assert session.unit_id[0] == "simulated-0/0000"


def test_counts_cannot_be_written_to():
    session = make_session()
    with pytest.raises(ValueError, match="read-only"):
        session.counts[0, 0, 0] = 1


def test_the_array_that_was_given_stays_writable():
    session = make_session(n_trials=3)
    counts = session.counts.copy()
    replace(session, counts=counts)
    counts[0, 0, 0] = 1


def test_trials_are_taken_with_their_rows_and_signals():
    session = _with_wheel(make_session(n_trials=6, n_bins=4))
    taken = session.take_trials(np.array([4, 1]))
    assert taken.trials.values("trial_id").tolist() == [4, 1]
    assert np.array_equal(taken.counts, session.counts[[4, 1]])
    assert taken.behaviors["wheel"].values[:, 0].tolist() == [4.0, 1.0]
    assert taken.behaviors["wheel"].is_valid.tolist() == [True, False]
    assert session.n_trials == 6


def test_units_are_taken_by_rows_or_by_mask():
    session = make_session()
    rows = np.array([3, 0])
    assert session.take_units(rows).unit_id.tolist() == session.unit_id[rows].tolist()
    is_dg = session.region == "DG"
    assert session.take_units(is_dg).region_names() == ("DG",)


def test_a_session_without_regions_has_no_region_names():
    session = make_session(regions=())
    assert session.region_names() == ()
    assert set(session.region) == {""}


def test_a_session_can_be_copied_and_so_sent_to_another_process():
    session = _with_wheel(make_session())
    again = copy.deepcopy(session)
    assert again.content_hash == session.content_hash
    assert list(again.behaviors) == ["wheel"]


def test_equal_seeds_make_equal_sessions_and_others_do_not():
    assert make_session(seed=1).content_hash == make_session(seed=1).content_hash
    assert make_session(seed=1).content_hash != make_session(seed=2).content_hash


_CHANGES = {
    "a count": lambda s: {"counts": _plus_one(s.counts)},
    "the id": lambda s: {"session_id": "another"},
    "a unit's region": lambda s: {"units": with_column(s.units, "region", ["MOs"] * s.n_units)},
    "a new field": lambda s: {"units": with_column(s.units, "x", np.zeros(s.n_units))},
    "validity": lambda s: {
        "trials": with_column(
            s.trials, "feedback", s.trials.values("feedback"), np.zeros(s.n_trials, bool)
        )
    },
    "a type": lambda s: {
        "trials": with_column(s.trials, "trial_id", np.arange(s.n_trials, dtype=np.int32))
    },
    "a signal": lambda s: {"behaviors": _with_wheel(s).behaviors},
    "the bin size": lambda s: {"provenance": replace(s.provenance, bin_size_s=0.02)},
}


@pytest.mark.parametrize("what", _CHANGES)
def test_the_content_hash_changes_with(what):
    session = make_session(n_trials=8)
    assert replace(session, **_CHANGES[what](session)).content_hash != session.content_hash


_FAULTS = {
    "counts of two axes": (lambda s: {"counts": s.counts[0]}, "axes .* has 2"),
    "counts of another type": (lambda s: {"counts": s.counts.astype(int)}, "uint8 .* not int64"),
    "no trials": (lambda s: {"counts": s.counts[:0]}, "zero trials"),
    "no bins": (lambda s: {"counts": s.counts[:, :0]}, "zero bins"),
    "no units": (lambda s: {"counts": s.counts[:, :, :0]}, "zero units"),
    "no id": (lambda s: {"session_id": ""}, "needs an id"),
    "too few units in the table": (
        lambda s: {"units": s.units.take(np.arange(3))},
        "unit table has 3 rows, but the counts have 24",
    ),
    "too few trials in the table": (
        lambda s: {"trials": s.trials.take(np.arange(3))},
        "trial table has 3 rows",
    ),
    "no region column": (
        lambda s: {"units": without_column(s.units, "region")},
        "unit table lacks region",
    ),
    "numbers as unit ids": (
        lambda s: {"units": with_column(s.units, "unit_id", np.arange(s.n_units))},
        "'unit_id' must hold text",
    ),
    "text as trial numbers": (
        lambda s: {"trials": with_column(s.trials, "trial_id", [str(i) for i in range(40)])},
        "'trial_id' must hold whole numbers",
    ),
    "whole seconds as onsets": (
        lambda s: {"trials": with_column(s.trials, "align_s", np.arange(s.n_trials))},
        "'align_s' must hold numbers with a fraction, not int64",
    ),
    "complex numbers": (
        lambda s: {"units": with_column(s.units, "z", np.zeros(s.n_units, complex))},
        "'z' must hold numbers, booleans or text",
    ),
    "a field of two axes": (
        lambda s: {"units": with_column(s.units, "xy", np.zeros((s.n_units, 2)))},
        "'xy' must be one value",
    ),
    "NaN in a field": (
        lambda s: {"units": with_column(s.units, "depth_um", [np.nan] * s.n_units)},
        "'depth_um' holds nan in row 0",
    ),
    "duplicate unit ids": (
        lambda s: {"units": with_column(s.units, "unit_id", ["a", "a", *map(str, range(22))])},
        "unit_id a stands in more than one row",
    ),
    "duplicate trials": (
        lambda s: {"trials": with_column(s.trials, "trial_id", np.zeros(s.n_trials, int))},
        "trial_id 0 stands in more than one row",
    ),
    "a unit without an id": (
        lambda s: {"units": with_column(s.units, "unit_id", s.unit_id, np.arange(s.n_units) != 2)},
        "needs a unit_id, but row 2",
    ),
    "a signal of other length": (
        lambda s: {"behaviors": {"wheel": _wheel(3, s.n_bins)}},
        r"'wheel' has the shape \(3, 10\), but the session has \(40, 10\)",
    ),
    "a signal of another type": (
        lambda s: {"behaviors": {"wheel": _wheel(s.n_trials, s.n_bins, np.float64)}},
        "'wheel' must be float32",
    ),
    "an infinite signal": (
        lambda s: {"behaviors": {"wheel": _wheel(s.n_trials, s.n_bins, fill=np.inf)}},
        "'wheel' is not finite in trial 0",
    ),
}


@pytest.mark.parametrize("fault", _FAULTS)
def test_a_session_refuses(fault):
    change, sentence = _FAULTS[fault]
    session = make_session()
    with pytest.raises(DataError, match=sentence):
        replace(session, **change(session))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"bin_size_s": 0.0}, "bin size must be a positive"),
        ({"bin_size_s": float("nan")}, "bin size must be a positive"),
        ({"window_start_s": float("inf")}, "window must start at a finite"),
    ],
)
def test_a_provenance_refuses_times_that_are_none(change, sentence):
    with pytest.raises(DataError, match=sentence):
        replace(make_session().provenance, **change)


def _plus_one(counts: np.ndarray) -> np.ndarray:
    changed = counts.copy()
    changed[-1, -1, -1] += 1
    return changed


def _wheel(
    n_trials: int, n_bins: int, dtype: type = np.float32, fill: float | None = None
) -> Behavior:
    values = np.repeat(np.arange(n_trials, dtype=dtype)[:, None], n_bins, axis=1)
    if fill is not None:
        values[:] = fill
    return Behavior(values=values, is_valid=np.arange(n_trials) % 2 == 0)


def _with_wheel(session: Session) -> Session:
    return replace(session, behaviors={"wheel": _wheel(session.n_trials, session.n_bins)})
