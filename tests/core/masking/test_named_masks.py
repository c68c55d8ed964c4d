"""Named masks are kept in order, found by name, and written to a file that is checked."""

from __future__ import annotations

import json

import pytest

from mtm_core import resources
from mtm_core.errors import MaskError, UnknownNameError
from mtm_core.masking import tasks
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.named_masks import (
    NamedMask,
    NamedMasks,
    change_named_masks,
    find_named_mask,
    masks_file,
    masks_folder,
    named_masks_from_json,
    named_masks_to_json,
    read_named_masks,
    write_named_masks,
)
from mtm_core.masking.spec import MaskSpec

CA1, DG = tasks.inter_region("CA1"), tasks.inter_region("DG")
BRUSHED = MaskSpec(blocks=(Block(UnitChoice.these(["a/1", "a/2"]), bins=(2, 5)),))


def test_masks_keep_the_order_in_which_they_were_named():
    masks = NamedMasks().with_mask("second", DG).with_mask("first", CA1)
    assert masks.names == ("second", "first")
    assert [mask.spec for mask in masks] == [DG, CA1]


def test_a_name_used_again_stands_for_the_new_mask_in_the_old_place():
    masks = NamedMasks().with_mask("a", CA1).with_mask("b", CA1).with_mask(" a ", DG)
    assert masks.names == ("a", "b")
    assert masks.get("a") == DG


def test_a_mask_is_left_out_by_name():
    masks = NamedMasks().with_mask("a", CA1).with_mask("b", DG)
    assert masks.without("a").names == ("b",)
    assert masks.names == ("a", "b")
    with pytest.raises(UnknownNameError, match="named mask"):
        masks.without("c")


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "x" * 61])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(MaskError, match="needs a name"):
        NamedMask(name, CA1)


def test_masks_come_back_from_their_file(tmp_path):
    path = tmp_path / "masks.json"
    masks = NamedMasks().with_mask("hippocampus äé", CA1).with_mask("brushed", BRUSHED)
    write_named_masks(path, masks, "session-1")
    assert read_named_masks(path, "session-1") == masks


def test_a_change_is_written_and_what_another_window_changed_stays(tmp_path):
    path = tmp_path / "masks.json"
    before = NamedMasks().with_mask("a", CA1).with_mask("b", DG).with_mask("same", DG)
    change_named_masks(path, NamedMasks(), before, "session-1")
    assert read_named_masks(path, "session-1") == before
    write_named_masks(path, before.with_mask("theirs", BRUSHED), "session-1")
    after = NamedMasks().with_mask("b", CA1).with_mask("same", DG).with_mask("mine", DG)
    change_named_masks(path, before, after, "session-1")
    found = {mask.name: mask.spec for mask in read_named_masks(path, "session-1")}
    assert found == {"b": CA1, "same": DG, "theirs": BRUSHED, "mine": DG}


def test_without_a_file_there_are_no_masks(tmp_path):
    assert read_named_masks(tmp_path / "none.json", "session-1") == NamedMasks()


def test_masks_of_another_session_are_refused():
    text = named_masks_to_json(NamedMasks().with_mask("a", CA1), "session-1")
    with pytest.raises(MaskError, match="of the session session-1, not of session-2"):
        named_masks_from_json(text, "session-2")
    assert named_masks_from_json(text).names == ("a",)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema": "other"}, "no file of named masks"),
        ({"version": 2}, "version 2 are not known"),
        ({"masks": {}}, "'masks' is not a list"),
        ({"masks": [{"mask": {}}]}, "no name"),
        ({"masks": ["a"]}, "no name"),
        ({"masks": [{"name": "a"}]}, "not a mask"),
    ],
)
def test_what_is_no_file_of_masks_says_why(changes, said):
    record = json.loads(named_masks_to_json(NamedMasks(), "s")) | changes
    with pytest.raises(MaskError, match=said):
        named_masks_from_json(json.dumps(record))


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000])
def test_what_is_no_json_says_so(text):
    with pytest.raises(MaskError, match="no file of named masks"):
        named_masks_from_json(text)


def test_a_file_that_cannot_be_read_says_so(tmp_path):
    path = tmp_path / "masks.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MaskError, match="cannot be read"):
        read_named_masks(path, "s")


def test_a_mask_is_found_by_its_name_where_the_window_keeps_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(resources.sys, "platform", "linux")
    spec = tasks.inter_region("CA1")
    path = masks_file(masks_folder(), "lab/s 1")
    assert path.parent == tmp_path / "mtm-viewer" / "masks"
    path.parent.mkdir(parents=True)
    write_named_masks(path, NamedMasks().with_mask("hippocampus", spec), "lab/s 1")
    assert find_named_mask("hippocampus", "lab/s 1") == spec
    with pytest.raises(MaskError, match="Named are: 'hippocampus'"):
        find_named_mask("hipocampus", "lab/s 1")
    with pytest.raises(MaskError, match="None is: name one in mtm-viewer"):
        find_named_mask("hippocampus", "lab/s 2", path.parent)
