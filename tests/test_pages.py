"""The documentation: every command on every page is run, on recordings cut down to a few units."""

from __future__ import annotations

import importlib
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mtm_core import resources
from mtm_core.cli.__main__ import COMMANDS, main
from mtm_core.cli.parser import Parser
from mtm_core.data.session import Session
from mtm_core.data.session_file import read_session, write_session
from mtm_viewer import app
from tests.scripts import load_script

ROOT = Path(__file__).parents[1]
pages = load_script("page_blocks")
reference = load_script("reference_pages")
PAGES = pages.page_names()
BLOCKS = [block for name in PAGES for block in pages.blocks(name)]
COMMAND_LINES = [words for b in BLOCKS if b.language == "sh" for words in b.commands]
USED = ("steinmetz2019_s01", "steinmetz2019_s04", "steinmetz2019_s12", "steinmetz2019_s15")
USED = (*USED, "steinmetz2019_s17")
OTHER_PROGRAMS = {"python3", "mtm/bin/pip", "mtm/bin/mtm-viewer", "pip", "python", "sbatch"}


def cut_down(session: Session) -> Session:
    """Keep every third trial and ten units of each of the seven largest named regions."""
    region = session.region
    named = [name for name in session.region_names() if name not in ("root", "void")]
    named = sorted(named, key=lambda name: int((region == name).sum()))[-7:]
    rows = np.concatenate([np.flatnonzero(region == name)[:10] for name in named])
    return session.take_units(np.sort(rows)).take_trials(np.arange(0, session.n_trials, 3))


@pytest.fixture(scope="module")
def small_resources(tmp_path_factory):
    """Bundled recordings cut down, with models of them that were trained for a few steps."""
    folder = tmp_path_factory.mktemp("small") / "resources"
    large = shutil.ignore_patterns("*.h5", "*.safetensors")
    shutil.copytree(resources.resource_dir(), folder, ignore=large)
    for name in USED:
        path = resources.session_path(name)
        write_session(cut_down(read_session(path)), folder / "sessions" / path.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resources, "_CANDIDATES", (folder,))
        for name, preset in (("demo", "quick"), ("demo-temporal", "quick-temporal")):
            run = folder.parent / name
            words = ["train", "--preset", preset, "--session", "steinmetz2019_s12", "--out"]
            assert main([*words, str(run), "--optim.steps", "4"]) == 0
            shutil.copy(run / "model.safetensors", folder / "checkpoints" / f"{name}.safetensors")
    return folder


