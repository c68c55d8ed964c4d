"""What a raster figure says about itself: title, subtitle, recipe."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import mtm_core
from mtm_core.data.regions import load_regions, sort_regions
from mtm_core.data.session import Session
from mtm_core.evaluation.row_order import RowOrder
from mtm_core.evaluation.tasks import Exam
from mtm_core.figures.raster_targets import RasterRequest
from mtm_core.inference import Reconstructor
from mtm_core.masking.tasks import forward_prediction
from mtm_core.masking.wording import prompt_words
from mtm_core.models.checkpoint import Checkpoint

_TASK_WORDS = {
    "inter_region": "{} hidden, reconstructed from all other regions",
    "intra_region": "{}: each unit reconstructed from the others of its region",
    "co_smoothing": "{}: each unit reconstructed from all others",
    "forward_prediction": "{}: the last {} predicted from what came before",
}


def title_words(request: RasterRequest, session: Session) -> str:
    """Say what is hidden and what it is reconstructed from."""
    regions = sort_regions(dict.fromkeys(request.regions))
    names = [_full_name(regions[0])] if len(regions) == 1 else regions
    who = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    words = _TASK_WORDS[request.task]
    if request.task != "forward_prediction":
        text = words.format(who)
        return f"{text}, one region at a time" if len(names) > 1 else text
    (block,) = forward_prediction(session.n_bins).blocks
    start, stop = block.bins or (0, 0)
    return words.format(who, f"{(stop - start) * session.bin_size_s * 1000:g} ms")


def _full_name(region: str) -> str:
    info = load_regions().get(region)
    return region if info is None else f"{region} ({info.name})"


def subtitle_words(request: RasterRequest, exam: Exam, prompt: str, split: str) -> str:
    """Say whose data these are, how many units and trials, and how the model was told."""
    session = exam.session
    origin = session.provenance
    who = " ".join(part for part in (origin.subject, origin.date) if part) or session.session_id
    n_shown = int(np.isin(session.region, request.regions).sum())
    kind = ", simulated" if origin.is_simulated else ""
    part = (
        "; right of the first map: the predicted part only"
        if request.task == "forward_prediction"
        else ""
    )
    return (
        f"{who}{kind}; {n_shown} of {session.n_units} units; {len(exam.trials)} test trials "
        f"({split} split); {prompt_words(prompt)}{part}"
    )


def recipe_words(
    request: RasterRequest,
    model: Reconstructor,
    baseline: Reconstructor | None,
    order: RowOrder,
) -> tuple[str, ...]:
    """Say how the picture was made, a sentence each."""
    session = model.session
    return (
        f"mtm-core {mtm_core.__version__} figure raster --region {' '.join(request.regions)} "
        f"--task {request.task}.",
        f"Session {session.session_id}, content {model.checkpoint.manifest.session_hash[:12]}.",
        f"Model {_model_words(model.checkpoint)}.",
        f"Baseline {_model_words(baseline.checkpoint)}, under the same mask, without a prompt."
        if baseline is not None
        else "Compared with the PSTH null: no temporal model that fits was given.",
        f"Rows: {order.words}; the same in every panel.",
        "Bits/spike beyond PSTH: gain over each unit's PSTH in training trials of the same "
        "condition (stimulus side, outcome), pooled over units; brackets: 95 % interval, "
        "bootstrap over trials.",
    )


def _model_words(checkpoint: Checkpoint) -> str:
    manifest = checkpoint.manifest
    config = manifest.config
    schemes = ", ".join(config.masking.schemes)
    return (
        f"{_file_words(checkpoint.path)} (preset {config.name}; schemes {schemes}; "
        f"{manifest.step} steps; seed {config.run.seed})"
    )


def _file_words(path: Path) -> str:
    """Name a file; the checkpoint of a run by its folder as well."""
    return f"{path.parent.name}/{path.name}" if path.stem == "model" else path.name
