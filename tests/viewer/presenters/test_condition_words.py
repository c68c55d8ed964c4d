from __future__ import annotations

import pytest

from mtm_core.data.conditions import CONDITION_FIELDS
from mtm_viewer.presenters.condition_words import FIELD_TITLES, level_words


def test_every_field_has_one_title_everywhere():
    assert tuple(FIELD_TITLES) == CONDITION_FIELDS


@pytest.mark.parametrize(
    ("level", "words"),
    [
        ("contrast -1", "left by 100 %"),
        ("contrast +0.0625", "right by 6.25 %"),
        ("contrast +0", "equal"),
        ("not rewarded", "not rewarded"),
        ("block 0.8 left", "p(left) 0.8"),
    ],
)
def test_signed_contrasts_name_their_side(level, words):
    assert level_words(level) == words