def run_block(block, names: dict[str, object]) -> None:
    """Run a block; those of Python on one page share their names."""
    if block.language == "python":
        exec(compile(block.text, f"{block.page}.md", "exec"), names)
        return
    for program, *words in block.commands:
        if program == "mtm-core":
            assert main(pages.within_budget(words)) == 0, " ".join(words)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_and_example_of_a_page_runs(page, small_resources, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(resources, "_CANDIDATES", (small_resources,))
    names = {"__name__": "example"}
    for block in pages.blocks(page):
        if block.language in ("sh", "python") and not block.reason:
            run_block(block, names)


def test_the_example_in_cells_runs(small_resources, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(resources, "_CANDIDATES", (small_resources,))
    shutil.copytree(small_resources.parent / "demo", tmp_path / "runs" / "example")
    text = (ROOT / "docs" / "example.py").read_text(encoding="utf-8")
    exec(compile(text, "example.py", "exec"), {"__name__": "example"})
    assert (tmp_path / "unit.png").stat().st_size > 10_000


@pytest.mark.parametrize("words", COMMAND_LINES, ids=" ".join)
def test_every_command_of_a_page_is_understood(words):
    program, *rest = words
    if program == "torchrun":
        program, rest = "mtm-core", rest[rest.index("mtm_core") + 1 :]
    if program == "mtm-core":
        module = importlib.import_module(f"mtm_core.cli.{rest[0].replace('-', '_')}")
        parser = Parser(f"mtm-core {rest[0]}")
        module.add_arguments(parser)
        parser.parse_args(rest[1:])
    elif program == "mtm-viewer":
        app._parser().parse_args(rest)
    elif program == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert rest[0] in targets
    elif program.startswith("packaging/"):
        assert (ROOT / program).is_file()
    else:
        assert program in OTHER_PROGRAMS


def test_commands_that_are_not_run_are_few_and_say_why():
    left = [b for b in BLOCKS if b.language in ("sh", "python") and b.reason]
    run = [b for b in BLOCKS if b.language in ("sh", "python") and not b.reason]
    assert len(left) < len(run) / 2
    assert all(len(block.reason) > 10 for block in left)


@pytest.mark.parametrize("page", PAGES)
def test_every_file_and_folder_that_a_page_names_is_there(page):
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:packaging|tests|resources|mtm_core|mtm_viewer)/[\w./*-]*)`", text)
    assert not [name for name in named if not list(ROOT.glob(name.rstrip("/")))]


@pytest.mark.parametrize("page", PAGES)
def test_every_picture_and_page_that_a_page_links_is_there(page):
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+?)(?:#[\w-]+)?\)", text)
    generated = ("command_line.md", "settings.md", "keyboard.md", "changes.md")
    wanted = [link for link in links if link not in generated]
    assert not [link for link in wanted if not (ROOT / "docs" / link).is_file()]


def test_every_picture_is_drawn_by_the_script():
    drawn = re.search(r"^NAMES = \((.*?)^\)", SCRIPT, re.MULTILINE | re.DOTALL)
    assert drawn is not None
    names = set(re.findall(r'"([\w/]+\.(?:png|gif))"', drawn[1]))
    there = [path for kind in ("png", "gif") for path in (ROOT / "docs").rglob(f"*.{kind}")]
    assert names == {path.relative_to(ROOT / "docs").as_posix() for path in there}


def test_the_tour_is_a_film_that_loads_quickly():
    tour = ROOT / "docs" / "tour.gif"
    assert tour.stat().st_size <= 1_500_000
    with Image.open(tour) as film:
        assert film.n_frames == len(re.findall(r"tour\.take\(", SCRIPT))
    assert "(docs/tour.gif)" in (ROOT / "README.md").read_text(encoding="utf-8")


SCRIPT = (ROOT / "packaging" / "make_pictures.py").read_text(encoding="utf-8")


def test_every_page_has_its_place_in_the_menu():
    menu = (ROOT / "packaging" / "mkdocs.yml").read_text(encoding="utf-8").split("\nnav:")[1]
    listed = re.findall(r"(\w+)\.md", menu)
    assert sorted(listed) == sorted([*PAGES, "command_line", "settings", "keyboard", "changes"])


def test_the_page_of_commands_has_every_command_and_the_page_of_settings_every_setting():
    page, settings = reference.command_line_page(), reference.settings_page()
    assert [f"\n## {name}\n" in page for name in COMMANDS] == [True] * len(COMMANDS)
    for flag in ("--optim.lr", "--model.width", "--prepare.align", "--run.store"):
        assert f"| `{flag}` |" in settings
    assert "| `--json OUT.json` |" in page
    assert "### sessions search" in page


def test_the_page_of_keys_has_what_the_window_has():
    done = _keys()
    assert "| Brush tool | <kbd>B</kbd> |" in done
    assert "## View > Colour scale" in done


def _keys() -> str:
    import subprocess

    script = (
        "import sys; sys.path.insert(0, 'packaging'); import reference_pages; "
        "sys.stdout.write(reference_pages.keyboard_page())"
    )
    words = [sys.executable, "-c", script]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def test_a_block_knows_its_page_and_why_it_is_not_run():
    first, *_ = [block for block in pages.blocks("cluster") if block.reason]
    assert first.language == "sh"
    assert first.commands[0][0] == "torchrun"
    assert "loopback" in first.reason


def test_resumed_commands_keep_the_settings_that_they_began_with():
    assert pages.within_budget(["train", "--resume"]) == ["train", "--resume"]
    assert pages.within_budget(["info", "demo"]) == ["info", "demo"]
