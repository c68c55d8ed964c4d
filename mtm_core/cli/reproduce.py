"""Make the results table: train, score beside all baselines, summarise over sessions.

Examples
--------
  mtm-core reproduce bundled --out results
  mtm-core reproduce bundled --out results --sessions untouched --seeds 0 1 2 --workers 2

The command may be stopped at any time; called again it goes on where it was. Settings were chosen
on the development sessions; the untouched ones are for the table.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from mtm_core.cli.config_arguments import add_config_arguments, typed_settings

if TYPE_CHECKING:
    from mtm_core.reproduce.bundled import Plan

DEVELOPMENT = (1, 4, 8, 12, 15, 17)
"""Numbers of the bundled recordings that settings were tuned on."""
UNTOUCHED = (2, 6, 7, 10, 11, 13, 16, 18)
"""Numbers of those that only the table looks at."""
SPLITS = ("random", "interleaved", "blocked")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `mtm-core reproduce`."""
    parser.usage = "mtm-core reproduce bundled --out DIR [--sessions ...] [--SETTING VALUE ...]"
    parser.add_argument("what", choices=["bundled"], help="the bundled recordings")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to fill")
    parser.add_argument(
        "--sessions",
        nargs="+",
        default=["all"],
        metavar="S",
        help="all, development, untouched, or beginnings of names (default: all)",
    )
    parser.add_argument(
        "--seeds", nargs="+", type=int, default=[0, 1, 2], help="training seeds (default: 0 1 2)"
    )
    parser.add_argument(
        "--splits",
        nargs="+",
        choices=SPLITS,
        default=["random", "blocked"],
        help="how trials are divided (default: random blocked)",
    )
    parser.add_argument("--preset", default="quick", help="settings (default: quick)")
    parser.add_argument(
        "--workers", type=int, default=1, help="cells at the same time (default: 1)"
    )
    add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Compute what is missing; print the table."""
    from mtm_core.cli import output
    from mtm_core.reproduce.bundled import reproduce

    plan = make_plan(args)
    with output.progress(len(plan.cells()), "Cells", "cell") as bar:
        for done in reproduce(plan):
            bar.set_postfix_str(f"{done.name}, about {_duration(done.seconds_left)} left")
            bar.update(done.n_done - bar.n)
    output.show((plan.out / "table.md").read_text(encoding="utf-8").rstrip())
    return 0


def make_plan(args: argparse.Namespace) -> Plan:
    """Turn the arguments into a plan.

    Raises
    ------
    ConfigError
        If there is no such session or preset, or no worker.
    """
    from mtm_core import config_io
    from mtm_core.errors import ConfigError
    from mtm_core.reproduce.bundled import Plan

    if args.workers < 1:
        msg = f"--workers must be at least 1, not {args.workers}."
        raise ConfigError(msg)
    config = config_io.apply_overrides(config_io.load_preset(args.preset), typed_settings(args))
    if config.run.threads is None:
        threads = max((os.cpu_count() or 1) // args.workers, 1)
        config = config_io.apply_overrides(config, [("run.threads", str(threads))])
    return Plan(
        out=args.out,
        sessions=choose_sessions(args.sessions),
        seeds=tuple(dict.fromkeys(args.seeds)),
        splits=tuple(dict.fromkeys(args.splits)),
        config=config,
        workers=args.workers,
    )


def choose_sessions(names: list[str]) -> tuple[Path, ...]:
    """Return session files by name, by the beginning of a name, or by the name of a set.

    Raises
    ------
    UnknownNameError
        If there is no such session.
    """
    from mtm_core.cli.info import find
    from mtm_core.resources import list_sessions, session_path

    sets = {"development": DEVELOPMENT, "untouched": UNTOUCHED}
    chosen: list[Path] = []
    for name in names:
        if name in sets:
            chosen += [session_path(f"steinmetz2019_s{number:02d}") for number in sets[name]]
        elif name == "all":
            chosen += [session_path(each) for each in list_sessions()]
        else:
            chosen.append(find(name))
    return tuple(dict.fromkeys(chosen))


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes else f"{seconds:.0f} s"
