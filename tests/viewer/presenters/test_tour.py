"""The bubble of the tour stands beside what it tells of, and always within the window."""

from __future__ import annotations

import pytest

from mtm_viewer.presenters.tour import STEPS, bubble_place, step_words

WINDOW, BUBBLE = (1000, 700), (300, 150)


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ((100, 100, 200, 50), (100, 162)),
        ((100, 500, 200, 180), (100, 338)),
        ((0, 0, 200, 700), (212, 275)),
        ((800, 0, 200, 700), (488, 275)),
        ((0, 0, 1000, 700), (350, 275)),
        ((900, 100, 80, 50), (700, 162)),
    ],
    ids=["below", "above", "right of", "left of", "over", "pushed in"],
)
def test_it_stands_where_there_is_room(target, place):
    assert bubble_place(target, BUBBLE, WINDOW) == place


def test_it_never_covers_what_it_tells_of_if_there_is_room_beside():
    for left in range(0, 1000, 90):
        for top in range(0, 700, 90):
            target = (left, top, 80, 40)
            x, y = bubble_place(target, BUBBLE, WINDOW)
            assert 0 <= x <= 700
            assert 0 <= y <= 550
            assert y >= top + 40 or y + 150 <= top


def test_two_minutes_are_enough():
    words = sum(len(f"{step.title} {step.text}".split()) for step in STEPS)
    assert words / 200 < 2  # people read 200 words in a minute
    assert step_words(8) == "9 of 9"
