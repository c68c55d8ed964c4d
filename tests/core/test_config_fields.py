from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import pytest

from mtm_core import config_io
from mtm_core.config_fields import Bounds, check_settings, settings_of
from mtm_core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Example:
    section: ClassVar[str] = "example"

    size: Annotated[int, Bounds(1, 9)] | None = None
    """How large,
    on two lines."""
    words: tuple[Literal["a", "b"], ...] = ("a",)
    undocumented: bool = False


def test_type_bounds_choices_and_documentation_are_read_from_the_class():
    size, words, undocumented = settings_of(Example).values()
    assert (size.flag, size.kind, size.bounds) == ("--example.size", int, Bounds(1, 9))
    assert size.is_optional
    assert size.doc == "How large, on two lines."
    assert (words.kind, words.choices, words.is_list) == (str, ("a", "b"), True)
    assert (undocumented.doc, undocumented.default) == ("", False)


def test_a_list_is_checked_word_by_word():
    check_settings(Example(words=("a", "b")))
    with pytest.raises(ConfigError, match=r"--example\.words called 'c'"):
        check_settings(Example(words=("a", "c")))


@pytest.mark.parametrize(("value", "nearest"), [(0, 1), (5, 5), (10, 9)])
def test_the_nearest_valid_value_lies_on_the_bound(value, nearest):
    assert Bounds(1, 9).nearest(value) == nearest


def test_a_class_without_source_has_no_documentation():
    made = dataclasses.make_dataclass("Made", [("size", int, 3)])
    assert settings_of(made)["size"].doc == ""


def test_every_setting_is_documented():
    undocumented = [key for key, setting in config_io.all_settings().items() if not setting.doc]
    assert undocumented == []
