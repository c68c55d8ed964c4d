from __future__ import annotations

import string

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mtm_core.data.table import Column, Table
from mtm_core.errors import MaskError, MissingFieldError, RuleError
from mtm_core.masking.rule_parser import MAX_LENGTH, MAX_NESTING
from mtm_core.masking.rules import Rule, parse_rule

UNITS = Table(
    {
        "unit_id": Column.full(np.array(["u0", "u1", "u2", "u3"])),
        "region": Column.full(np.array(["CA1", "DG", "VISp", "VISam"])),
        "region_beryl": Column.full(np.array(["CA1", "DG", "VISp", "VISam"])),
        "region_cosmos": Column.full(np.array(["HPF", "HPF", "Isocortex", "Isocortex"])),
        "depth_um": Column(
            np.array([500.0, 1300.0, 0.0, 2000.0]), np.array([True, True, False, True])
        ),
        "is_good": Column.full(np.array([True, False, True, False])),
        "probe": Column(np.array(["p0", "p0", "p1", ""]), np.array([True, True, True, False])),
        "amplitude": Column.full(np.array([1, 2, 3, 4])),
    }
)
RATE_HZ = np.array([0.5, 3.0, 8.0, 20.0])


def chosen(text: str) -> list[int]:
    return np.flatnonzero(parse_rule(text).select(UNITS, RATE_HZ)).tolist()


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('region == "CA1"', [0]),
        ("region == 'CA1'", [0]),
        ('"CA1" == region', [0]),
        ('region != "CA1"', [1, 2, 3]),
        ('region in ("CA1", "DG")', [0, 1]),
        ('region in ("CA1", "DG",)', [0, 1]),
        ('region in "VIS*"', [2, 3]),
        ('region not in ("CA1", "DG")', [2, 3]),
        ('region == "VIS*"', [2, 3]),
        ('region == "*S*m"', [3]),
        ('region == "*"', [0, 1, 2, 3]),
        ('region != "V*"', [0, 1]),
        ('region in ("CA1", "VIS*")', [0, 2, 3]),
        ('beryl == "DG"', [1]),
        ('region_beryl == "DG"', [1]),
        ('cosmos == "HPF"', [0, 1]),
        ("good", [0, 2]),
        ("is_good", [0, 2]),
        ("not good", [1, 3]),
        ("(good)", [0, 2]),
        ("not not good", [0, 2]),
        ("good == true", [0, 2]),
        ("good != True", [1, 3]),
        ("good == false", [1, 3]),
        ("rate_hz > 3", [2, 3]),
        ("rate_hz >= 3", [1, 2, 3]),
        ("rate_hz < 3", [0]),
        ("rate_hz <= 3.0", [0, 1]),
        ("3 < rate_hz", [2, 3]),
        ("1 <= rate_hz < 10", [1, 2]),
        ("20 >= rate_hz > 3e0", [2, 3]),
        ("rate_hz > -1.5 and rate_hz > +.1", [0, 1, 2, 3]),
        ("amplitude == 2", [1]),
        ("amplitude != 2", [0, 2, 3]),
        ("amplitude in (1, 4)", [0, 3]),
        ('unit_id in ("u1", "u3")', [1, 3]),
        ('probe == "p0"', [0, 1]),
        ("depth_um > 1200 and rate_hz > 2 and not good", [1, 3]),
        ('region == "CA1" or region == "DG" and not good', [0, 1]),
        ('(region == "CA1" or region == "DG") and not good', [1]),
        ("not (good or rate_hz > 5)", [1]),
        ("not (good and rate_hz > 5)", [0, 1, 3]),
        ('  region  in\n( "CA1" )\t', [0]),
    ],
)
def test_a_rule_chooses_the_units_it_says(text: str, rows: list[int]) -> None:
    assert chosen(text) == rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("depth_um > 1000", [1, 3]),
        ("not depth_um > 1000", [0]),
        ("depth_um != 500", [1, 3]),
        ('probe != "p0"', [2]),
        ('not probe == "p0"', [2]),
        ("depth_um > 1000 or good", [0, 1, 2, 3]),
        ("not (depth_um > 1000 and good)", [0, 1, 3]),
        ("depth_um > 1000 and good", []),
    ],
)
def test_a_unit_without_a_value_is_chosen_neither_way(text: str, rows: list[int]) -> None:
    assert chosen(text) == rows


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("import os", "not a rule: import os .*after 'import' expected a comparison"),
        ('__import__("os").system("ls")', "not a rule"),
        ("lambda: 0", "':' has no meaning here"),
        ("region.lower() == 3", "'region.lower' has no meaning here"),
        ("", "rule is empty"),
        (" \n ", "rule is empty"),
        ('region = "CA1"', "instead of = write =="),
        ('region === "CA1"', "instead of === write =="),
        ("rate_hz => 2", "instead of => write >="),
        ("rate_hz =< 2", "instead of =< write <="),
        ("rate_hz <> 2", "instead of <> write !="),
        ("rate_hz ≥ 2", "write >="),
        ("good & good", "instead of & write 'and'"),
        ("good && good", "instead of && write 'and'"),
        ("good | good", "instead of | write 'or'"),
        ("good || good", r"instead of \|\| write 'or'"),
        ("!good", "instead of ! write 'not'"),
        ("good AND good", "write 'and' in small letters"),
        ("NOT good", "write 'not' in small letters"),
        ('region is "CA1"', "instead of 'is' write =="),
        ('region like "VIS"', "write == with a star"),
        ("region == CA1", 'put quotes around names: region == "CA1"'),
        ("region in (CA1)", r'put quotes around names: region in \( "CA1"'),
        ("region in CA1", 'put quotes around names: region in "CA1"'),
        ("region == VIS*", r'quotes around names with a star: "VIS\*"'),
        ("region == SSp-bfd", "put quotes around names with '-' in them"),
        ("region == 4ab", "'4ab' is no number"),
        ('region in ["CA1"]', "lists in round brackets"),
        ('region == "CA1', "closing quote is missing"),
        ("region == 'CA1", "closing quote is missing"),
        ('region == \N{LEFT DOUBLE QUOTATION MARK}CA1"', "use straight quotes"),
        ("good; good", "join two with 'and'"),
        ("good -", "'-' has no meaning here"),
        ("(good", "ends too early: expected a closing bracket"),
        ("good)", r"at '\)': expected 'and', 'or' or the end"),
        ("good good", "at 'good': after 'good' expected a comparison"),
        ('good "x"', "expected a comparison"),
        ('region == "CA1" "DG"', "expected 'and', 'or' or the end"),
        ("good and", "ends too early: expected the name of a field"),
        ("and", "at 'and': expected the name of a field"),
        ("true", "expected the name of a field"),
        ("5", "a value must be compared with a field"),
        ("5 < 6", "expected the name of a field"),
        ("rate_hz >", "ends too early: expected a value"),
        ("rate_hz > and", "at 'and': expected a value"),
        ('rate_hz > "3"', "'>' compares numbers; for '3' use =="),
        ("rate_hz > true", "'>' compares numbers"),
        ("rate_hz > 1e999", "1e999 is too large"),
        ('region not "CA1"', "after 'not' here expected 'in'"),
        ("region in ()", "expected a value"),
        ('region in ("CA1" "DG")', "expected a comma or a closing bracket"),
        ("not " * (MAX_NESTING + 1) + "good", f"nested more than {MAX_NESTING} deep"),
        ("(" * (MAX_NESTING + 1), f"nested more than {MAX_NESTING} deep"),
        ("x" * (MAX_LENGTH + 1), f"has {MAX_LENGTH + 1} characters"),
    ],
)
def test_text_that_is_no_rule_is_answered_with_what_to_write(text: str, advice: str) -> None:
    with pytest.raises(RuleError, match=advice) as caught:
        parse_rule(text)
    message = str(caught.value)
    assert len(message) < 300
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('region == "CA2"', "No unit of this session has the region 'CA2'. Did you mean 'CA1'?"),
        ('region in ("CA1", "ca1")', "the region 'ca1'. Did you mean 'CA1'?"),
        ('region == "SS*"', "the region 'SS*'. It has: CA1, DG, VISam, VISp."),
        ('region != "CA11"', "the region 'CA11'. Did you mean 'CA1'?"),
        ('probe not in ("p0", "p9")', "the probe 'p9'. Did you mean 'p1'?"),
        ("region == 3", "'region' holds text; put quotes around the value: \"3\"."),
        ("region == true", "'region' holds text; put quotes around the value: \"true\"."),
        ("region > 3", "'region' is not a number"),
        ("good > 3", "'good' is not a number"),
        ("good == 1", "'good' is true or false; write 'good' or 'not good'."),
        ('amplitude == "2"', "'amplitude' holds numbers"),
        ("amplitude == true", "'amplitude' holds numbers"),
        ("region", "'region' alone is neither true nor false; compare it: region == \"...\"."),
        ("rate_hz", "'rate_hz' alone is neither true nor false; compare it: rate_hz > 2."),
        ("regin == 3", "Units have no field 'regin' in this session. Did you mean 'region'?"),
        ("xyzzy", "no field 'xyzzy' in this session. It has: amplitude, beryl, cosmos, depth_um"),
    ],
)
def test_a_rule_that_does_not_fit_the_session_says_why(text: str, answer: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_rule(text).select(UNITS, RATE_HZ)
    assert answer in str(caught.value)


def test_regions_of_the_atlas_may_be_excluded_where_they_are_absent() -> None:
    assert chosen('region not in ("root", "void", "CA3")') == [0, 1, 2, 3]
    assert chosen('region != "SS*"') == [0, 1, 2, 3]


@pytest.mark.parametrize("field", ["depth_um", "good", "label", "is_good"])
def test_a_field_that_the_session_lacks_is_named_with_those_it_has(field: str) -> None:
    bare = Table({name: UNITS.column(name) for name in ("unit_id", "region", "region_beryl")})
    with pytest.raises(MissingFieldError) as caught:
        parse_rule(f"{field} == 1").select(bare)
    assert f"no field '{field}'" in str(caught.value)
    assert str(caught.value).endswith("It has: beryl, region, unit_id.")


def test_rates_come_from_training_trials_only() -> None:
    table = Table({**UNITS.columns, "rate_hz": Column.full(np.full(4, 99.0))})
    assert parse_rule("rate_hz > 5").select(table, RATE_HZ).tolist() == [False, False, True, True]
    with pytest.raises(MissingFieldError, match="mean rate over training trials"):
        parse_rule("rate_hz > 5").select(table)


def test_a_field_without_any_value_says_so() -> None:
    empty = Table({"probe": Column(np.array([""]), np.array([False]))})
    with pytest.raises(RuleError, match="It has no values there"):
        parse_rule('probe == "p0"').select(empty)


def test_a_long_list_of_names_is_cut_in_the_message() -> None:
    many = Table({"region": Column.full(np.array([f"R{i}" for i in range(40)]))})
    with pytest.raises(RuleError, match=r"R0, R1.* and 20 more\.$") as caught:
        parse_rule('region == "zzz"').select(many)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('region == "CA1"', "region is CA1"),
        ('region != "CA1"', "region is not CA1"),
        ('region in ("CA1", "DG")', "region is one of (CA1, DG)"),
        ('region not in ("CA1", "DG")', "region is none of (CA1, DG)"),
        ("rate_hz > 2", "rate_hz above 2"),
        ("500 <= depth_um < 900.5", "depth_um at least 500 and depth_um below 900.5"),
        ("rate_hz <= 2", "rate_hz at most 2"),
        ("good == true", "good is true"),
        ("not (good or rate_hz > 2)", "not (good or rate_hz above 2)"),
        ("(good or rate_hz > 2) and not good", "(good or rate_hz above 2) and not good"),
    ],
)
def test_a_rule_reads_as_a_sentence(text: str, words: str) -> None:
    assert str(parse_rule(text)) == words


