"""A small population that was looked at: what the tests of its pictures start from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mtm_core.masking.spec import MaskSpec
from mtm_core.masking.tasks import co_smoothing
from mtm_viewer.jobs.population_job import PopulationJob
from mtm_viewer.jobs.reconstruct_job import ReconstructionJob, ReconstructionRequest
from mtm_viewer.presenters.picture import Picture
from mtm_viewer.presenters.population import PopulationAnswer
from mtm_viewer.presenters.workspace import Workspace
from tests.viewer.workspaces import make_small_workspace

EVERY = co_smoothing()
"""Each unit hidden in turn."""


def make_picture(workspace: Workspace | None = None, spec: MaskSpec | None = EVERY) -> Picture:
    """Return the final picture of a mask, by default of each unit hidden in turn."""
    workspace = workspace or make_small_workspace(n_trials=150, n_bins=20)
    request = ReconstructionRequest(workspace=workspace, spec=spec)
    *_, picture = ReconstructionJob()(request, lambda: False)
    assert isinstance(picture, Picture)
    return picture


def make_answer(picture: Picture | None = None) -> PopulationAnswer:
    """Look at the units and trials of a picture."""
    (answer,) = PopulationJob()(picture or make_picture(), lambda: False)
    assert isinstance(answer, PopulationAnswer)
    return answer


def with_scores(answer: PopulationAnswer, values: np.ndarray, spikes: int = 500):
    """Give units other scores, all of them with enough spikes."""
    facts = answer.facts
    every = np.ones(len(facts.units), dtype=bool)
    changed = replace(
        facts,
        bps=type(facts.bps)(np.asarray(values, dtype=np.float64), every),
        n_spikes=np.full(len(every), spikes),
    )
    return replace(answer, facts=changed)
