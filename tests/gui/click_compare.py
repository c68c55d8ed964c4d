"""Click through a comparison on a real X server.

``python tests/gui/click_compare.py FOLDER [SESSION CHECKPOINT...]`` opens the demo (or the files
given), compares its model with a regression, with the temporal baseline and with itself untold,
blinks, picks a unit, looks at a contrast, saves an experiment, has it replayed without a window
and opens it again; then changes the parameters and the prompt of a recipe. It ends with a code
other than 0 at the first thing that is wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from PyQt6.QtCore import QPoint, QPointF

from mtm_core.cli.__main__ import main as core_main
from mtm_core.experiment.files import read_experiment
from mtm_viewer.presenters.comparison_panel import ComparisonPoints
from mtm_viewer.theme import THEMES
from tests.gui.click_through import SIZES, Person, WrongError, click, open_at_once


def main(words: list[str]) -> int:
    """Click through; return the exit code."""
    return click(
        words,
        open_at_once,
        (_regression, _blink, _pick, _others, _contrast, _keep, _recipe, _looks),
    )


def _act(person: Person, deed: Callable[[], object], what: str) -> None:
    """Do something; wait for its picture, and for the panel, which is drawn after it."""
    person.act(deed, what)
    person.idle(0.2)


def _regression(person: Person) -> None:
    """Show the panel by its keys; compare with a regression."""
    person.press("ctrl+shift+d")
    view = person.window.compare
    person.wait(view.isVisible, "the panel is shown", 5)
    person.says(view.headline.text(), part="Choose what to compare")
    person.look("panel")
    _act(person, lambda: person.choose(view.opponent, "Poisson"), "the regression is compared")
    person.says(view.sentence.text(), part="Poisson regression")
    person.says(view.caution.text(), part="no independent samples")
    person.says(_title(person, 2), part="Poisson regression")
    person.look("regression")


def _title(person: Person, place: int) -> str:
    panels = person.window.raster.plots[place]
    return str(panels.titleLabel.text)


def _image(person: Person, place: int) -> np.ndarray:
    return np.array(person.window.raster.plots[place].image.image)


def _blink(person: Person) -> None:
    """Blink to the other by its key, and back by the button."""
    before = _image(person, 1)
    person.press("x")
    person.says(_title(person, 1), part="Poisson regression")
    person.says(_title(person, 2), part="Reconstructed")
    if np.array_equal(before, _image(person, 1)):
        raise WrongError("blinking shows the same picture")
    person.look("blinked")
    person.click(person.window.compare.blink)
    person.says(_title(person, 1), part="Reconstructed")
    if not np.array_equal(before, _image(person, 1)):
        raise WrongError("blinking back does not show the picture before")


def _pick(person: Person) -> None:
    """Click the point of the unit that gains most."""
    plot = person.window.compare.plot
    points = plot._points
    assert isinstance(points, ComparisonPoints)
    row = int(np.where(points.is_judged, points.own - points.other, -1.0).argmax())
    at = QPointF(float(points.other[row]), float(points.own[row]))
    spot = plot.plot.getViewBox().mapViewToScene(at)
    place = plot.plot.mapFromScene(spot)
    person.click(plot.plot.viewport(), QPoint(place.x(), place.y()))
    person.says(person.explorer.state.unit_id, part="")
    chosen = person.explorer.state.unit_id
    own, other = points.own[row], points.other[row]
    again = points.row_of(chosen)
    if again is None or (points.own[again], points.other[again]) != (own, other):
        raise WrongError(f"the click chose {chosen}, not {points.unit_id[row]}")
    person.says(person.window.compare.unit.text(), part="bits/spike")
    person.look("unit")


def _others(person: Person) -> None:
    """Compare with the temporal model, and with the model untold."""
    view = person.window.compare
    for text, name in (("Temporal", "Temporal baseline"), ("The same", "without prompt")):
        _act(person, lambda text=text: person.choose(view.opponent, text), f"{name} is compared")
        person.says(view.sentence.text(), part=name)
    person.look("untold")


def _contrast(person: Person) -> None:
    """Contrast left and right choices under the mask."""
    view = person.window.compare
    _act(person, lambda: person.choose(view.contrast, "Choice"), "choices are contrasted")
    person.says(view.contrast_words.text(), part="left chosen")
    person.says(_title(person, 0), part="True: choice")
    person.look("contrast")


def _keep(person: Person) -> None:
    """Save, replay without a window, change everything, and open it again."""
    path = person.folder / "compared.mtm.json"
    person.desktop.experiments.save(path)
    saved = read_experiment(path)
    if saved.numbers.change is None or saved.numbers.contrast is None:
        raise WrongError("the experiment holds no comparison")
    words = ["replay", str(path), "--out", str(person.folder / "replayed"), "--figure", "png"]
    if core_main(words):
        raise WrongError("the replay came to other numbers")
    view = person.window.compare
    _act(person, lambda: person.choose(view.contrast, "None"), "no contrast is shown")
    _act(person, lambda: person.choose(view.opponent, "Nothing"), "nothing is compared")
    person.says(_title(person, 0), part="True")
    _act(person, lambda: person.desktop.experiments.open(path), "the experiment is open")
    person.says(view.sentence.text(), part="without prompt")
    bar = person.window.statusBar()
    person.says("" if bar is None else bar.currentMessage(), part="are those that were saved")
    person.look("opened-again")


def _recipe(person: Person) -> None:
    """Click a recipe, click it again for its parameters, change them and the prompt."""
    window, panel = person.window, person.window.recipe
    button = window.recipes.buttons["forward_prediction"]
    _act(person, lambda: person.click(button), "forward prediction is on")
    person.click(button, button.rect().center() + QPoint(6, 0))
    person.wait(panel.last.isVisible, "its parameters are shown", 5)
    usual = panel.last.value()
    panel.last.setFocus()
    _act(person, lambda: person.press("Up"), "one bin more is hidden")
    person.says(panel.span.text(), part=f"published: {usual} bins")
    person.says(panel.told.text(), part="causal")
    _act(person, lambda: person.choose(panel.prompt, "Nothing"), "the model is told nothing")
    person.says(panel.told.text(), part="nothing")
    person.look("recipe")
    _act(person, lambda: person.click(panel.reset), "the recipe is as published")
    if panel.last.value() != usual:
        raise WrongError("the published number of bins is not back")


def _looks(person: Person) -> None:
    """Dark, and small."""
    person.desktop.state.set_theme(THEMES["dark"])
    person.idle(0.5)
    person.look("dark")
    person.window.resize(*SIZES[0])
    person.idle(1.0)
    person.look("dark-small")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
