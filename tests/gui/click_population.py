"""Click through the population panel and the single-trial theatre on a real X server.

``python tests/gui/click_population.py FOLDER [SESSION CHECKPOINT...]`` opens the demo (or the
files given), shows the panel, draws a lasso, walks from unit to unit, hides what is picked, and
scrubs through trials, as a person would; it checks what the window says and saves pictures. It
ends with a code other than 0 at the first thing that is wrong.
"""

from __future__ import annotations

import sys

from PyQt6.QtCore import QPoint

from mtm_viewer.theme import THEMES
from tests.gui.click_through import SIZES, Person, WrongError, click, open_at_once

REASONABLE = 3
"""A lasso round the middle of the scatter catches at least so many units."""


def main(words: list[str]) -> int:
    """Click through; return the exit code."""
    return click(words, open_at_once, STEPS)


def _show(person: Person) -> None:
    """Show the panel by its keys; it knows every scored unit."""
    person.press("ctrl+u")
    _wait_for_units(person)
    view = person.window.population
    person.says(view.title.text(), part="test trials, exact")
    person.says(view.scatter.note.text(), part="scored units")
    person.look("scatter")


def _wait_for_units(person: Person) -> None:
    population = person.desktop.population

    def is_there() -> bool:
        answer = population.state.answer
        return answer is not None and answer.picture is person.explorer.picture

    person.wait(is_there, "the units are known", 30)
    person.idle(0.2)


def _unit(person: Person) -> None:
    """Click a point: it is the selected unit everywhere, and its score is explained."""
    view, state = person.window.population, person.explorer.state
    cloud = view.scatter._cloud
    assert cloud is not None
    unit = str(cloud.unit_id[cloud.y.argmax()])
    place = view.scatter.place_of(unit)
    assert place is not None
    person.hover(view.scatter.plot, place.toPoint())
    person.click(view.scatter.plot, place.toPoint() + QPoint(1, 1))
    if state.unit_id not in cloud.unit_id.tolist():
        raise WrongError("a click on a point chose no unit")
    person.says(view.numbers.text(), part="bits/spike beyond PSTH")
    if not view.reasons.text():
        raise WrongError("nothing is said of why the unit scores as it does")
    person.look("unit-explained")
    before = state.unit_id
    person.press("j", "j")
    if state.unit_id == before:
        raise WrongError("J does not go to a worse unit")
    person.look("worse-unit")


def _lasso(person: Person) -> None:
    """Draw a lasso; raster and tree show what is picked; hide it; undo."""
    view, state = person.window.population, person.explorer.state
    plot = view.scatter.plot
    rect = plot.getViewBox().sceneBoundingRect()
    corners = [(0.25, 0.05), (0.95, 0.05), (0.95, 0.75), (0.25, 0.75), (0.25, 0.1)]
    path = [
        QPoint(int(rect.left() + x * rect.width()), int(rect.top() + y * rect.height()))
        for x, y in corners
    ]
    person.drag(plot, path)
    if len(state.picked) < REASONABLE:
        raise WrongError(f"the lasso picked {len(state.picked)} units")
    person.says(view.picked.text(), part=f"{len(state.picked)} units picked")
    person.look("lasso")
    person.act(lambda: person.click(view.buttons["hide"]), "the picked units are hidden")
    person.says(state.undo_stack.undoText(), part="picked units")
    _wait_for_units(person)
    person.look("picked-hidden")
    person.act(lambda: person.press("ctrl+z"), "the mask before is back")
    _wait_for_units(person)
    person.click(view.buttons["clear"])
    if state.picked:
        raise WrongError("units are still picked")


def _axes(person: Person) -> None:
    """Draw the score against everything that can be chosen, and by region and depth."""
    view, population = person.window.population, person.desktop.population
    person.act(lambda: person.click(person.window.recipes.buttons["co_smoothing"]), "co-smoothing")
    person.act(lambda: person.explorer.state.target_regions(()), "every unit is scored in turn")
    _wait_for_units(person)
    for axis in ("region", "r2", "depth"):
        population.state.choose(axis=axis)
        person.idle(0.2)
        person.look(f"against-{axis}")
    bar = view.tabs.tabBar()
    assert bar is not None
    person.click(bar, bar.tabRect(1).center())
    person.look("by-region")
    answer = population.state.answer
    assert answer is not None
    name = answer.regions["given"][0].name
    spot = view.bars.row_place(name)
    assert spot is not None
    person.click(view.bars, spot.toPoint())
    if not person.explorer.state.picked:
        raise WrongError(f"a click on the bar of {name} picked no unit")
    person.look("region-picked")
    person.click(bar, bar.tabRect(2).center())
    person.look("probe")
    person.click(bar, bar.tabRect(0).center())
    person.click(view.buttons["clear"])


def _theatre(person: Person) -> None:
    """Open the theatre by its key, scrub, go to the worst and the best trials, and back."""
    window, theatre = person.window, person.desktop.theatre
    person.act(lambda: person.click(window.recipes.buttons["inter_region"]), "inter-region")
    _wait_for_units(person)
    window.raster.setFocus()
    person.press("t")
    _wait_for_trial(person)
    person.says(window.theatre.title.text(), part="1 of 68 test trials")
    person.says(window.theatre.facts.text(), part="surprise")
    person.look("theatre")
    spot = window.theatre.curve.spot_of(30).toPoint()
    person.click(window.theatre.curve, spot)
    _wait_for_trial(person)
    person.says(window.theatre.title.text(), part="31 of 68")
    before = theatre.state.trial
    person.press("period")
    _wait_for_trial(person)
    if theatre.state.trial == before:
        raise WrongError("the key of the next trial goes nowhere")
    person.press("w", "w")
    _wait_for_trial(person)
    person.says(window.theatre.title.text(), part="2 of 68")
    person.look("second-worst-trial")
    person.click(window.theatre.buttons["best"])
    _wait_for_trial(person)
    person.says(window.theatre.title.text(), part="68 of 68")
    person.look("best-trial")
    window.theatre.sort.setFocus()
    person.press("Down")
    _wait_for_trial(person)
    person.says(window.theatre.note.text(), part="bits/spike")
    window.theatre.sort.setFocus()
    person.press("Down")
    person.says(window.theatre.note.text(), part="not in this session")
    person.look("no-reaction-times")
    person.click(window.theatre.buttons["close"])
    if window.theatre.isVisible():
        raise WrongError("the theatre does not close")


def _wait_for_trial(person: Person) -> None:
    theatre = person.desktop.theatre

    def is_drawn() -> bool:
        return theatre.shown_trial == theatre.state.trial

    person.wait(is_drawn, "the trial is drawn", 20)
    person.idle(0.2)


def _looks(person: Person) -> None:
    """Dark, and small."""
    person.desktop.state.set_theme(THEMES["dark"])
    person.window.resize(*SIZES[0])
    person.idle(1.0)
    person.look("dark-small")
    person.window.raster.setFocus()
    person.press("t")
    _wait_for_trial(person)
    person.look("theatre-dark-small")


STEPS = (_show, _unit, _lasso, _axes, _theatre, _looks)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
