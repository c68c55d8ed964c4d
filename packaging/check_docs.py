"""Runs every command of the documentation on the real recordings, and looks at the built pages.

``python packaging/check_docs.py [PAGE...]`` takes each page in an empty folder of its own, from
top to bottom; training is cut to a few steps. Then the pages in ``build/docs`` are read: none may
ask for anything from the net. Ends with code 1 at the first command that fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "packaging"))

import page_blocks  # noqa: E402

SITE = ROOT / "build" / "docs"
MODULES = {"mtm-core": "mtm_core", "mtm-viewer": "mtm_viewer.app"}


class Assets(HTMLParser):
    """Collects what a page loads by itself: scripts, style sheets, pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the address of a thing that is loaded (HTMLParser's own hook)."""
        named = dict(attrs)
        loads = tag in ("script", "img", "iframe", "source")
        if tag == "link" and named.get("rel") in ("stylesheet", "icon", "preconnect", "preload"):
            self.found.append(named.get("href") or "")
        elif loads and named.get("src"):
            self.found.append(named["src"] or "")


def foreign_assets(site: Path) -> list[str]:
    """Return what the pages would load from elsewhere, with the page."""
    found = []
    for page in sorted(site.rglob("*.html")):
        assets = Assets()
        assets.feed(page.read_text(encoding="utf-8"))
        found += [f"{page.name}: {a}" for a in assets.found if a.startswith(("http", "//"))]
    return found


def words_of(program: str, words: list[str]) -> list[str] | None:
    """Return what to run for a command; None for what only a person at a screen can run."""
    if program == "mtm-core":
        return [sys.executable, "-m", "mtm_core", *page_blocks.within_budget(words)]
    if program == "mtm-viewer" and "--offscreen" in words:
        return [sys.executable, "-m", "mtm_viewer.app", *words]
    return None


def try_page(page: str, folder: Path) -> int:
    """Run the blocks of a page in a folder; return how many commands were run."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MTM_CACHE": str(folder / "cache")}
    environment["QT_QPA_PLATFORM"] = "offscreen"
    n_run, before = 0, ""
    for block in page_blocks.blocks(page):
        if block.reason or block.language not in ("sh", "python"):
            continue
        if block.language == "python":
            before += block.text  # blocks of Python on one page go on from each other
            commands: list[list[str] | None] = [[sys.executable, "-c", before]]
        else:
            commands = [words_of(program, words) for program, *words in block.commands]
        for words in commands:
            if words is not None:
                run(words, folder, environment)
                n_run += 1
    return n_run


def run(words: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Run one command; end the check if it fails."""
    start_s = time.monotonic()
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    shown = " ".join(words[1:]).partition("\n")[0][:110]
    print(f"{time.monotonic() - start_s:6.1f} s  {shown}", flush=True)
    if done.returncode != 0:
        sys.exit(f"It ended with code {done.returncode}:\n{done.stdout}{done.stderr}")


def main() -> None:
    """Try all pages, or those named."""
    total = 0
    for page in sys.argv[1:] or page_blocks.page_names():
        with tempfile.TemporaryDirectory(prefix="mtm-page-") as folder:
            n_run = try_page(page, Path(folder))
        total += n_run
        print(f"{page}: {n_run} commands", flush=True)
    foreign = foreign_assets(SITE)
    if foreign:
        sys.exit("These pages load something from the net:\n" + "\n".join(foreign))
    print(
        f"{total} commands ran; {len(list(SITE.rglob('*.html')))} pages load nothing from the net."
    )


if __name__ == "__main__":
    main()
