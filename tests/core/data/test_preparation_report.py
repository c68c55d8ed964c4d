from __future__ import annotations

from dataclasses import replace

import pytest

from mtm_core.config_io import load_preparation, preparation_to_dict
from mtm_core.data.dropping import merge_tallies
from mtm_core.data.preparation_report import PreparationReport
from mtm_core.data.preset_words import preset_sentence
from mtm_core.errors import DataError

REPORT = PreparationReport(
    rules=("Preset default.",),
    settings=preparation_to_dict(
        load_preparation("default", [("prepare.regions", ["CA1", "DG"])])
    ),
    n_units_given=100,
    n_units_kept=100,
    units_dropped=(),
    n_trials_given=530,
    n_trials_kept=412,
    trials_dropped=(("slow", 61), ("missing events", 40), ("no-go", 17)),
    behaviors_missing=(("licks", "not in this recording"),),
)


def test_the_sentences_say_how_many_were_kept_and_why_not_all():
    assert REPORT.trials_sentence == "412 of 530 trials kept: 61 slow, 40 missing events, 17 no-go"
    assert REPORT.units_sentence == "100 of 100 units kept"
    assert REPORT.share_of_trials_dropped == pytest.approx(118 / 530)


def test_json_gives_the_same_report_back():
    assert PreparationReport.from_json(REPORT.to_json()) == REPORT


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", REPORT.to_json().replace("rules", "laws"), '{"units_dropped": [[1]]}'],
)
def test_what_is_no_report_is_refused(text):
    with pytest.raises(DataError, match="how it was prepared cannot be read"):
        PreparationReport.from_json(text)


def test_tallies_are_put_together_by_reason():
    assert merge_tallies([("slow", 1), ("fast", 0)], [("late", 2), ("slow", 3)]) == (
        ("slow", 4),
        ("late", 2),
    )


def test_changes_to_a_preset_are_named():
    config = load_preparation("paper", [("prepare.regions", "CA1,DG")])
    assert preset_sentence(config) == "Preset paper, changed: regions CA1 DG."
    config = load_preparation("default", [("prepare.drop_silence", "false")])
    assert preset_sentence(config) == "Preset default, changed: drop_silence false."
    assert preset_sentence(replace(config, preset="my own")) == "Preset my own."
