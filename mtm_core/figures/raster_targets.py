"""What a raster figure is asked for, and the masks and truths that answer it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.config import SchemeName, TaskName
from mtm_core.data.session import Session
from mtm_core.errors import MaskError, MismatchError
from mtm_core.evaluation.row_order import WithinName
from mtm_core.evaluation.scores import Truth
from mtm_core.evaluation.tasks import Exam
from mtm_core.inference import Reconstructor
from mtm_core.masking.choice import Block, UnitChoice, unknown_region
from mtm_core.masking.spec import MaskSpec, best_prompt
from mtm_core.masking.tasks import TaskPlan, find_task, forward_prediction, plan_task
from mtm_core.models.baselines import BaselineData
from mtm_core.models.checkpoint import split_part
from mtm_core.seeding import numpy_generator


@dataclass(frozen=True, kw_only=True)
class RasterRequest:
    """What to draw.

    Parameters
    ----------
    regions : tuple of str
        Acronyms; each is a target of its own.
    task : str
        One of the four tasks.
    within : str
        Order of units within a region, see `mtm_core.evaluation.row_order.ORDERS`.
    """

    regions: tuple[str, ...]
    task: str = "inter_region"
    within: WithinName = "auto"


def set_raster_exam(model: Reconstructor, request: RasterRequest) -> Exam:
    """Set the task for the regions of a figure, on the checkpoint's test trials.

    The null models, the samples of trials and so the scores are those of `mtm-core evaluate`.

    Parameters
    ----------
    model : Reconstructor
        The model bound to the recording.
    request : RasterRequest
        What to draw.

    Returns
    -------
    Exam
        With one task, whose scored units are those of the regions.

    Raises
    ------
    UnknownNameError
        If there is no such task.
    MaskError
        If a region is not in the session or cannot be a target; the nearest name is offered.
    MismatchError
        If the session holds none of the checkpoint's test trials.
    """
    session, manifest = model.session, model.checkpoint.manifest
    train, val, test = (split_part(manifest, session, p) for p in ("train", "val", "test"))
    plan = _plan(session, request, manifest.config.masking.schemes, model.is_missing)
    data = BaselineData.from_session(session, train, val)
    rng = numpy_generator(0, "samples of trials", session.session_id)
    truth = Truth(data, plan, test, unit_id=session.unit_id, rng=rng)
    return Exam(
        session=session, data=data, trials=test, plans={plan.name: plan}, truths={plan.name: truth}
    )


def plan_without_prompt(plan: TaskPlan, baseline: Reconstructor, session: Session) -> TaskPlan:
    """Return the same task for the temporal baseline: no prompt, its own order of units."""
    column = {str(unit): place for place, unit in enumerate(session.unit_id)}
    places = np.array([column.get(str(unit), -1) for unit in baseline.session.unit_id])
    is_scored = plan.is_scored[:, places] & (places >= 0)
    specs = tuple(spec.with_prompt("none") for spec in plan.specs)
    return TaskPlan(plan.name, specs, plan.groups, is_scored)


def check_baseline(baseline: Reconstructor, model: Reconstructor) -> None:
    """Refuse a baseline that has seen the trials it would be shown on, or lacks units.

    Raises
    ------
    MismatchError
        If its training or validation trials are among the model's test trials, or it lacks units
        that the model has.
    """
    theirs, ours = baseline.checkpoint.manifest, model.checkpoint.manifest
    name, shown = baseline.checkpoint.path.name, set(ours.split["test"])
    seen = shown & {*theirs.split["train"], *theirs.split["val"]}
    if seen:
        msg = (
            f"The baseline {name} was trained on {len(seen)} of the {len(shown)} test trials "
            "shown. Train it with the same split."
        )
        raise MismatchError(msg)
    missing = set(ours.unit_id) - set(theirs.unit_id)
    if missing:
        msg = (
            f"The baseline {name} lacks {len(missing)} of the model's {ours.n_units} units. "
            "Train both on the same session."
        )
        raise MismatchError(msg)


def _plan(
    session: Session,
    request: RasterRequest,
    schemes: tuple[SchemeName, ...],
    is_missing: NDArray[np.bool_],
) -> TaskPlan:
    task = find_task(request.task)
    regions = tuple(dict.fromkeys(request.regions))
    known = session.region_names()
    for region in regions:
        if region not in known:
            raise MaskError(unknown_region(region, known))
    masks = _masks(session, regions, task)
    specs = tuple(
        spec if spec.prompt in schemes else spec.with_prompt(best_prompt(spec, session, schemes))
        for spec in masks.values()
    )
    is_scored = np.any([spec.resolve(session).is_scored for spec in specs], axis=0)
    is_scored = is_scored & np.isin(session.region, regions) & ~is_missing
    return TaskPlan(task, specs, tuple(masks), is_scored)


def _masks(
    session: Session, regions: tuple[str, ...], task: TaskName
) -> dict[str | None, MaskSpec]:
    """Return the mask of each region, or the one that serves them all."""
    if task == "forward_prediction":
        return {None: forward_prediction(session.n_bins)}
    if task == "co_smoothing":
        scored = tuple(Block(UnitChoice.of_region(region)) for region in regions)
        return {None: MaskSpec(scored=scored, one_at_a_time=True, prompt="neuron")}
    plan = plan_task(task, session, min_region_units=1, target_regions=regions)
    for region, reason in plan.skipped.items():
        msg = f"{region} cannot be a target of {task}: {reason}."
        raise MaskError(msg)
    return dict(zip(plan.groups, plan.specs, strict=True))
