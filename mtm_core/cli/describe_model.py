"""What `mtm-core info` says about a checkpoint and about the folder of a run."""

from __future__ import annotations

import json
from collections import Counter
from functools import cached_property
from pathlib import Path

from mtm_core import config_io
from mtm_core.cli.output import table_text
from mtm_core.data.regions import sort_regions
from mtm_core.errors import TrainingError
from mtm_core.models.manifest import Manifest
from mtm_core.models.manifest_file import read_manifest
from mtm_core.training import events
from mtm_core.training.run_files import RunFiles


class CheckpointDescription:
    """A checkpoint in numbers and in words.

    Parameters
    ----------
    path : Path
        The ``.safetensors`` file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest = read_manifest(path)

    def warnings(self) -> list[str]:
        """Return nothing: whatever is wrong with a checkpoint is an error."""
        return []

    def facts(self) -> dict[str, object]:
        """Return everything as plain values, sizes at the top level."""
        said, records = json.loads(self.manifest.to_json()), self.manifest.sessions
        return {
            "kind": "checkpoint",
            "path": str(self.path),
            "n_trials": sum(len(ids) for record in records for ids in record.split.values()),
            "n_units": sum(record.n_units for record in records),
            "regions": region_counts(self.manifest),
            **said,
        }

    def text(self) -> str:
        """Return what a person wants to read."""
        m, data = self.manifest, self.manifest.config.data
        window = tuple(1000 * (m.window_start_s + n * m.bin_size_s) for n in (0, m.n_bins))
        head = (
            f"Checkpoint    {self.path} ({self.path.stat().st_size / 1e6:.2f} MB)",
            f"Settings      {m.config.name} ({m.config.model.describe()}, schemes "
            f"{', '.join(m.config.masking.schemes)})",
            *_session_lines(m),
            *_start_lines(m),
            f"Split         {data.split}, seed {data.split_seed}",
            f"Bins          {m.n_bins} of {1000 * m.bin_size_s:g} ms, {window[0]:g} to "
            f"{window[1]:g} ms from {m.align_event}",
            f"Units         {sum(record.n_units for record in m.sessions)}",
            f"Training      best at step {m.step} of {m.n_steps}, {m.seconds:.0f} s",
            f"Software      {', '.join(f'{name} {v}' for name, v in m.versions.items())}",
        )
        return "\n\n".join(("\n".join(head), _region_text(m), _score_text(m), _terms_text(m)))


class RunDescription:
    """The folder of a run in numbers and in words.

    Parameters
    ----------
    path : Path
        The folder.

    Raises
    ------
    TrainingError
        If it is not the folder of a run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.folder = RunFiles(path)
        if not self.folder.holds_run():
            msg = f"{path} is a folder without a run. Give a session, a checkpoint or a run."
            raise TrainingError(msg)
        self.record = self.folder.read_facts()
        self.config = self.folder.read_config()

    @cached_property
    def checkpoint(self) -> CheckpointDescription | None:
        """Its best checkpoint, or None where none was written yet."""
        path = self.folder.model_path
        return CheckpointDescription(path) if path.exists() else None

    @cached_property
    def happened(self) -> list[events.Event]:
        """The events of the run, in order."""
        return list(self.folder.events.read())

    @property
    def is_finished(self) -> bool:
        """Whether all steps were done."""
        return any(isinstance(event, events.RunFinished) for event in self.happened)

    def warnings(self) -> list[str]:
        """Return sentences to be minded: a run that can go on, or has no checkpoint."""
        if self.is_finished:
            return []
        if self.checkpoint is None:
            return ["This run has no checkpoint yet."]
        return ["This run did not end; `mtm-core train --resume` goes on with it."]

    def facts(self) -> dict[str, object]:
        """Return everything as plain values; those of the checkpoint are at the top level."""
        of_checkpoint = self.checkpoint.facts() if self.checkpoint else {}
        return {
            **of_checkpoint,
            "kind": "run",
            "path": str(self.path),
            "checkpoint": str(self.folder.model_path) if self.checkpoint else None,
            "session_ids": list(self.record["sessions"]),
            "session_paths": self.record["session_paths"],
            "is_finished": self.is_finished,
            "config": config_io.to_dict(self.config),
            "validation": [
                {"step": event.step, "bps": event.bps}
                for event in self.happened
                if isinstance(event, events.ValidationDone)
            ],
        }

    def text(self) -> str:
        """Return what a person wants to read."""
        state = "finished" if self.is_finished else "not finished"
        head = f"Run           {self.path} ({self.config.name}, {state})"
        of_checkpoint = self.checkpoint.text() if self.checkpoint else "No checkpoint yet."
        return f"{head}\n{of_checkpoint}"


def region_counts(manifest: Manifest) -> dict[str, int]:
    """Count the units of each region, in the atlas's order; units without one are left out."""
    counts = Counter(name for record in manifest.sessions for name in record.region if name)
    return {name: counts[name] for name in sort_regions(counts)}


def _session_lines(manifest: Manifest) -> list[str]:
    lines = []
    for record in manifest.sessions:
        parts = ", ".join(f"{len(ids)} {name}" for name, ids in record.split.items())
        lines.append(
            f"Session       {record.session_id} (hash {record.session_hash[:12]}): "
            f"{record.n_units} units; trials {parts}"
        )
    return lines


def _start_lines(manifest: Manifest) -> list[str]:
    start = manifest.pretrained
    if start is None:
        return []
    how = "nothing trained" if start["zero_shot"] else "fine-tuned"
    how += ", trunk frozen" if start["freeze_trunk"] and not start["zero_shot"] else ""
    return [
        f"Start         {start['path']} (hash {start['digest'][:12]}) of "
        f"{len(start['session_ids'])} sessions, {how}"
    ]


def _region_text(manifest: Manifest) -> str:
    counts = region_counts(manifest)
    if not counts:
        return "Regions       none"
    return table_text(("region", "units"), list(counts.items()))


def _score_text(manifest: Manifest) -> str:
    title = "Validation, pooled bits per spike over the training-mean rate, hidden entries only:"
    rows = [(name, float(score)) for name, score in manifest.scores.items()]
    return f"{title}\n{table_text(('scheme', 'bps'), rows)}" if rows else "Not validated."


def _terms_text(manifest: Manifest) -> str:
    terms = dict.fromkeys((record.licence, record.citation) for record in manifest.sessions)
    return "\n".join(
        f"Licence of the data: {licence}\nCite: {citation}" for licence, citation in terms
    )
