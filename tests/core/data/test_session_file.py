from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from mtm_core.data.session import Behavior
from mtm_core.data.session_file import is_session_file, read_session, write_session
from mtm_core.data.table import Column, Table
from mtm_core.errors import OutputError, SessionFileError
from mtm_core.resources import session_path
from tests.core.sessions import make_session


@pytest.fixture
def session():
    return make_session(n_trials=12, n_bins=4, n_units=9)


@pytest.fixture
def path(session, tmp_path):
    write_session(session, tmp_path / "s.h5")
    return tmp_path / "s.h5"


def test_a_session_comes_back_as_it_was_written(session, path):
    again = read_session(path)
    assert np.array_equal(again.counts, session.counts)
    assert again.provenance == session.provenance
    assert again.content_hash == session.content_hash
    for table, other in ((again.units, session.units), (again.trials, session.trials)):
        assert set(table.columns) == set(other.columns)
        for name, column in other.columns.items():
            assert np.array_equal(table.values(name), column.values)
            assert np.array_equal(table.column(name).is_valid, column.is_valid)


def test_signals_accents_and_absent_values_come_back(session, tmp_path):
    wheel = Behavior(
        values=np.linspace(0, 1, 48, dtype=np.float32).reshape(12, 4),
        is_valid=np.arange(12) > 3,
    )
    names = Column(np.array(["Zürich", "", "β" * 9] * 3), np.array([True, False, True] * 3))
    whole = replace(
        session,
        behaviors={"wheel": wheel},
        units=Table({**session.units.columns, "label": names}),
        provenance=replace(session.provenance, lab="Ångström", notes=()),
    )
    write_session(whole, tmp_path / "s.h5")
    again = read_session(tmp_path / "s.h5")
    assert again.content_hash == whole.content_hash
    assert again.units.values("label").tolist() == ["Zürich", "", "β" * 9] * 3
    assert np.array_equal(again.behaviors["wheel"].values, wheel.values)
    assert again.provenance.lab == "Ångström"


def test_a_session_without_regions_comes_back(tmp_path):
    write_session(make_session(regions=()), tmp_path / "s.h5")
    assert read_session(tmp_path / "s.h5").region_names() == ()


def test_the_same_session_makes_the_same_bytes(session, path, tmp_path):
    write_session(session, tmp_path / "again.h5")
    assert (tmp_path / "again.h5").read_bytes() == path.read_bytes()


def test_a_session_file_says_what_it_is(path, tmp_path):
    (tmp_path / "note.txt").write_text("no")
    assert is_session_file(path)
    assert not is_session_file(tmp_path / "note.txt")
    assert not is_session_file(tmp_path / "absent.h5")


def test_a_large_session_opens_in_under_a_second():
    path = session_path("steinmetz2019_s10")
    start = time.process_time()
    session = read_session(path)
    assert time.process_time() - start < 1.0
    assert session.counts.size > 300 * 40 * 900


def _not_hdf5(path):
    path.write_text("plain text")


def _truncated(path):
    path.write_bytes(path.read_bytes()[:-2000])


def _cut_to_its_head(path):
    path.write_bytes(path.read_bytes()[:600])


