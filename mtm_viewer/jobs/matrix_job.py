"""Filling a region-to-region matrix in the background, never at a click's expense.

The thread has a lower priority than the window's where the system knows such a thing, and it
waits, between the pieces of a step, for as long as the window computes something itself.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtm_core.evaluation.region_matrix import RegionMatrix
from mtm_core.evaluation.region_matrix_cells import NULLS
from mtm_core.evaluation.region_matrix_file import default_folder
from mtm_core.evaluation.region_matrix_plan import MatrixSettings
from mtm_core.inference import Reconstructor
from mtm_core.models.answers import AnswerMemory
from mtm_core.models.backend import Backend, backend_in_force
from mtm_viewer.presenters.region_matrix import MatrixAnswer
from mtm_viewer.presenters.workspace import LoadedModel, Workspace

PAUSE_S = 0.4
"""Answers follow each other no faster than this: each takes some tenths of a second to sum up."""
_NICENESS = 10
_LOOK_S = 0.02
"""How often a held matrix looks whether it may go on."""

ShouldStop = Callable[[], bool]
_Means = tuple[LoadedModel, str, Backend | None]


@dataclass(frozen=True, eq=False, kw_only=True)
class MatrixRequest:
    """What the panel wants to show.

    Parameters
    ----------
    workspace : Workspace
        Session and model; it has a model.
    settings : MatrixSettings
        Which matrix.
    device : str
        Where to compute.
    """

    workspace: Workspace
    settings: MatrixSettings
    device: str = "cpu"


class MatrixJob:
    """The work of the matrix's thread; keeps the matrix, so that a paused one goes on at once.

    Parameters
    ----------
    folder : Path or None
        Where matrices are kept; by default in the common cache folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._may_work = threading.Event()
        self._may_work.set()
        self._bound: tuple[_Means, Reconstructor] | None = None
        self._matrix: RegionMatrix | None = None

    def hold(self, *, is_held: bool) -> None:
        """Wait from the next piece on, or go on; may be called from any thread."""
        if is_held:
            self._may_work.clear()
        else:
            self._may_work.set()

    def forget(self) -> None:
        """Let go of a session that was closed; may be called from any thread."""
        self._bound = self._matrix = None

    def __call__(self, request: object, should_stop: ShouldStop) -> Iterator[object]:
        """Yield what is known, from what was kept to the whole matrix."""
        if not isinstance(request, MatrixRequest):
            msg = f"This thread fills matrices; it cannot do {type(request).__name__}."
            raise TypeError(msg)
        _step_back()

        def stop() -> bool:
            while not should_stop() and not self._may_work.wait(_LOOK_S):
                pass
            return should_stop()

        if not stop():
            yield from _fill(self._open(request), stop)

    def _open(self, request: MatrixRequest) -> RegionMatrix:
        model = request.workspace.model
        if model is None:
            msg = "a matrix needs a model"
            raise ValueError(msg)
        means = (model, request.device, backend_in_force())
        known = self._bound
        if known is None or known[0] != means:  # what was computed otherwise is not mixed in
            bound = Reconstructor(
                model.checkpoint,
                request.workspace.recording,
                allow_overlap=True,
                device=request.device,
                memory=AnswerMemory(max_bytes=0),
            )
            self._bound, matrix = (means, bound), None
        else:
            bound, matrix = known[1], self._matrix
        if matrix is None or matrix.settings != request.settings:
            folder = default_folder() if self._folder is None else self._folder
            matrix = RegionMatrix(bound, request.settings, folder)
        self._matrix = matrix
        return matrix


def _fill(matrix: RegionMatrix, stop: ShouldStop) -> Iterator[MatrixAnswer]:
    told_s = -np.inf
    if matrix.n_found:
        yield _answer(matrix, None)
    seconds_left = None
    for progress in matrix.fill(stop):
        seconds_left = progress.seconds_left
        if time.monotonic() - told_s >= PAUSE_S and progress.n_done < progress.n_steps:
            yield _answer(matrix, seconds_left)
            told_s = time.monotonic()
    yield _answer(matrix, seconds_left)


def _answer(matrix: RegionMatrix, seconds_left: float | None) -> MatrixAnswer:
    reports = {null: matrix.report(null) for null in NULLS}
    return MatrixAnswer(settings=matrix.settings, reports=reports, seconds_left=seconds_left)


def _step_back() -> None:
    """Let every other thread of the program go first; only Linux knows priorities of threads.

    The main thread's priority is that of the program: it stays.
    """
    if sys.platform == "linux" and threading.current_thread() is not threading.main_thread():
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
