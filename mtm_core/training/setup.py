"""From settings and a session to everything that a step needs, anew or from a saved state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mtm_core.config import TrainConfig
from mtm_core.data.batch import collate
from mtm_core.data.binning import rebin
from mtm_core.data.session import Session
from mtm_core.data.splits import split_trials
from mtm_core.errors import TrainingError
from mtm_core.masking.mixture import MaskSampler
from mtm_core.models.backend import Backend, probe_backend, resolve_device, use_backend
from mtm_core.models.build import build_model
from mtm_core.models.manifest import Manifest, describe_training, software_versions
from mtm_core.models.ndt1 import Ndt1
from mtm_core.models.warm_start import warm_start
from mtm_core.training.optim import WeightAverage, make_optimizer
from mtm_core.training.randomness import seeded
from mtm_core.training.run_folder import RunFolder, RunRecord, first_difference
from mtm_core.training.state import Progress, unpack
from mtm_core.training.validation import FixedValidation

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
    session_id : str
        The session.
    counts : Tensor, shape (n_train, n_bins, n_units), float32
        All training trials, on the device: gathering a batch is one copy.
    val_counts : Tensor, shape (n_val, n_bins, n_units), float32
        All validation trials.
    sampler : MaskSampler
        Draws the masks.
    model : Ndt1
        In training mode, on the device.
    parameters : list of Parameter
        The trained ones.
    optimizer : torch.optim.AdamW
        Over these.
    average : WeightAverage
        Their running average.
    validation : FixedValidation
        Scores a model on the validation trials.
    n_steps : int
        Steps of the whole run.
    notes : tuple of str
        What a person should know before the first step.
    """

    config: TrainConfig
    backend: Backend
    manifest: Manifest
    session_id: str
    counts: Tensor
    val_counts: Tensor
    sampler: MaskSampler
    model: Ndt1
    parameters: list[nn.Parameter]
    optimizer: torch.optim.AdamW
    average: WeightAverage
    validation: FixedValidation
    n_steps: int
    notes: tuple[str, ...]

    def start(self, session: Session, on_preparation: OnPreparation | None) -> None:
        """Bring a fresh model to where its first step begins; a saved state needs none of it."""
        if self.config.model.read_in == "components":
            with use_backend(self.backend):
                warm_start(
                    self.model, self.counts, self.val_counts, session.region, on_preparation
                )
            self.average.restart(self.model)


def start_anew(
    config: TrainConfig,
    session: Session,
    folder: RunFolder,
    session_paths: tuple[str, ...],
    on_preparation: OnPreparation | None = None,
) -> tuple[Workbench, Progress, dict[str, Tensor]]:
    """Prepare a run from its first step and make its folder.

    Raises
    ------
    TrainingError
        If the folder holds a run already.
    """
    if folder.holds_run():
        msg = (
            f"{folder.path} already holds a run. Add --resume to go on with it, or choose another "
            "--out."
        )
        raise TrainingError(msg)
    run = config.run
    backend = probe_backend(run.device, run.threads, run.matmul)
    bench = prepare(config, session, backend)
    record = RunRecord(
        session_id=session.session_id,
        session_hash=session.content_hash,
        session_paths=session_paths,
        backend=backend,
    )
    folder.create(config, bench.manifest, record)
    bench.start(session, on_preparation)
    return bench, Progress(), {}


def go_on(
    config: TrainConfig,
    session: Session,
    folder: RunFolder,
    on_preparation: OnPreparation | None = None,
) -> tuple[Workbench, Progress, dict[str, Tensor]]:
    """Prepare a run from its newest state, with the backend that it began with.

    Raises
    ------
    TrainingError
        If settings or session are not those of the run, or its state cannot be trusted.
    """
    record = folder.read_record()
    _check_same(config, session, folder, record)
    resolve_device(record.backend.device)
    bench = prepare(config, session, record.backend, notes=_notes(record))
    folder.sweep()
    if not folder.can_resume():  # stopped before its first checkpoint
        bench.start(session, on_preparation)
        folder.events.forget_after(-1)
        return bench, Progress(), {}
    tensors, progress = folder.load_state()
    best = unpack(tensors, progress.step, bench.model, bench.optimizer, bench.average)
    folder.events.forget_after(progress.step)
    return bench, progress, best


def prepare(
    config: TrainConfig, original: Session, backend: Backend, notes: tuple[str, ...] = ()
) -> Workbench:
    """Build model, data and optimiser; the same settings and session give the same bits.

    Parameters
    ----------
    config : TrainConfig
        All settings.
    original : Session
        As read from its file.
    backend : Backend
        How to compute.
    notes : tuple of str
        Handed on.
    """
    session = rebin(original, config.data.bin_factor)
    split = split_trials(session, config.data)
    device = backend.device
    counts = collate(session, split.train, device)
    sampler = MaskSampler(config.masking, session.region, session.session_id)
    psth = counts.mean(dim=0)
    with seeded("cpu", config.run.seed, "weights"):
        model = build_model(config.model, psth.cpu(), len(counts)).to(device)
    val_counts = collate(session, split.val, device)
    validation = FixedValidation(
        sampler,
        val_counts,
        psth.mean(dim=0),
        config.data.split_seed,  # not the run's: runs that differ in seed share their judge
        config.optim.batch_size,
    )
    manifest = describe_training(config, original, session, split, backend)
    return Workbench(
        config=config,
        backend=backend,
        manifest=manifest,
        session_id=session.session_id,
        counts=counts,
        val_counts=val_counts,
        sampler=sampler,
        model=model.train(),
        parameters=list(model.parameters()),
        optimizer=make_optimizer(model, config.optim),
        average=WeightAverage(model, config.optim.average_decay),
        validation=validation,
        n_steps=manifest.n_steps,
        notes=notes,
    )


def _check_same(
    config: TrainConfig, session: Session, folder: RunFolder, record: RunRecord
) -> None:
    difference = first_difference(folder.read_config(), config)
    if difference is not None:
        key, stored, given = difference
        msg = (
            f"The run in {folder.path} was begun with --{key} {stored}, not {given}. Leave it out "
            "to go on with that run, or choose another --out."
        )
        raise TrainingError(msg)
    if session.content_hash != record.session_hash:
        msg = (
            f"The run in {folder.path} was begun on {record.session_id}, and the session given "
            f"now ({session.session_id}) has another content. Give the same one, or another --out."
        )
        raise TrainingError(msg)


def _notes(record: RunRecord) -> tuple[str, ...]:
    now = software_versions()
    changed = [
        f"{name} {record.versions.get(name, 'unknown')} -> {version}"
        for name, version in now.items()
        if record.versions.get(name) != version
    ]
    if not changed:
        return ()
    return (
        f"This run was begun with other versions ({', '.join(changed)}): its last bits may differ "
        "from those of an uninterrupted run.",
    )
