"""Training models and loading them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mtm_core import config_io, resources
from mtm_core.api.typed import typed_text
from mtm_core.data.session import Session
from mtm_core.models.backend import resolve_device
from mtm_core.models.checkpoint import Checkpoint, load_checkpoint
from mtm_core.training.events import Event
from mtm_core.training.finetune import finetune, finetune_config
from mtm_core.training.loop import train as train_model
from mtm_core.training.pretrained import Pretrained
from mtm_core.training.run_folder import RunFolder, find_checkpoint

ModelName = str | os.PathLike[str]


def load_model(name: ModelName, session: Session | None = None, device: str = "cpu") -> Checkpoint:
    """Load a trained model.

    Parameters
    ----------
    name : str or path-like
        A checkpoint, the folder of a run, or the name of a bundled model (``"demo"``).
    session : Session, optional
        Which of the model's sessions; needed where it knows several.
    device : str
        ``cpu``, ``cuda``, ``mps`` or ``auto``.

    Returns
    -------
    Checkpoint
        The model, and what it says about itself (``manifest``: settings, units, split, scores).

    Raises
    ------
    CheckpointError
        If there is none, or it cannot be trusted.
    MismatchError
        If it does not know the session.

    Examples
    --------
    >>> model = load_model("demo")
    >>> model.manifest.n_units, model.manifest.config.name
    (698, 'recommended')
    """
    session_id = None if session is None else session.session_id
    return load_checkpoint(_path_of(name), resolve_device(device), session_id)


def train(
    sessions: Session | Sequence[Session],
    out: str | os.PathLike[str],
    preset: str | None = None,
    *,
    start: ModelName | None = None,
    freeze_trunk: bool = False,
    zero_shot: bool = False,
    settings: Mapping[str, object] | None = None,
    resume: bool = False,
    on_event: Callable[[Event], object] | None = None,
) -> Checkpoint:
    """Train a model, or carry one over to another session.

    Parameters
    ----------
    sessions : Session or sequence of Session
        What to train on. Test trials are set aside and never looked at.
    out : path-like
        Folder of the run, to be filled (docs/format_run.md).
    preset : str, optional
        Settings to start from, ``quick`` by default; see docs/settings.md.
    start : str or path-like, optional
        A model to carry over to the session, in place of drawn weights.
    freeze_trunk, zero_shot : bool
        With `start`: train the session's own layers only; train nothing at all.
    settings : mapping, optional
        Single settings by dotted key, such as ``{"optim.steps": 500, "model.width": 32}``.
    resume : bool
        Go on with the run in that folder.
    on_event : callable, optional
        Told of each event: steps, validations, checkpoints (`mtm_core.training.events`).

    Returns
    -------
    Checkpoint
        The best weights by validation, of the first session; `load_model` gives those of others.

    Raises
    ------
    ConfigError
        If there is no such preset or setting.
    TrainingError
        If the folder holds a run already, or the loss is not a number.

    Examples
    --------
    >>> import tempfile
    >>> from mtm_core.api.sessions import open_session
    >>> session = open_session("steinmetz2019_s12").take_units(slice(0, 30))
    >>> folder = tempfile.mkdtemp() + "/run"
    >>> model = train(session, folder, settings={"optim.steps": 2, "run.threads": 1})
    >>> model.manifest.n_units
    30
    """
    given = [sessions] if isinstance(sessions, Session) else list(sessions)
    typed = [(key, typed_text(value)) for key, value in (settings or {}).items()]
    if start is None:
        config = config_io.apply_overrides(config_io.load_preset(preset or "quick"), typed)
        events = train_model(config, given, Path(out), resume=resume)
    else:
        pretrained = Pretrained.read(
            _path_of(start).resolve(), freeze_trunk=freeze_trunk, zero_shot=zero_shot
        )
        config = finetune_config(pretrained.manifest, given[0], typed, zero_shot=zero_shot)
        events = finetune(pretrained, config, given[0], Path(out), resume=resume)
    for event in events:
        if on_event is not None:
            on_event(event)
    return load_checkpoint(RunFolder(Path(out)).model_path, session_id=given[0].session_id)


def _path_of(name: ModelName) -> Path:
    path = Path(name)
    return find_checkpoint(path) if path.exists() else resources.checkpoint_path(str(name))
