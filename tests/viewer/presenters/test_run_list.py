"""Runs in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mtm_viewer.presenters.run_list import (
    RunInfo,
    models_of,
    outcome_words,
    run_lines,
    with_states,
)
from tests.core.sessions import make_session

RUN = RunInfo(
    folder=Path("runs/a"),
    preset="quick",
    session_names=("s17", "s12", "s15"),
    session_ids=("s17",),
    created="2026-11-28T12:00:00+00:00",
    state="paused",
    step=150,
    n_steps=300,
    scores=(("mean", 0.1234), ("neuron", 0.2)),
)


def test_the_newest_run_comes_first_with_its_score():
    older = replace(RUN, folder=Path("runs/b"), created="2026-11-27T12:00:00+00:00", scores=())
    first, second = run_lines([older, RUN])
    assert first.cells == ("s17 and 2 more", "quick", "paused, 50 %", "0.123")
    assert "neuron: 0.200 bps" in first.tooltip
    assert second.cells[-1] == "\N{EM DASH}"


def test_what_can_be_done_depends_on_the_state():
    assert RUN.can_resume
    assert RUN.has_model
    (waiting,) = with_states([RUN], {RUN.folder: "waiting"})
    assert not waiting.can_resume
    (running,) = with_states([RUN], {RUN.folder: "running"})
    assert not running.has_model


def test_a_run_says_how_it_is_computed():
    (line,) = run_lines([replace(RUN, backend="cpu, 2 threads")])
    assert "\nComputed with cpu, 2 threads\n" in line.tooltip
    assert "Computed" not in run_lines([RUN])[0].tooltip


def test_a_failed_run_says_why():
    failed = replace(RUN, state="failed", error="The disk is full.")
    assert outcome_words(failed) == "The disk is full."
    assert outcome_words(replace(RUN, state="finished")).startswith("Finished; validation 0.123")


def test_the_order_holds_where_clocks_are_put_back_in_autumn():
    first = replace(RUN, folder=Path("runs/a"), created="2026-10-25T02:30:00+02:00")
    later = replace(RUN, folder=Path("runs/b"), created="2026-10-25T02:10:00+01:00")
    assert [line.info.folder.name for line in run_lines([first, later])] == ["b", "a"]


def test_a_run_that_does_not_know_when_it_was_begun_is_shown_too():
    (line,) = run_lines([replace(RUN, created="long ago")])
    assert "Begun \n" in line.tooltip


def test_its_model_lies_in_its_folder():
    assert RUN.model_path == Path("runs/a/model.safetensors")


def test_the_models_of_a_session_are_its_finished_runs_of_the_same_bins_the_newest_first():
    session = make_session()
    bins = (session.n_bins, session.bin_size_s)
    own = replace(RUN, state="finished", session_ids=(session.session_id,), bins=bins)
    older = replace(own, created="2026-11-01T12:00:00+00:00")
    assert models_of(session, [older, own, RUN]) == [own, older]
    for other in (
        replace(own, state="failed"),
        replace(own, session_ids=("else",)),
        replace(own, bins=(session.n_bins, 2 * session.bin_size_s)),
    ):
        assert models_of(session, [other]) == []
