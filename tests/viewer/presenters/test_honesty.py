"""Nothing that a reader should mind is left unsaid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mtm_core.evaluation.leak_check import LeakCheck
from mtm_core.models.backend import Backend
from mtm_viewer.jobs.reconstruct_job import ReconstructionJob, ReconstructionRequest
from mtm_viewer.presenters.honesty import SIGNS, Screen, honesty_lines
from mtm_viewer.presenters.mask_choice import recipe_choice
from tests.viewer.workspaces import make_small_workspace

WORKSPACE = make_small_workspace(n_trials=60)
MASK = recipe_choice("inter_region", "CA1", WORKSPACE.session)
LEAK = LeakCheck(n_trials=4, n_entries=320, hidden_moved=1e-6, visible_moved=0.8)


@pytest.fixture(scope="module")
def picture():
    request = ReconstructionRequest(workspace=WORKSPACE, spec=MASK.spec, wants_control=True)
    *_, last = ReconstructionJob()(request, lambda: False)
    return last


def said(screen: Screen) -> dict[str, tuple[str, str]]:
    return {line.what: (line.verdict, line.words) for line in honesty_lines(screen)}


def screen(picture, **changes) -> Screen:
    return Screen(workspace=WORKSPACE, picture=picture, mask="CA1 hidden", **changes)


def test_all_that_stands_behind_a_picture_is_said(picture):
    lines = said(screen(picture, leak=LEAK))
    assert lines["Data"] == ("mind", "simulated by a program")
    assert lines["Hidden (hatched)"] == ("plain", "CA1 hidden")
    assert lines["Scored (not grey)"][1].startswith("8 units in ")
    assert lines["Trials"] == (
        "fine",
        "12 test trials; the model was neither trained nor chosen on them",
    )
    assert lines["Other trials"][1].startswith(
        "divided at random: 43 train, 5 validation"
    ) or "train" in str(lines)
    assert lines["Model"][0] == "fine"
    assert lines["Averages"] == ("fine", "all 12 trials, exact")
    assert "PSTH" in lines["Baselines"][1]
    assert lines["Shuffle control"][1].startswith("given other trials' neurons")
    assert lines["Leak check"][0] == "fine"
    assert "moved by 1e-06 at most" in lines["Leak check"][1]
    assert len(set(SIGNS.values())) == len(SIGNS)


@pytest.mark.parametrize(("split", "verdict"), [("val", "mind"), ("train", "bad"), ("all", "bad")])
def test_trials_that_the_model_has_seen_are_marked(picture, split, verdict):
    assert said(screen(picture, split=split))["Trials"][0] == verdict


def test_what_is_to_mind_is_marked(picture):
    lines = said(screen(picture, untrained="never saw such a mask", leak="it stopped"))
    assert lines["Model"] == ("mind", "never saw such a mask")
    assert lines["Leak check"] == ("mind", "it stopped")
    leaky = said(screen(picture, leak=replace(LEAK, hidden_moved=0.2)))
    assert leaky["Leak check"][0] == "bad"
    early = replace(picture, is_exact=False, n_done=5, lines=(), backend=None)
    lines = said(screen(early))
    assert lines["Averages"] == ("mind", "5 of 12 trials so far, some by a preview")
    assert "Score" not in lines
    backend = Backend(device="cpu", threads=1, matmul="default", processor="x", torch_version="2")
    assert said(screen(replace(picture, backend=backend)))["Computed"][1] == "fp32, 1 thread"


def test_a_control_that_is_as_good_as_the_model_is_marked(picture):
    own, *others = picture.lines
    control = next(line for line in others if line.name == "Shuffle control")
    for value, verdict in ((0.2, "fine"), (0.1, "mind"), (None, "mind")):
        lines = (replace(own, bps_beyond_psth=value), replace(control, bps_beyond_psth=0.1))
        shown = said(screen(replace(picture, lines=lines)))
        assert shown["Shuffle control"][0] == verdict
        assert shown["Baselines"][1] == "none"
    assert "no spike" in shown["Score"][1]
    alone = said(screen(replace(picture, lines=picture.lines[:1])))
    assert alone["Shuffle control"][1].startswith("not tried")


def test_without_a_model_or_a_picture_less_is_said():
    bare = make_small_workspace(has_models=False)
    provenance = replace(bare.recording.provenance, is_simulated=False, source="my lab")
    recorded = replace(bare, recording=replace(bare.recording, provenance=provenance))
    lines = said(Screen(workspace=recorded, picture=None, mask="nothing hidden"))
    assert lines["Data"] == ("fine", "recorded: my lab")
    assert lines["Trials"][0] == "plain"
    assert lines["Model"][1].startswith("none")
    assert "Averages" not in said(screen(None))
