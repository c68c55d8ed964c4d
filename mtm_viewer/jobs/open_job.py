"""Opening sessions and checkpoints off the GUI thread: all or nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mtm_core import resources
from mtm_core.data.session import Session
from mtm_core.data.session_file import read_session
from mtm_core.errors import CheckpointError, DataError, MismatchError, MtmError
from mtm_core.models.checkpoint import (
    fit_overlap,
    fit_session,
    load_folds,
)
from mtm_core.models.manifest_file import read_manifest
from mtm_viewer.presenters.workspace import LoadedModel, Opened, Workspace, make_workspace

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, kw_only=True)
class OpenRequest:
    """What a person wants to open.

    Parameters
    ----------
    session_path : Path or None
        A session file; None keeps the session that is open, or finds the checkpoint's own.
    checkpoint_paths : tuple of Path
        A checkpoint to put on screen, and further ones; none keeps the models that fit the
        session.
    current : Workspace or None
        What is open now.
    shown : int or None
        Put this one of the loaded models on screen; nothing is read.
    allow_overlap : bool
        Accept a session that lacks some of the checkpoint's units.
    session : Session or None
        The session, where it is in memory already; `session_path` says where it lies.
    opened : Opened or None
        What it was prepared from.
    """

    session_path: Path | None = None
    checkpoint_paths: tuple[Path, ...] = ()
    current: Workspace | None = None
    shown: int | None = None
    allow_overlap: bool = False
    session: Session | None = None
    opened: Opened | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Misfit:
    """A checkpoint and a session that do not belong together, and what could be done.

    Parameters
    ----------
    sentence : str
        What does not fit.
    request : OpenRequest
        What was asked for.
    can_overlap : bool
        Whether some units are shared, in the same bins.
    own_session : Path or None
        The bundled session that the checkpoint was trained on.
    """

    sentence: str
    request: OpenRequest
    can_overlap: bool
    own_session: Path | None


def open_work(request: object, should_stop: Callable[[], bool]) -> Iterator[object]:
    """Open what an `OpenRequest` asks for; yields a `Workspace`, or a `Misfit`.

    Raises
    ------
    MtmError
        If a file cannot be trusted; the text says which and why.
    """
    if not isinstance(request, OpenRequest):
        msg = f"This thread opens files; it cannot do {type(request).__name__}."
        raise TypeError(msg)
    answer = open_files(request)
    look_over(answer)
    yield answer


def open_files(request: OpenRequest) -> Workspace | Misfit:
    """Open what is asked for; see `open_work`."""
    if request.shown is not None and request.current is not None:
        now = request.current
        return make_workspace(now.recording, now.path, now.models, request.shown, now.opened)
    wanted = [_load(path, request) for path in request.checkpoint_paths]
    session, path = _session(request, wanted[0] if wanted else None)
    opened = _opened(request)
    if not wanted:
        return make_workspace(session, path, _fitting_models(request, session), opened=opened)
    for model in wanted if not request.allow_overlap else ():
        try:
            fit_session(model.checkpoint, session)
        except MismatchError as error:
            return _misfit(str(error), request, model, session)
    models = (*wanted, *_others(request, wanted, session))
    return make_workspace(session, path, models, opened=opened)


def look_over(answer: Workspace | Misfit) -> None:
    """Compute here what the window shows at once: in its own thread it would stand still."""
    if isinstance(answer, Workspace):
        _ = answer.health, answer.recording.content_hash, answer.rate_hz


def own_session_path(session_id: str) -> Path | None:
    """Find the bundled session of this id, None if it is not bundled."""
    names = resources.list_sessions()
    for name in sorted(names, key=lambda name: not session_id.startswith(name)):
        path = resources.session_path(name)
        if read_session(path).session_id == session_id:
            return path
    return None


def bundled_models(session: Session) -> tuple[LoadedModel, ...]:
    """Load the bundled checkpoints that were trained on a session, MtM before its baseline."""
    paths = [resources.checkpoint_path(name) for name in resources.list_checkpoints()]
    loaded = [_load_if_own(path, session) for path in paths]
    fitting = [model for model in loaded if model is not None and _fits(model, session)]
    return tuple(sorted(fitting, key=lambda model: (model.is_temporal, model.name)))


def _load_if_own(path: Path, session: Session) -> LoadedModel | None:
    """Load a bundled checkpoint of this session; a damaged one must not keep others away."""
    try:
        if session.session_id not in read_manifest(path).session_ids:
            return None
        return LoadedModel(checkpoint=load_folds(path, session_id=session.session_id))
    except CheckpointError as error:
        logger.warning("A bundled checkpoint was left out: %s", error)
        return None


def _load(path: Path, request: OpenRequest) -> LoadedModel:
    """Load a checkpoint; one of several sessions for that which is open, or a bundled one."""
    known = read_manifest(path).session_ids
    session_id = known[0]
    if len(known) > 1:
        asked = _asked_session_id(request)
        bundled = (each for each in known if own_session_path(each) is not None)
        session_id = asked if asked in known else next(bundled, asked or "")
    return LoadedModel(checkpoint=load_folds(path, session_id=session_id))


def _asked_session_id(request: OpenRequest) -> str | None:
    if request.session is not None:
        return request.session.session_id
    if request.session_path is not None:
        return read_session(request.session_path).session_id
    return None if request.current is None else request.current.recording.session_id


def _session(request: OpenRequest, wanted: LoadedModel | None) -> tuple[Session, Path]:
    if request.session is not None and request.session_path is not None:
        return request.session, request.session_path
    if request.session_path is not None:
        return read_session(request.session_path), request.session_path
    if request.current is not None:
        return request.current.recording, request.current.path
    own = None if wanted is None else own_session_path(wanted.checkpoint.manifest.session_id)
    if own is None:
        msg = "No session is open. Open the recording that this checkpoint was trained on first."
        raise DataError(msg)
    return read_session(own), own


def _opened(request: OpenRequest) -> Opened | None:
    if request.session_path is None and request.current is not None:
        return request.current.opened
    return request.opened


def _fitting_models(request: OpenRequest, session: Session) -> tuple[LoadedModel, ...]:
    kept = request.current.models if request.current is not None else ()
    fitting = tuple(model for model in kept if _fits(model, session))
    return fitting or bundled_models(session)


def _others(
    request: OpenRequest, wanted: list[LoadedModel], session: Session
) -> tuple[LoadedModel, ...]:
    """Keep the models that fit beside new ones, and find them a baseline if there is none."""
    kept = request.current.models if request.current is not None else ()
    new = {model.checkpoint.path for model in wanted}
    others = [m for m in kept if m.checkpoint.path not in new and _fits(m, session)]
    if not any(model.is_temporal for model in (*wanted, *others)):
        others += [m for m in bundled_models(session) if m.is_temporal]
    return tuple(others)


def _fits(model: LoadedModel, session: Session) -> bool:
    try:
        fit_session(model.checkpoint, session)
    except MismatchError:
        return False
    return True


def _misfit(sentence: str, request: OpenRequest, model: LoadedModel, session: Session) -> Misfit:
    try:
        fit_overlap(model.checkpoint, session)
        can_overlap = True
    except MtmError:
        can_overlap = False
    own = own_session_path(model.checkpoint.manifest.session_id)
    return Misfit(sentence=sentence, request=request, can_overlap=can_overlap, own_session=own)
