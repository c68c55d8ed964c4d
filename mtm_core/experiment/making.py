"""Making an experiment of what was done, where session and models are in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mtm_core.data.session import Session
from mtm_core.evaluation.mask_scores import SEED
from mtm_core.evaluation.opponents import Opponent
from mtm_core.experiment.digest import checkpoint_digest
from mtm_core.experiment.places import portable
from mtm_core.experiment.process_backend import backend_now
from mtm_core.experiment.record import (
    Experiment,
    ModelRef,
    Numbers,
    OpponentRef,
    SessionRef,
    TrialsRef,
)
from mtm_core.masking.spec import MaskSpec
from mtm_core.models.backend import Backend
from mtm_core.models.checkpoint import Checkpoint
from mtm_core.models.manifest import software_versions


@dataclass(frozen=True, eq=False, kw_only=True)
class Doing:
    """What was done.

    Parameters
    ----------
    recording : Session
        The session as it was read from its file.
    path : Path
        That file.
    source : str
        What it was prepared from, where that is not the file itself; else "".
    model, baseline : Checkpoint or None
        The model, and the temporal baseline beside it.
    names : tuple of str
        What people call the two.
    mask : MaskSpec or None
        What was hidden.
    trials : TrialsRef
        What was averaged and scored.
    numbers : Numbers
        What came out.
    title : str
        What it is, in words.
    view : mapping
        How it was shown.
    device : str
        Where it was computed.
    opponent : Opponent or None
        What the model was compared with.
    rival : (Checkpoint, str) or None
        The opponent's model and its name, where it is another model.
    contrast : str
        The contrast of conditions that was asked for; "" for none.
    backend : Backend or None
        How it was computed; None for how this process computes now.
    """

    recording: Session
    path: Path
    model: Checkpoint | None
    baseline: Checkpoint | None
    mask: MaskSpec | None
    trials: TrialsRef
    title: str
    source: str = ""
    names: tuple[str, str] = ("", "")
    numbers: Numbers = field(default_factory=Numbers)
    view: Mapping[str, Any] = field(default_factory=dict)
    device: str = "cpu"
    opponent: Opponent | None = None
    rival: tuple[Checkpoint, str] | None = None
    contrast: str = ""
    backend: Backend | None = None


def make_experiment(doing: Doing) -> Experiment:
    """Write down what was done, with the hashes of what it was done with."""
    recording = doing.recording
    return Experiment(
        session=SessionRef(
            session_id=recording.session_id,
            content_hash=recording.content_hash,
            path=portable(doing.path),
            source=doing.source,
            is_simulated=recording.provenance.is_simulated,
        ),
        model=_reference(doing.model, doing.names[0]),
        baseline=_reference(doing.baseline, doing.names[1]),
        mask=doing.mask,
        trials=doing.trials,
        backend=doing.backend or backend_now(doing.device),
        versions=software_versions(),
        numbers=doing.numbers,
        view=doing.view,
        seed=SEED,
        title=doing.title,
        opponent=_opponent(doing),
        contrast=doing.contrast,
    )


def _opponent(doing: Doing) -> OpponentRef | None:
    if doing.opponent is None:
        return None
    model = None if doing.rival is None else _reference(*doing.rival)
    return OpponentRef(opponent=doing.opponent, model=model)


def _reference(checkpoint: Checkpoint | None, name: str) -> ModelRef | None:
    if checkpoint is None:
        return None
    path = checkpoint.path
    return ModelRef(
        name=name or path.stem, digest=checkpoint_digest(checkpoint), path=portable(path)
    )
