"""The sessions of the ONE tests: where they lie, and a comparison of folders."""

from __future__ import annotations

from pathlib import Path

FIRST, SECOND, THIRD, OTHER = "SIM_001", "SIM_002", "SIM_003", "OTHER_9"
PLACES = {
    FIRST: "labalpha/Subjects/SIM_001/2024-01-01/001",
    SECOND: "labalpha/Subjects/SIM_002/2024-02-01/001",
    THIRD: "labbeta/Subjects/SIM_003/2024-02-01/002",
    OTHER: "labgamma/Subjects/OTHER_9/2024-04-01/001",
}
WITHOUT_SPIKES = "labbeta/Subjects/TRAINED_1/2024-03-01/001"
REVISION = "2024-05-06"
SPIKES = f"alf/probe00/pykilosort/#{REVISION}#/spikes.times.npy"


def same_files(folder: Path, original: Path) -> bool:
    """Return whether every file of `folder` is the original's, byte for byte."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return all(
        path.read_bytes() == (original / path.relative_to(folder)).read_bytes() for path in files
    )


def files_of(cache: Path) -> list[Path]:
    """Return the files of the cache that a reader could see."""
    hidden = {".rest", ".mtm-viewer"}
    found = (path for path in cache.rglob("*") if path.is_file())
    return [p for p in found if not hidden & set(p.parts) and not p.name.startswith(".")]
