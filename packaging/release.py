"""The checklist of a release, item by item: ``python packaging/release.py [--quick]``.

``--quick`` looks at what is written: version, changes, citation, pages of the formats, a clean
tree. Without it every gate is run as well, from the linter to the bundle; that takes about an
hour. Every item is told; the exit code is 1 if one of them is not as it should be.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GATES = (
    *("check", "test", "docs-check", "package-check", "bundle", "bundle-check", "check-gui"),
    "check-deps",
)
"""Make targets that must pass."""
UNRELEASED = "Not released yet"
_FORMATS = {
    "mtm-session": "mtm_core/data/session_file.py",
    "mtm-checkpoint": "mtm_core/models/manifest.py",
    "mtm-run": "mtm_core/training/run_files.py",
    "mtm-experiment": "mtm_core/experiment/record_json.py",
    "mtm-mask": "mtm_core/masking/mask_json.py",
    "mtm-reconstruction": "mtm_core/models/answer_file.py",
}


def read(name: str) -> str:
    """Return the text of a file of the project."""
    return (ROOT / name).read_text(encoding="utf-8")


def version() -> str:
    """Return the version that the package tells."""
    found = re.search(r'^__version__ = "([^"]+)"', read("mtm_core/__init__.py"), re.MULTILINE)
    if found is None:
        sys.exit("mtm_core/__init__.py tells no version.")
    return found[1]


def changes_are_of_this_version(log: str | None = None) -> str:
    """Return what is wrong with the change log; "" if nothing is."""
    text = read("packaging/CHANGELOG.md") if log is None else log
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    if UNRELEASED in headings:
        return f"'{UNRELEASED}' is still a heading of packaging/CHANGELOG.md: give it the version."
    if headings[-1:] != [version()]:
        return f"the last heading of packaging/CHANGELOG.md is not {version()}."
    return ""


def citation_is_of_this_version() -> str:
    """Return what is wrong with the citation."""
    if f"\nversion: {version()}\n" not in read("CITATION.cff"):
        return f"CITATION.cff does not name version {version()}."
    return ""


def formats_are_documented() -> str:
    """Return which format's version is not the one that its page tells."""
    table, wrong = read("docs/formats.md"), []
    for schema, file in _FORMATS.items():
        found = re.search(r"^(?:SCHEMA_)?VERSION = (\d+)$", read(file), re.MULTILINE)
        if found is None or f"`{schema}` {found[1]} |" not in table:
            wrong.append(schema)
    return f"docs/formats.md tells another version of {', '.join(wrong)}." if wrong else ""


def tree_is_clean() -> str:
    """Return what git says is not committed."""
    words = ["git", "status", "--porcelain"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    return f"{len(lines)} files are not committed." if lines else ""


def version_is_new() -> str:
    """Return whether a tag of this version is there already."""
    words = ["git", "tag", "--list", f"v{version()}"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    return f"the tag v{version()} is there already: raise the version." if done.stdout else ""


def gate(target: str) -> str:
    """Run a make target; return its last words if it fails."""
    done = subprocess.run(["make", target], cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"make {target}: {(done.stdout + done.stderr)[-2000:]}"


WRITTEN: dict[str, Callable[[], str]] = {
    "the change log has this version": changes_are_of_this_version,
    "the citation has this version": citation_is_of_this_version,
    "the formats are documented as they are": formats_are_documented,
    "the version is a new one": version_is_new,
    "everything is committed": tree_is_clean,
}


def tell(item: str, check: Callable[[], str]) -> bool:
    """Check an item and say how it stands."""
    start_s = time.monotonic()
    fault = check()
    seconds = time.monotonic() - start_s
    print(f"[{'  ' if fault else 'ok'}] {item} ({seconds:.0f} s){f': {fault}' if fault else ''}")
    sys.stdout.flush()
    return not fault


def main() -> None:
    """Go through the list."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="only look at what is written")
    is_quick = parser.parse_args().quick
    results = [tell(item, check) for item, check in WRITTEN.items()]
    for target in () if is_quick else GATES:
        results.append(tell(f"make {target}", lambda target=target: gate(target)))
    if not all(results):
        sys.exit("Not ready for a release.")
    print(
        f"Ready. Then: git tag v{version()}; put dist/*.whl, dist/*.tar.gz and the folder "
        "dist/mtm-viewer (as an archive) beside the release; begin a new section of the changes."
    )


if __name__ == "__main__":
    main()
