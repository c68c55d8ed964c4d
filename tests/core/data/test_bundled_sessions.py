from __future__ import annotations

import numpy as np
import pytest

from mtm_core.data.conditions import trial_conditions
from mtm_core.data.session_file import read_session
from mtm_core.data.steinmetz import known_choice
from mtm_core.resources import list_sessions, resource_dir, session_path

# Counted in the source files: name, trials, units, rewarded trials, spikes, largest count, areas.
RECORDINGS = [
    ("s01_Cori_2016-12-14", 214, 734, 141, 240698, 6, "ACA CA3 DG LS MOs SUB VISp root"),
    ("s02_Cori_2016-12-17", 251, 1070, 159, 339911, 9, "CA1 POST VISl VISpm root"),
    (
        "s04_Forssmann_2017-11-01",
        249,
        1769,
        166,
        370689,
        8,
        "ACA CA1 DG LGd LSr MOs SUB TH VISa VISp VPL",
    ),
    ("s06_Forssmann_2017-11-04", 290, 1169, 215, 224828, 7, "AUD CA1 SSp TH root"),
    ("s07_Forssmann_2017-11-05", 252, 584, 169, 208298, 6, "CA3 CP EPd LD PIR SSp VPL root"),
    (
        "s08_Hench_2017-06-15",
        250,
        1157,
        161,
        478873,
        8,
        "CA1 CA3 DG ILA LD LP LSr MOs PL PO SUB TT VISa VISp root",
    ),
    (
        "s10_Hench_2017-06-17",
        447,
        1172,
        277,
        622131,
        6,
        "CA1 DG GPe MB MRN POL POST SCm SCsg VISl VISp VISrl root",
    ),
    ("s11_Hench_2017-06-18", 342, 857, 272, 366511, 6, "CP LSc LSr MOp PT root"),
    (
        "s12_Lederberg_2017-12-05",
        340,
        698,
        251,
        394726,
        5,
        "ACA CA1 DG LGd LH MD MOs PL SUB VISam VISp root",
    ),
    (
        "s13_Lederberg_2017-12-06",
        300,
        983,
        239,
        724770,
        6,
        "ACA CA1 DG LGd MB MOs MRN MS PL RN SCm SCs VISam ZI root",
    ),
    ("s15_Lederberg_2017-12-08", 404, 743, 309, 439477, 9, "BLA CA3 GPe LGd MB VPM ZI root"),
    ("s16_Lederberg_2017-12-09", 280, 474, 201, 139406, 5, "CA3 LGd MB SSp SSs TH"),
    ("s17_Lederberg_2017-12-10", 224, 565, 186, 147545, 5, "LD MEA RT VPL VPM root"),
    ("s18_Lederberg_2017-12-11", 316, 1090, 247, 374179, 6, "ACB CA3 CP LGd OT SI SNr TH ZI root"),
]
NAMES = [f"steinmetz2019_{row[0]}" for row in RECORDINGS]


@pytest.fixture(scope="module")
def sessions():
    return {name: read_session(session_path(name)) for name in NAMES}


def test_the_fourteen_recordings_are_there_and_no_other():
    assert [name for name in list_sessions() if name.startswith("steinmetz")] == sorted(NAMES)


@pytest.mark.parametrize("row", RECORDINGS, ids=[row[0] for row in RECORDINGS])
def test_a_recording_holds_what_its_source_holds(sessions, row):
    name, n_trials, n_units, n_rewarded, n_spikes, max_count, areas = row
    session = sessions[f"steinmetz2019_{name}"]
    assert session.counts.shape == (n_trials, 40, n_units)
    assert session.counts.sum(dtype=np.int64) == n_spikes
    assert session.counts.max() == max_count
    assert (session.trials.values("feedback") == 1).sum() == n_rewarded
    assert set(session.region_names()) - {"void"} == set(areas.split())
    assert (session.region == "void").sum() == 1
    assert session.region[-1] == "void"
    assert session.session_id.startswith(f"steinmetz2019_{name}_")
    assert name.split("_")[1:] == [session.provenance.subject, session.provenance.date]


def test_together_they_hold_the_verified_totals(sessions):
    assert sum(s.n_trials for s in sessions.values()) == 4159
    assert sum(s.n_units for s in sessions.values()) == 13065
    assert sum(int(s.counts.sum(dtype=np.int64)) for s in sessions.values()) == 5_072_042
    regions = {name for s in sessions.values() for name in s.region_names()}
    assert len(regions - {"void", "root"}) == 53
    unit_ids = {name for s in sessions.values() for name in s.unit_id.tolist()}
    assert len(unit_ids) == 13065


def test_choice_is_known_exactly_where_the_rule_fixes_it(sessions):
    n_known = 0
    for session in sessions.values():
        choice = session.trials.column("choice")
        left, right = (session.trials.values(f"contrast_{s}") for s in ("left", "right"))
        expected = known_choice(left, right, session.trials.values("feedback"))
        assert np.array_equal(choice.values, expected.values)
        assert np.array_equal(choice.is_valid, expected.is_valid)
        assert set(choice.values[left > right]) <= {0, 1}
        assert set(choice.values[left < right]) <= {0, -1}
        n_known += int(choice.is_valid.sum())
    assert n_known == 2867


def test_trials_are_in_the_order_of_their_onsets_and_can_be_grouped(sessions):
    for session in sessions.values():
        assert (np.diff(session.trials.values("align_s")) > 0).all()
        conditions = trial_conditions(session)
        assert len(conditions.names) == 6
        assert conditions.is_valid.all()


def test_areas_above_the_beryl_level_kept_their_name(sessions):
    for session in sessions.values():
        beryl = session.units.values("region_beryl")
        assert ((beryl == "root") == (session.region == "root")).all()
        cosmos = session.units.values("region_cosmos")
        assert ((cosmos == "root") == (session.region == "root")).all()


def test_the_licence_and_its_caveat_travel_with_them(sessions):
    readme = (resource_dir() / "sessions" / "README.md").read_text(encoding="utf-8")
    assert "10.6084/m9.figshare.9598406" in readme
    assert "not checked against the figshare page" in readme
    for session in sessions.values():
        assert "not checked against the figshare page" in session.provenance.licence


def test_the_files_stay_small():
    files = list((resource_dir() / "sessions").glob("steinmetz2019_*.h5"))
    assert sum(file.stat().st_size for file in files) < 7_000_000
