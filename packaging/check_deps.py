"""Tries the ranges of the dependencies at both ends: ``check_deps.py [lowest] [newest]``.

For each end a virtual environment gets every dependency at the lowest version that
``pyproject.toml`` allows, or at the newest that resolves; PyTorch stays at its pin, since another
build may bring CUDA. There every module is imported, a model is trained and scored, the window is
drawn, and a part of the tests runs. Ends with code 1 at the first thing that fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
ENDS = ("lowest", "newest")
PINNED = ("torch",)
"""Not tried at other versions."""
TOOLS = ("pytest>=8", "pytest-qt", "hypothesis", "coverage")
TESTS = (
    *("tests/core/data", "tests/core/figures", "tests/core/experiment", "tests/core/masking"),
    *(
        "tests/core/evaluation",
        "tests/core/api",
        "tests/core/training",
        "tests/core/test_config.py",
    ),
    *("tests/viewer/views", "tests/viewer/test_explorer.py"),
)
_IMPORT_ALL = """
import importlib, pkgutil, torch
for name in ("mtm_core", "mtm_viewer"):
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, f"{name}."):
        try:
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            if error.name not in {optional}:
                raise
"""


def dependencies() -> list[Requirement]:
    """Return what the program needs when it runs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [Requirement(line) for line in project["dependencies"]]


def optional() -> list[str]:
    """Return the names of packages without which a part of the program may be missing."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    return sorted({Requirement(line).name for lines in extras for line in lines})


def pins() -> dict[str, str]:
    """Return the tested version of each package."""
    text = (ROOT / "packaging" / "constraints.txt").read_text(encoding="utf-8")
    lines = [line.split("==") for line in text.splitlines() if "==" in line]
    return {canonicalize_name(name): version for name, version in lines}


def lowest(need: Requirement) -> str:
    """Return a requirement that only the lowest allowed version meets.

    Examples
    --------
    >>> lowest(Requirement("pandas>=2.2,<3")), lowest(Requirement("PyQt6==6.10.*"))
    ('pandas==2.2', 'PyQt6==6.10.*')
    """
    by_operator = {part.operator: part.version for part in need.specifier}
    return f"{need.name}=={by_operator.get('>=') or by_operator['==']}"


def requirements_at(end: str) -> list[str]:
    """Return the requirements of one end of the ranges."""
    known, lines = pins(), []
    for need in dependencies():
        if need.name in PINNED:
            lines.append(f"{need.name}=={known[canonicalize_name(need.name)]}")
        else:
            lines.append(lowest(need) if end == "lowest" else str(need))
    return lines


def run(words: Sequence[str | Path], folder: Path, environment: dict[str, str]) -> None:
    """Run one command; show its last words and end the check if it fails."""
    start_s = time.monotonic()
    texts = [str(word) for word in words]
    done = subprocess.run(
        texts, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    shown = " ".join(texts[1:4]).partition("\n")[0]
    print(f"{time.monotonic() - start_s:6.1f} s  {shown}", flush=True)
    if done.returncode != 0:
        sys.exit(
            f"It ended with code {done.returncode}:\n{done.stdout[-6000:]}{done.stderr[-6000:]}"
        )


def try_end(end: str, place: Path) -> None:
    """Install one end of the ranges and use it."""
    python = place / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}
    environment |= {"OMP_NUM_THREADS": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environment |= {"MTM_CACHE": str(place / "cache")}
    run([sys.executable, "-m", "venv", place / "venv"], place, environment)
    run([python, "-m", "pip", "install", "-q", *requirements_at(end), *TOOLS], place, environment)
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=freeze"],
        capture_output=True,
        text=True,
        check=True,
    )
    wanted = {canonicalize_name(need.name) for need in dependencies()}
    versions = [v for v in listed.stdout.split() if canonicalize_name(v.split("=")[0]) in wanted]
    print(f"{end}: {' '.join(versions)}", flush=True)
    script = _IMPORT_ALL.replace("{optional}", repr(optional()))
    run([python, "-c", script], place, environment)
    core, session = [python, "-m", "mtm_core"], "steinmetz2019_s17"
    run(
        [*core, "train", "--session", session, "--out", "r", "--optim.steps", "4"],
        place,
        environment,
    )
    run([*core, "evaluate", "r", session, "--baselines"], place, environment)
    window = ["--demo", "--offscreen", "--screenshot", "demo.png"]
    run([python, "-m", "mtm_viewer.app", *window], place, environment)
    # Other versions warn of other things: only wrong results count here.
    quiet = ["-q", "-x", "-p", "no:cacheprovider", "-o", "filterwarnings=default"]
    run([python, "-m", "pytest", *quiet, *TESTS], ROOT, environment)


def main() -> None:
    """Try both ends, or those named."""
    for end in sys.argv[1:] or ENDS:
        if end not in ENDS:
            sys.exit(f"'{end}' is no end of a range. Choose: {', '.join(ENDS)}")
        with tempfile.TemporaryDirectory(prefix="mtm-deps-") as place:
            try_end(end, Path(place))
    print("The ranges hold.")


if __name__ == "__main__":
    main()
