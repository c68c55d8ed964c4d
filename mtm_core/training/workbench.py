"""Everything that a training step needs, in one place."""

from __future__ import annotations

import copy
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mtm_core.config import TrainConfig
from mtm_core.masking.masked_batch import scheme_prompt
from mtm_core.models.backend import Backend, use_backend
from mtm_core.models.family import Family
from mtm_core.models.manifest import Manifest
from mtm_core.models.ndt1 import Ndt1
from mtm_core.models.warm_start import warm_start
from mtm_core.training.batches import Batches, DrawnBatch
from mtm_core.training.distributed import Team
from mtm_core.training.lookahead import Lookahead
from mtm_core.training.optim import WeightAverage
from mtm_core.training.randomness import mask_generator
from mtm_core.training.sessions import SessionOrder, TrainingSession
from mtm_core.training.softening import PROMPT, choose_softening
from mtm_core.training.step_graphs import StepGraphs
from mtm_core.training.validation import JointValidation

_SHOWN = 32
"""Most trials that a message names."""
OnPreparation = Callable[[int, int], None]
"""Told how many parts are done, and of how many."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Workbench:
    """Everything that a training step needs.

    Parameters
    ----------
    config : TrainConfig
        All settings.
    backend : Backend
        How to compute.
    manifest : Manifest
        What the checkpoint will say; step and scores are filled in later.
    sessions : tuple of TrainingSession
        Their trials and masks.
    order : SessionOrder
        Whose batches make each step.
    model : Family
        In training mode, on the device.
    parameters : list of Parameter
        The trained ones.
    optimizer : torch.optim.AdamW
        Over these.
    average : WeightAverage
        Their running average.
    validation : JointValidation
        Scores a model on the validation trials.
    n_steps : int
        Steps of the whole run.
    notes : tuple of str
        What a person should know before the first step.
    team : Team
        The processes that train this model together.
    graphs : StepGraphs or None
        Steps captured for a GPU to repeat; None: every step is made anew.
    """

    config: TrainConfig
    backend: Backend
    manifest: Manifest
    sessions: tuple[TrainingSession, ...]
    order: SessionOrder
    model: Family
    parameters: list[nn.Parameter]
    optimizer: torch.optim.AdamW
    average: WeightAverage
    validation: JointValidation
    n_steps: int
    notes: tuple[str, ...]
    team: Team
    graphs: StepGraphs | None

    @functools.cached_property
    def batches(self) -> Batches:
        """The batches of the steps."""
        return Batches(self._draw, is_ahead=self.backend.device != "cpu")

    def _draw(self, step: int, place: int) -> DrawnBatch:
        started = time.perf_counter()
        session, counts = self.take_batch(step, place)
        seconds = time.perf_counter() - started
        generator = mask_generator(self.config.run.seed, step, place)
        return DrawnBatch(session.sampler.draw(counts.float(), generator), seconds)

    def take_batch(self, step: int, place: int = 0) -> tuple[TrainingSession, Tensor]:
        """Return a session of a step and the counts of its batch, uint8, on the device.

        Parameters
        ----------
        step : int
            Number of the step, from 0.
        place : int
            Which of the sessions of the step.
        """
        if self.backend.device == "cpu":
            counts = self.lookahead.take((step, place))
            if step + 1 < self.n_steps:
                self.lookahead.begin((step + 1, place))
            return self.sessions[int(self.order.session[step, place])], counts
        session, trials = self._trials(step, place)
        counts = session.counts.take(trials)
        if step + 1 < self.n_steps:
            following, trials = self._trials(step + 1, place)
            following.counts.expect(trials)
        return session, counts

    @functools.cached_property
    def lookahead(self) -> Lookahead[Tensor]:
        """Fetches the counts of the next step while this one is computed, on a CPU."""
        return Lookahead(self._fetch)

    def _fetch(self, key: tuple[int, int]) -> Tensor:
        session, trials = self._trials(*key)
        session.counts.expect(trials)  # a disk is asked for all trials at once
        return session.counts.take(trials)

    def describe_batch(self, step: int) -> str:
        """Say which trials make the batch of a step, by the ids that the sessions give them."""
        places = range(self.config.optim.sessions_per_step)
        return "; ".join(self._describe(step, place) for place in places)

    def _describe(self, step: int, place: int) -> str:
        session, trials = self._trials(step, place)
        ids = [session.record.split["train"][trial] for trial in trials]
        shown, more = ", ".join(map(str, ids[:_SHOWN])), len(ids) - _SHOWN
        return f"trials {shown}{f' and {more} more' if more > 0 else ''} of {session.session_id}"

    def _trials(self, step: int, place: int) -> tuple[TrainingSession, NDArray[np.int64]]:
        session = self.sessions[int(self.order.session[step, place])]
        size, turn = self.config.optim.batch_size, int(self.order.turn[step, place])
        return session, session.trials_of(self.config.run.seed, size, turn)

    def start(self, on_preparation: OnPreparation | None) -> None:
        """Bring a fresh model to where its first step begins; a saved state needs none of it."""
        only, model = self.sessions[0], self.model.member(self.sessions[0].session_id)
        if isinstance(model, Ndt1) and model.can_bypass:
            counts, val = only.counts.all(), only.val_counts.all()
            with use_backend(self.backend):
                # Many small fits one after the other: a CPU is done sooner than a GPU.
                fitted = copy.deepcopy(model).cpu()
                warm_start(fitted, counts.cpu(), val.cpu(), only.session.region, on_preparation)
                model.load_state_dict(fitted.state_dict())
                if model.config.component_softening == "fitted":
                    choose_softening(model, counts, self._score_of_regions)
            self.average.restart(self.model)

    def _score_of_regions(self) -> float:
        """Score the model on the schemes that hide or show whole regions."""
        schemes = [name for name in self.config.masking.schemes if scheme_prompt(name) == PROMPT]
        return sum(self.validation.score(self.model, schemes).values())
