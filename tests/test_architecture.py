from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("mtm_core", "mtm_viewer")
MODULES = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
TOP_LEVEL = {
    "CITATION.cff",
    "LICENSE",
    "LICENSES",
    "Makefile",
    "README.md",
    "docs",
    "mtm_core",
    "mtm_viewer",
    "packaging",
    "pyproject.toml",
    "resources",
    "tests",
}

IMPORT_ALL = """
import importlib, importlib.abc, json, sys

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"{{name}} is blocked by the test", name=name)

sys.meta_path.insert(0, Blocker())
for name in {names!r}:
    importlib.import_module(name)
"""

SIDE_EFFECTS = """
import contextlib, importlib, json, logging, os, random, sys, threading, warnings
import matplotlib, numpy, torch
for name in {others!r}:
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
if {is_viewer}:
    import PyQt6.QtWidgets, pyqtgraph

def state():
    return dict(
        numpy_generator=repr(numpy.random.get_state()),
        python_generator=hash(random.getstate()),
        torch_generator=torch.random.get_rng_state().tolist(),
        threads=[torch.get_num_threads(), threading.active_count()],
        torch_options=[str(torch.get_default_dtype()), torch.is_grad_enabled()],
        products=str(getattr(torch.backends.mkldnn, "matmul", None) and
                     torch.backends.mkldnn.matmul.fp32_precision),
        numpy_options=repr(numpy.get_printoptions()) + repr(numpy.geterr()),
        environment=dict(os.environ),
        log=[str(logging.root.handlers), logging.root.level],
        warnings=len(warnings.filters),
        excepthook=repr(sys.excepthook),
        figure_style=repr(sorted(matplotlib.rcParams.items())),
        folder=os.getcwd(),
        pyqtgraph=repr(sorted(pyqtgraph.CONFIG_OPTIONS.items())) if {is_viewer} else "",
        window=PyQt6.QtWidgets.QApplication.instance() is None if {is_viewer} else True,
    )

opened = []
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        if arguments[0].startswith({folders!r}) and not arguments[0].endswith((".py", ".pyc")):
            opened.append(arguments[0])
        elif isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
            opened.append(arguments[0])

before = state()
sys.addaudithook(watch)
for name in {names!r}:
    importlib.import_module(name)
watched = list(opened)
after = state()
print(json.dumps({{
    "opened": watched, "changed": [key for key in before if before[key] != after[key]],
}}))
"""


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def names_under(*prefixes: str) -> list[str]:
    names = [module_name(file) for file in MODULES]
    return [name for name in names if any(f"{name}.".startswith(f"{p}.") for p in prefixes)]


def imported_from_others() -> list[str]:
    """Return what our modules import from elsewhere at their top: its effects are not ours.

    Some of the names are not modules but things inside one.
    """
    names = set()
    for file in MODULES:
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                names |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    ours = (*PACKAGES, "PyQt6", "pyqtgraph", "__future__")
    return sorted(name for name in names if name.partition(".")[0] not in ours)


def run_python(script: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment,
    )


def test_every_module_has_its_layer_and_imports_only_what_stands_below():
    # In a process of its own: it switches existing loggers off.
    done = run_python(
        "import sys; from importlinter.cli import lint_imports; "
        "sys.exit(lint_imports(config_filename='pyproject.toml', no_cache=True))"
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("modules", "blocked"),
    [
        (("mtm_core",), ("PyQt6", "pyqtgraph", "mtm_viewer", "pytestqt")),
        (("mtm_viewer.presenters", "mtm_viewer.theme"), ("PyQt6", "pyqtgraph")),
    ],
    ids=["mtm_core", "presenters"],
)
def test_it_works_where_qt_cannot_be_imported(modules, blocked):
    done = run_python(IMPORT_ALL.format(blocked=blocked, names=names_under(*modules)))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_defines_and_does_nothing_else(package):
    script = SIDE_EFFECTS.format(
        names=names_under(package),
        others=imported_from_others(),
        folders=tuple(str(ROOT / name) for name in (*PACKAGES, "resources")),
        is_viewer=package == "mtm_viewer",
    )
    done = run_python(script)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"opened": [], "changed": []}


def test_the_viewer_imports_torch_before_qt():
    done = run_python(
        "import sys, mtm_viewer.app\n"
        "order = list(sys.modules)\n"
        "assert order.index('torch') < order.index('PyQt6')\n"
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("file", MODULES, ids=module_name)
def test_a_module_can_be_read_in_one_sitting(file):
    assert len(file.read_text().splitlines()) <= 400


@pytest.mark.parametrize(
    "file",
    [file for file in MODULES if file.name == "__init__.py" and file.parent.parent != ROOT],
    ids=module_name,
)
def test_a_sub_package_says_what_it_is_and_nothing_more(file):
    tree = ast.parse(file.read_text())
    assert len(tree.body) == 1
    assert ast.get_docstring(tree)


def test_no_module_is_a_drawer_for_odds_and_ends():
    drawers = {"utils", "util", "helpers", "misc", "common", "tools"}
    assert not [file for file in MODULES if file.stem in drawers]


def test_the_wheel_holds_every_package():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    on_disk = {module_name(file) for file in MODULES if file.name == "__init__.py"}
    assert set(settings["packages"]) == {*on_disk, "mtm_core._resources"}


def test_the_top_level_holds_only_what_the_design_lets_it():
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone")
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = {line.partition("/")[0] for line in listed.stdout.splitlines()}
    assert {name for name in found if not name.startswith(".")} <= TOP_LEVEL


def test_both_packages_ship_their_types():
    assert all((ROOT / package / "py.typed").is_file() for package in PACKAGES)
