"""The region-to-region matrix: every region predicted from every other one alone.

All but the *row* region is hidden, and the *column* region is scored, in bits per spike beyond the
PSTH. Regions are represented by equally many units (see `region_matrix_plan`); a Poisson
regression on the row's components does the same job in the same cells; the ceiling of a column is
its score in view of everything outside it.

What is found is **predictive, not causal**: regions that share a cause predict each other as well
as regions that talk, and the asymmetry does not tell who sends.

One pass of the model with a row's units in view serves all columns, so the matrix is filled row by
row, draw by draw, cheapest first: after one draw every cell has a value, after the ceilings its
share, and further draws make it firmer; then comes the regression, its ceilings last.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from mtm_core.errors import MismatchError, OutputError
from mtm_core.evaluation import metrics
from mtm_core.evaluation.region_matrix_cells import NullName, pairs, read_cells, read_columns
from mtm_core.evaluation.region_matrix_file import MatrixKey, read_tally, write_tally
from mtm_core.evaluation.region_matrix_plan import MatrixSettings, plan_matrix
from mtm_core.evaluation.region_matrix_report import MatrixReport, describe_matrix
from mtm_core.evaluation.region_matrix_steps import (
    MatrixProgress,
    MatrixStep,
    StepClock,
    empty_gains,
    steps_of,
)
from mtm_core.evaluation.region_matrix_tally import Tally
from mtm_core.evaluation.region_matrix_work import MatrixWork, sum_by_draw
from mtm_core.inference import Reconstructor
from mtm_core.masking.region_level import only_region_visible
from mtm_core.masking.resemblance import untrained_reason
from mtm_core.masking.spec import best_prompt
from mtm_core.models import passes
from mtm_core.models.backend import backend_in_force
from mtm_core.models.baselines import BaselineData
from mtm_core.models.checkpoint import split_part
from mtm_core.seeding import numpy_generator

logger = logging.getLogger(__name__)

KEEP_EVERY_S = 2.0
"""How often what is done is written down while the matrix is filled."""
N_SAMPLES = 1000
"""Samples of trials for the intervals."""


class RegionMatrix:
    """A matrix of a model and a session: filled step by step, kept, read at any time.

    Parameters
    ----------
    bound : Reconstructor
        Model and session; best without a memory of its own, since no answer is asked for twice.
    settings : MatrixSettings
        How to make it.
    folder : Path or None
        Where what is done is kept, by session, model and settings, so that the next one with the
        same goes on from there; None keeps nothing.
    is_fresh : bool
        Do all anew, whatever was kept.

    Attributes
    ----------
    plan : MatrixPlan
        Regions and units.
    prompt : str
        What the model is told.
    n_found : int
        Steps that were found done.

    Raises
    ------
    DataError
        If fewer than two regions are large enough.
    MismatchError
        If the model was not trained on this session, or is cross-fitted.
    """

    def __init__(
        self,
        bound: Reconstructor,
        settings: MatrixSettings,
        folder: Path | None = None,
        *,
        is_fresh: bool = False,
    ) -> None:
        manifest, session = bound.checkpoint.manifest, bound.session
        if bound.checkpoint.folds:
            msg = (
                "A matrix needs one model, and this one is cross-fitted. Open one of its folds, "
                "such as fold-1 in its folder."
            )
            raise MismatchError(msg)
        self.bound, self.settings = bound, settings
        self.plan = plan_matrix(session, settings, bound.is_missing)
        self.prompt = self._choose_prompt()
        self._reasons = self._why_untrained()
        train = split_part(manifest, session, "train")
        val = split_part(manifest, session, "val")
        self._trials = split_part(manifest, session, settings.split)
        data = BaselineData.from_session(session, train, val)
        self._work = MatrixWork(bound, self.plan, self.prompt, data, self._trials)
        digest = passes.digest(bound.checkpoint.model)
        backend = backend_in_force()
        precision = "fp32" if backend is None else backend.precision
        self._key = MatrixKey(session.content_hash, digest, settings, precision)
        self._file = None if folder is None else folder / self._key.file_name
        self._tally = self._begin(is_fresh=is_fresh)
        self.n_found = self.n_steps - len(self.steps_left())
        self._clock = StepClock()
        rng = numpy_generator(settings.seed, "samples of trials", session.session_id)
        self._weights = metrics.bootstrap_weights(len(self._trials), N_SAMPLES, rng)

    @property
    def n_steps(self) -> int:
        """Steps of the whole matrix."""
        return len(steps_of(self.plan))

    def steps_left(self) -> list[MatrixStep]:
        """Return what is still to be done, in the order in which it will be."""
        return [step for step in steps_of(self.plan) if not step.is_done(self._tally)]

    def fill(self, should_stop: Callable[[], bool] | None = None) -> Iterator[MatrixProgress]:
        """Do what is still to be done; stop by ceasing to iterate.

        Parameters
        ----------
        should_stop : callable, optional
            Asked between the pieces of a step as well; when it says True, the step is dropped
            and the iterator ends.

        Yields
        ------
        MatrixProgress
            After each step.
        """
        stop, left, total = should_stop or (lambda: False), self.steps_left(), self.n_steps
        kept_s = time.monotonic()
        try:
            while left:
                begin_s = time.perf_counter()
                if stop() or not self._work.add_to(self._tally, left[0], stop):
                    return
                step = left.pop(0)
                self._clock.add(step, time.perf_counter() - begin_s)
                if time.monotonic() - kept_s > KEEP_EVERY_S:
                    self._keep()
                    kept_s = time.monotonic()
                yield MatrixProgress(
                    step=step,
                    cells=step.cells(self.plan.regions),
                    n_done=total - len(left),
                    n_steps=total,
                    seconds_left=self._clock.estimate_s(left),
                )
        finally:
            self._keep()

    def report(self, null: NullName = "psth_by_condition") -> MatrixReport:
        """Return all numbers as they are now, over one of the two nulls."""
        plan, tally, weights = self.plan, self._tally, self._weights
        facts = describe_matrix(self.bound, plan, self.prompt, len(self._trials))
        return MatrixReport(
            header={**facts, "null": null},
            n_done=self.n_steps - len(self.steps_left()),
            n_steps=self.n_steps,
            columns=read_columns(plan, tally, weights, null),
            cells=read_cells(plan, tally, weights, self._reasons, null),
        )

    def _choose_prompt(self) -> str:
        """Take the prompt of whole hidden regions where the model knows it, else the best."""
        schemes = self.bound.checkpoint.manifest.config.masking.schemes
        if {"inter_region", "region_subset"} & set(schemes):
            return "inter_region"
        spec = only_region_visible(self.settings.level, *self.plan.regions[:2])
        return best_prompt(spec, self.bound.session, schemes)

    def _why_untrained(self) -> dict[tuple[str, str], str | None]:
        """Say of each cell why the model was not trained to see only the whole row region."""
        schemes = self.bound.checkpoint.manifest.config.masking.schemes
        regions, region = self.plan.regions, self.bound.session.region
        found = {}
        for row, column in pairs(len(regions)):
            names = regions[row], regions[column]
            mask = self.bound.resolve(
                only_region_visible(self.settings.level, *names, self.prompt)
            )
            found[names] = untrained_reason(mask, region, schemes)
        return found

    def _begin(self, *, is_fresh: bool) -> Tally:
        """Take the sums that were kept, or begin with none."""
        exam, chosen, n_trials = self._work.exam, self.plan.chosen, len(self._trials)
        fresh = Tally(
            model=empty_gains(self.plan, n_trials),
            regression=empty_gains(self.plan, n_trials),
            floor=sum_by_draw(exam.floor, chosen),
            spikes=sum_by_draw(exam.spikes, chosen),
        )
        if self._file is None or is_fresh:
            return fresh
        return read_tally(self._file, self._key, fresh) or fresh

    def _keep(self) -> None:
        """Write down what is done; a full disk must not end the work."""
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_tally(self._file, self._key, self._tally)
        except (OutputError, OSError) as error:
            logger.warning("The matrix cannot be kept, only shown: %s", error)
            self._file = None
