"""Say what this installation is made of, what is missing, and how to get it."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from mtm_core import __version__, resources
from mtm_core.cli import output, qt_libraries
from mtm_core.errors import ConfigError
from mtm_core.resources import cache_dir

DISTRIBUTION = "mtm-viewer"
SHOWN = 6
"""Longer lists are shortened for reading; JSON holds them whole."""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """Something that is not there.

    Parameters
    ----------
    what : str
        Its name.
    needed_for : str
        What does not work without it.
    how : str
        How to get it.
    """

    what: str
    needed_for: str
    how: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the flags of `mtm-core doctor`."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--probe",
        action="store_true",
        help="measure again how fast this machine computes by each way, and remember that",
    )


def run(args: argparse.Namespace) -> int:
    """Print the report; the exit code is 1 where nothing works without what is missing."""
    packages, missing = check_packages()
    qt, qt_missing = check_qt()
    paths, path_missing = check_resources()
    report = {
        "version": __version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "platform": platform.platform(),
        "packages": packages,
        "machine": describe_machine(probe_anew=args.probe),
        "qt": qt,
        "resources": paths,
        "missing": [*missing, *path_missing, *qt_missing],
    }
    if args.json:
        output.show_json(report)
    else:
        output.show(as_text(report))
    return 1 if missing or path_missing else 0


def check_packages() -> tuple[dict[str, str], list[Missing]]:
    """Return the version of every package that is required, and which are absent or unfit."""
    from packaging.requirements import Requirement

    versions: dict[str, str] = {}
    missing = []
    for line in importlib.metadata.requires(DISTRIBUTION) or []:
        need = Requirement(line)
        if need.marker is not None and not need.marker.evaluate({"extra": ""}):
            continue
        try:
            versions[need.name] = importlib.metadata.version(need.name)
            fits = need.specifier.contains(versions[need.name], prereleases=True)
        except importlib.metadata.PackageNotFoundError:
            versions[need.name], fits = "absent", False
        if not fits:
            how = f"{sys.executable} -m pip install '{need.name}{need.specifier}'"
            missing.append(Missing(what=need.name, needed_for=DISTRIBUTION, how=how))
    return versions, missing


def describe_machine(*, probe_anew: bool) -> dict[str, object]:
    """Return devices, cores, memory, and how the fastest device would be used.

    Parameters
    ----------
    probe_anew : bool
        Measure what is chosen by measuring, rather than recall it.
    """
    import psutil
    import torch

    from mtm_core.models.backend import (
        available_devices,
        known_host_speed,
        probe_backend,
        probe_host,
    )

    if probe_anew:
        probe_host()
    backend = probe_backend()
    names = {
        f"cuda:{i}": torch.cuda.get_device_name(i)
        for i in range(torch.cuda.device_count() if torch.cuda.is_available() else 0)
    }
    return {
        "devices": list(available_devices()),
        "gpus": names,
        "cores": psutil.cpu_count(logical=False) or os.cpu_count(),
        "logical_cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "threads": torch.get_num_threads(),
        "backend": backend.describe(),
        "matrix_speed": known_host_speed(backend).describe(),
        "cache": cache_dir(),
    }


def check_qt() -> tuple[dict[str, object], list[Missing]]:
    """Tell whether Qt starts, whether there is a display, and which libraries are absent."""
    works, said = qt_libraries.try_qt()
    display = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
    has_display = bool(display) or sys.platform in ("darwin", "win32")
    wanted = (
        ("the viewer and its tests", qt_libraries.OFFSCREEN),
        ("windows on an X display", qt_libraries.X11),
    )
    missing = [
        Missing(what=package, needed_for=purpose, how=f"apt-get install {package}")
        for purpose, libraries in wanted
        for package in qt_libraries.missing_packages(libraries)
    ]
    if not works and not missing:
        how = f"{sys.executable} -m pip install --force-reinstall PyQt6==6.10.2 PyQt6-Qt6==6.10.2"
        missing = [Missing(what=f"a working Qt ({said})", needed_for="the viewer", how=how)]
    found = {"works": works, "says": said, "display": display if has_display else None}
    return found, missing


def check_resources() -> tuple[dict[str, object], list[Missing]]:
    """Return where the bundled files lie and how many there are."""
    try:
        folder = resources.resource_dir()
    except ConfigError as error:
        lack = Missing(what="resources", needed_for="presets, demo", how=str(error))
        return {}, [lack]
    return {
        "folder": folder,
        "presets": resources.list_presets(),
        "sessions": resources.list_sessions(),
        "checkpoints": resources.list_checkpoints(),
    }, []


def as_text(report: Mapping[str, object]) -> str:
    """Return the report for reading: a line for each finding, and last what is missing."""
    lines: list[str] = []
    for section, found in report.items():
        if section == "missing":
            continue
        if not isinstance(found, Mapping):
            lines.append(f"{section:<12}{found}")
            continue
        lines.append(section)
        lines += [f"  {name:<16}{_words(value)}" for name, value in found.items()]
    missing = report["missing"]
    if not isinstance(missing, list) or not missing:
        return "\n".join([*lines, "Nothing is missing."])
    lines.append("missing")
    lines += [f"  {each.what} (for {each.needed_for}): {each.how}" for each in missing]
    return "\n".join(lines)


def _words(value: object) -> str:
    if isinstance(value, list) and len(value) > SHOWN:
        return f"{len(value)}, from {value[0]} to {value[-1]}"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {item}" for key, item in value.items()) or "none"
    return "none" if value is None else str(value)
