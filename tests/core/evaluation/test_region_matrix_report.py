from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from mtm_core.cli.output import json_text
from mtm_core.errors import OutputError
from mtm_core.evaluation.region_matrix_report import CSV_HEADER, colour_limit, write_csv
from tests.core.evaluation.matrices import REGIONS, UNTRAINED, make_report

REPORT = make_report(reason=UNTRAINED)


def test_the_grid_holds_the_cells_and_no_diagonal():
    values, is_known = REPORT.grid("regression")
    assert np.array_equal(is_known, ~np.eye(3, dtype=bool))
    assert values[0, 2] == REPORT.cells["VISp", "LGd"].regression.score.value
    asymmetry, _ = REPORT.grid(what="asymmetry")
    assert np.allclose(asymmetry, -asymmetry.T)


def test_nothing_done_is_an_empty_grid():
    report = make_report(is_done=False)
    assert not report.is_complete
    assert not report.grid()[1].any()
    assert colour_limit(report.grid()) == 0.01


def test_every_cell_is_a_line_of_the_table(tmp_path):
    write_csv(REPORT, tmp_path / "m.csv")
    with (tmp_path / "m.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == CSV_HEADER
    assert [(row["row_visible"], row["column_scored"]) for row in rows] == list(REPORT.cells)
    for row, cell in zip(rows, REPORT.cells.values(), strict=True):
        assert float(row["bps_beyond_null"]) == cell.model.score.value
        assert (float(row["low"]), float(row["high"])) == cell.model.score.interval
        assert float(row["regression"]) == cell.regression.score.value
        assert float(row["asymmetry"]) == cell.model.asymmetry.value
        assert float(row["model_minus_regression"]) == cell.difference.value
        assert float(row["share_of_ceiling"]) == cell.model.share
        assert row["not_trained_for_this"] == UNTRAINED
        assert row["caution"] == "predictive, not causal"
    assert (rows[0]["n_units_row"], rows[0]["n_units_column"]) == ("5", "8")


def test_what_is_not_known_is_an_empty_field(tmp_path):
    write_csv(make_report(is_done=False), tmp_path / "m.csv")
    with (tmp_path / "m.csv").open(newline="", encoding="utf-8") as stream:
        row = next(csv.DictReader(stream))
    assert (row["bps_beyond_null"], row["share_of_ceiling"], row["ceiling"]) == ("", "", "")


def test_a_table_without_a_folder_is_a_sentence(tmp_path):
    with pytest.raises(OutputError, match="there is no folder"):
        write_csv(REPORT, tmp_path / "none" / "m.csv")


def test_the_report_is_json_with_its_choices():
    values = json.loads(json_text(REPORT.to_dict()))
    assert values["caution"].startswith("Predictive, not causal")
    assert [facts["region"] for facts in values["regions"]] == list(REGIONS)
    cell = values["cells"][0]
    assert cell["model"]["score"]["value"] == REPORT.cells["VISp", "CA1"].model.score.value
    assert len(cell["model"]["score"]["interval"]) == 2
    assert cell["untrained_reason"] == UNTRAINED
    assert REPORT.untrained_reasons == (UNTRAINED,)
