"""Whether the open model fits what is prepared next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mtm_core.config import PreparationConfig
from mtm_viewer.presenters.model_fit import misfit_words
from mtm_viewer.presenters.workspace import Opened
from tests.viewer.workspaces import make_small_workspace

NOW = PreparationConfig()


@pytest.fixture(scope="module")
def workspace():
    return replace(make_small_workspace(), opened=Opened(source="folder", config=NOW))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"align": "go_cue"}, "align trials to"),
        ({"window_start_s": -0.4}, "window from"),
        ({"window_end_s": 1.0}, "window to"),
        ({"bin_size_s": 0.01}, "bin size"),
    ],
)
def test_other_bins_or_events_do_not_fit(workspace, change, word):
    words = misfit_words(workspace, replace(NOW, **change))
    assert word in words
    assert "10 bins of 10 ms" in words


def test_other_settings_are_not_warned_of(workspace):
    assert misfit_words(workspace, replace(NOW, min_error_trials=1)) == ""


def test_without_a_model_nothing_can_misfit(workspace):
    config = replace(NOW, bin_size_s=0.01)
    assert misfit_words(replace(workspace, models=()), config) == ""
    assert misfit_words(replace(workspace, opened=None), config) == ""
