from __future__ import annotations

import csv

import numpy as np
import pytest

from mtm_core.evaluation.mask_scores import ScoredTrials, fit_rivals, score_answers
from mtm_core.evaluation.unit_facts import unit_facts
from mtm_core.evaluation.unit_table import (
    CSV_HEADER,
    NO_REGION,
    csv_rows,
    region_scores,
    write_unit_table,
)
from mtm_core.models.answers import Reconstruction
from tests.core.evaluation.answered import SHOWN, TRAIN, make_answered
from tests.core.sessions import make_session

SESSION = make_session(n_trials=60, n_units=12)


def test_regions_are_scored_apart_and_in_the_order_of_the_atlas():
    answer = make_answered(SESSION, scored=tuple(range(12)))
    found = region_scores(SESSION, answer.gains)
    assert [region.name for region in found] == ["VISp", "CA1", "DG"]
    for region in found:
        mine = SESSION.region == region.name
        gain, spikes = answer.gains.gain[:, mine], answer.gains.spikes[:, mine]
        assert region.bps == pytest.approx(gain.sum() / spikes.sum() / np.log(2))
        assert (region.n_units, region.n_spikes) == (4, spikes.sum())
        assert region.interval[0] < region.bps < region.interval[1]
    coarse = region_scores(SESSION, answer.gains, "cosmos")
    assert [region.name for region in coarse] == ["Isocortex", "HPF"]


def test_one_region_alone_has_the_headlines_score_and_interval():
    answer = make_answered(SESSION, scored=(0, 1, 2, 3))
    every = np.ones(len(SHOWN), dtype=bool)
    log_rate = np.log(answer.rate_hz * SESSION.bin_size_s).astype(np.float32)
    whole = Reconstruction(
        trials=SHOWN,
        log_rate=log_rate,
        is_done=every,
        is_exact=every,
        mask=answer.mask,
        bin_size_s=SESSION.bin_size_s,
    )
    trials = ScoredTrials(session=SESSION, train=TRAIN, val=TRAIN[:5], shown=SHOWN)
    (headline, *_), gains = score_answers(trials, [("model", whole)], fit_rivals(trials))
    (region,) = region_scores(SESSION, gains)
    assert region.bps == pytest.approx(headline.bps_beyond_psth)
    assert region.interval == pytest.approx(headline.interval)


def test_units_without_a_region_stand_together_at_the_end():
    session = make_session(n_trials=60, n_units=12, regions=("CA1", ""))
    found = region_scores(session, make_answered(session, scored=tuple(range(12))).gains)
    assert [region.name for region in found] == ["CA1", NO_REGION]


def test_the_table_has_a_row_for_each_scored_unit_with_its_numbers(tmp_path):
    facts = unit_facts(make_answered(SESSION))
    path = tmp_path / "units.csv"
    write_unit_table(path, facts, SESSION, "30 test trials, exact")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == CSV_HEADER
    for place, row in enumerate(rows):
        assert row["unit_id"] == SESSION.unit_id[facts.units[place]]
        assert float(row["bps_beyond_psth"]) == facts.bps.values[place]
        assert float(row["depth_um"]) == SESSION.units.values("depth_um")[facts.units[place]]
        assert row["probe"] == ""
        assert row["trials"] == "30 test trials, exact"
    assert len(rows) == 4


def test_unknown_numbers_are_empty_fields():
    facts = unit_facts(make_answered(SESSION, scored=tuple(range(12))))
    row = dict(zip(CSV_HEADER, next(csv_rows(facts, SESSION, "")), strict=True))
    assert row["twin"] == ""
    assert row["shared_r"] == ""
