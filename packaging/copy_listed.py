"""Copies the files whose names come on stdin, each ended by a NUL, into a folder."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


def copy_listed(names: list[str], target: Path) -> None:
    """Copy files of the current folder by their relative names, making folders as needed."""
    for name in names:
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(name, place)


if __name__ == "__main__":
    copy_listed([name for name in sys.stdin.read().split("\0") if name], Path(sys.argv[1]))
