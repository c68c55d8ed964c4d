"""From settings and a session to everything that a step needs, anew or from a saved state."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from torch import Tensor

from mtm_core.config import TrainConfig
from mtm_core.data.session import Session
from mtm_core.errors import TrainingError
from mtm_core.models.backend import Backend, probe_run, resolve_device
from mtm_core.models.family import Family
from mtm_core.models.manifest import describe_training, software_versions
from mtm_core.training.distributed import Team
from mtm_core.training.optim import WeightAverage, make_optimizer
from mtm_core.training.pretrained import Pretrained
from mtm_core.training.randomness import seeded
from mtm_core.training.run_folder import RunFolder, RunRecord, first_difference
from mtm_core.training.sessions import SessionOrder, TrainingSession, load_sessions
from mtm_core.training.state import Progress, unpack
from mtm_core.training.step_graphs import StepGraphs
from mtm_core.training.trial_counts import Room
from mtm_core.training.validation import FixedValidation, JointValidation
from mtm_core.training.workbench import OnPreparation, Workbench

_START_WORDS = {
    "digest": "from a checkpoint of the hash {}",
    "freeze_trunk": "with --freeze-trunk {}",
    "zero_shot": "with --zero-shot {}",
}
"""What must be the same when a fine-tuning is resumed."""
ALONE = Team()


def start_anew(
    config: TrainConfig,
    sessions: Iterable[Session],
    folder: RunFolder,
    session_paths: tuple[str, ...],
    on_preparation: OnPreparation | None = None,
    pretrained: Pretrained | None = None,
    team: Team = ALONE,
) -> tuple[Workbench, Progress, dict[str, Tensor]]:
    """Prepare a run from its first step and make its folder.

    Raises
    ------
    TrainingError
        If the folder holds a run already.
    """
    folder.refuse_to_begin()
    run = config.run
    backend = team.backend(probe_run(run))
    bench = prepare(config, sessions, backend, pretrained, team)
    record = RunRecord(
        sessions=_content_of(bench.sessions),
        session_paths=session_paths,
        backend=backend,
        pretrained=None if pretrained is None else pretrained.describe(),
        processes=team.size,
    )
    folder.create(config, bench.manifest, record)
    return bench, _start(bench, on_preparation), {}


def go_on(
    config: TrainConfig,
    sessions: Iterable[Session],
    folder: RunFolder,
    on_preparation: OnPreparation | None = None,
    pretrained: Pretrained | None = None,
    team: Team = ALONE,
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
    folder.refuse_older()
    _check_same_settings(config, folder)
    _check_same_start(folder, record, pretrained)
    resolve_device(record.backend.device)
    backend = team.backend(record.backend)
    loaded, notes = _load(config, sessions, backend, pretrained)
    _check_same_sessions(loaded, folder, record)
    bench = _assemble(config, loaded, backend, (*_notes(record, team), *notes), pretrained, team)
    folder.sweep()
    if not team.is_first_sure(folder.can_resume()):  # stopped before its first checkpoint
        progress = _start(bench, on_preparation)
        folder.events.forget_after(-1)
        return bench, progress, {}
    saved = team.first_then_others(folder.states.load)
    best = unpack(saved.tensors, bench.model, bench.optimizer, bench.average)
    folder.events.forget_after(saved.progress.step)
    return replace(bench, notes=(*bench.notes, *saved.notes)), saved.progress, best


def _start(bench: Workbench, on_preparation: OnPreparation | None) -> Progress:
    """Make the fitted start; its time counts as training."""
    started = time.perf_counter()
    bench.start(on_preparation)
    bench.team.align(list(bench.model.state_dict().values()))
    bench.average.restart(bench.model)
    return Progress(seconds=time.perf_counter() - started)


def prepare(
    config: TrainConfig,
    originals: Iterable[Session],
    backend: Backend,
    pretrained: Pretrained | None = None,
    team: Team = ALONE,
) -> Workbench:
    """Build model, data and optimiser; the same settings and sessions give the same bits.

    Parameters
    ----------
    config : TrainConfig
        All settings.
    originals : iterable of Session
        As read from their files; taken one at a time.
    backend : Backend
        How to compute.
    pretrained : Pretrained or None
        What to start from instead of drawn weights.
    team : Team
        The processes that train this model together.
    """
    sessions, notes = _load(config, originals, backend, pretrained)
    return _assemble(config, sessions, backend, notes, pretrained, team)


def _load(
    config: TrainConfig,
    originals: Iterable[Session],
    backend: Backend,
    pretrained: Pretrained | None,
) -> tuple[tuple[TrainingSession, ...], tuple[str, ...]]:
    """Take the sessions in; say how many of them are mapped."""

    def check(original: Session) -> None:
        if pretrained is not None:
            pretrained.check(config, [original])

    room = Room(config.run, backend.device)
    sessions = load_sessions(config, originals, backend.device, room, check)
    if not room.n_mapped:
        return sessions, ()
    of = "" if room.n_mapped == len(sessions) else f" of {room.n_mapped} of the sessions"
    return sessions, (f"Counts{of} are read from mapped files in {room.store.folder}.",)


def _assemble(
    config: TrainConfig,
    sessions: tuple[TrainingSession, ...],
    backend: Backend,
    notes: tuple[str, ...],
    pretrained: Pretrained | None,
    team: Team,
) -> Workbench:
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
    draw, n_per_step = config.optim.session_draw, config.optim.sessions_per_step
    parameters = [p for p in model.parameters() if p.requires_grad]
    is_graphed = backend.device.startswith("cuda") and config.run.cuda_graphs == "auto"
    is_graphed &= team.size == n_per_step == 1
    return Workbench(
        config=config,
        backend=backend,
        manifest=manifest,
        sessions=sessions,
        order=SessionOrder.draw(config.run.seed, manifest.n_steps, n_trials, draw, n_per_step),
        model=model.train(),
        parameters=parameters,
        optimizer=make_optimizer(model, config.optim),
        average=WeightAverage(model, config.optim.average_decay),
        validation=JointValidation([_fixed_validation(config, each) for each in sessions], team),
        n_steps=manifest.n_steps,
        notes=notes,
        team=team,
        graphs=StepGraphs(backend.device, parameters) if is_graphed else None,
    )


def _fixed_validation(config: TrainConfig, session: TrainingSession) -> FixedValidation:
    return FixedValidation(
        session.sampler,
        session.val_counts.all,
        session.counts.unit_mean(),
        config.data.split_seed,  # not the run's: runs that differ in seed share their judge
        config.optim.batch_size,
    )


def _check_same_settings(config: TrainConfig, folder: RunFolder) -> None:
    difference = first_difference(folder.read_config(), config)
    if difference is not None:
        key, stored, given = difference
        msg = (
            f"The run in {folder.path} was begun with --{key} {stored}, not {given}. Leave it out "
            "to go on with that run, or choose another --out."
        )
        raise TrainingError(msg)


def _content_of(sessions: Sequence[TrainingSession]) -> dict[str, str]:
    """Return the hash of the content of each session by its id."""
    return {each.session_id: each.record.session_hash for each in sessions}


def _check_same_sessions(
    sessions: Sequence[TrainingSession], folder: RunFolder, record: RunRecord
) -> None:
    now = _content_of(sessions)
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


def _notes(record: RunRecord, team: Team) -> tuple[str, ...]:
    now = software_versions()
    changed = [
        f"{name} {record.versions.get(name, 'unknown')} -> {version}"
        for name, version in now.items()
        if record.versions.get(name) != version
    ]
    notes = []
    if changed:
        notes.append(
            f"This run was begun with other versions ({', '.join(changed)}): its last bits may "
            "differ from those of an uninterrupted run."
        )
    if record.processes != team.size:
        notes.append(
            f"This run was begun by {_processes(record.processes)} and goes on with {team.size}: "
            "sums round, and dropout is drawn, in another way."
        )
    return tuple(notes)


def _processes(n: int) -> str:
    return "1 process" if n == 1 else f"{n} processes"
