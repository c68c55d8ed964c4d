"""Starts the bundled program as a person would: ``check_bundle.py dist/mtm-viewer``.

Without a display it opens the demo, hides a region under every task, and saves a picture; then it
draws a figure and trains through its other face, `mtm-core`. On Linux with Xvfb, openbox and
xdotool it also opens the real window, presses Ctrl+T, and waits until the training process, which
the window starts from the same binary, has made a model. Nothing of this machine's Python is used.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PNG_HEAD = b"\x89PNG\r\n\x1a\n"
PATIENCE_S = 420.0
X_TOOLS = ("Xvfb", "openbox", "xdotool")


def clean_environment(home: Path) -> dict[str, str]:
    """Return an environment without Python's variables and with a home of its own."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    names = ("HOME", "USERPROFILE", "MTM_CACHE", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    folders = dict.fromkeys((*names, "XDG_CACHE_HOME", "XDG_STATE_HOME"), str(home))
    return kept | folders | {"QT_QPA_PLATFORM": "offscreen"}


def run(program: Path, words: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Run the program once; end the check if it fails."""
    start_s = time.monotonic()
    done = subprocess.run(
        [str(program), *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    print(f"{time.monotonic() - start_s:6.1f} s  {program.name} {' '.join(words)}", flush=True)
    if done.returncode != 0:
        sys.exit(f"It ended with code {done.returncode}:\n{done.stdout}{done.stderr}")


def look(path: Path) -> None:
    """End the check unless a file is a picture."""
    if not path.is_file() or not path.read_bytes().startswith(PNG_HEAD):
        sys.exit(f"{path.name} is no picture.")


def without_display(program: Path, folder: Path, environment: dict[str, str]) -> None:
    """Open, hide, draw, train, all without a display."""
    run(program, ["--version"], folder, environment)
    words = ["--demo", "--offscreen", "--screenshot", "window.png"]
    run(program, words, folder, environment)
    look(folder / "window.png")
    core = ["--mtm-core"]
    figure = ["figure", "raster", "demo", "steinmetz2019_s12", "--region", "DG"]
    run(program, [*core, *figure, "--out", "DG.png"], folder, environment)
    look(folder / "DG.png")
    train = ["train", "--session", "steinmetz2019_s12", "--out", "run", "--optim.steps", "4"]
    run(program, [*core, *train], folder, environment)
    run(program, [*core, "info", "run"], folder, environment)


@contextmanager
def virtual_screen(folder: Path, environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """Start an X server and a window manager; give the environment of their clients."""
    reading, writing = os.pipe()
    log = (folder / "x.log").open("w")
    screen = ["-screen", "0", "1680x1080x24", "-nolisten", "tcp"]
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), *screen], pass_fds=[writing], stdout=log, stderr=log
    )
    os.close(writing)
    with os.fdopen(reading) as told:
        number = told.readline().strip()
    seen = environment | {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}
    manager = subprocess.Popen(["openbox"], env=seen, stdout=log, stderr=log)
    try:
        yield seen
    finally:
        for process in (manager, server):
            process.terminate()
            process.wait()
        log.close()


def wait(until: Callable[[], bool], what: str, window: subprocess.Popen[bytes]) -> None:
    """Wait until something is so; end the check if it is not, or if the window is gone."""
    end = time.monotonic() + PATIENCE_S
    while not until():
        if window.poll() is not None or time.monotonic() > end:
            sys.exit(f"Waited in vain until {what}.")
        time.sleep(0.5)


def in_a_window(program: Path, folder: Path, environment: dict[str, str]) -> None:
    """Open the real window on a recording without a model, and train one by Ctrl+T."""
    home = Path(environment["XDG_DATA_HOME"])
    start_s = time.monotonic()
    with virtual_screen(folder, environment) as seen:
        window = subprocess.Popen([str(program), "steinmetz2019_s01"], cwd=folder, env=seen)

        def found() -> bool:
            words = ["xdotool", "search", "--onlyvisible", "--name", "MtM Viewer"]
            done = subprocess.run(words, env=seen, capture_output=True, check=False)
            return done.returncode == 0

        def finished() -> bool:
            logs = home.glob("mtm-viewer/runs/*/events.jsonl")
            return any("run_finished" in log.read_text(encoding="utf-8") for log in logs)

        def press(keys: str) -> None:
            subprocess.run(["xdotool", "key", keys], env=seen, check=True)

        try:
            wait(found, "the window is there", window)
            time.sleep(10)  # the recording opens
            press("ctrl+t")
            wait(finished, "the model is trained", window)
            if not list(home.glob("mtm-viewer/runs/*/model.safetensors")):
                sys.exit("The run ended without a model.")
            time.sleep(15)  # the model comes on screen
            press("ctrl+q")
            code = window.wait(timeout=60)
        finally:
            window.kill()
    print(f"{time.monotonic() - start_s:6.1f} s  window, Ctrl+T, trained, Ctrl+Q", flush=True)
    if code != 0:
        sys.exit(f"The window ended with code {code}.")


def main() -> None:
    """Check the program in a folder that PyInstaller made."""
    bundle = Path(sys.argv[1]).resolve()
    program = bundle / ("mtm-viewer.exe" if os.name == "nt" else "mtm-viewer")
    if not program.is_file():
        sys.exit(f"There is no {program}. Run: make bundle")
    with tempfile.TemporaryDirectory(prefix="mtm-bundle-") as text:
        home, empty = Path(text) / "home", Path(text) / "empty"
        home.mkdir()
        empty.mkdir()
        environment = clean_environment(home)
        without_display(program, empty, environment)
        if all(map(shutil.which, X_TOOLS)):
            in_a_window(program, empty, environment)
        else:
            print("Without Xvfb, openbox and xdotool the real window was not tried.")
    print("The bundled program works.")


if __name__ == "__main__":
    main()
