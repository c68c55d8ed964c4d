"""Search settings: many trainings, judged on validation trials; table and best preset come out.

Examples
--------
  mtm-core sweep example --out sweeps/example --workers 2
  mtm-core sweep my.toml --out sweeps/mine --launcher slurm --workers 16
  mtm-core sweep my.toml --out sweeps/mine --status
  mtm-core train --preset sweeps/mine/best.toml --session S.h5 --out runs/best

SPEC is a TOML file (resources/sweeps/example.toml explains every line), or the name of a bundled
one. The command may be stopped at any time, kill -9 included; the same line goes on where it was.
It may also be called several times at once, on several machines that share the folder: all work
on one journal. Test trials are never looked at. It needs Optuna and submitit:
pip install "mtm-viewer[sweep]"
"""

from __future__ import annotations

import argparse
import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mtm_core.sweep.spec import SweepSpec

_NEEDED = {"local": ("optuna",), "slurm": ("optuna", "submitit")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `mtm-core sweep`."""
    parser.add_argument("spec", metavar="SPEC", help="spec file, or the name of a bundled one")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder to fill; workers elsewhere must see it (default: sweeps/NAME)",
    )
    parser.add_argument(
        "--launcher",
        choices=tuple(_NEEDED),
        default="local",
        help="work here, or submit workers as jobs of a Slurm cluster (default: local)",
    )
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="trials at the same time (default: 1)"
    )
    parser.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="threads of each worker here (default: the cores, shared out)",
    )
    parser.add_argument(
        "--status", action="store_true", help="print the table as it is, and compute nothing"
    )
    parser.add_argument("--helper-of", type=int, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Work, submit, or tell; return 1 if every trial failed, 130 or 143 if asked to stop."""
    require_extra(args.launcher)
    spec, paths = read(args.spec)
    out = args.out or Path("sweeps") / spec.sweep.name
    if args.workers < 1 or (args.threads is not None and args.threads < 1):
        from mtm_core.errors import ConfigError

        msg = "--workers and --threads must be at least 1."
        raise ConfigError(msg)
    if args.status:
        from mtm_core.cli.sweep_status import show_table

        return show_table(spec, out)
    from mtm_core.cli.sweep_work import submit_jobs, work

    if args.launcher == "slurm":
        return submit_jobs(spec, out, paths, args.workers)
    threads = args.threads or max((os.cpu_count() or 1) // args.workers, 1)
    words = [args.spec, "--out", str(out), "--threads", str(threads)]
    return work(
        spec, out, paths, threads, words, n_helpers=args.workers - 1, helper_of=args.helper_of
    )


def read(name: str) -> tuple[SweepSpec, list[Path]]:
    """Read a spec by path or by bundled name, and find its sessions.

    Raises
    ------
    ConfigError
        If there is none, or it says something impossible.
    """
    from mtm_core.cli.info import find
    from mtm_core.resources import sweep_path
    from mtm_core.sweep.spec import read_spec

    path = Path(name) if name.endswith(".toml") or Path(name).is_file() else sweep_path(name)
    spec = read_spec(path)
    return spec, [find(each) for each in spec.sweep.sessions]


def require_extra(launcher: str) -> None:
    """Refuse to begin without the packages that sweeps need.

    Raises
    ------
    ConfigError
        If one is missing; the text says how to get it.
    """
    from mtm_core.errors import ConfigError

    missing = [name for name in _NEEDED[launcher] if importlib.util.find_spec(name) is None]
    if missing:
        msg = (
            f"mtm-core sweep needs {' and '.join(missing)}, which {_verb(missing)} not installed. "
            'Run: pip install "mtm-viewer[sweep]"'
        )
        raise ConfigError(msg)


def _verb(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
