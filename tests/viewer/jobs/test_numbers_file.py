"""Numbers in files equal those on screen, in all three kinds of file."""

from __future__ import annotations

import csv

import h5py
import numpy as np
import pytest

from mtm_core.errors import OutputError, UnknownNameError
from mtm_viewer.jobs.numbers_file import write_numbers
from mtm_viewer.presenters.panel_numbers import NumberColumn, NumberTable, PanelNumbers

VALUES = np.random.default_rng(0).standard_normal((5, 300)).astype(np.float32)
LABELS = tuple(f"{n} ms" for n in range(300))
KNOWN = np.array([True, False, True, True, True])
NAMES = np.array(["a", "b", "ü", "实验", "e"])
NUMBERS = PanelNumbers(
    title="Rasters",
    tables=(
        NumberTable(
            name="true",
            columns=(
                NumberColumn(name="unit_id", values=NAMES),
                NumberColumn(name="rate", values=VALUES, unit="spikes/s", labels=LABELS),
                NumberColumn(name="a/b", values=np.arange(5), is_known=KNOWN),
            ),
        ),
        NumberTable(name="hidden", columns=(NumberColumn(name="n", values=np.arange(2)),)),
    ),
    notes=(("trials", "66 test trials"),),
)


def test_csv_tables_lie_beside_each_other(tmp_path):
    paths = write_numbers(NUMBERS, tmp_path / "rates ü.csv")
    assert [path.name for path in paths] == ["rates ü.csv", "rates ü.hidden.csv"]
    lines = paths[0].read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["# Rasters", "# trials: 66 test trials"]
    head, *rows = csv.reader(lines[2:])
    assert head[1] == "rate 0 ms (spikes/s)"
    read = np.array([row[1:301] for row in rows]).astype(np.float32)
    assert np.array_equal(read, VALUES)
    assert [row[0] for row in rows] == NAMES.tolist()
    assert [row[-1] for row in rows] == ["0", "", "2", "3", "4"]


def test_npz_needs_no_pickle(tmp_path):
    write_numbers(NUMBERS, tmp_path / "a.npz", "{}")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        assert np.array_equal(file["true.rate"], VALUES)
        assert file["true.rate.labels"].tolist() == list(LABELS)
        assert np.array_equal(file["true.a/b.is_known"], KNOWN)
        assert file["true.unit_id"].tolist() == NAMES.tolist()
        assert (str(file["title"]), str(file["experiment"])) == ("Rasters", "{}")
        assert file["notes"].tolist() == [["trials", "66 test trials"]]


def test_hdf5_holds_units_and_labels(tmp_path):
    write_numbers(NUMBERS, tmp_path / "a.h5", "{}")
    with h5py.File(tmp_path / "a.h5") as file:
        assert np.array_equal(file["true/rate"][()], VALUES)
        assert file["true/rate"].attrs["unit"] == "spikes/s"
        assert file["true/rate.labels"].asstr()[()].tolist() == list(LABELS)
        assert file["true/unit_id"].asstr()[()].tolist() == NAMES.tolist()
        assert np.array_equal(file["true/a per b.is_known"][()], KNOWN)
        assert file.attrs["note: trials"] == "66 test trials"
        assert file["experiment"].asstr()[()] == "{}"


def test_without_notes_an_npz_can_be_read(tmp_path):
    bare = PanelNumbers(title="T", tables=NUMBERS.tables[1:])
    write_numbers(bare, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        assert file["hidden.n"].tolist() == [0, 1]


def test_other_endings_are_refused_by_name(tmp_path):
    with pytest.raises(UnknownNameError, match="Known: csv, h5, npz"):
        write_numbers(NUMBERS, tmp_path / "a.xlsx")


@pytest.mark.parametrize("kind", ["csv", "npz", "h5"])
def test_a_place_that_cannot_be_written_is_told_and_nothing_is_left(tmp_path, kind):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError):
        write_numbers(NUMBERS, tmp_path / "file" / f"a.{kind}")
    if kind == "csv":
        (tmp_path / "b.hidden.csv").mkdir()
        with pytest.raises(OutputError):
            write_numbers(NUMBERS, tmp_path / "b.csv")
        assert not (tmp_path / "b.csv").exists()
