"""Fenced blocks of the documentation's pages, and how each command in them is to be tried.

A block marked ``sh`` or ``python`` is run, page by page from top to bottom in one empty folder,
unless a comment stands right above it: ``<!-- not run: REASON -->``. Commands of a block that
is not run must still be understood.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"
BUDGET = {
    "train": ("--optim.steps", "4"),
    "finetune": ("--optim.steps", "4"),
    "decode": ("--chance", "3"),
    "robustness": ("--draws", "1", "--units", "5"),
}
"""Flags that keep a command short while pages are tried; the last of two equal flags counts."""
_BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^>\n]+) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block of a page.

    Parameters
    ----------
    page : str
        Name of the page, without its ending.
    language : str
        What stands behind the fence: ``sh``, ``python``, ``text``, ...
    text : str
        What stands inside.
    reason : str
        Why it is not run; "" if it is.
    """

    page: str
    language: str
    text: str
    reason: str

    @property
    def commands(self) -> list[list[str]]:
        """The words of each line of a block of shell commands."""
        return [words for line in self.text.splitlines() if (words := shlex.split(line))]


def page_names() -> list[str]:
    """Return the names of all written pages."""
    return sorted(path.stem for path in DOCS.glob("*.md"))


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    return [
        Block(
            page=page,
            language=found["language"],
            text=found["text"],
            reason=found["reason"] or "",
        )
        for found in _BLOCK.finditer(text)
    ]


def within_budget(words: list[str]) -> list[str]:
    """Return the words of an `mtm-core` command with what keeps it short.

    Examples
    --------
    >>> within_budget(["train", "--session", "S.h5", "--out", "runs/a"])[-2:]
    ['--optim.steps', '4']
    """
    if "--resume" in words or "--zero-shot" in words:
        return words
    return [*words, *BUDGET.get(words[0], ())]
