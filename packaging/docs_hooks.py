"""What MkDocs asks while it builds the documentation: generated pages, and parts of the README."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "packaging")]

import reference_pages  # noqa: E402

_FILE = re.compile(r"^<!-- FILE: (?P<name>[\w.]+) -->$", re.MULTILINE)
_FROM_README = re.compile(r"^<!-- README: (?P<title>.+?) -->$", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made from the program."""
    for name, text in reference_pages.pages().items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put in what a page asks for: ``<!-- README: Words -->`` or ``<!-- FILE: example.py -->``."""

    def file(found: re.Match[str]) -> str:
        text = (ROOT / "docs" / found["name"]).read_text(encoding="utf-8")
        return f"```python\n{text}```"

    markdown = _FILE.sub(file, markdown)
    return _FROM_README.sub(lambda found: reference_pages.readme_section(found["title"]), markdown)
