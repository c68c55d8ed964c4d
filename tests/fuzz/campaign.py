"""Reads spoilt files until something other than a clear sentence comes of one.

``python -m tests.fuzz.campaign [TARGET ...] --minutes 5`` spoils good files in ways that a seed
decides, and reads each in a process of its own that may take little memory and little time.
Whatever ends in anything but `MtmError` is kept in ``build/fuzz/TARGET``.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import psutil

from mtm_core.errors import MtmError
from tests.fuzz.targets import TARGETS, Target

OUT = Path("build") / "fuzz"
CASES_AT_ONCE = 200
MOST_SECONDS = 20.0
"""Processor time of one case."""
TOO_SLOW = f"it took more than {MOST_SECONDS:g} s of processor time"
LONGEST = 50_000_000
"""A bad file that is longer, as some promises of HDF5 are on disk, is cut short."""
MOST_BYTES = 1_500_000_000
"""Memory that a process may take beside what it began with."""


def make_case(target: Target, seed: int) -> tuple[str, bytes]:
    """Return the name of a good file, and the content of a bad one made of it."""
    rng, seeds = random.Random(seed), _seeds(target)
    name = rng.choice(sorted(seeds))
    return name, target.spoil(seeds[name], rng)[:LONGEST]


@functools.cache
def _seeds(target: Target) -> dict[str, bytes]:
    return target.seeds()


def fault_of(target: Target, name: str, data: bytes) -> str:
    """Read a bad file; return what is wrong with how that ended, "" if nothing is."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            target.read(name, data, Path(folder))
        except MtmError as error:
            if not str(error).strip():
                return "an error without words"
        except BaseException:  # noqa: BLE001 - whatever else it is, it is a finding
            return traceback.format_exc(limit=-12)
        left = [p for p in Path(folder).parent.glob("*passwd*") if p.is_file()]
        return f"it wrote {left}" if left else ""


def run(name: str, minutes: float, seed: int) -> tuple[int, list[Path]]:
    """Try a target for some time.

    Parameters
    ----------
    name : str
        Of the target.
    minutes : float
        How long.
    seed : int
        Of the first case; each case has the next one.

    Returns
    -------
    n_cases : int
        How many were tried.
    findings : list of Path
        What was kept.
    """
    target, findings, known = TARGETS[name], list[Path](), set[str]()
    _seeds(target)
    end, number = time.monotonic() + 60 * minutes, seed
    while time.monotonic() < end:
        n_done, words = in_a_process(target, number, CASES_AT_ONCE, end)
        number += n_done
        if words:
            if "tests/fuzz/mutations.py" in words:
                raise RuntimeError(words)
            fault = _place_of(words)
            if fault not in known:
                known.add(fault)
                findings.append(_keep(name, target, number, words))
            number += 1
    return number - seed, findings


def in_a_process(target: Target, first: int, n_cases: int, end: float) -> tuple[int, str]:
    """Try cases one after the other; return how many went well, and what went wrong then.

    Parameters
    ----------
    target : Target
        What to spoil.
    first, n_cases : int
        Seed of the first case, and how many are tried.
    end : float
        Stop at this time (monotonic), too.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        code = 0
        try:
            for number in range(first, first + n_cases):
                case = make_case(target, number)  # HDF5 may need much memory for a promise
                signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)  # ends what hangs in C, too
                with _little_memory():
                    words = fault_of(target, *case)
                os.write(write, b"." if not words else b"!" + words.encode()[-4000:])
                if words or time.monotonic() > end:
                    break
        except BaseException:  # noqa: BLE001 - the mutation itself failed
            os.write(write, b"!" + traceback.format_exc().encode()[-4000:])
            code = 1
        os._exit(code)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    dots, _, words = said.partition(b"!")
    if words:
        return len(dots), words.decode("utf-8", "replace")
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return len(dots), TOO_SLOW if number == signal.SIGPROF else f"ended by signal {number}"
    return len(dots), ""


@contextlib.contextmanager
def _little_memory() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = psutil.Process().memory_info().vms + MOST_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _place_of(words: str) -> str:
    """Return the line of code and the kind of error, which tell one finding from another."""
    lines = words.strip().splitlines()
    places = [line for line in lines if line.lstrip().startswith("File ") and "mtm_" in line]
    return f"{places[-1] if places else ''} {lines[-1].partition(':')[0]}"


def _keep(name: str, target: Target, number: int, words: str) -> Path:
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    file, data = make_case(target, number)
    kept = folder / f"{number}-{file.replace('/', '_')}"
    kept.write_bytes(data)
    kept.with_name(kept.name + ".txt").write_text(f"{name} {file} seed {number}\n{words}")
    return kept


def main() -> int:
    """Run a campaign; the exit code is 1 if anything was found."""
    parser = argparse.ArgumentParser(
        description="Read spoilt files until one is not refused well."
    )
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], help="default: all")
    parser.add_argument("--minutes", type=float, default=1.0, help="for each target")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    n_found = 0
    for name in args.targets or TARGETS:
        n_cases, findings = run(name, args.minutes, args.seed)
        print(f"{name:<12} {n_cases:>8} cases   {len(findings)} findings", flush=True)
        for path in findings:
            last = path.with_name(path.name + ".txt").read_text().strip().splitlines()[-1]
            print(f"    {path}: {last[:200]}", flush=True)
        n_found += len(findings)
    return 1 if n_found else 0


if __name__ == "__main__":
    sys.exit(main())
