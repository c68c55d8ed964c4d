from __future__ import annotations

from mtm_viewer.views.tooltips import tooltip


def test_short_texts_are_left_alone():
    assert tooltip("a < b") == "a < b"


def test_long_texts_break_between_words_and_keep_breaks_of_their_own():
    shown = tooltip("first\n" + "word " * 40 + "last")
    lines = shown.splitlines()
    assert lines[0] == "first"
    assert len(lines) > 3
    assert max(map(len, lines)) <= 84
    assert lines[-1].endswith("last")
