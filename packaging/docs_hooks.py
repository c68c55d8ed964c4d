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

_FROM_README = re.compile(r"^<!-- README: (?P<title>.+?) -->$", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made from the program."""
    for name, text in reference_pages.pages().items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put a section of the README where a page asks for it: ``<!-- README: Words -->``."""
    return _FROM_README.sub(lambda found: reference_pages.readme_section(found["title"]), markdown)
