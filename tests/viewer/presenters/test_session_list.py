"""Rows of the session browser: columns, filters, what a typed word means."""

from __future__ import annotations

from pathlib import Path

import pytest

from mtm_viewer.presenters.session_list import (
    SessionRow,
    cell_text,
    cell_tooltip,
    counted,
    filter_rows,
    find_eid,
    find_source,
    ordered_regions,
    read_date,
    region_badges,
    row_of_folder,
    short_path,
    shown_columns,
    sort_rows,
)

EID = "5dcee0eb-b34d-4652-acc3-d10afc6eae68"
ROWS = (
    SessionRow(source="/a.h5", name="a", subject="KS014", n_units=9, regions=("CA1", "DG")),
    SessionRow(source="/b.h5", name="b", subject="ks015", n_units=100, is_simulated=True),
    SessionRow(source=EID, name="c", lab="mainenlab", regions=("VISp",), is_local=False),
)


def titles(rows) -> list[str]:
    return [column.title for column in shown_columns(rows)]


def test_columns_that_say_nothing_are_left_out():
    assert titles(ROWS) == ["Session", "Subject", "Lab", "Units", "Regions", "Opens"]
    assert titles([]) == ["Session"]


def test_what_can_only_be_downloaded_is_marked_even_if_all_is():
    assert "Opens" in titles(ROWS[2:])
    assert "Opens" not in titles(ROWS[:2])


def test_simulated_sessions_say_so_in_the_list():
    assert cell_text(ROWS[1], "name") == "b  (simulated)"
    assert cell_text(ROWS[0], "name") == "a"
    assert cell_text(ROWS[0], "regions") == "CA1, DG"
    assert cell_text(ROWS[0], "n_probes") == ""


def test_a_tooltip_names_regions_places_and_problems():
    mixed = SessionRow(source="x", name="x", regions=("CA1", "my nucleus"))
    assert cell_tooltip(mixed, "regions") == "CA1: Field CA1\nmy nucleus"
    assert cell_tooltip(ROWS[0], "name") == "/a.h5"
    broken = SessionRow(source="x", name="x", problem="It is damaged.")
    assert cell_tooltip(broken, "regions") == "It is damaged."


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "abc"),
        ("KS01", "ab"),
        ("ks014 dg", "a"),
        ("simulated", "b"),
        ("5dcee", "c"),
        ("q", ""),
    ],
)
def test_every_word_must_occur_somewhere(query, found):
    assert "".join(row.name for row in filter_rows(ROWS, query)) == found


@pytest.mark.parametrize(
    ("field", "is_falling", "names"),
    [
        ("n_units", False, "abc"),
        ("n_units", True, "bac"),
        ("subject", False, "abc"),
        ("regions", True, "acb"),
        ("lab", False, "cab"),
    ],
)
def test_rows_without_a_value_come_last_either_way(field, is_falling, names):
    assert "".join(row.name for row in sort_rows(ROWS, field, is_falling=is_falling)) == names


def test_badges_have_the_atlas_colour_and_a_text_that_reads_on_it():
    dark, light, unknown = region_badges(["VISp", "root", "my nucleus"])
    assert (dark.colour, dark.text_colour) == ("#08858c", "#ffffff")
    assert (light.colour, light.text_colour) == ("#ffffff", "#111418")
    assert unknown.colour == "#8a8f98"


def test_a_pasted_text_opens_a_path_before_an_eid(tmp_path):
    folder = tmp_path / EID
    folder.mkdir()
    assert find_source(f"  {folder}\n") == str(folder)
    assert find_source(folder.as_uri()) == str(folder)
    assert find_source(f"one.load_object('{EID.upper()}', 'spikes')") == EID
    assert find_source(f"{EID}\n{folder}") == EID


@pytest.mark.parametrize(
    "text", ["", "KS014", "/nowhere/at all", "/" + "x" * 3000, "x" * 5000, "relative.h5"]
)
def test_other_texts_open_nothing(text):
    assert find_source(text) is None


def test_an_eid_may_stand_in_an_address():
    assert find_eid(f"https://x.org/session/{EID}/") == EID
    assert find_eid(EID[:-1]) is None


@pytest.mark.parametrize(
    ("text", "is_end", "date"),
    [
        ("2020", False, "2020-01-01"),
        ("2020", True, "2020-12-31"),
        ("2020-2", True, "2020-02-29"),
        (" 2020-03-05 ", True, "2020-03-05"),
        ("2020-02-30", False, None),
        ("1066", False, None),
        ("20-03", False, None),
        ("soon", False, None),
    ],
)
def test_half_a_date_means_its_first_or_last_day(text, is_end, date):
    assert read_date(text, is_end=is_end) == date


def test_a_folder_is_described_by_its_names():
    row = row_of_folder(Path("/d/KS014/2019-12-03/1"))
    assert (row.subject, row.lab, row.number) == ("KS014", "", 1)


@pytest.mark.parametrize(
    ("path", "home", "short"),
    [("/home/me", "/home/me", "~"), ("/home/me2/x", "/home/me", "/home/me2/x"), ("/x", "/", "/x")],
)
def test_only_what_lies_in_the_home_folder_is_shortened(path, home, short):
    assert short_path(path, home) == short


def test_the_count_says_what_the_search_left_out():
    assert counted(0, 3) == "0 of 3 sessions"
    assert counted(2, 2, is_searching=True) == "2 sessions, still searching…"


def test_regions_are_told_once_in_the_order_of_the_atlas():
    assert ordered_regions(["root", "CA1", "", "VISp", "CA1"]) == ("VISp", "CA1", "root")
