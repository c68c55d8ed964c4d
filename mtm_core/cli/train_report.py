"""What `mtm-core train` says while it trains and when it stops."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mtm_core.cli import output
from mtm_core.training.events import (
    Event,
    RunFinished,
    RunStarted,
    StepDone,
    ValidationDone,
    Warned,
    to_json,
)

if TYPE_CHECKING:
    from tqdm import tqdm


class PreparationBar:
    """Progress of what comes before the first step, on stderr; drawn once there is some."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> PreparationBar:
        """Begin."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the bar."""
        self._stack.close()

    def advance(self, n_done: int, n_parts: int) -> None:
        """Say how far it is."""
        if self._bar is None:
            self._bar = self._stack.enter_context(
                output.progress(n_parts, "Fitting the start", unit="part")
            )
        self._bar.update(n_done - self._bar.n)


class TrainReport:
    """Progress on stderr, and at the end a summary on stdout; or events as JSON on stdout.

    Parameters
    ----------
    run_dir : Path
        The folder of the run.
    as_json : bool
        Print every event to stdout as a line of JSON, and nothing else.
    command : str
        The command that goes on with the run.
    is_silent : bool
        Say nothing: another process speaks for all.
    """

    def __init__(
        self,
        run_dir: Path,
        *,
        as_json: bool,
        command: str = "train",
        is_silent: bool = False,
    ) -> None:
        self._is_silent = is_silent
        self._run_dir = run_dir
        self._command = command
        self._as_json = as_json
        self._started: RunStarted | None = None
        self._step = 0
        self._best: ValidationDone | None = None
        self._finished: RunFinished | None = None
        self._bar: tqdm[Any] | None = None
        self._stack = ExitStack()

    @property
    def is_finished(self) -> bool:
        """Whether all steps were done."""
        return self._finished is not None

    def __enter__(self) -> TrainReport:
        """Begin; the bar is drawn with the first event."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the bar."""
        self._stack.close()

    def take(self, event: Event) -> None:
        """Show an event."""
        if self._is_silent:
            self._finished = event if isinstance(event, RunFinished) else None
            return
        if self._as_json:
            output.show(to_json(event))
        if isinstance(event, RunStarted):
            self._start(event)
        elif isinstance(event, StepDone):
            self._step = event.step
            if self._bar is not None:
                self._bar.update()
        elif isinstance(event, ValidationDone):
            self._validated(event)
        elif isinstance(event, Warned):
            output.note(event.text)
        elif isinstance(event, RunFinished):
            self._finished = event

    def summarise(self) -> None:
        """Say what came of it, and what to do next."""
        if self._as_json or self._started is None:
            return
        n_steps = self._started.n_steps
        if self._finished is None:
            output.show(
                f"Stopped after step {self._step} of {n_steps}. Go on with:\n"
                f"  mtm-core {self._command} --resume --out {self._run_dir}"
            )
            return
        done = (
            f"Trained {n_steps} steps in {self._finished.seconds:.0f} s; kept the weights of step "
            f"{self._finished.best_step}: "
        )
        output.show((done if n_steps else "Nothing was trained: ") + self._finished.path)
        self._show_scores()

    def _start(self, event: RunStarted) -> None:
        self._started, self._step = event, event.step
        for note in event.notes:
            output.note(note)
        output.note(
            f"{event.n_train} training and {event.n_val} validation trials, "
            f"{event.n_parameters:,} parameters, on {event.backend}."
        )
        self._bar = self._stack.enter_context(output.progress(event.n_steps, "Training"))
        self._bar.initial = self._bar.n = event.step

    def _validated(self, event: ValidationDone) -> None:
        if event.is_best:
            self._best = event
        if self._bar is not None and self._best is not None:
            best = f"best {self._best.bps:.3f} at {self._best.step}"
            self._bar.set_postfix_str(f"validation {event.bps:.3f} bps, {best}", refresh=False)

    def _show_scores(self) -> None:
        if self._best is None:  # the best weights are older than this resumption
            return
        output.show(
            "Bits per spike on validation trials (hidden entries of fixed masks, pooled over "
            "units, null: train_mean):"
        )
        output.show_table(["scheme", "bps"], list(self._best.scores.items()))
