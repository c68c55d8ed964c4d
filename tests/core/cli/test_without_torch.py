"""Commands that need no torch start without it: it takes seconds to import, and gigabytes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mtm_core.cli.__main__ import COMMANDS
from tests.core.data.steinmetz_file import write_steinmetz_file
from tests.core.sweep.specs import write_spec
from tests.core.training.runs import run_all, tiny_config

ROOT = Path(__file__).parents[3]
NEEDS_TORCH = {
    "compare",
    "decode",
    "doctor",
    "evaluate",
    "export-bwb",
    "figure",
    "finetune",
    "reconstruct",
    "region-matrix",
    "replay",
    "reproduce",
    "robustness",
    "train",
}
"""Commands that run a model, or ask torch about the machine."""

BLOCK = """
import importlib.abc, json, sys

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"{name} is blocked by the test", name=name)

sys.meta_path.insert(0, Blocker())
from mtm_core.cli.__main__ import main
codes = []
for words in json.loads(sys.argv[1]):
    codes.append(main(words))
print(json.dumps(codes))
"""


@pytest.fixture(scope="module")
def lines(tmp_path_factory) -> list[list[str]]:
    """Return command lines that need no torch, of every such command."""
    folder = tmp_path_factory.mktemp("without_torch")
    run_all(tiny_config(optim__steps="2"), folder / "run")
    write_steinmetz_file(folder / "published.h5")
    excerpt, spec = ROOT / "tests" / "data" / "ibl_excerpt", write_spec(folder, "trials = 1")
    made = folder / "s.h5"
    lines = [
        ["prepare", excerpt, "--out", made],
        ["convert", "steinmetz2019", folder / "published.h5", "--out", folder / "converted.h5"],
        ["simulate", "--preset", "tiny", "--out", folder / "simulated"],
        *(["info", path] for path in ("demo", made, excerpt, folder / "run")),
        ["info", folder / "run" / "model.safetensors", "--json"],
        ["units", made, "--rule", "rate_hz > 1"],
        ["sessions", "list"],
        ["sessions", "search", "--pick-list", "brain-wide-map", "--offline"],
        ["sweep", spec, "--out", folder / "sweep", "--status"],
    ]
    return [list(map(str, words)) for words in lines]


def test_every_command_is_known_to_need_torch_or_is_tried_without(lines):
    tried = {words[0] for words in lines}
    assert tried | NEEDS_TORCH == set(COMMANDS)
    assert not tried & NEEDS_TORCH


def test_commands_that_need_no_torch_do_without(lines):
    done = subprocess.run(
        [sys.executable, "-c", BLOCK, json.dumps(lines)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    codes = json.loads(done.stdout.splitlines()[-1])
    *others, status = codes
    assert others == [0] * len(others), done.stderr
    assert status == 2  # a sweep that was not begun; it gets as far as saying so
    assert "holds no sweep yet" in done.stderr
    assert "torch is blocked" not in done.stderr
