"""From settings and a session to everything that a step needs, anew or from a saved state."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from mtm_core.config import TrainConfig
from mtm_core.data.session import Session
from mtm_core.errors import TrainingError
from mtm_core.models.backend import Backend, probe_backend, resolve_device, use_backend
from mtm_core.models.family import Family
from mtm_core.models.manifest import Manifest, describe_training, software_versions
from mtm_core.models.ndt1 import Ndt1
from mtm_core.models.warm_start import warm_start
from mtm_core.training.optim import WeightAverage, make_optimizer
from mtm_core.training.pretrained import Pretrained
from mtm_core.training.randomness import seeded
from mtm_core.training.run_folder import RunFolder, RunRecord, first_difference
from mtm_core.training.sessions import SessionOrder, TrainingSession, load_sessions
from mtm_core.training.state import Progress, unpack
from mtm_core.training.validation import FixedValidation, JointValidation

_START_WORDS = {
    "digest": "from a checkpoint of the hash {}",
    "freeze_trunk": "with --freeze-trunk {}",
    "zero_shot": "with --zero-shot {}",
}
"""What must be the same when a fine-tuning is resumed."""
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
        Whose batch each step makes.
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

    def start(self, on_preparation: OnPreparation | None) -> None:
        """Bring a fresh model to where its first step begins; a saved state needs none of it."""
        only, model = self.sessions[0], self.model.member(self.sessions[0].session_id)
        if isinstance(model, Ndt1) and model.can_bypass:
            counts, val = only.counts.float(), only.val_counts.float()
            with use_backend(self.backend):
                warm_start(model, counts, val, only.session.region, on_preparation)
            self.average.restart(self.model)


def start_anew(
    config: TrainConfig,
    sessions: Sequence[Session],
    folder: RunFolder,
    session_paths: tuple[str, ...],
    on_preparation: OnPreparation | None = None,
    pretrained: Pretrained | None = None,
) -> tuple[Workbench, Progress, dict[str, Tensor]]:
    """Prepare a run from its first step and make its folder.

    Raises
    ------
    TrainingError
        If the folder holds a run already.
    """
    folder.refuse_to_begin()
    run = config.run
    backend = probe_backend(run.device, run.threads, run.matmul)
    bench = prepare(config, sessions, backend, pretrained=pretrained)
    record = RunRecord(
        sessions={session.session_id: session.content_hash for session in sessions},
        session_paths=session_paths,
        backend=backend,
        pretrained=None if pretrained is None else pretrained.describe(),
    )
    folder.create(config, bench.manifest, record)
    return bench, _start(bench, on_preparation), {}


def go_on(
    config: TrainConfig,
    sessions: Sequence[Session],
    folder: RunFolder,
    on_preparation: OnPreparation | None = None,
    pretrained: Pretrained | None = None,
) -> tuple[Workbench, Progress, dict[str, Tensor]]:
    """Prepare a run from its newest state, with the backend that it began with.

    Raises
    ------
    TrainingError
        If settings or session are not those of the run, its state cannot be trusted, or another
        process trains into the folder.
    """
    folder.hold()
    record = folder.read_record()
    _check_same(config, sessions, folder, record)
    _check_same_start(folder, record, pretrained)
    resolve_device(record.backend.device)
    bench = prepare(config, sessions, record.backend, _notes(record), pretrained)
    folder.sweep()
    if not folder.can_resume():  # stopped before its first checkpoint
        progress = _start(bench, on_preparation)
        folder.events.forget_after(-1)
        return bench, progress, {}
    tensors, progress = folder.load_state()
    best = unpack(tensors, bench.model, bench.optimizer, bench.average)
    folder.events.forget_after(progress.step)
    return bench, progress, best


def _start(bench: Workbench, on_preparation: OnPreparation | None) -> Progress:
    """Make the fitted start; its time counts as training."""
    started = time.perf_counter()
    bench.start(on_preparation)
    return Progress(seconds=time.perf_counter() - started)


def prepare(
    config: TrainConfig,
    originals: Sequence[Session],
    backend: Backend,
    notes: tuple[str, ...] = (),
    pretrained: Pretrained | None = None,
) -> Workbench:
    """Build model, data and optimiser; the same settings and sessions give the same bits.

    Parameters
    ----------
    config : TrainConfig
        All settings.
    originals : sequence of Session
        As read from their files.
    backend : Backend
        How to compute.
    notes : tuple of str
        Handed on.
    pretrained : Pretrained or None
        What to start from instead of drawn weights.
    """
    if pretrained is not None:
        pretrained.check(config, originals)
    sessions = load_sessions(config, originals, backend.device)
    facts = {each.session_id: each.facts(config.model) for each in sessions}
    with seeded("cpu", config.run.seed, "weights"):
        model = Family(config.model, facts).to(backend.device)
    records = tuple(each.record for each in sessions)
    manifest = describe_training(config, records, sessions[0].session, backend)
    if pretrained is not None:
        pretrained.check_splits(sessions)
        pretrained.give(model)
        notes = (*notes, *pretrained.notes(model))
        n_steps = 0 if pretrained.zero_shot else manifest.n_steps
        manifest = replace(manifest, n_steps=n_steps, pretrained=pretrained.describe())
    n_trials = [len(each.counts) for each in sessions]
    draw = config.optim.session_draw
    return Workbench(
        config=config,
        backend=backend,
        manifest=manifest,
        sessions=sessions,
        order=SessionOrder.draw(config.run.seed, manifest.n_steps, n_trials, draw),
        model=model.train(),
        parameters=[p for p in model.parameters() if p.requires_grad],
        optimizer=make_optimizer(model, config.optim),
        average=WeightAverage(model, config.optim.average_decay),
        validation=JointValidation([_fixed_validation(config, each) for each in sessions]),
        n_steps=manifest.n_steps,
        notes=notes,
    )


def _fixed_validation(config: TrainConfig, session: TrainingSession) -> FixedValidation:
    return FixedValidation(
        session.sampler,
        session.val_counts,
        session.counts.float().mean(dim=(0, 1)),
        config.data.split_seed,  # not the run's: runs that differ in seed share their judge
        config.optim.batch_size,
    )


def _check_same(
    config: TrainConfig, sessions: Sequence[Session], folder: RunFolder, record: RunRecord
) -> None:
    difference = first_difference(folder.read_config(), config)
    if difference is not None:
        key, stored, given = difference
        msg = (
            f"The run in {folder.path} was begun with --{key} {stored}, not {given}. Leave it out "
            "to go on with that run, or choose another --out."
        )
        raise TrainingError(msg)
    now = {session.session_id: session.content_hash for session in sessions}
    if list(now) == list(record.sessions) and now == dict(record.sessions):
        return
    changed = [name for name in now if now[name] != record.sessions.get(name)]
    begun, given = ", ".join(record.sessions), ", ".join(changed or now)
    msg = (
        f"The run in {folder.path} was begun on {begun}, and what is given now ({given}) has "
        "another content or order. Give the same sessions, or another --out."
    )
    raise TrainingError(msg)


def _check_same_start(folder: RunFolder, record: RunRecord, pretrained: Pretrained | None) -> None:
    begun, given = dict(record.pretrained or {}), pretrained.describe() if pretrained else {}
    if not begun and given:
        msg = f"The run in {folder.path} was begun by mtm-core train: go on with it by that."
        raise TrainingError(msg)
    if begun and not given:
        msg = (
            f"The run in {folder.path} fine-tunes a checkpoint. Go on with: mtm-core finetune "
            f"--resume --out {folder.path}"
        )
        raise TrainingError(msg)
    for name, what in _START_WORDS.items():
        if begun.get(name) != given.get(name):
            msg = (
                f"The run in {folder.path} was begun {what.format(begun.get(name))}, not "
                f"{given.get(name)}. Give the same, or choose another --out."
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
