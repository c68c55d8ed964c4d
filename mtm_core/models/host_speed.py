"""How fast this machine multiplies and attends, by each way: measured, and remembered per host.

What was measured lies in the cache folder, one file for each host, processor, PyTorch and number
of threads. A file that says anything else of these, or is not whole, counts as absent.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import torch

from mtm_core.errors import OutputError
from mtm_core.json_text import parse_json
from mtm_core.models.attention_kernel import fastest_fused_from
from mtm_core.models.matmul_route import Route, set_route, try_routes
from mtm_core.resources import atomic_write, cache_dir

logger = logging.getLogger(__name__)
SCHEMA = "mtm-host-speed"
VERSION = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class HostSpeed:
    """What was found out about a machine at some number of threads.

    Parameters
    ----------
    route : {"default", "onednn"}
        The faster route of fp32 products.
    fused_from : mapping of str to int
        For each route, from how many tokens on the fused kernel of attention is the faster one.
    gflops : mapping of str to float
        Speed of products in GFLOP/s: of each route, and of bf16 numbers.
    """

    route: Route
    fused_from: Mapping[str, int]
    gflops: Mapping[str, float]

    def describe(self) -> str:
        """Return the speeds for people.

        Examples
        --------
        >>> HostSpeed(
        ...     route="onednn",
        ...     fused_from={"default": 0, "onednn": 200},
        ...     gflops={"default": 99.4, "bf16": 430.0, "onednn": 218.0},
        ... ).describe()
        'fp32 99 GFLOP/s, fp32 by oneDNN 218, bf16 430'
        """
        names = {"default": "fp32", "onednn": "fp32 by oneDNN", "bf16": "bf16"}
        known = [f"{names[key]} {self.gflops[key]:.0f}" for key in names if key in self.gflops]
        return ", ".join([f"{known[0]} GFLOP/s", *known[1:]])


def host_speed(deadline: float, *, anew: bool = False) -> HostSpeed:
    """Return what is known of this host with PyTorch's present number of threads, or find out.

    Parameters
    ----------
    deadline : float
        By `time.perf_counter`: measure as briefly as possible from then on.
    anew : bool
        Measure, whatever is known.
    """
    facts = host_facts()
    known = None if anew else recall(facts)
    if known is not None:
        return known
    route, gflops = try_routes(deadline)
    fused_from = {}
    for each in get_args(Route):
        if each in gflops:
            set_route(each)
            fused_from[each] = fastest_fused_from(deadline)
    found = HostSpeed(route=route, fused_from=fused_from, gflops=gflops)
    remember(facts, found)
    return found


def host_facts() -> dict[str, str | int]:
    """Return what a measurement holds for: on another machine or PyTorch it says nothing."""
    return {
        "host": platform.node(),
        "processor": processor_name(),
        "model": platform.processor(),
        "system": platform.system(),
        "torch": str(torch.__version__),
        "threads": torch.get_num_threads(),
    }


def processor_name() -> str:
    """Return what the processor can do, as PyTorch names it."""
    return f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"


def recall(facts: Mapping[str, str | int]) -> HostSpeed | None:
    """Return what was measured under exactly these facts; None if nothing was, or it is broken."""
    try:
        values: dict[str, Any] = parse_json(_path(facts).read_text(encoding="utf-8"))
        head = values["schema"], values["version"], values["facts"]
        if head != (SCHEMA, VERSION, dict(facts)):
            return None
        return _checked(values["found"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def remember(facts: Mapping[str, str | int], found: HostSpeed) -> None:
    """Write down what was measured; where that cannot be done, it is measured again next time."""
    values = {
        "schema": SCHEMA,
        "version": VERSION,
        "facts": dict(facts),
        "found": dataclasses.asdict(found),
    }
    path = _path(facts)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(values, indent=1), encoding="utf-8")
    except (OSError, OutputError) as error:
        logger.debug("what was measured is not kept: %s", error)


def _path(facts: Mapping[str, str | int]) -> Path:
    key = hashlib.blake2b(json.dumps(dict(facts), sort_keys=True).encode(), digest_size=8)
    return cache_dir() / f"host-speed-{key.hexdigest()}.json"


def _checked(found: Mapping[str, Any]) -> HostSpeed:
    """Make the record, or raise a `ValueError`."""
    fused_from = {str(key): int(value) for key, value in found["fused_from"].items()}
    gflops = {str(key): float(value) for key, value in found["gflops"].items()}
    is_route = found["route"] in set(get_args(Route)) & set(fused_from)
    if not is_route or not {"default", "bf16"} <= set(gflops):
        msg = "not a whole record"
        raise ValueError(msg)
    return HostSpeed(route=found["route"], fused_from=fused_from, gflops=gflops)
