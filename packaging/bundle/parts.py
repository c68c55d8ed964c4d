"""What goes into the bundled program, alike on every system; the three specs ask here."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from PyInstaller.utils.hooks import collect_data_files, collect_submodules, copy_metadata

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "packaging" / "bundle"
NAME = "mtm-viewer"
NOT_WANTED = (
    *("tkinter", "IPython", "pytest", "_pytest", "mypy", "hypothesis", "mkdocs", "ruff"),
    *("tensorboard", "torch.utils.tensorboard", "torchvision", "torchaudio", "sphinx"),
    *("PyQt6.QtWebEngineCore", "PyQt6.QtQml", "PyQt6.QtQuick", "PyQt6.QtMultimedia"),
)


def requirements() -> list[str]:
    """Return the names of the packages that the program needs when it runs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [Requirement(line).name for line in project["dependencies"]]


def analysis_arguments() -> dict[str, Any]:
    """Return the arguments of PyInstaller's `Analysis`.

    Commands of `mtm-core` are imported by name and settings are read from their source, so that
    all modules go in, and `mtm_core` with its source; versions are told by the packages' metadata.
    """
    metadata = [entry for name in (*requirements(), NAME) for entry in copy_metadata(name)]
    return {
        "scripts": [str(HERE / "start.py")],
        "pathex": [str(ROOT)],
        "datas": [
            (str(ROOT / "resources"), "mtm_core/_resources"),
            *((str(ROOT / name), ".") for name in ("LICENSE", "LICENSES/GPL-3.0-only.txt")),
            *metadata,
            *collect_data_files("one"),
            *collect_data_files("iblatlas"),
        ],
        "hiddenimports": [
            *collect_submodules("mtm_core"),
            *collect_submodules("mtm_viewer"),
            *collect_submodules("one"),
        ],
        "excludes": list(NOT_WANTED),
        "module_collection_mode": {"mtm_core": "pyz+py"},
        "noarchive": False,
    }


def program_arguments(icon: Path) -> dict[str, Any]:
    """Return the arguments of PyInstaller's `EXE`."""
    return {
        "name": NAME,
        "exclude_binaries": True,
        "console": True,  # the same program is `mtm-core` too, which prints
        "icon": str(icon),
        "upx": False,
    }
