"""Preferences come back as they were written, and nonsense gives way to the default."""

from __future__ import annotations

import json

import pytest

from mtm_viewer.presenters.computing import Computing
from mtm_viewer.presenters.preferences import Preferences, read_preferences, write_preferences

OTHER = Preferences(
    theme="dark",
    font_percent=125,
    colour_map="viridis",
    at_start="last",
    device="cuda",
    threads=3,
    precision="bf16",
    answers_mb=1024,
    prepared_gb=20,
)


def test_preferences_come_back():
    assert read_preferences(write_preferences(OTHER)) == OTHER
    assert OTHER.computing == Computing(threads=3, precision="bf16", memory_bytes=2**30)
    assert Preferences().computing == Computing()


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "null", "3", "[" * 100_000])
def test_what_cannot_be_read_gives_the_defaults(text):
    assert read_preferences(text) == Preferences()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("theme", "pink"),
        ("font_percent", 5),
        ("font_percent", True),
        ("colour_map", ["magma"]),
        ("threads", 1.5),
        ("threads", -1),
        ("precision", None),
        ("answers_mb", 10**9),
        ("prepared_gb", "4"),
        ("device", ""),
        ("device", 3),
        ("at_start", 0),
        ("unknown", 1),
    ],
)
def test_a_value_without_sense_is_left_out(name, value):
    text = json.dumps({name: value, "prepared_gb": 7} if name != "prepared_gb" else {name: value})
    default = Preferences() if name == "prepared_gb" else Preferences(prepared_gb=7)
    assert read_preferences(text) == default
