from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mtm_core.data.alf import find_sessions, is_alf_folder, read_alf
from mtm_core.data.alf_arrays import read_npy, read_table
from mtm_core.data.alf_origin import origin_json, origin_of_path, read_origin
from mtm_core.data.raw import Origin
from mtm_core.errors import DataError, DatasetError, MissingDatasetError
from tests.core.data.alf_folder import PROBE, SESSION, one_probe, write, write_one


@pytest.mark.parametrize("given", ["", "alf", "..", "../../../.."])
def test_the_session_its_alf_folder_or_what_holds_it_alone_open_the_same(tmp_path, given):
    folder = write(tmp_path, one_probe())
    assert read_alf((folder / given).resolve()).origin == read_alf(folder).origin


def test_a_folder_can_be_given_from_where_one_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(write(tmp_path, one_probe()))
    assert read_alf(Path()).origin.session_id == "testlab/TEST_001/2024-01-02/001"
    monkeypatch.chdir("alf")
    assert read_alf(Path("../alf")).origin.subject == "TEST_001"


def test_sessions_are_found_wherever_they_lie(tmp_path):
    names = [SESSION, "TEST_002/2024-01-02/1", "loose", ".hidden/x", "raw_ephys_data/y"]
    for name in names:
        write(tmp_path, one_probe(), session=name)
    write_one(tmp_path / "behaviour/alf/licks.times.npy", np.arange(3.0))
    assert list(find_sessions(tmp_path)) == sorted(tmp_path / name for name in names[:3])


def test_links_are_followed_once(tmp_path):
    folder = write(tmp_path / "disk", one_probe())
    (tmp_path / "link").symlink_to(tmp_path / "disk", target_is_directory=True)
    (tmp_path / "disk/loop").symlink_to(tmp_path, target_is_directory=True)
    found = list(find_sessions(tmp_path))
    assert len(found) == 1
    assert found[0].resolve() == folder.resolve()


def test_a_folder_that_happens_to_be_called_alf_is_no_session(tmp_path):
    folder = write(tmp_path / "alf", one_probe(), session="TEST_001/2024-01-02/001")
    assert list(find_sessions(tmp_path)) == list(find_sessions(tmp_path / "alf")) == [folder]
    (tmp_path / "alf/notes").mkdir()
    with pytest.raises(DataError, match="notes is no ALF session"):
        read_alf(tmp_path / "alf/notes")


def test_hidden_files_of_other_systems_are_passed_over(tmp_path):
    folder = write(tmp_path, one_probe())
    for path in ("alf/._x.npy", f"{PROBE}/._spikes.times.npy", "alf/.DS_Store"):
        write_one(folder / path, b"rubbish")
    assert not any("Not read" in note for note in read_alf(folder).origin.notes)


def test_what_is_an_alf_folder(tmp_path):
    folder = write(tmp_path, one_probe())
    assert all(map(is_alf_folder, (folder, folder / "alf", tmp_path)))
    (tmp_path / "empty").mkdir()
    assert not is_alf_folder(tmp_path / "empty")
    assert not is_alf_folder(tmp_path / "absent")
    assert not is_alf_folder(folder / PROBE / "spikes.times.npy")


def _no_session(tmp_path, kind):
    folder = write(tmp_path / "one", one_probe())
    if kind == "several":
        write(tmp_path / "two", one_probe())
        return tmp_path
    if kind == "no spikes":
        behavior = {path: v for path, v in one_probe().items() if "probe" not in path}
        return write(tmp_path / "three", behavior)
    return {
        "absent": tmp_path / "absent",
        "a file": folder / PROBE / "spikes.times.npy",
        "a probe": folder / "alf/probe00",
        "something else": Path(__file__).parent,
    }[kind]


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("absent", r"absent does not exist\. Give the folder of a session"),
        ("a file", r"spikes.times.npy is a file, not a folder"),
        (
            "a probe",
            r"probe00 is a part of a session\. Give the session's folder: .*2024-01-02/001",
        ),
        ("several", r"holds 2 sessions\. Choose one, for example .*one"),
        ("no spikes", r"alf holds no spikes: .*Download or copy the spike sorting"),
        ("something else", r"is no ALF session: it has no folder 'alf'"),
    ],
)
def test_what_is_no_session_is_told_so(tmp_path, kind, sentence):
    with pytest.raises(DataError, match=sentence):
        read_alf(_no_session(tmp_path, kind))


