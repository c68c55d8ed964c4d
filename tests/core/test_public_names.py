from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mtm_core

NAMES = {
    *("open_session", "save_session", "Session", "hide", "MaskSpec"),
    *("train", "load_model", "reconstruct", "evaluate", "MtmError"),
}


def test_the_public_names_are_ten_and_stay():
    assert set(mtm_core.__all__) == NAMES
    assert set(dir(mtm_core)) >= NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_public_name_is_there_and_documented(name):
    assert getattr(mtm_core, name).__doc__


def test_types_are_told_of_the_same_names():
    stub = ast.parse((Path(mtm_core.__file__).parent / "__init__.pyi").read_text())
    told = {
        alias.asname
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert told == NAMES
    for node in stub.body:
        if isinstance(node, ast.ImportFrom):
            assert mtm_core._HOMES[node.names[0].name] == node.module


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'opne_session'"):
        _ = mtm_core.opne_session


def test_importing_the_package_imports_nothing_heavy():
    script = (
        "import sys, mtm_core\n"
        "from mtm_core import MtmError\n"
        "heavy = {'torch', 'numpy', 'h5py', 'pandas', 'scipy', 'matplotlib'}\n"
        "sys.exit(len(heavy & set(sys.modules)))\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
