"""Cells that another table holds already: taken from there where the same would come out.

Many rows stand in several tables of the paper: MtM with NDT1 in five of them. A cell is the same
where session, split, seed, all settings, what was trained on before and the versions of the
software are the same; the classical baselines, where the trials are divided alike.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mtm_core.data.session_file import read_session
from mtm_core.errors import ConfigError
from mtm_core.reproduce.table_plan import SCHEMA, VERSION, TableCell, TablePlan
from mtm_core.reproduce.tables import TABLES
from mtm_core.reproduce.variants import Table
from mtm_core.shared_folder import read_json, write_json

_Values = Mapping[str, Any]


def take_cells(plan: TablePlan) -> list[str]:
    """Take what a plan misses from the folders that it names; return the names of these cells.

    Raises
    ------
    ConfigError
        If one of them holds no table, or one that other versions of the software made.
    TrainingError
        If a file there is damaged.
    """
    shelves = [_open(folder, plan) for folder in plan.reuse]
    own, taken = _Shelf(plan.out, plan.settings(), plan.content), list[str]()
    session_ids: dict[str, str] = {}
    for cell in plan.cells() if shelves else ():
        if plan.file_of(cell).exists():
            continue
        for shelf in shelves:
            found = shelf.find(cell, own.recipe(cell.variant))
            if found is None:
                continue
            if cell.path not in session_ids:
                session_ids[cell.path] = read_session(cell.path).session_id
            if found["session"] == session_ids[cell.path]:
                write_json(plan.file_of(cell), _as_own(found, cell, shelf.folder, plan.out))
                taken.append(cell.name)
                break
    return taken


@dataclass(frozen=True)
class _Shelf:
    """The folder of a table, and what its cells were made with."""

    folder: Path
    settings: _Values
    table: Table

    def recipe(self, variant: str | None) -> _Values | None:
        """Return all that a cell's numbers depend on; None where that is this machine's speed."""
        configs = self.settings["variants"]
        if variant is None:
            return {"kind": self.table.kind, "data": next(iter(configs.values()))["data"]}
        row = next(each for each in self.table.variants if each.name == variant)
        if row.as_long_as:
            return None
        recipe = {
            "kind": self.table.kind,
            "config": configs[variant],
            "n_pretrain": row.n_pretrain,
            "zero_shot": row.zero_shot,
            "preset": row.preset,
            "finetune": self.settings["finetune"].get(variant),
            "pool": self.settings["pool"] if row.n_pretrain else [],
        }
        return json.loads(json.dumps(recipe))  # type: ignore[no-any-return]

    def find(self, cell: TableCell, recipe: _Values | None) -> _Values | None:
        """Return what the cell of that recipe holds, if it is here."""
        known = [row.name for row in self.table.variants if row.name in self.settings["variants"]]
        for name in known if cell.variant else [None]:
            if recipe is not None and self.recipe(name) == recipe:
                path = self.folder / "cells" / f"{replace(cell, variant=name).name}.json"
                if (found := read_json(path)) is not None:
                    return found
        return None


def _open(folder: Path, plan: TablePlan) -> _Shelf:
    settings = read_json(folder / "settings.json") or {}
    is_known = (settings.get("schema"), settings.get("version")) == (SCHEMA, VERSION)
    if not is_known or settings["table"] not in TABLES:
        msg = f"{folder} holds no table of mtm-core reproduce. Give --reuse the --out of another."
        raise ConfigError(msg)
    if settings["versions"] != plan.settings()["versions"]:
        msg = f"The table in {folder} was made by other versions of the software: leave it out."
        raise ConfigError(msg)
    return _Shelf(folder, settings, TABLES[settings["table"]])


def _as_own(values: _Values, cell: TableCell, folder: Path, out: Path) -> _Values:
    """Return a cell as it stands in another folder: its run is still where it was."""
    if cell.variant is None:
        return values
    run = (folder / values["run"]).resolve()
    try:
        place = Path(os.path.relpath(run, out.resolve()))
    except ValueError:  # another drive
        place = run
    return {**values, "variant": cell.variant, "run": place.as_posix()}
