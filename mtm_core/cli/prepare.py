"""Turn recordings into session files: trials cut, units chosen, spikes counted.

SOURCE is a session's folder (ALF, or the layout of docs/bring_your_own.md), an .nwb file, a
session file, an eid or subject/date/number of the IBL database, or demo:NAME; a folder of many
ALF sessions stands for all of them.

Examples
--------
  mtm-core prepare path/to/session --out S.h5
  mtm-core prepare session.nwb --out S.h5 --preset paper
  mtm-core prepare --from paper-40 --out sessions --jobs 4 --prepare.align first_movement

An output that was made from the same source with the same settings is kept, so that a command that
was stopped can be called again. One source that fails never stops the rest.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mtm_core import config_io
from mtm_core.cli import output
from mtm_core.cli.config_arguments import add_settings, typed_values
from mtm_core.cli.database import add_database_arguments
from mtm_core.errors import ConfigError, MtmError

if TYPE_CHECKING:
    from mtm_core.cli.prepare_report import PrepareReport
    from mtm_core.cli.stop_request import StopRequest
    from mtm_core.config import PreparationConfig
    from mtm_core.data.prepare_task import Task, Wishes

DEFAULT_PRESET = "default"
EXIT_ERROR = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `mtm-core prepare`."""
    parser.usage = (
        "mtm-core prepare SOURCE... --out S.h5|FOLDER [--preset NAME] [--from LIST] [--jobs N] "
        "[--overwrite] [--prepare.SETTING VALUE ...]"
    )
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help="what to prepare")
    parser.add_argument(
        "--from",
        dest="lists",
        action="append",
        default=[],
        metavar="LIST",
        help="a pick list (paper-40, brain-wide-map, ...), or a text file with a source per line",
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="session file to write; a folder for several"
    )
    parser.add_argument("--preset", metavar="NAME|FILE.toml", help=_preset_help())
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="at a time (default: 1)")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace session files made with other settings"
    )
    parser.add_argument("--json", action="store_true", help="print what became of each as JSON")
    add_database_arguments(parser)
    add_settings(parser, config_io.preparation_settings().values())


def run(args: argparse.Namespace) -> int:
    """Prepare; return 0, 2 if any source failed, 130 after Ctrl-C."""
    from mtm_core.cli.prepare_report import PrepareReport
    from mtm_core.cli.stop_request import StopRequest
    from mtm_core.data.prepare_task import plan_outputs

    typed = typed_values(args, config_io.preparation_settings())
    config = config_io.load_preparation(args.preset or DEFAULT_PRESET, typed)
    tasks = plan_outputs(_sources(args), args.out)
    wishes = _wishes(args, tasks, config, tuple(key for key, _ in typed))
    stopping = "Stopping: nothing half-written is left. Press Ctrl-C again to stop at once."
    report = PrepareReport(tasks, as_json=args.json)
    with StopRequest(stopping) as stop, report:
        _prepare(tasks, wishes, args.jobs, report, stop)
    report.summarise()
    if stop.is_asked:
        return stop.exit_code
    return EXIT_ERROR if report.n_failed else 0


def _prepare(
    tasks: list[Task], wishes: Wishes, jobs: int, report: PrepareReport, stop: StopRequest
) -> None:
    """Prepare a single source here, where Ctrl-C is quickest; several in their own processes."""
    from mtm_core.data.prepare_file import prepare_one
    from mtm_core.data.prepare_many import prepare_many

    def should_stop() -> bool:
        return stop.is_asked

    if len(tasks) == 1:
        (task,) = tasks
        progress = partial(report.advance, task)
        report.take(prepare_one(task, wishes, progress=progress, should_stop=should_stop))
        return
    outcomes = prepare_many(
        tasks, wishes, jobs=jobs, report=report.advance, should_stop=should_stop
    )
    for outcome in outcomes:
        report.take(outcome)


def _wishes(
    args: argparse.Namespace, tasks: list[Task], config: PreparationConfig, typed: tuple[str, ...]
) -> Wishes:
    """Gather what holds for all sources; log in here, where a person can be asked."""
    from mtm_core.cli.database import connect
    from mtm_core.data.prepare_task import Database, Wishes

    if args.jobs < 1:
        msg = f"--jobs must be at least 1, not {args.jobs}."
        raise ConfigError(msg)
    is_offline = args.offline
    if any(_is_in_database(task.source) for task in tasks) and not is_offline:
        client = connect(args)
        is_offline = not client.is_online
        if is_offline:
            output.note(f"Going by the cache folder alone: {client.why_offline}")
    return Wishes(
        config=config,
        typed=typed,
        overwrite=args.overwrite,
        database=Database(url=args.url, cache_dir=args.cache, is_offline=is_offline),
    )


def _sources(args: argparse.Namespace) -> list[str]:
    """Return every source once: those that were typed, then those of the lists.

    Raises
    ------
    ConfigError
        If there is none.
    """
    typed = [each for source in args.sources for each in _sessions_in(source)]
    named = list(dict.fromkeys([*typed, *(s for name in args.lists for s in _read_list(name))]))
    if not named:
        msg = (
            "There is nothing to prepare: name a session's folder, an .nwb file, an eid or "
            "demo:NAME, or give a list with --from."
        )
        raise ConfigError(msg)
    return named


def _sessions_in(source: str) -> list[str]:
    """Return the sessions in or below a folder, else the source itself."""
    from mtm_core.data.alf import find_sessions
    from mtm_core.data.byo import is_byo_folder

    path = Path(source)
    if not path.is_dir() or is_byo_folder(path):
        return [source]
    return [str(session) for session in find_sessions(path)] or [source]


def _read_list(name: str) -> list[str]:
    """Return the sources of a pick list, or of a text file with a source per line.

    Raises
    ------
    ConfigError
        If there is neither, or it is empty.
    """
    from mtm_core.data.pick_lists import load_pick_list

    path = Path(name)
    if not path.is_file():
        return list(load_pick_list(name).eids)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except ValueError as error:
        msg = f"--from {name} is no text file: give one with a source per line."
        raise ConfigError(msg) from error
    found = [line.partition("#")[0].strip() for line in lines]
    if not any(found):
        msg = f"--from {name} names no source: write one per line."
        raise ConfigError(msg)
    return [source for source in found if source]


def _is_in_database(source: str) -> bool:
    from mtm_core.data.sources import kind_of

    try:
        return kind_of(source) == "eid"
    except MtmError:  # said where it is prepared
        return False


def _preset_help() -> str:
    from mtm_core.resources import list_preparations

    try:
        names = ", ".join(list_preparations())
    except ConfigError:  # said where a preset is looked up
        names = "none found"
    return f"rules to start from (default: {DEFAULT_PRESET}): {names}; or a TOML file"