def test_a_rule_knows_its_fields() -> None:
    rule = parse_rule('(region == "CA1" or rate_hz > 2) and not good')
    assert rule.fields == {"region", "rate_hz", "good"}
    assert rule.needs_rates
    assert not parse_rule("good").needs_rates


def test_equal_texts_make_equal_hashable_rules() -> None:
    first, second = parse_rule(" good and rate_hz > 2 "), parse_rule("good and rate_hz > 2")
    assert first == second
    assert hash(first) == hash(second)
    assert isinstance(first, Rule)


def test_choosing_leaves_the_table_and_the_rates_alone() -> None:
    before = {name: column.values.copy() for name, column in UNITS.columns.items()}
    rates = RATE_HZ.copy()
    chosen('not (good and region == "VIS*") or rate_hz > 2')
    assert all(np.array_equal(before[name], UNITS.values(name)) for name in before)
    assert np.array_equal(rates, RATE_HZ)


WORDS = st.sampled_from(
    [
        *["region", "depth_um", "rate_hz", "good", "probe", "amplitude", "nothing"],
        *["and", "or", "not", "in", "true", "is", "(", ")", ",", "==", "!=", "<", ">=", "="],
        *['"CA1"', "'VIS*'", "CA1", "2", "-1.5", "1e999", "&", "|", "!", "*", '"', "[", ";"],
    ]
)


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=14).map(" ".join)))
@example("\ud800")
@example("region == '\ud800'")
@example('region == "\x00"')
@example("0" * 5000)
@example("٣ == region")
@example("rate_hz > ٣")
def test_any_text_is_a_rule_or_a_clear_error(text: str) -> None:
    try:
        rule = parse_rule(text)
        is_chosen = rule.select(UNITS, RATE_HZ)
    except (MaskError, MissingFieldError) as error:
        message = str(error)
        assert 0 < len(message) < 400
        assert message.isprintable()
    else:
        assert is_chosen.shape == (4,)
        assert is_chosen.dtype == np.bool_
        assert str(rule)


LEAF = st.sampled_from(["good", "rate_hz > 2", 'region == "VIS*"', "amplitude in (1, 2)"])
TREE = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        inner.map("not ({})".format),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
        ),
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(TREE)
def test_rules_agree_with_python_on_whole_tables(text: str) -> None:
    python = text.replace('region == "VIS*"', 'region.startswith("VIS")')
    expected = [
        # The text was made above, out of four known leaves.
        eval(python, {}, dict(good=good, rate_hz=rate, region=region, amplitude=amplitude))  # noqa: C408
        for good, rate, region, amplitude in zip(
            UNITS.values("is_good").tolist(),
            RATE_HZ.tolist(),
            UNITS.values("region").tolist(),
            UNITS.values("amplitude").tolist(),
            strict=True,
        )
    ]
    assert parse_rule(text).select(UNITS, RATE_HZ).tolist() == expected


@settings(deadline=None)
@given(st.text(string.ascii_lowercase[:3], max_size=8), st.text("abc*", max_size=8))
def test_a_star_stands_for_any_letters(text: str, pattern: str) -> None:
    import re

    from mtm_core.masking.rule_nodes import matches

    by_regex = re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text) is not None
    assert matches(text, pattern) == by_regex
