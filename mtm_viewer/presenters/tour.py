"""The two-minute tour: what it points at, and what it says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TourStep:
    """One stop.

    Parameters
    ----------
    target : str
        The part of the window that it points at.
    title : str
        In a few words.
    text : str
        What a person should know of it, and try.
    """

    target: str
    title: str
    text: str


STEPS: tuple[TourStep, ...] = (
    TourStep(
        target="raster",
        title="A recording, and a model's guess",
        text="Each row is a unit, grouped by region; time runs to the right. Left is what was "
        "recorded. In the middle is what a model reconstructs where you hide something from it, "
        "and right what a baseline makes of the same.",
    ),
    TourStep(
        target="recipes",
        title="What a click means",
        text="A recipe says what is hidden and what is scored: each unit in turn, the end of each "
        "trial, or a whole region. Its sentence stands on the button.",
    ),
    TourStep(
        target="tree",
        title="Hide a region",
        text="Click a region here, or its coloured band beside the rasters. The eye shows what "
        "the model sees. The rasters are drawn anew at once, and sharpen as trials arrive.",
    ),
    TourStep(
        target="tools",
        title="Or paint",
        text="Brush and lasso hide units and bins on the raster itself; the eraser shows them "
        "again. Every step can be undone by name with Ctrl+Z.",
    ),
    TourStep(
        target="scores",
        title="How much does the rest know?",
        text="Bits per spike beyond the PSTH: what the model tells about single trials that the "
        "average over trials does not, with a 95 % interval. Baselines stand below. Above 0 is "
        "more than the mean response.",
    ),
    TourStep(
        target="unit",
        title="One unit, closely",
        text="Click a row of a raster. Its PSTHs by condition and its single trials appear here: "
        "true, model, and what is left over.",
    ),
    TourStep(
        target="models",
        title="Models and trials",
        text="Choose the model, what the right raster shows, and which trials are averaged. "
        "No model for your session? Model > Train makes one in about a minute.",
    ),
    TourStep(
        target="status",
        title="Nothing is left unsaid",
        text="What is hidden, from which trials, exact or still a preview, and how and where it "
        "is computed. A hatched entry was hidden; a grey one is not scored.",
    ),
    TourStep(
        target="menus",
        title="Everything else",
        text="Ctrl+P finds every command by typing; ? shows all keys. Ctrl+S saves the rasters, "
        "the right mouse button any panel. Help > Tour brings you back here.",
    ),
)
"""All stops, in order."""


def step_words(place: int) -> str:
    """Say where in the tour it is.

    Examples
    --------
    >>> step_words(0)
    '1 of 9'
    """
    return f"{place + 1} of {len(STEPS)}"


def bubble_place(
    target: tuple[int, int, int, int], bubble: tuple[int, int], window: tuple[int, int]
) -> tuple[int, int]:
    """Return where a bubble stands: beside what it tells of, within the window.

    Parameters
    ----------
    target : (int, int, int, int)
        Left, top, width and height of what it tells of.
    bubble, window : (int, int)
        Width and height.

    Examples
    --------
    >>> bubble_place((0, 0, 100, 50), (200, 80), (800, 600))
    (0, 62)
    >>> bubble_place((0, 0, 800, 590), (200, 80), (800, 600))
    (300, 255)
    """
    left, top, width, height = target
    gap = 12
    right_of, left_of = left + width + gap, left - gap - bubble[0]
    below, above = top + height + gap, top - gap - bubble[1]
    middle = top + (height - bubble[1]) // 2
    if below + bubble[1] <= window[1]:
        place = left, below
    elif above >= 0:
        place = left, above
    elif right_of + bubble[0] <= window[0]:
        place = right_of, middle
    elif left_of >= 0:
        place = left_of, middle
    else:
        place = left + (width - bubble[0]) // 2, middle
    return (
        max(0, min(place[0], window[0] - bubble[0])),
        max(0, min(place[1], window[1] - bubble[1])),
    )
