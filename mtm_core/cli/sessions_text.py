"""What `mtm-core sessions` says: tables for people, plain values for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mtm_core.cli.output import table_text

if TYPE_CHECKING:
    from mtm_core.data.one_client import OneClient
    from mtm_core.data.one_records import (
        CachedSession,
        PruneReport,
        SessionDetails,
        SessionEntry,
    )
    from mtm_core.data.pick_lists import PickList

_SHOWN_REGIONS = 6


def size_words(n_bytes: float) -> str:
    """Write a size.

    Examples
    --------
    >>> size_words(0), size_words(34_500_000), size_words(2.5e9)
    ('0 B', '34.5 MB', '2.5 GB')
    """
    size, unit = float(n_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"


def pick_list_facts(picked: PickList) -> dict[str, object]:
    """Return name, title and number of sessions."""
    return {"name": picked.name, "title": picked.title, "n_sessions": len(picked.entries)}


def pick_lists_text(lists: Sequence[PickList]) -> str:
    """Return a table of the pick lists."""
    rows = [[each.name, len(each.entries), each.title] for each in lists]
    table = table_text(["name", "sessions", "what"], rows)
    return f"{table}\n\n'mtm-core sessions list NAME' shows the sessions of one."


def entry_facts(entry: SessionEntry) -> dict[str, object]:
    """Return a session as plain values."""
    return {
        "eid": entry.eid,
        "lab": entry.lab or None,
        "subject": entry.subject or None,
        "date": entry.date or None,
        "number": entry.number,
        "n_probes": entry.n_probes,
        "regions": entry.regions,
        "is_cached": entry.is_cached,
        "local_path": entry.local_path,
    }


def entries_text(entries: Sequence[SessionEntry]) -> str:
    """Return a table of sessions, and how many they are."""
    rows = [
        [
            entry.eid or "-",
            entry.subject or "-",
            entry.date or "-",
            entry.number,
            entry.lab or "-",
            entry.n_probes,
            "yes" if entry.is_cached else "part" if entry.local_path else "no",
            _regions(entry.regions),
        ]
        for entry in entries
    ]
    header = ["eid", "subject", "date", "no.", "lab", "probes", "here", "regions"]
    noun = "session" if len(entries) == 1 else "sessions"
    count = f"{len(entries)} {noun}."
    return f"{table_text(header, rows)}\n\n{count}" if rows else count


def nothing_found(client: OneClient) -> str:
    """Say where nothing was found, and what to try."""
    if client.is_online:
        return (
            f"Nothing at {client.url} fits. Only sessions with sorted spikes are listed; "
            "try fewer words."
        )
    return f"Nothing in {client.cache_dir} fits. {client.why_offline}"


def details_facts(details: SessionDetails) -> dict[str, object]:
    """Return a session and its files as plain values."""
    return {
        **entry_facts(details.entry),
        "probes": details.probes,
        "n_files_on_record": details.n_datasets,
        "n_files": len(details.datasets),
        "n_bytes": details.n_bytes,
        "n_bytes_here": details.n_bytes_cached,
        "files": [
            {"path": str(dataset.path), "n_bytes": dataset.n_bytes} for dataset in details.datasets
        ],
    }


def details_text(details: SessionDetails) -> str:
    """Return what a person wants to know of a session before downloading it."""
    entry = details.entry
    name = entry.eid or entry.place
    here = details.n_bytes_cached
    lines = [
        ("session", name),
        ("place", entry.place),
        ("probes", ", ".join(details.probes) or "-"),
        ("regions", ", ".join(entry.regions) if entry.regions else "known once downloaded"),
        ("files on record", f"{details.n_datasets}"),
        ("needed", f"{len(details.datasets)} files, {size_words(details.n_bytes)}"),
        ("here", f"{size_words(here)}" + (f" in {entry.local_path}" if here else "")),
    ]
    text = "\n".join(f"{key:<16}{value}" for key, value in lines)
    if here < details.n_bytes:
        return f"{text}\n\n'mtm-core sessions download {name}' fetches what is needed."
    return text


def cache_text(folder: Path, cached: Sequence[CachedSession]) -> str:
    """Return a table of what lies in the cache folder."""
    rows = [
        [
            each.entry.eid or "-",
            each.entry.place or "-",
            each.n_files,
            size_words(each.n_bytes),
            "yes" if each.is_whole else "no",
            "yes" if each.is_ours else "no",
            each.last_used[:10] or "-",
        ]
        for each in cached
    ]
    total = size_words(sum(each.n_bytes for each in cached))
    noun = "session" if len(cached) == 1 else "sessions"
    summary = f"{len(cached)} {noun}, {total}, in {folder}"
    header = ["eid", "session", "files", "size", "whole", "downloaded here", "last used"]
    return f"{table_text(header, rows)}\n\n{summary}" if rows else summary


def prune_text(report: PruneReport, *, is_dry: bool) -> str:
    """Say what went."""
    verb = "Would remove" if is_dry else "Removed"
    sessions = ", ".join(report.sessions) or "no session"
    return (
        f"{verb} {report.n_files} files, {size_words(report.n_bytes)}: {sessions}; "
        f"{report.n_leftovers} leftovers of broken downloads."
    )


def _regions(regions: Sequence[str] | None) -> str:
    if regions is None:
        return "-"
    more = len(regions) - _SHOWN_REGIONS
    return " ".join(regions[:_SHOWN_REGIONS]) + (f" +{more}" if more > 0 else "")
