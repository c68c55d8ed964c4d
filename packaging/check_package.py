"""Installs the built wheel into a fresh environment and uses it in an empty folder.

``python packaging/check_package.py dist`` compares what wheel and source package carry with the
tracked resources, makes a virtual environment, installs the wheel with the pinned versions, and
there opens the demo, reads a recording, trains a few steps and scores them, with a home of its
own and away from the source. Ends with code 1 and the command's words at the first failure.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PNG_HEAD = b"\x89PNG\r\n\x1a\n"


def newest(folder: Path, suffix: str) -> Path:
    """Return the newest file of that suffix, or end with a sentence."""
    found = sorted(folder.glob(f"*{suffix}"), key=lambda file: file.stat().st_mtime)
    if not found:
        sys.exit(f"There is no *{suffix} in {folder}. Run: make package")
    return found[-1]


def tracked_resources() -> set[str]:
    """Return the names of all tracked files under ``resources/``, from there on."""
    words = ["git", "ls-files", "resources"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    return {line.partition("/")[2] for line in done.stdout.splitlines()}


def missing_resources(wheel: Path, source: Path) -> list[str]:
    """Return the tracked resources that one of the two packages lacks."""
    inside = {
        name.partition("mtm_core/_resources/")[2] for name in zipfile.ZipFile(wheel).namelist()
    }
    with tarfile.open(source) as archive:
        beside = {name.partition("/resources/")[2] for name in archive.getnames()}
    wanted = tracked_resources()
    return [f"{wheel.name}: {name}" for name in sorted(wanted - inside)] + [
        f"{source.name}: {name}" for name in sorted(wanted - beside)
    ]


def quiet_environment(home: Path) -> dict[str, str]:
    """Return an environment that knows neither this source nor the person's own settings."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    folders = {name: str(home) for name in ("HOME", "USERPROFILE", "MTM_CACHE")}
    kept = {key: value for key, value in kept.items() if not key.startswith("XDG_")}
    return kept | folders | {"QT_QPA_PLATFORM": "offscreen"}


def run(words: Sequence[str | Path], folder: Path, environment: dict[str, str]) -> str:
    """Run one command there and return its stdout; end the check if it fails."""
    shown = " ".join([Path(words[0]).name, *map(str, words[1:])])
    start_s = time.monotonic()
    done = subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    print(f"{time.monotonic() - start_s:6.1f} s  {shown}", flush=True)
    if done.returncode != 0:
        sys.exit(f"It ended with code {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def install(wheel: Path, venv: Path) -> Path:
    """Make the environment, install the wheel with the pinned versions; return its programs."""
    run([sys.executable, "-m", "venv", venv], ROOT, dict(os.environ))
    programs = venv / ("Scripts" if os.name == "nt" else "bin")
    constraints = ROOT / "packaging" / "constraints.txt"
    words = [programs / "python", "-m", "pip", "install", "-q", "-c", constraints, wheel]
    run(words, venv, {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    return programs


def use(programs: Path, folder: Path, home: Path) -> None:
    """Do what a new person does first, and look at what came of it."""
    environment = quiet_environment(home)
    core, viewer = programs / "mtm-core", programs / "mtm-viewer"
    where = run(
        [programs / "python", "-c", "import mtm_core; print(mtm_core.__file__)"],
        folder,
        environment,
    )
    if Path(where.strip()).is_relative_to(ROOT / "mtm_core"):
        sys.exit(f"The source was used instead of the wheel: {where}")
    run([core, "--version"], folder, environment)
    facts = json.loads(run([core, "info", "steinmetz2019_s12", "--json"], folder, environment))
    if facts["n_units"] != 698:
        sys.exit(f"The bundled session 12 has 698 units; the wheel says {facts['n_units']}.")
    run([core, "info", "demo"], folder, environment)
    words = ["--demo", "--offscreen", "--screenshot", "x.png"]
    run([viewer, *words], folder, environment)
    if not (folder / "x.png").read_bytes().startswith(PNG_HEAD):
        sys.exit("x.png is no picture.")
    session = ["--session", "steinmetz2019_s12"]
    budget = ["--optim.steps", "4", "--model.width", "16"]
    run(
        [core, "train", "--preset", "quick", *session, "--out", "run", *budget],
        folder,
        environment,
    )
    run([core, "evaluate", "run", "steinmetz2019_s12", "--json", "s.json"], folder, environment)
    json.loads((folder / "s.json").read_text(encoding="utf-8"))


def main() -> None:
    """Check the newest wheel and source package of a folder."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dist", type=Path, help="folder with the built wheel and source package")
    dist = parser.parse_args().dist.resolve()
    wheel, source = newest(dist, ".whl"), newest(dist, ".tar.gz")
    missing = missing_resources(wheel, source)
    if missing:
        sys.exit("Resources are missing:\n" + "\n".join(missing))
    with tempfile.TemporaryDirectory(prefix="mtm-check-") as text:
        place = Path(text)
        for name in ("home", "empty"):
            (place / name).mkdir()
        programs = install(wheel, place / "venv")
        use(programs, place / "empty", place / "home")
    print(f"{wheel.name} and {source.name} hold all resources; the wheel works on its own.")


if __name__ == "__main__":
    main()
