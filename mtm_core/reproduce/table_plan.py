"""What a table is made of: its cells, their names and their places."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mtm_core import config_io
from mtm_core.config import SplitName, TrainConfig
from mtm_core.errors import TrainingError
from mtm_core.models.manifest import software_versions
from mtm_core.reproduce.tables import find_table
from mtm_core.reproduce.variants import BUDGET, Table, Typed, Variant, table_configs
from mtm_core.shared_folder import read_json

SCHEMA = "mtm-paper-table"
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class TableCell:
    """One piece of a table: a variant (with a seed), or all classical baselines (without).

    Parameters
    ----------
    path : str
        The session file.
    split : str
        How its trials are divided.
    variant : str or None
        Name of the variant; None for the classical baselines.
    seed : int
        Training seed; of no meaning for the baselines.
    """

    path: str
    split: SplitName
    variant: str | None = None
    seed: int = 0

    @property
    def session(self) -> str:
        """Name of the session file."""
        return Path(self.path).stem

    @property
    def name(self) -> str:
        """Name of the cell's file and run, without suffix."""
        what = f"{self.variant}.seed{self.seed}" if self.variant else "baselines"
        return f"{self.session}.{self.split}.{what}"


@dataclass(frozen=True, kw_only=True)
class TablePlan:
    """What to make.

    Parameters
    ----------
    table : str
        Name of the table.
    budget : str
        One of `variants.BUDGETS`.
    out : Path
        The folder.
    sessions : tuple of Path
        Session files that are scored.
    seeds : tuple of int
        Training seeds.
    splits : tuple of str
        How trials are divided.
    typed : sequence of (str, str or list of str)
        Settings that replace the table's own.
    pool : tuple of Path
        Session files to train on before fine-tuning, in this order.
    workers : int
        Cells computed at the same time.
    threads : int
        Threads of each.
    rows : tuple of str
        Names of the variants to compute; none for all.
    reuse : tuple of Path
        Folders of other tables, whose cells are taken where they are the same.
    """

    table: str
    budget: str
    out: Path
    sessions: tuple[Path, ...]
    seeds: tuple[int, ...]
    splits: tuple[SplitName, ...]
    typed: Typed = ()
    pool: tuple[Path, ...] = ()
    workers: int = 1
    threads: int = 1
    rows: tuple[str, ...] = ()
    reuse: tuple[Path, ...] = ()

    @property
    def content(self) -> Table:
        """The table itself, or the rows of it that are wanted."""
        return find_table(self.table, self.rows)

    def variant(self, name: str) -> Variant:
        """Return a row of the table."""
        return next(each for each in self.content.variants if each.name == name)

    def configs(self) -> dict[str, TrainConfig]:
        """Return the settings of every variant, without split and seed."""
        return table_configs(self.content, self.budget, self.typed)

    def config_of(self, cell: TableCell) -> TrainConfig:
        """Return the settings of a cell; those of the first variant for the baselines."""
        name = cell.variant or self.content.variants[0].name
        config = self.configs()[name]
        data, run = replace(config.data, split=cell.split), replace(config.run, seed=cell.seed)
        return replace(config, data=data, run=replace(run, threads=self.threads))

    def finetune_changes(self, variant: Variant) -> list[tuple[str, str | list[str]]]:
        """Return what the table and the command line change of a fine-tuning's settings."""
        steps = variant.finetune_steps or BUDGET[self.budget].finetune_steps
        changes = {} if steps is None else {"optim.steps": str(steps)}
        typed = [pair for pair in self.typed if pair[0].startswith(("optim.", "run."))]
        return list((changes | dict(typed)).items())

    def waits(self, cell: TableCell) -> bool:
        """Tell whether a cell must wait for another, whose training time it gets."""
        return bool(cell.variant and self.variant(cell.variant).as_long_as)

    def seconds_of(self, cell: TableCell) -> float | None:
        """Return the training time that a cell gets; None for its own number of steps.

        Raises
        ------
        TrainingError
            If the cell that it is taken from is not there.
        """
        if not self.waits(cell):
            return None
        model = replace(cell, variant=self.variant(cell.variant or "").as_long_as)
        values = self.read(model)
        if values is None:
            msg = f"It is trained as long as {model.name}, which is not there."
            raise TrainingError(msg)
        return float(values["train_seconds"])

    def cells(self) -> list[TableCell]:
        """Return all cells: the baselines of all sessions, then seed by seed."""
        places = list(itertools.product(self.sessions, self.splits))
        cells = [
            TableCell(path=str(path), split=split)
            for path, split in places
            if self.content.kind == "tasks"
        ]
        return cells + [
            TableCell(path=str(path), split=split, variant=variant.name, seed=seed)
            for seed in self.seeds
            for path, split in places
            for variant in self.content.variants
        ]

    def file_of(self, cell: TableCell) -> Path:
        """Return where a cell is kept."""
        return self.out / "cells" / f"{cell.name}.json"

    def failure_of(self, cell: TableCell) -> Path:
        """Return where it is kept why a cell could not be computed."""
        return self.out / "failed" / f"{cell.name}.json"

    def run_of(self, cell: TableCell) -> Path:
        """Return the folder of a cell's training run."""
        return self.out / "runs" / cell.name

    def read(self, cell: TableCell) -> Mapping[str, Any] | None:
        """Return what a cell holds; None if it was not computed yet."""
        path = self.file_of(cell)
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            return None
        return _read_once(path, changed)

    def settings(self) -> dict[str, Any]:
        """Return what the cells are made with; the same for all calls of a folder."""
        return {
            "schema": SCHEMA,
            "version": VERSION,
            "table": self.table,
            "budget": self.budget,
            "variants": {n: config_io.to_dict(c) for n, c in self.configs().items()},
            "n_pretrain": {each.name: each.n_pretrain for each in self.content.variants},
            "finetune": {
                each.name: dict(self.finetune_changes(each))
                for each in self.content.variants
                if each.n_pretrain
            },
            "pool": [path.stem for path in self.pool if self.needs_pool],
            "versions": software_versions(),
        }

    @property
    def needs_pool(self) -> bool:
        """True if some variant is fine-tuned."""
        return any(each.n_pretrain for each in self.content.variants)

    def failures(self, cells: Sequence[TableCell]) -> dict[str, str]:
        """Return why cells could not be computed, by their names."""
        found = {cell.name: read_json(self.failure_of(cell)) for cell in cells}
        return {name: str(values["why"]) for name, values in found.items() if values}


@functools.lru_cache(maxsize=4096)
def _read_once(path: Path, changed: int) -> Mapping[str, Any] | None:
    """Read a cell again only if its file has changed."""
    del changed
    return read_json(path)