@pytest.mark.parametrize(
    ("path", "session_id", "lab", "number"),
    [
        ("/d/zadorlab/Subjects/T_1/2020-02-03/001", "zadorlab/T_1/2020-02-03/001", "zadorlab", 1),
        ("/d/zadorlab/Subjects/T_1/2020-02-03/2", "zadorlab/T_1/2020-02-03/002", "zadorlab", 2),
        ("/d/T_1/2020-02-03/12", "T_1/2020-02-03/012", None, 12),
        ("/d/T_1/2020-02-03/session", "", None, None),
        ("/d/T_1/2020-02-31/1", "", None, None),
        ("/d/T_1/20200203/1", "", None, None),
        ("/d/T_1/2020-02-03/1234", "", None, None),
        ("/", "", None, None),
    ],
)
def test_lab_subject_date_and_number_come_from_the_path(path, session_id, lab, number):
    origin = origin_of_path(Path(path))
    assert (origin.session_id, origin.lab, origin.number) == (session_id, lab, number)
    assert (origin.subject, origin.date) == (("T_1", "2020-02-03") if session_id else (None, None))


def test_a_number_folder_without_zeros_opens_as_the_same_session(tmp_path):
    padded = read_alf(write(tmp_path / "a", one_probe()))
    bare = read_alf(write(tmp_path / "b", one_probe(), session=SESSION.replace("/001", "/1")))
    assert bare.origin == padded.origin
    assert bare.units.values("unit_id").tolist() == padded.units.values("unit_id").tolist()


def test_a_link_opens_as_the_session_that_it_leads_to(tmp_path):
    (tmp_path / "link").symlink_to(write(tmp_path, one_probe()), target_is_directory=True)
    assert read_alf(tmp_path / "link").origin.subject == "TEST_001"


def test_what_an_origin_says_is_read_back(tmp_path):
    origin = Origin(
        session_id="an-eid",
        source="somewhere",
        source_id="one",
        eid="an-eid",
        number=3,
        licence="CC BY 4.0",
        is_simulated=True,
        notes=("Made for a test.",),
    )
    (tmp_path / "o.json").write_text(origin_json(origin), encoding="utf-8")
    assert read_origin(tmp_path / "o.json") == origin


@pytest.mark.parametrize(
    "text", ["{", "[1]", '{"is_simulated": "yes"}', '{"number": true}', '{"subject": 4}', "\xff"]
)
def test_an_origin_that_cannot_be_meant_is_refused(tmp_path, text):
    (tmp_path / "o.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(DatasetError, match=r"o.json in "):
        read_origin(tmp_path / "o.json")


def test_the_label_of_a_simulated_session_is_enough(tmp_path):
    folder = write(tmp_path, one_probe())
    (folder / "_mtm_simulated.json").write_text("{}")
    assert read_alf(folder).origin.is_simulated


def _npy(path, values, **options):
    np.save(path, values, **options)
    return path.read_bytes()


def test_a_truncated_array_is_refused_before_it_is_read(tmp_path):
    data = _npy(tmp_path / "x.npy", np.arange(1000.0))
    (tmp_path / "x.npy").write_bytes(data[:-1])
    with pytest.raises(DatasetError, match=r"x.npy in .* is truncated: 7,999 of 8,000 bytes"):
        read_npy(tmp_path / "x.npy")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.999])
def test_an_array_cut_anywhere_is_refused_with_a_sentence(tmp_path, share):
    data = _npy(tmp_path / "x.npy", np.arange(50.0))
    (tmp_path / "x.npy").write_bytes(data[: int(share * len(data))])
    with pytest.raises(DatasetError, match=r"^x.npy in .*(truncated|damaged)"):
        read_npy(tmp_path / "x.npy")


def test_pickled_objects_are_refused_unopened(tmp_path):
    _npy(tmp_path / "x.npy", np.array([{"a": 1}, None], dtype=object), allow_pickle=True)
    with pytest.raises(DatasetError, match=r"x.npy in .* holds pickled Python objects"):
        read_npy(tmp_path / "x.npy")