def _flipped(path):
    data = bytearray(path.read_bytes())
    with h5py.File(path) as file:
        chunk = file["counts"].id.get_chunk_info(0)
    data[chunk.byte_offset + chunk.size // 2] ^= 0xFF
    path.write_bytes(data)


def _empty(path):
    path.write_bytes(b"")


def _edit(change):
    def apply(path):
        with h5py.File(path, "r+") as file:
            change(file)

    return apply


def _replaced(name, **how):
    """Put another data set in the place of one."""

    def change(file):
        del file[name]
        file.create_dataset(name, **how)

    return _edit(change)


def _linked_outside(file):
    del file["counts"]
    file["counts"] = h5py.ExternalLink("elsewhere.h5", "/counts")


def _virtual(file):
    del file["counts"]
    layout = h5py.VirtualLayout(shape=(12, 4, 9), dtype=np.uint8)
    layout[:] = h5py.VirtualSource("elsewhere.h5", "counts", shape=(12, 4, 9))
    file.create_virtual_dataset("counts", layout)


def _set_provenance(text):
    return _replaced("provenance", data=text, dtype=h5py.string_dtype("utf-8", 4000))


def _negative_bin(path):
    with h5py.File(path) as file:
        said = json.loads(file["provenance"].asstr()[()])
    _set_provenance(json.dumps({**said, "bin_size_s": -1}))(path)


_FAULTS = {
    "plain text": (_not_hdf5, "s.h5 is not an HDF5 file"),
    "an empty file": (_empty, "s.h5 is (not an HDF5 file|truncated)"),
    "a truncated file": (_truncated, "s.h5 is truncated"),
    "the head alone": (_cut_to_its_head, "s.h5 is truncated"),
    "flipped bits": (_flipped, "is damaged|was changed or damaged|holds no usable session"),
    "a foreign HDF5 file": (
        _edit(lambda f: f.attrs.__delitem__("schema")),
        "not a session file .it does not say what it is",
    ),
    "another schema": (
        _edit(lambda f: f.attrs.__setitem__("schema", "nwb")),
        "not a session file .it says 'nwb'",
    ),
    "a later version": (
        _edit(lambda f: f.attrs.__setitem__("schema_version", 2)),
        "version 2; this program reads version 1",
    ),
    "no version": (_edit(lambda f: f.attrs.__delitem__("schema_version")), "version None"),
    "an edited count": (
        _edit(lambda f: f["counts"].__setitem__((0, 0, 0), 99)),
        "was changed or damaged after it was written",
    ),
    "an edited label": (
        _edit(lambda f: f["units/values/region"].__setitem__(0, b"DG")),
        "was changed or damaged after it was written",
    ),
    "no hash": (_edit(lambda f: f.attrs.__delitem__("content_hash")), "does not match the hash"),
    "no counts": (_edit(lambda f: f.__delitem__("counts")), "s.h5: '/counts' is missing"),
    "no units": (_edit(lambda f: f.__delitem__("units")), "no usable session. The unit table"),
    "no values": (
        _edit(lambda f: f.__delitem__("units/values")),
        "s.h5: '/units/values' is missing",
    ),
    "an endless array for values": (
        _edit(
            lambda f: (
                f.__delitem__("units/values"),
                f.create_dataset("units/values", shape=(10**9, 10**3), dtype="u1", chunks=True),
            )
        ),
        "s.h5: '/units/values' is no group of arrays",
    ),
    "no validity": (
        _edit(lambda f: f.__delitem__("units/is_valid/region")),
        "s.h5: '/units/is_valid/region' is missing",
    ),
    "a group for counts": (
        _edit(lambda f: (f.__delitem__("counts"), f.create_group("counts"))),
        "'/counts' is missing",
    ),
    "zero trials": (
        _replaced("counts", data=np.zeros((0, 4, 9), np.uint8)),
        "no usable session. .* zero trials",
    ),
    "counts of another type": (
        _replaced("counts", data=np.zeros((12, 4, 9), np.float32)),
        "no usable session. Counts must be uint8",
    ),
    "compound counts": (
        _replaced("counts", data=np.zeros(3, [("a", int)])),
        "neither numbers nor text",
    ),
    "duplicate unit ids": (
        _replaced("units/values/unit_id", data=[b"a"] * 9, dtype=h5py.string_dtype("utf-8", 1)),
        "no usable session. unit_id a stands in more than one row",
    ),
    "a huge declared shape": (
        _replaced("counts", shape=(2**20, 2**12, 2**12), dtype=np.uint8, chunks=(1, 64, 64)),
        "'/counts' declares 17,592,186,044,416 bytes, but the file holds 0",
    ),
    "a huge declared text": (
        _replaced("units/values/region", shape=(9,), dtype=h5py.string_dtype("utf-8", 2**30)),
        "'/units/values/region' declares",
    ),
    "a huge chunk": (
        _replaced(
            "counts", shape=(1, 1, 1), maxshape=(None,) * 3, dtype="u1", chunks=(2**15, 2**8, 2**6)
        ),
        "'/counts' declares",
    ),
    "counts in another file": (_edit(_linked_outside), "is missing|is damaged"),
    "counts pieced from another file": (_edit(_virtual), "points to another file"),
    "provenance that is no JSON": (
        _set_provenance("{"),
        "no usable session. .*where it came from cannot be read",
    ),
    "provenance that lacks fields": (
        _set_provenance("{}"),
        "no usable session. .*where it came from cannot be read",
    ),
    "provenance that is a list": (
        _set_provenance("[1]"),
        "no usable session. .*where it came from cannot be read",
    ),
    "a negative bin size": (_negative_bin, "no usable session. The bin size"),
}


@pytest.mark.parametrize("fault", _FAULTS)
def test_a_file_is_refused_with_a_sentence_for(fault, path):
    damage, sentence = _FAULTS[fault]
    damage(path)
    with pytest.raises(SessionFileError, match=sentence) as caught:
        read_session(path)
    assert len(str(caught.value).splitlines()) == 1


def test_every_cut_and_every_flipped_byte_is_noticed(path, session):
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(data), 40).tolist():
        path.write_bytes(data[:place])
        with pytest.raises(SessionFileError):
            read_session(path)
        flipped = bytearray(data)
        flipped[place] ^= 1 << (place % 8)
        path.write_bytes(flipped)
        try:  # bytes that HDF5 leaves unused may differ, the content may not
            assert read_session(path).content_hash == session.content_hash
        except SessionFileError:
            continue


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError("Unable to open file: Permission denied"), "may not be read"),
        (MemoryError(), "does not fit into memory"),
        (RuntimeError("B-tree"), "is damaged and cannot be read"),
    ],
)
def test_what_the_reader_says_becomes_a_sentence(path, monkeypatch, error, sentence):
    def refuse(*_):
        raise error

    monkeypatch.setattr(h5py, "File", refuse)
    with pytest.raises(SessionFileError, match=f"s.h5 {sentence}"):
        read_session(path)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("absent.h5", "There is no file"), (".", "is a folder"), ("s.h5/x.h5", "There is no file")],
)
def test_a_path_without_a_session_is_refused(path, name, sentence):
    with pytest.raises(SessionFileError, match=sentence):
        read_session(path.parent / name)


@pytest.mark.parametrize("name", ["s.h5/under.h5", "nowhere/s.h5", "."])
def test_a_place_that_cannot_be_written_is_refused(session, path, name):
    before = path.read_bytes()
    with pytest.raises(OutputError, match="Could not write"):
        write_session(session, path.parent / name)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["s.h5"]


_FULL_DISK = """
import resource, sys
from mtm_core.data.session_file import read_session, write_session
from mtm_core.errors import OutputError
session = read_session(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    write_session(session, sys.argv[2])
except OutputError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no RLIMIT_FSIZE")
def test_a_disk_that_fills_up_leaves_the_old_file_and_nothing_else(path, tmp_path):
    folder = tmp_path / "full"
    folder.mkdir()
    target = folder / "s.h5"
    target.write_bytes(b"old")
    ran = subprocess.run(
        [sys.executable, "-c", _FULL_DISK, str(path), str(target)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert f"Could not write {target}: file too large" in ran.stdout
    assert ran.stderr == ""
    assert target.read_bytes() == b"old"
    assert list(folder.iterdir()) == [target]
