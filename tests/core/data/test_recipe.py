from __future__ import annotations

import os
from dataclasses import replace

import pytest

from mtm_core.config_io import load_preparation
from mtm_core.data.recipe import difference, parse_recipe, read_recipe, recipe_of
from mtm_core.data.session_file import read_session, write_session
from mtm_core.errors import SessionFileError
from tests.core.data.byo_folder import write_byo_folder
from tests.core.data.small_nwb import EID, write_small_nwb
from tests.core.sessions import make_session

DEFAULT = load_preparation()


@pytest.fixture
def folder(tmp_path):
    return write_byo_folder(tmp_path / "mine")


def test_the_same_source_and_settings_are_the_same_recipe(folder, monkeypatch):
    recipe = recipe_of(str(folder), DEFAULT)
    monkeypatch.chdir(folder.parent)
    assert recipe_of("mine", DEFAULT) == recipe
    assert parse_recipe(recipe.to_json()) == recipe
    assert difference(recipe, recipe_of("mine", DEFAULT)) == ""


def test_other_settings_are_named(folder):
    changed = load_preparation("default", [("prepare.align", "feedback")])
    made, wanted = recipe_of(str(folder), DEFAULT), recipe_of(str(folder), changed)
    assert difference(made, wanted) == "made with other settings (align stim_on, not feedback)"
    assert difference(made, recipe_of(str(folder), load_preparation("paper"))).count(";") == 2
    renamed = replace(DEFAULT, preset="mine")
    assert difference(made, recipe_of(str(folder), renamed)) == "made with another preset"


def test_a_change_of_the_source_is_seen(folder):
    made = recipe_of(str(folder), DEFAULT)
    os.utime(folder / "trials.csv", (1, 1))
    assert "earlier state" in difference(made, recipe_of(str(folder), DEFAULT))


def test_another_source_is_named(folder, tmp_path):
    other = write_small_nwb(tmp_path / "s.nwb")
    made = recipe_of(str(other), DEFAULT)
    assert difference(made, recipe_of(str(folder), DEFAULT)) == f"made from {other}"
    assert difference(None, made) == "not made by this command"


def test_an_eid_has_no_files_of_its_own():
    assert recipe_of(EID.upper(), DEFAULT).source == EID


def test_what_was_typed_matters_for_binned_sources_only(folder):
    assert recipe_of(str(folder), DEFAULT, ["prepare.units"]).typed == ()
    binned = recipe_of("demo:steinmetz2019_s12", DEFAULT, ["prepare.units"])
    assert binned.typed == ("prepare.units",)
    assert binned.source.startswith("demo:steinmetz2019_s12_Lederberg")


def test_a_session_file_carries_its_recipe_beside_its_content(tmp_path, folder):
    session, path = make_session(), tmp_path / "s.h5"
    write_session(session, path)
    assert read_recipe(path) is None
    bare = read_session(path).content_hash
    recipe = recipe_of(str(folder), DEFAULT)
    write_session(session, path, made_from=recipe.to_json())
    assert read_recipe(path) == recipe
    assert read_session(path).content_hash == bare


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"source": 1}', "null"])
def test_what_is_no_recipe_is_none(text):
    assert parse_recipe(text) is None


def test_a_file_that_is_no_session_says_so(tmp_path):
    (tmp_path / "s.h5").write_text("mine")
    with pytest.raises(SessionFileError, match="is there already and is no session file"):
        read_recipe(tmp_path / "s.h5")
