from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
import torch

from mtm_core import __version__
from mtm_core.models.backend import probe_backend
from mtm_core.resources import atomic_write

ENV_OUT = "MTM_BENCH_JSON"
OUT = Path("build") / "bench.json"
"""Where the table goes, unless the variable says otherwise."""
_LINES = pytest.StashKey[list[dict[str, object]]]()
_START = pytest.StashKey[dict[str, object]]()


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.stash[_LINES] = []
    session.config.stash[_START] = {"started": _now(), **_load()}


class Table:
    """Collects what was measured, beside what is wanted; there is no verdict but the words.

    Parameters
    ----------
    lines : list
        Shared by all benches of a run.
    group : str
        The bench that measures.
    """

    def __init__(self, lines: list[dict[str, object]], group: str) -> None:
        self._lines, self._group = lines, group

    def seconds(self, what: str, value: float, most: float | None = None) -> None:
        """Note a duration."""
        self._note(what, value, "s", most=most)

    def ratio(self, what: str, value: float, least: float | None = None) -> None:
        """Note how many times faster something is than what it is compared with."""
        self._note(what, value, "times", least=least)

    def share(
        self, what: str, value: float, least: float | None = None, most: float | None = None
    ) -> None:
        """Note a share of a whole."""
        self._note(what, value, "share", least=least, most=most)

    def number(
        self,
        what: str,
        value: float,
        unit: str,
        least: float | None = None,
        most: float | None = None,
    ) -> None:
        """Note anything else."""
        self._note(what, value, unit, least=least, most=most)

    def _note(
        self,
        what: str,
        value: float,
        unit: str,
        least: float | None = None,
        most: float | None = None,
    ) -> None:
        value = float(value)  # numpy's numbers compare to no bool that JSON knows
        is_met = (least is None or value >= least) and (most is None or value <= most)
        line = {"group": self._group, "what": what, "value": value, "unit": unit}
        line |= {"at_least": least, "at_most": most}
        self._lines.append(line | {"is_met": None if least is most is None else is_met})


@pytest.fixture
def table(request: pytest.FixtureRequest) -> Table:
    """Note numbers beside what is wanted; the table is printed and written at the end."""
    return Table(request.config.stash[_LINES], request.node.originalname)


@pytest.fixture
def measured(table: Table):
    """Note a duration beside its budget."""

    def note(what: str, seconds: float, budget_s: float | None = None) -> None:
        table.seconds(what, seconds, most=budget_s)

    return note


@pytest.fixture
def median_s():
    """Time some work: the median of a few runs after one to warm up."""

    def measure(work: Callable[[], object], runs: int = 5) -> float:
        work()
        seconds = []
        for _ in range(runs):
            start = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - start)
        return statistics.median(seconds)

    return measure


def side_by_side(works: Mapping[str, Callable[[], object]], rounds: int = 3) -> dict[str, float]:
    """Time several works in turn, round by round, so that all meet the same machine.

    Returns
    -------
    dict of str to float
        Shortest processor time of each in s: what other programs take is not counted, as long as
        one thread computes (`make bench` sees to that).
    """
    for work in works.values():
        work()
    best = dict.fromkeys(works, float("inf"))
    for _ in range(rounds):
        for name, work in works.items():
            start = time.process_time()
            work()
            best[name] = min(best[name], time.process_time() - start)
    return best


def pytest_terminal_summary(terminalreporter) -> None:
    lines = terminalreporter.config.stash.get(_LINES, [])
    if not lines:
        return
    machine = {
        **terminalreporter.config.stash[_START],
        **_machine(),
        "ended": _now(),
        **_load("end_"),
    }
    terminalreporter.section("measured here, now")
    for text in _head(machine):
        terminalreporter.write_line(text)
    for line in lines:
        terminalreporter.write_line(_text(line))
    out = Path(os.environ.get(ENV_OUT) or OUT)
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(out) as temporary:
        temporary.write_text(json.dumps({"machine": machine, "measured": lines}, indent=1))
    terminalreporter.write_line(f"Wrote {out}")


def _machine() -> dict[str, object]:
    return {
        "mtm_core": __version__,
        "torch": str(torch.__version__),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "backend": probe_backend().describe(),
        "gpu": "measured" if torch.cuda.is_available() else "not measured: none here",
    }


def _load(prefix: str = "start_") -> dict[str, object]:
    return {f"{prefix}load": [round(each, 2) for each in psutil.getloadavg()]}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _head(machine: Mapping[str, object]) -> list[str]:
    cores = machine["cores"]
    return [
        f"{cores} cores, {machine['threads']} thread(s) for products; {machine['backend']}",
        f"load over 1, 5 and 15 minutes: {machine['start_load']} at the start, "
        f"{machine['end_load']} at the end; above {cores}, other programs were in the way",
        f"GPU: {machine['gpu']}",
    ]


def _text(line: Mapping[str, object]) -> str:
    wanted = [
        f"{words} {_value(line[key], line['unit'])}"
        for words, key in (("at least", "at_least"), ("at most", "at_most"))
        if line[key] is not None
    ]
    verdict = "" if line["is_met"] in (None, True) else "   MISSED"
    value = _value(line["value"], line["unit"])
    return f"{line['what']:<84}{value:>12}   {', '.join(wanted)}{verdict}"


def _value(value, unit) -> str:
    if unit == "s":
        return f"{value * 1e3:.1f} ms" if value < 1 else f"{value:.2f} s"
    if unit == "times":
        return f"{value:.2f} x"
    if unit == "share":
        return f"{100 * value:.1f} %"
    return f"{value:.4g} {unit}"
