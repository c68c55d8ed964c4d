"""A journal gives back its newest whole line, whatever else it holds."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import pytest

from mtm_core.experiment.record_json import to_dict
from mtm_viewer.presenters.experiment_made import experiment_of
from mtm_viewer.presenters.experiment_view import View
from mtm_viewer.presenters.journal_entry import (
    MAX_LINE,
    JournalEntry,
    checksum,
    is_same_screen,
    newest_entry,
    offer_words,
    read_line,
    write_line,
)
from mtm_viewer.presenters.mask_choice import recipe_choice
from mtm_viewer.presenters.mask_history import HistoryStep, MaskHistory
from tests.viewer.workspaces import make_small_workspace

WORKSPACE = make_small_workspace(n_trials=60)
EXPERIMENT = experiment_of(
    WORKSPACE,
    None,
    View(mask=recipe_choice("inter_region", "CA1", WORKSPACE.session)),
    title="CA1 hidden",
    device="cpu",
)
ENTRY = JournalEntry(
    saved_at=datetime(2026, 11, 28, 14, 3),
    name="small",
    experiment=EXPERIMENT,
    preparation='{"preset": "paper"}',
    models=("/models/a.safetensors",),
)
OLDER = replace(ENTRY, saved_at=datetime(2026, 11, 28, 14, 2))
LINE = write_line(ENTRY)


def with_checksum(value: object) -> bytes:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return checksum(text) + b" " + text + b"\n"


MASKS = [recipe_choice("inter_region", region, WORKSPACE.session) for region in ("DG", "CA1")]
HISTORY = MaskHistory(
    steps=(HistoryStep(text="Inter-region CA1", before=MASKS[0], after=MASKS[1]),), n_done=1
)


def value(**changes: object) -> dict[str, object]:
    return json.loads(LINE.split(b" ", 1)[1]) | changes


def test_a_line_comes_back_as_it_was():
    back = read_line(LINE)
    assert (back.saved_at, back.name, back.models) == (ENTRY.saved_at, "small", ENTRY.models)
    assert back.preparation == ENTRY.preparation
    assert to_dict(back.experiment) == to_dict(EXPERIMENT)
    assert is_same_screen(back, OLDER)
    assert not is_same_screen(back, replace(ENTRY, name="other"))


def test_the_steps_come_back_with_the_screen():
    entry = replace(ENTRY, history=HISTORY)
    assert read_line(write_line(entry)).history == HISTORY
    assert not is_same_screen(entry, ENTRY)
    assert offer_words(entry).endswith("CA1 hidden. 1 step can be undone.")


def test_a_line_of_before_steps_were_kept_is_read():
    old = value()
    del old["history"]
    assert read_line(with_checksum(old)).history == MaskHistory()


@pytest.mark.parametrize("n_lost", [1, 2, 40, len(LINE) - 1])
def test_a_line_that_was_cut_short_gives_way_to_the_one_before(n_lost):
    data = write_line(OLDER) + LINE[:-n_lost]
    newest = newest_entry(data)
    assert newest.saved_at == (ENTRY if n_lost == 1 else OLDER).saved_at


def test_every_flipped_bit_is_noticed():
    for place in range(0, len(LINE) - 1, 97):
        damaged = bytearray(LINE)
        damaged[place] ^= 4
        assert newest_entry(write_line(OLDER) + bytes(damaged)).saved_at == OLDER.saved_at


@pytest.mark.parametrize(
    "line",
    [
        with_checksum(b"[" * 100_000),
        with_checksum(b"9" * 10_000),
        with_checksum(b"\xff\xfe"),
        with_checksum([1]),
        with_checksum({}),
        with_checksum(value(journal=2)),
        with_checksum(value(models="a")),
        with_checksum(value(models=[1])),
        with_checksum(value(models=["a"] * 101)),
        with_checksum(value(name="a\0b")),
        with_checksum(value(saved_at="yesterday")),
        with_checksum(value(experiment={"schema": "mtm-experiment"})),
        with_checksum({"journal": 1}),
        with_checksum(b"x" * MAX_LINE),
        b"",
        b"\n",
    ],
    ids=str,
)
def test_a_hostile_line_is_passed_over(line):
    assert read_line(line) is None
    assert newest_entry(LINE + line + b"\n\n").saved_at == ENTRY.saved_at
    assert newest_entry(line) is None


def test_a_line_that_is_too_long_is_not_written():
    with pytest.raises(ValueError, match=f"more than {MAX_LINE}"):
        write_line(replace(ENTRY, preparation="x" * MAX_LINE))


def test_what_is_offered_is_said_in_words():
    assert offer_words(ENTRY) == "small, 28 November 2026, 14:03. CA1 hidden."
    untitled = replace(ENTRY, experiment=replace(EXPERIMENT, title=""))
    assert offer_words(untitled).endswith("Nothing hidden.")
