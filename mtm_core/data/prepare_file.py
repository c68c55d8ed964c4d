"""Preparing a source into a session file.

An output that is there and was made from the same source with the same settings is kept; outputs
are written whole or not at all; two processes that prepare the same one wait for each other.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from mtm_core.data.prepare_task import Outcome, Status, Task, Wishes
from mtm_core.data.recipe import Recipe, difference, read_recipe, recipe_of
from mtm_core.data.session import Session
from mtm_core.data.session_file import read_session, write_session
from mtm_core.data.sources import kind_of, prepare_source
from mtm_core.errors import DataError, MtmError, OutputError

Report = Callable[[object], None]
ShouldStop = Callable[[], bool]
_POLL_S = 0.2


def prepare_one(
    task: Task,
    wishes: Wishes,
    *,
    progress: Report | None = None,
    should_stop: ShouldStop | None = None,
) -> Outcome:
    """Prepare one source; whatever goes wrong becomes an outcome.

    Parameters
    ----------
    task : Task
        What, and where to.
    wishes : Wishes
        How.
    progress : callable, optional
        Told how far it is: a `DownloadProgress`, or a few words.
    should_stop : callable, optional
        Asked between stages and during a download.
    """
    started = time.perf_counter()
    tell, stopped = progress or _tell_nobody, should_stop or _never
    try:
        outcome = _prepare_locked(task, wishes, tell, stopped)
    except (MtmError, OSError, MemoryError) as error:
        outcome = failure(task, _sentence(error))
    except Exception as error:  # noqa: BLE001 - the rest of the sources must go on
        what = f"Unexpected {type(error).__name__}: {error}. Please report it."
        outcome = failure(task, what)
    return replace(outcome, seconds=time.perf_counter() - started)


def failure(task: Task, problem: str) -> Outcome:
    """Make the outcome of a source that could not be prepared."""
    return Outcome(source=task.source, out=task.out, status="failed", problem=problem)


def _prepare_locked(task: Task, wishes: Wishes, tell: Report, stopped: ShouldStop) -> Outcome:
    _check_output(task)
    recipe = recipe_of(task.source, wishes.config, wishes.typed)
    with _lock(task.out, tell, stopped) as is_held:
        if not is_held:
            return Outcome(source=task.source, out=task.out, status="stopped")
        kept = _kept(task, recipe, overwrite=wishes.overwrite)
        if kept is not None:
            return _outcome(task, kept, "kept")
        session = prepare_source(
            task.source,
            wishes.config,
            wishes.typed,
            one=wishes.database.connect() if kind_of(task.source) == "eid" else None,
            progress=tell,
            should_stop=stopped,
        )
        if session is None or stopped():
            return Outcome(source=task.source, out=task.out, status="stopped")
        tell("writing")
        made_from = recipe.to_json()
        write_session(session, task.out, compression=wishes.compression, made_from=made_from)
        return _outcome(task, session, "prepared")


def _kept(task: Task, recipe: Recipe, *, overwrite: bool) -> Session | None:
    """Return what is there already, if it is what was asked for.

    Raises
    ------
    OutputError
        If it is something else, and may not be replaced.
    """
    if not task.out.exists():
        return None
    differs = difference(read_recipe(task.out), recipe)
    if not differs:
        try:
            return read_session(task.out)
        except DataError:
            differs = "damaged"
    if overwrite:
        return None
    msg = (
        f"{task.out} is there already, {differs}. "
        "Add --overwrite to replace it, or choose another --out."
    )
    raise OutputError(msg)


def _check_output(task: Task) -> None:
    source, folder = Path(task.source), task.out.absolute().parent
    if not folder.is_dir():  # the lock would make it
        msg = f"Could not write {task.out}: there is no folder {folder}. Make it first."
        raise OutputError(msg)
    if task.out.exists() and source.exists() and task.out.samefile(source):
        msg = f"--out {task.out} is the source itself. Give the session file another name."
        raise OutputError(msg)


@contextlib.contextmanager
def _lock(out: Path, tell: Report, stopped: ShouldStop) -> Iterator[bool]:
    """Hold an output; False if asked to stop while another process held it."""
    from filelock import FileLock, Timeout

    path = out.with_name(f".{out.name}.lock")
    lock = FileLock(path)
    while True:
        try:
            lock.acquire(timeout=0, blocking=False)
            break
        except Timeout:
            tell("waiting for another process that prepares it")
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            msg = f"Could not write {out}: {reason}. Choose another place, or make room there."
            raise OutputError(msg) from error
        if stopped():
            yield False
            return
        time.sleep(_POLL_S)
    try:
        yield True
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        lock.release()


def _outcome(task: Task, session: Session, status: Status) -> Outcome:
    report = session.preparation
    return Outcome(
        source=task.source,
        out=task.out,
        status=status,
        session_id=session.session_id,
        n_units=session.n_units,
        n_trials=session.n_trials,
        n_bins=session.n_bins,
        n_regions=len(session.region_names()),
        units_sentence=report.units_sentence if report else "",
        trials_sentence=report.trials_sentence if report else "",
        share_of_trials_dropped=report.share_of_trials_dropped if report else 0.0,
        is_simulated=session.provenance.is_simulated,
    )


def _sentence(error: BaseException) -> str:
    if isinstance(error, MtmError):
        return str(error)
    if isinstance(error, MemoryError):
        return "The memory of this machine is not enough for it. Use fewer --jobs."
    name, why = (getattr(error, key, None) for key in ("filename", "strerror"))
    return f"{name or 'A file'}: {(why or str(error)).lower()}."


def _tell_nobody(_: object) -> None:
    """Report to nobody."""


def _never() -> bool:
    return False
