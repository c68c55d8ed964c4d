"""Make a results table: train, score beside all baselines, summarise; stop and resume at will.

Examples
--------
  mtm-core reproduce bundled --out results
  mtm-core reproduce bundled --out results --sessions untouched --seeds 0 1 2 --workers 2
  mtm-core reproduce masks --budget quick
  mtm-core reproduce lfads --budget standard --out lfads --reuse reproduced/masks-standard

bundled is our own preset against every baseline; the others are tables of the paper: masks,
masks-ndt2, lfads, mask-token, mask-ratio, positions, decoding-prompt, chance, scaling, held-out;
presets compares our presets and the paper's settings in equal wall-clock time, new-animals what
training on other animals is worth to one. The command may be stopped at any time; called again it
goes on where it was. Called several times at once with the same --out, on one machine or several
that share the folder, or by torchrun --nproc-per-node N -m mtm_core reproduce ..., the processes
share the cells out among them. Settings were chosen on the development sessions; the untouched
ones are for the table.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from mtm_core.cli.config_arguments import add_config_arguments, typed_settings

if TYPE_CHECKING:
    from mtm_core.reproduce.bundled import Plan
    from mtm_core.reproduce.table_plan import TablePlan

DEVELOPMENT = (1, 4, 8, 12, 15, 17)
"""Numbers of the bundled recordings that settings were tuned on."""
UNTOUCHED = (2, 6, 7, 10, 11, 13, 16, 18)
"""Numbers of those that only the table looks at."""
SPLITS = ("random", "interleaved", "blocked")


BUNDLED = "bundled"
TABLES = (
    "masks",
    "masks-ndt2",
    "lfads",
    "mask-token",
    "mask-ratio",
    "positions",
    "decoding-prompt",
    "chance",
    "scaling",
    "held-out",
    "presets",
    "new-animals",
)
BUDGETS = ("quick", "standard", "paper")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `mtm-core reproduce`."""
    parser.usage = (
        "mtm-core reproduce TABLE [--budget quick|standard|paper] [--out DIR] [--sessions ...] "
        "[--SETTING VALUE ...]"
    )
    parser.add_argument(
        "what", metavar="TABLE", choices=[BUNDLED, *TABLES], help=f"{BUNDLED}, {', '.join(TABLES)}"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder to fill (default: reproduced/TABLE-BUDGET; bundled needs one)",
    )
    parser.add_argument(
        "--budget",
        choices=BUDGETS,
        help="for tables of the paper: quick takes minutes per model and two sessions, standard "
        "an untouched session of each mouse and two seeds, paper the published settings "
        "(default: quick)",
    )
    parser.add_argument(
        "--sessions",
        nargs="+",
        metavar="S",
        help="all, development, untouched, or beginnings of names (default for bundled: all; else "
        "by budget)",
    )
    parser.add_argument(
        "--seeds",
        nargs="+",
        type=int,
        help="training seeds (default for bundled: 0 1 2; else by budget)",
    )
    parser.add_argument(
        "--splits",
        nargs="+",
        choices=SPLITS,
        help="how trials are divided (default for bundled: random blocked; else by budget)",
    )
    parser.add_argument(
        "--pool",
        nargs="+",
        default=["all"],
        metavar="S",
        help="for scaling, held-out and new-animals: sessions to train on before fine-tuning, in "
        "this order; those of the same animal are left out (default: all)",
    )
    parser.add_argument("--preset", help="for bundled: settings (default: quick)")
    parser.add_argument(
        "--rows",
        nargs="+",
        default=[],
        metavar="ROW",
        help="compute these rows of the table only, such as mtm temporal (default: all)",
    )
    parser.add_argument(
        "--reuse",
        nargs="+",
        default=[],
        type=Path,
        metavar="DIR",
        help="folders of other tables: their cells are taken where the same would come out",
    )
    parser.add_argument(
        "--workers", type=int, default=1, help="cells at the same time (default: 1)"
    )
    add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Compute what is missing; print the table; return 1 if a cell could not be computed."""
    from mtm_core.cli.together import ending_with, n_ranks, own_rank

    work = _run_bundled if args.what == BUNDLED else _run_table
    advice = "The cells that are there stay: call the command again to go on."
    with ending_with(advice, is_needed=n_ranks() > 1):
        return work(args, is_silent=own_rank() > 0)


def _run_bundled(args: argparse.Namespace, *, is_silent: bool) -> int:
    from mtm_core.cli import output
    from mtm_core.reproduce.bundled import reproduce

    plan = make_plan(args)
    with output.progress(len(plan.cells()), "Cells", "cell", is_shown=not is_silent) as bar:
        for done in reproduce(plan):
            bar.set_postfix_str(f"{done.name}, about {_duration(done.seconds_left)} left")
            bar.update(done.n_done - bar.n)
    if not is_silent:
        output.show((plan.out / "table.md").read_text(encoding="utf-8").rstrip())
    return 0


def _run_table(args: argparse.Namespace, *, is_silent: bool) -> int:
    from mtm_core.cli import output
    from mtm_core.reproduce.table_run import make_table

    plan = make_table_plan(args)
    n_failed = 0
    with output.progress(len(plan.cells()), "Cells", "cell", is_shown=not is_silent) as bar:
        for done in make_table(plan):
            bar.set_postfix_str(f"{done.name}, about {_duration(done.seconds_left)} left")
            bar.update(done.n_done + done.n_failed - bar.n)
            n_failed = done.n_failed
            if done.why is not None and not is_silent:
                output.note(f"{done.name}: {done.why}")
    if is_silent:
        return 0  # the first process says how it ended
    output.show((plan.out / "table.md").read_text(encoding="utf-8").rstrip())
    output.note(f"Table and figures are in {plan.out}.")
    return 1 if n_failed else 0


def make_plan(args: argparse.Namespace) -> Plan:
    """Turn the arguments of the table ``bundled`` into a plan.

    Raises
    ------
    ConfigError
        If there is no such session or preset, no worker, no folder, or a budget.
    """
    from mtm_core import config_io
    from mtm_core.errors import ConfigError
    from mtm_core.reproduce.bundled import Plan

    for name, typed in (("rows", args.rows), ("reuse", args.reuse)):
        if typed:
            msg = f"mtm-core reproduce {BUNDLED} has one row of its own: leave out --{name}."
            raise ConfigError(msg)
    if args.out is None or args.budget is not None:
        why = (
            "needs --out, a folder to fill"
            if args.out is None
            else "has no --budget: leave it out"
        )
        msg = f"mtm-core reproduce {BUNDLED} {why}."
        raise ConfigError(msg)
    threads = _threads_per_worker(args)
    preset = config_io.load_preset(args.preset or "quick")
    config = config_io.apply_overrides(preset, typed_settings(args))
    if config.run.threads is None:
        config = config_io.apply_overrides(config, [("run.threads", str(threads))])
    return Plan(
        out=args.out,
        sessions=choose_sessions(args.sessions or ["all"]),
        seeds=tuple(dict.fromkeys(args.seeds or (0, 1, 2))),
        splits=tuple(dict.fromkeys(args.splits or ("random", "blocked"))),
        config=config,
        workers=args.workers,
    )


def make_table_plan(args: argparse.Namespace) -> TablePlan:
    """Turn the arguments of a table of the paper into a plan.

    Raises
    ------
    ConfigError
        If there is no such session or setting, no worker, or a preset.
    """
    from mtm_core.errors import ConfigError
    from mtm_core.reproduce.table_plan import TablePlan
    from mtm_core.reproduce.tables import find_table
    from mtm_core.reproduce.variants import BUDGET

    if args.preset is not None:
        msg = f"The table {args.what} chooses its presets itself: leave out --preset, or set "
        raise ConfigError(msg + "--budget.")
    name = args.budget or "quick"
    threads, budget = _threads_per_worker(args), BUDGET[name]
    rows = tuple(dict.fromkeys(args.rows))
    table = find_table(args.what, rows)
    typed = typed_settings(args)
    plan = TablePlan(
        table=args.what,
        budget=name,
        out=args.out or Path("reproduced") / f"{args.what}-{name}",
        sessions=choose_sessions(args.sessions or list(table.sessions or budget.sessions)),
        seeds=tuple(dict.fromkeys(args.seeds or budget.seeds)),
        splits=tuple(dict.fromkeys(args.splits or budget.splits)),
        typed=typed,
        pool=choose_sessions(args.pool),
        workers=args.workers,
        threads=int(str(dict(typed).get("run.threads", threads))),
        rows=rows,
        reuse=tuple(args.reuse),
    )
    plan.configs()  # a setting that is wrong is told before anything is made
    return plan


def _threads_per_worker(args: argparse.Namespace) -> int:
    from mtm_core.cli.together import n_here
    from mtm_core.errors import ConfigError

    if args.workers < 1:
        msg = f"--workers must be at least 1, not {args.workers}."
        raise ConfigError(msg)
    workers: int = args.workers * n_here()
    return max((os.cpu_count() or 1) // workers, 1)


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
