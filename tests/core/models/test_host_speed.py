from __future__ import annotations

import json
import time

import pytest

from mtm_core import resources
from mtm_core.models import host_speed
from mtm_core.models.host_speed import HostSpeed, host_facts, recall, remember

FOUND = HostSpeed(
    route="onednn",
    fused_from={"default": 0, "onednn": 200},
    gflops={"default": 99.0, "bf16": 430.0, "onednn": 218.0},
)


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv(resources.ENV_CACHE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_was_measured_is_recalled_under_the_same_facts_only():
    facts = host_facts()
    assert recall(facts) is None
    remember(facts, FOUND)
    assert recall(facts) == FOUND
    for name in facts:
        other = facts | {name: "another" if isinstance(facts[name], str) else 99}
        assert recall(other) is None


def test_it_lies_in_one_whole_file(folder):
    remember(host_facts(), FOUND)
    remember(host_facts(), FOUND)
    [path] = folder.iterdir()
    assert json.loads(path.read_text())["facts"] == host_facts()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("version", 99),
        ("schema", "another"),
        ("facts", {"torch": "1.0"}),
        ("found", {}),
        ("found", {"route": "best", "fused_from": {"default": 0}, "gflops": {"default": 1.0}}),
        ("found", None),
    ],
)
def test_a_file_that_says_something_else_counts_as_absent(folder, key, value):
    remember(host_facts(), FOUND)
    [path] = folder.iterdir()
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    assert recall(host_facts()) is None


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_a_broken_file_counts_as_absent(folder, text):
    remember(host_facts(), FOUND)
    [path] = folder.iterdir()
    path.write_text(text)
    assert recall(host_facts()) is None


def test_a_folder_that_cannot_be_written_is_no_trouble(folder):
    folder.write_text("a file where the folder should be")
    remember(host_facts(), FOUND)
    assert recall(host_facts()) is None


def test_measuring_stays_within_its_time_and_is_kept():
    start = time.perf_counter()
    found = host_speed.host_speed(start)
    assert time.perf_counter() - start < 5  # a tenth of that on an idle machine
    assert recall(host_facts()) == found
    assert set(found.fused_from) == set(found.gflops) - {"bf16"}
