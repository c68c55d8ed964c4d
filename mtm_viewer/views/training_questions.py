"""Questions about runs: what happens to one that goes on, and whether one is deleted."""

from __future__ import annotations

from PyQt6.QtWidgets import QMessageBox, QWidget

from mtm_viewer.views.dialogs import Actions, tell_problem


def ask_about_run(parent: QWidget, title: str, n_waiting: int, actions: Actions) -> QMessageBox:
    """Ask what happens to the run that goes on when the window is closed.

    Parameters
    ----------
    parent : QWidget
        The window.
    title : str
        The run.
    n_waiting : int
        Runs that wait for it.
    actions : mapping of str to callable
        Ways on, by the text of their button; closing the question leaves the window open.
    """
    waiting = ""
    if n_waiting:
        runs = "The run that waits" if n_waiting == 1 else f"The {n_waiting} runs that wait"
        waiting = f" {runs} will not begin by themselves; they can be resumed later."
    sentence = (
        f"{title} is being trained. It can go on without the window and will be found again when "
        f"the viewer is opened the next time.{waiting}"
    )
    return _ask(parent, "A model is being trained", sentence, actions, "Keep the window open")


def ask_removal(parent: QWidget, title: str, actions: Actions) -> QMessageBox:
    """Ask whether a run is deleted."""
    sentence = f"{title}: its model, curves and checkpoints will be gone for good."
    return _ask(parent, "Delete this run?", sentence, actions, "Keep it")


def _ask(
    parent: QWidget, title: str, sentence: str, actions: Actions, refusal: str
) -> QMessageBox:
    box = tell_problem(parent, title, sentence, actions)
    box.setIcon(QMessageBox.Icon.Question)
    close = box.button(QMessageBox.StandardButton.Close)
    if close is not None:
        close.setText(refusal)
        close.setAccessibleName(refusal)
    return box
