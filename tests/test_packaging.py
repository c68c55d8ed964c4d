from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from packaging.requirements import Requirement

from tests.scripts import load_script

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
check_package, copy_listed = load_script("check_package"), load_script("copy_listed")
check_deps = load_script("check_deps")
EXTRAS = PROJECT["optional-dependencies"]
REQUIREMENTS = [*PROJECT["dependencies"], *(line for extra in EXTRAS.values() for line in extra)]


def pinned() -> dict[str, str]:
    lines = (ROOT / "packaging" / "constraints.txt").read_text().splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {name.lower().replace("_", "-"): version for name, version in pins}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Build the wheel from a copy without the large files, which would only cost time."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    small = shutil.ignore_patterns("__pycache__", "*.h5", "*.safetensors")
    for name in ("mtm_core", "mtm_viewer", "LICENSES", "resources"):
        shutil.copytree(ROOT / name, source / name, ignore=small)
    for name in ("sessions/a.h5", "checkpoints/a.safetensors"):
        (source / "resources" / name).parent.mkdir(parents=True, exist_ok=True)
        (source / "resources" / name).write_bytes(b"small")
    words = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", "out", "."]
    subprocess.run([sys.executable, "-m", "pip", *words], cwd=source, check=True)
    (made,) = (source / "out").glob("*.whl")
    return made


@pytest.mark.slow
def test_the_wheel_brings_its_resources_types_and_licences(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for name in (
        "mtm_core/py.typed",
        "mtm_core/__init__.pyi",
        "mtm_viewer/py.typed",
        "mtm_core/_resources/presets/quick.toml",
        "mtm_core/_resources/sessions/a.h5",
        "mtm_core/_resources/checkpoints/a.safetensors",
        "mtm_core/_resources/tables/allen_regions.csv",
    ):
        assert name in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("LICENSES/GPL-3.0-only.txt") for name in names)
    assert not [name for name in names if name.startswith("tests")]


@pytest.mark.slow
def test_an_installed_wheel_finds_its_resources(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    script = (
        "import mtm_core.resources as resources\n"
        "assert resources.session_path('a').read_bytes() == b'small'\n"
        "assert 'quick' in resources.list_presets()\n"
        "print(resources.resource_dir())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()) == tmp_path / "mtm_core" / "_resources"


@pytest.mark.parametrize("line", REQUIREMENTS)
def test_the_pinned_version_is_one_that_users_may_have(line):
    need = Requirement(line)
    version = pinned()[need.name.lower()]
    assert need.specifier.contains(version)


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a clone")
def test_a_package_without_one_of_the_resources_is_found_out(tmp_path):
    wheel, source = tmp_path / "a.whl", tmp_path / "a.tar.gz"
    names = sorted(check_package.tracked_resources())
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in names[1:]:
            archive.writestr(f"mtm_core/_resources/{name}", "")
    with tarfile.open(source, "w:gz") as archive:
        for name in names[:-1]:
            archive.addfile(tarfile.TarInfo(f"a-1.0/resources/{name}"))
    lacking = check_package.missing_resources(wheel, source)
    assert lacking == [f"a.whl: {names[0]}", f"a.tar.gz: {names[-1]}"]


def test_listed_files_are_copied_into_their_folders(tmp_path, monkeypatch):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text("words")
    (tmp_path / "left.txt").write_text("not listed")
    monkeypatch.chdir(tmp_path)
    copy_listed.copy_listed(["docs/page.md"], tmp_path / "copy")
    copied = [file for file in (tmp_path / "copy").rglob("*") if file.is_file()]
    assert [file.read_text() for file in copied] == ["words"]


def test_the_lowest_versions_that_are_tried_are_the_bounds_of_the_ranges():
    lines = {line.partition("==")[0]: line for line in check_deps.requirements_at("lowest")}
    assert set(lines) == {need.name for need in check_deps.dependencies()}
    for need in check_deps.dependencies():
        version = lines[need.name].partition("==")[2].removesuffix(".*")
        assert need.specifier.contains(version)
    assert lines["torch"] == f"torch=={pinned()['torch']}"


def test_at_the_newest_end_only_pytorch_is_pinned():
    fixed = [line for line in check_deps.requirements_at("newest") if "==" in line]
    assert {line.partition("==")[0] for line in fixed} == {"torch", "PyQt6", "PyQt6-Qt6"}


def test_qt_and_pyqtgraph_are_the_versions_that_were_measured():
    pins = pinned()
    assert (pins["pyqt6"], pins["pyqt6-qt6"], pins["pyqtgraph"]) == ("6.10.2", "6.10.2", "0.14.0")


def test_the_version_is_told_once_and_heads_the_change_log():
    from mtm_core import __version__

    assert PROJECT["dynamic"] == ["version"]
    log = (ROOT / "packaging" / "CHANGELOG.md").read_text()
    assert f"## {__version__}" in log


def test_every_entry_point_names_a_function():
    import importlib

    for target in (PROJECT["scripts"] | PROJECT["gui-scripts"]).values():
        module, _, function = target.partition(":")
        assert callable(getattr(importlib.import_module(module), function))


@pytest.mark.parametrize("system", ["linux", "macos", "windows"])
def test_every_bundle_is_described_and_says_whether_it_was_run(system):
    text = (ROOT / "packaging" / "bundle" / f"{system}.spec").read_text(encoding="utf-8")
    compile(text, f"{system}.spec", "exec")
    assert ("Not run yet" in text) == (system != "linux")


def test_the_desktop_entry_opens_a_file_and_has_an_icon():
    folder = ROOT / "packaging" / "bundle"
    lines = (folder / "mtm-viewer.desktop").read_text(encoding="utf-8").splitlines()[1:]
    entry = dict(line.split("=", 1) for line in lines)
    assert entry["Exec"].split() == [entry["Icon"], "%f"]
    assert entry["Type"] == "Application"
    icon = ElementTree.parse(folder / f"{entry['Icon']}.svg").getroot()
    assert icon.get("viewBox") == "0 0 64 64"


def test_the_bundled_program_begins_where_the_installed_one_does():
    text = (ROOT / "packaging" / "bundle" / "start.py").read_text(encoding="utf-8")
    target = PROJECT["gui-scripts"]["mtm-viewer"].split(":")
    assert f"from {target[0]} import {target[1]}" in text
    assert text.index("freeze_support()") < text.index(f"from {target[0]}")


@pytest.mark.parametrize("script", sorted((ROOT / "packaging").glob("*.sh")), ids=lambda p: p.name)
def test_every_shell_script_parses(script):
    if shutil.which("sh") is None:
        pytest.skip("no sh here")
    subprocess.run(["sh", "-n", str(script)], check=True)
