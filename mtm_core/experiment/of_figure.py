"""The experiment of a raster figure that was drawn without a window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mtm_core.data.session import Session
from mtm_core.evaluation.mask_answers import kind_words
from mtm_core.evaluation.mask_scores import ScoredTrials
from mtm_core.evaluation.tasks import Exam
from mtm_core.experiment.computation import Bound, compute
from mtm_core.experiment.making import Doing, make_experiment
from mtm_core.experiment.record import Experiment, TrialsRef
from mtm_core.figures.raster_targets import RasterRequest
from mtm_core.inference import Reconstructor
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.spec import MaskSpec


def experiment_of_figure(
    request: RasterRequest,
    exam: Exam,
    models: tuple[Reconstructor, Reconstructor | None],
    recording: tuple[Session, Path],
    *,
    sigma_s: float,
) -> Experiment | None:
    """Write down what a raster figure shows, with its numbers.

    Parameters
    ----------
    request : RasterRequest
        What was drawn.
    exam : Exam
        Its task and trials.
    models : (Reconstructor, Reconstructor or None)
        The model and the temporal baseline; what they have answered is not computed again.
    recording : (Session, Path)
        The session as it was read, and its file.
    sigma_s : float
        Smoothing of the maps, in s.

    Returns
    -------
    Experiment or None
        None where the figure shows several masks, one for each region: an experiment holds one.
    """
    (plan,) = exam.plans.values()
    if len(plan.specs) != 1:
        return None
    model, baseline = models
    mask = _mask(plan.specs[0], request)
    empty = make_experiment(
        Doing(
            recording=recording[0],
            path=recording[1],
            model=model.checkpoint,
            baseline=None if baseline is None else baseline.checkpoint,
            names=(_name(model), "" if baseline is None else _name(baseline)),
            mask=mask,
            trials=TrialsRef(rows=tuple(int(row) for row in exam.trials)),
            title=mask.describe(model.session),
            view={
                "recipe": request.task,
                "regions": list(request.regions),
                "within": request.within,
                "is_focused": True,
                "raster": {"sigma_s": sigma_s},
            },
        )
    )
    trials = ScoredTrials(
        session=model.session, train=exam.data.train, val=exam.data.val, shown=exam.trials
    )
    bound = Bound(experiment=empty, mask=mask, model=model, baseline=baseline, trials=trials)
    return replace(empty, numbers=compute(bound).numbers)


def _mask(spec: MaskSpec, request: RasterRequest) -> MaskSpec:
    """Score only the regions that are drawn."""
    if request.task != "forward_prediction":
        return spec
    return replace(
        spec, scored=tuple(Block(UnitChoice.of_region(region)) for region in request.regions)
    )


def _name(model: Reconstructor) -> str:
    path = model.checkpoint.path
    kind = kind_words(model.checkpoint.manifest.config.masking.schemes)
    return f"{kind} ({path.parent.name if path.stem == 'model' else path.stem})"
