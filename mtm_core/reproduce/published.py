"""The numbers of the paper: of other data than ours, to be shown beside them."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from mtm_core.resources import table_path

SOURCE = "Zhang et al. 2024, NeurIPS, arXiv 2407.14668v1; one seed, no error bars"
COLUMNS = (
    "co_smoothing",
    "forward_prediction",
    "intra_region",
    "inter_region",
    "choice",
    "whisker_motion_energy",
)
"""The paper's columns, in its order."""


@dataclass(frozen=True, kw_only=True)
class PublishedRow:
    """One row of a table of the paper.

    Parameters
    ----------
    name, label : str
        Name of the variant that it stands beside, and what it is.
    values : dict of str to str
        By column, as printed; columns without a number are left out.
    note : str
        What else to know.
    """

    name: str
    label: str
    values: dict[str, str]
    note: str


def published_rows(table: str) -> list[PublishedRow]:
    """Return the rows of a table of the paper; none where its numbers are not known.

    Examples
    --------
    >>> published_rows("masks")[0].values["co_smoothing"]
    '0.84'
    """
    with table_path("published").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["table"] == table]
    return [
        PublishedRow(
            name=row["row"],
            label=row["label"],
            values={column: row[column] for column in COLUMNS if row[column]},
            note=row["note"],
        )
        for row in rows
    ]
