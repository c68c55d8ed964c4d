"""Small experiments for tests: an untrained model, a simulated session, numbers that came out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from mtm_core.config import MaskingConfig, TrainConfig
from mtm_core.data.session_file import read_session, write_session
from mtm_core.data.splits import split_trials
from mtm_core.experiment.computation import bind_experiment, compute
from mtm_core.experiment.finding import Places
from mtm_core.experiment.making import Doing, make_experiment
from mtm_core.experiment.record import Experiment, Numbers, TrialsRef, UnitNumbers
from mtm_core.masking import tasks
from mtm_core.masking.spec import MaskSpec
from mtm_core.models.checkpoint import load_checkpoint
from tests.core.checkpoints import SMALL_MODEL, make_checkpoint, write_checkpoint
from tests.core.sessions import make_session

TEMPORAL = TrainConfig(
    model=replace(SMALL_MODEL, prompt="none"), masking=MaskingConfig(schemes=("temporal",))
)


def write_parts(folder: Path, *, n_trials: int = 120) -> None:
    """Write a session and two models into a folder."""
    session = make_session(n_trials=n_trials)
    write_session(session, folder / "small.h5")
    write_checkpoint(folder / "mtm.safetensors", make_checkpoint(session))
    write_checkpoint(folder / "temporal.safetensors", make_checkpoint(session, TEMPORAL))


def make_small_experiment(
    folder: Path, mask: MaskSpec | None = None, *, with_baseline: bool = True
) -> Experiment:
    """Make an experiment of the parts in a folder, with the numbers that come out."""
    session = read_session(folder / "small.h5")
    model = load_checkpoint(folder / "mtm.safetensors")
    baseline = load_checkpoint(folder / "temporal.safetensors") if with_baseline else None
    rows = split_trials(session, model.manifest.config.data).test
    empty = make_experiment(
        Doing(
            recording=session,
            path=folder / "small.h5",
            model=model,
            baseline=baseline,
            names=("MtM (mtm)", "Temporal baseline (temporal)"),
            mask=mask or tasks.inter_region("CA1"),
            trials=TrialsRef(rows=tuple(np.sort(rows).tolist())),
            title="CA1 hidden",
            view={"within": "peak", "raster": {"sigma_s": 0.03}, "unit": "simulated-0/0002"},
        )
    )
    unit = UnitNumbers(unit_id="simulated-0/0002", score=None)  # type: ignore[arg-type]
    asked = replace(empty, numbers=Numbers(unit=unit))
    outcome = compute(bind_experiment(asked, Places()))
    return replace(empty, numbers=outcome.numbers)
