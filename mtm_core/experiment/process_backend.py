"""How this process computes now, written down so that a replay can compute alike."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import torch

from mtm_core.errors import ConfigError
from mtm_core.models.backend import Backend, backend_in_force, resolve_device
from mtm_core.models.host_speed import processor_name
from mtm_core.models.manifest import software_versions
from mtm_core.models.matmul_route import checked_route, route_now

ROUNDING = 1e-6
"""Largest difference on the machine that made an experiment, in bits per spike: how many trials
the window answered at once depended on what else the machine did, and changes last bits."""
TOLERANCE = 1e-4
"""Largest difference that another processor, device or library is allowed to make, in bits per
spike: a tenth of the last digit on screen."""


def backend_now(device: str) -> Backend:
    """Return the backend in force; outside of any, what this process does."""
    found = backend_in_force()
    return found or Backend(
        device=device,
        threads=torch.get_num_threads(),
        matmul=route_now(),
        processor=processor_name(),
        torch_version=torch.__version__,
    )


def backend_like(wanted: Backend) -> tuple[Backend, str]:
    """Return the backend of an experiment as far as this machine can follow.

    Returns
    -------
    Backend
        With this machine's own names.
    str
        In what it differs from the one wanted, in words; "" if in nothing.
    """
    here = {"processor": processor_name(), "torch_version": str(torch.__version__)}
    found = dataclasses.replace(wanted, **here)  # type: ignore[arg-type]
    try:
        found = dataclasses.replace(found, device=resolve_device(wanted.device))
    except ConfigError:
        found = dataclasses.replace(found, device="cpu")
    try:
        checked_route(wanted.matmul)
    except ConfigError:
        found = dataclasses.replace(found, matmul="default")
    names = {
        "device": "device",
        "matmul": "products",
        "processor": "processor",
        "torch_version": "PyTorch",
    }
    changed = [
        f"{word} {getattr(found, name)} in place of {getattr(wanted, name)}"
        for name, word in names.items()
        if getattr(found, name) != getattr(wanted, name)
    ]
    return found, ", ".join(changed)


def other_software(versions: Mapping[str, str]) -> str:
    """Say which software differs from the one that made an experiment; "" if none does."""
    here = software_versions()
    return ", ".join(
        f"{name} {here[name]} in place of {versions.get(name, 'an unknown one')}"
        for name in ("mtm_core", "numpy", "system")
        if here[name] != versions.get(name)
    )


def expected_tolerance(backend: Backend, differs: str) -> float:
    """Return by how much numbers may differ: by rounding on the CPU in fp32 where all is alike."""
    is_alike = backend.device == "cpu" and backend.precision == "fp32" and not differs
    return ROUNDING if is_alike else TOLERANCE
