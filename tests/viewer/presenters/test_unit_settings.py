from __future__ import annotations

import pytest

from mtm_core.data.conditions import CONDITION_FIELDS
from mtm_core.errors import UnknownNameError
from mtm_viewer.presenters.condition_words import FIELD_TITLES
from mtm_viewer.presenters.unit_settings import UnitSettings


def test_every_field_has_a_title():
    assert set(FIELD_TITLES) == set(CONDITION_FIELDS)


def test_fields_keep_their_order_however_they_are_chosen():
    settings = UnitSettings(fields=()).with_field_toggled("block").with_field_toggled("contrast")
    assert settings.fields == ("contrast", "block")
    assert settings.with_field_toggled("contrast").fields == ("block",)


@pytest.mark.parametrize("wrong", [{"fields": ("colour",)}, {"sort": "colour"}])
def test_unknown_names_are_refused(wrong):
    with pytest.raises(UnknownNameError, match="colour"):
        UnitSettings(**wrong)