def test_a_single_value_is_no_list(tmp_path):
    _npy(tmp_path / "x.npy", np.float64(3.0))
    with pytest.raises(DatasetError, match="holds a single value"):
        read_npy(tmp_path / "x.npy")


def test_a_header_that_declares_too_much_allocates_nothing(tmp_path):
    data = _npy(tmp_path / "x.npy", np.arange(1000.0))
    header = data.replace(b"(1000,), }      ", b"(99999999999,), ", 1)
    (tmp_path / "x.npy").write_bytes(header.replace(b"99999999999,), ", b"9999999999,), }", 1))
    with pytest.raises(DatasetError, match=r"truncated: 8,000 of 79,999,999,992 bytes"):
        read_npy(tmp_path / "x.npy")


@pytest.mark.parametrize("values", [np.zeros(3, "M8[s]"), np.zeros(2, [("a", "f8")])])
def test_arrays_of_other_things_are_refused(tmp_path, values):
    _npy(tmp_path / "x.npy", values)
    with pytest.raises(DatasetError, match=r"neither numbers nor text"):
        read_npy(tmp_path / "x.npy")


@pytest.mark.parametrize("values", [np.arange(3, dtype=">f8"), np.zeros((0, 3)), np.array(["ä"])])
def test_odd_but_plain_arrays_are_read(tmp_path, values):
    _npy(tmp_path / "x.npy", values)
    found = read_npy(tmp_path / "x.npy")
    assert np.array_equal(found, values)
    assert found.dtype.isnative


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.pqt", b""),
        ("x.pqt", b"PAR1 and then nothing"),
        ("x.pqt", b"PAR1 nothing in between PAR1"),
        ("x.csv", b""),
        ("x.csv", b"a,b\n1,2\n1,2,3,4\n"),
        ("x.csv", b"\xff\xfe\x00"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DatasetError, match=rf"^{name} in .* is damaged and cannot be read"):
        read_table(tmp_path / name)


def test_a_parquet_table_cut_anywhere_is_refused(tmp_path):
    folder = write(tmp_path, one_probe())
    path = folder / "alf/_ibl_trials.table.pqt"
    data = path.read_bytes()
    for start, end in pairwise(range(0, len(data), len(data) // 5)):
        path.write_bytes(data[: (start + end) // 2])
        with pytest.raises(DatasetError, match=r"_ibl_trials.table.pqt in .* is damaged"):
            read_alf(folder)


def test_an_array_with_a_long_header_is_read(tmp_path):
    values = np.arange(6.0)
    with (tmp_path / "x.npy").open("wb") as stream:
        np.lib.format.write_array(stream, values, version=(2, 0))
    assert np.array_equal(read_npy(tmp_path / "x.npy"), values)


def test_an_array_too_large_for_the_memory_is_told_so(tmp_path, monkeypatch):
    def load(*_args, **_kwargs):
        raise MemoryError

    _npy(tmp_path / "x.npy", np.arange(6.0))
    monkeypatch.setattr(np, "load", load)
    with pytest.raises(DatasetError, match=r"x.npy in .* does not fit into memory"):
        read_npy(tmp_path / "x.npy")


def test_columns_of_tables_keep_what_they_are(tmp_path):
    frame = pd.DataFrame(
        {
            "whole": pd.array([1, None], dtype="Int64"),
            "truth": pd.array([True, None], dtype="boolean"),
            "text": ["a", None],
            "plain": np.array([1, 2], np.int16),
        }
    )
    write_one(tmp_path / "x.pqt", frame)
    table = read_table(tmp_path / "x.pqt")
    assert np.array_equal(table["whole"], [1, np.nan], equal_nan=True)
    assert np.array_equal(table["truth"], [1, np.nan], equal_nan=True)
    assert table["text"].tolist() == ["a", ""]
    assert table["plain"].dtype == np.int16


@pytest.mark.parametrize("reader", [read_npy, read_table])
def test_a_file_that_is_not_there_or_is_a_folder(tmp_path, reader):
    with pytest.raises(MissingDatasetError, match=r"absent.pqt in .* is not there"):
        reader(tmp_path / "absent.pqt")
    (tmp_path / "folder.pqt").mkdir()
    with pytest.raises(DatasetError, match=r"folder.pqt in"):
        reader(tmp_path / "folder.pqt")
