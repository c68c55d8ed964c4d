from __future__ import annotations

import pytest

from mtm_core.data.pick_lists import load_pick_list, load_pick_lists, released_sessions
from mtm_core.errors import UnknownNameError

SIZES = {"brain-wide-map": 459, "paper-40": 40, "paper-heldout": 5, "repeated-site": 83}


def test_every_list_has_its_number_of_different_sessions():
    lists = load_pick_lists()
    assert {each.name: len(set(each.eids)) for each in lists} == SIZES
    assert {each.name: len(each.entries) for each in lists} == SIZES
    assert all(each.title.endswith(".") for each in lists)


def test_the_papers_lists_lie_within_each_other():
    heldout, paper, repeated = (
        set(load_pick_list(name).eids) for name in ("paper-heldout", "paper-40", "repeated-site")
    )
    assert heldout < paper < repeated
    assert len(repeated & set(released_sessions())) == 45


def test_the_release_has_its_mice_labs_and_insertions():
    entries = released_sessions().values()
    assert sum(entry.n_probes or 0 for entry in entries) == 699
    assert len({entry.subject for entry in entries}) == 139
    assert len({entry.lab for entry in entries}) == 12


def test_a_session_of_the_release_is_known_by_its_place():
    entry = released_sessions()["56956777-dca5-468c-87cb-78150432cc57"]
    assert entry.place == "angelakilab/NYU-11/2020-02-21/001"
    assert entry.n_probes == 2


def test_a_list_that_is_misspelt_is_offered():
    with pytest.raises(UnknownNameError, match="Did you mean 'repeated-site'"):
        load_pick_list("repeated_site")
