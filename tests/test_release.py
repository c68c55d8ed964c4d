from __future__ import annotations

import pytest

from tests.scripts import load_script

release = load_script("release")


def test_the_documented_versions_of_formats_are_those_of_the_code():
    assert release.formats_are_documented() == ""


def test_a_format_whose_page_is_out_of_date_is_told(monkeypatch):
    monkeypatch.setattr(release, "_FORMATS", {"mtm-other": "mtm_core/models/manifest.py"})
    assert "mtm-other" in release.formats_are_documented()


def test_the_citation_names_the_version():
    assert release.citation_is_of_this_version() == ""


def test_changes_without_a_version_hold_a_release_up():
    version = release.version()
    assert release.changes_are_of_this_version(f"# Changes\n\n## {version}\n\n- one\n") == ""
    open_log = f"## {version}\n\n## {release.UNRELEASED}\n"
    assert release.UNRELEASED in release.changes_are_of_this_version(open_log)
    assert "is not" in release.changes_are_of_this_version("## 0.0.1\n")


@pytest.mark.parametrize("target", release.GATES)
def test_every_gate_is_a_make_target(target):
    assert f"\n{target}:" in release.read("Makefile")


def test_an_item_says_how_it_stands(capsys):
    assert release.tell("good", lambda: "")
    assert not release.tell("bad", lambda: "it is late.")
    assert capsys.readouterr().out.splitlines() == [
        "[ok] good (0 s)",
        "[  ] bad (0 s): it is late.",
    ]
