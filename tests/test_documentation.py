from __future__ import annotations

import ast
import importlib
import re
import shlex
from pathlib import Path

import pytest

from mtm_core import resources
from mtm_core.cli.__main__ import COMMANDS
from mtm_core.cli.parser import Parser
from mtm_core.config_io import load_preset
from mtm_viewer import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MODULES = [file for name in ("mtm_core", "mtm_viewer") for file in (ROOT / name).rglob("*.py")]

NOT_OUR_WORDS = {
    "n_neurons": "n_units",
    "n_timesteps": "n_bins",
    "n_time": "n_bins",
    "n_timebins": "n_bins",
    "firing_rate": "rate_hz",
    "firing_rates": "rate_hz",
    "brain_region": "region",
    "log_rates": "log_rate",
    "held_in": "visible",
    "bits_per_spike": "bps",
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def command_lines(program: str) -> list[str]:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith(f"{program} ")]


def hops() -> list[str]:
    table = README.split("## One spike, ten hops")[1].split("\n## ")[0]
    return re.findall(r"^\| \d+ \| `([\w.]+)` \|", table, flags=re.MULTILINE)


@pytest.mark.parametrize("line", command_lines("mtm-core"))
def test_every_command_of_the_readme_is_understood(line):
    name, *words = shlex.split(line, comments=True)[1:]
    module = importlib.import_module(f"mtm_core.cli.{name.replace('-', '_')}")
    parser = Parser(f"mtm-core {name}")
    module.add_arguments(parser)
    parser.parse_args(words)


@pytest.mark.parametrize("line", [*command_lines("mtm-viewer"), "mtm-viewer --demo"])
def test_every_way_of_opening_the_window_is_understood(line):
    app._parser().parse_args(shlex.split(line, comments=True)[1:])


def test_the_readme_shows_every_command():
    shown = {line.split()[1] for line in command_lines("mtm-core")}
    assert shown == set(COMMANDS)


def test_the_readme_names_the_make_targets_that_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE))
    assert {"demo", "test"} <= named <= targets
    assert {"setup", "demo", "test", "check", "bench", "check-gui"} <= targets


@pytest.mark.parametrize(
    "path", re.findall(r"(?<![\w/])((?:resources|packaging|tests)/[\w./-]+)", README)
)
def test_every_file_that_the_readme_names_is_there(path):
    assert (ROOT / path.rstrip(".")).exists()


@pytest.mark.parametrize("block", blocks("python"))
def test_every_example_of_the_readme_runs(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {"__name__": "example"})


def test_the_hops_are_ten():
    assert len(hops()) == 10


@pytest.mark.parametrize("hop", hops())
def test_every_hop_is_a_function(hop):
    parts = hop.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for name in parts[cut:]:
            thing = getattr(thing, name)
        assert callable(thing)
        return
    pytest.fail(f"{hop} is not there.")


@pytest.mark.parametrize("name", resources.list_presets())
def test_every_preset_is_loadable_and_called_by_its_name(name):
    assert load_preset(name).name == name


def test_the_presets_that_were_promised_are_there():
    promised = {"quick", "quick-temporal", "paper-ndt1-mtm", "paper-ndt1-temporal"}
    assert promised <= set(resources.list_presets())


@pytest.mark.parametrize("folder", ["sessions", "checkpoints", "tables", "pick_lists"])
def test_what_was_not_written_here_tells_its_source_and_licence(folder):
    text = (resources.resource_dir() / folder / "README.md").read_text(encoding="utf-8")
    assert "licence" in text.lower()


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_code_speaks_the_words_of_the_field(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found = {name: NOT_OUR_WORDS[name] for name in names & set(NOT_OUR_WORDS)}
    assert not found, f"use {found}"


def test_the_decisions_are_dated_and_in_order():
    section = README.split("## Decisions")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("- ")]
    dates = [re.match(r"- (\d{4}-\d{2}-\d{2}) ", line) for line in lines]
    assert lines
    assert all(dates)
    assert [d[1] for d in dates] == sorted(d[1] for d in dates)


def test_nothing_was_left_to_be_written():
    words = re.compile(r"\b(TODO|FIXME|XXX|TBD|[Ll]orem ipsum)\b")
    texts = [*MODULES, ROOT / "README.md", ROOT / "Makefile"]
    assert not [str(file) for file in texts if words.search(file.read_text(encoding="utf-8"))]
