"""Fine-tuning: a trained trunk goes on with a session of its own; or predicts it as it is.

A fine-tuning is a run like any other (see `training.loop`): it fills a folder, stops and resumes.
Only training and validation trials of the session are looked at.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path

from mtm_core import config_io
from mtm_core.config import FINETUNE, TrainConfig
from mtm_core.data.session import Session
from mtm_core.models.manifest import Manifest
from mtm_core.training.distributed import Team
from mtm_core.training.events import Event
from mtm_core.training.loop import train
from mtm_core.training.pretrained import Pretrained
from mtm_core.training.sessions import is_embedded
from mtm_core.training.setup import ALONE
from mtm_core.training.workbench import OnPreparation

Typed = Iterable[tuple[str, str | list[str]]]


def finetune_config(
    manifest: Manifest, session: Session, typed: Typed = (), *, zero_shot: bool = False
) -> TrainConfig:
    """Return the settings of a fine-tuning: the checkpoint's, a shorter schedule, what was typed.

    Parameters
    ----------
    manifest : Manifest
        Of the checkpoint.
    session : Session
        What to fine-tune on; where its bins are the checkpoint's already, none are joined.
    typed : iterable of (str, str or list of str)
        Dotted keys and values, as in `config_io.apply_overrides`.
    zero_shot : bool
        Nothing is trained: units have no vectors of their own.

    Raises
    ------
    ConfigError
        If a typed setting is unknown or impossible.
    """
    changes: dict[str, str | list[str]] = dict(FINETUNE)
    if session.n_bins == manifest.n_bins:
        changes["data.bin_factor"] = "1"
    if zero_shot and is_embedded(manifest.config.model):
        changes["model.unit_vectors"] = "false"
    given = {key.lstrip("-"): value for key, value in typed}
    if "optim.epochs" in given:
        changes["optim.steps"] = config_io.NONE
    return config_io.apply_overrides(manifest.config, (changes | given).items())


def finetune(
    pretrained: Pretrained,
    config: TrainConfig,
    session: Session,
    run_dir: Path,
    *,
    resume: bool = False,
    session_path: str = "",
    on_preparation: OnPreparation | None = None,
    team: Team = ALONE,
) -> Generator[Event, None, None]:
    """Fine-tune a checkpoint on a session; iterate over the result to make it happen.

    Parameters
    ----------
    pretrained : Pretrained
        The checkpoint, and what of it is kept as it is. If it says ``zero_shot``, the run has no
        step: it ends with a checkpoint for the session, scored on validation trials.
    config : TrainConfig
        See `finetune_config`.
    session : Session
        What to fine-tune on.
    run_dir, resume, session_path, on_preparation, team
        As in `training.loop.train`.

    Raises
    ------
    MismatchError
        If the session has other bins than the checkpoint, or its units under another id.
    TrainingError
        If the settings contradict the checkpoint, or the folder holds another run.
    """
    return train(
        config,
        [session],
        run_dir,
        resume=resume,
        session_paths=[session_path] if session_path else [],
        on_preparation=on_preparation,
        pretrained=pretrained,
        team=team,
    )
