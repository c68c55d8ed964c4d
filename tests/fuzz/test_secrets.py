"""A password and a token are planted; nothing that is written anywhere holds them."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from mtm_core.cli.__main__ import main
from tests.core.data.one_world import FIRST
from tests.core.data.stub_alyx import PASSWORD, USER

SMALL = ["--optim.steps", "2", "--model.width", "8", "--model.heads", "2"]
SMALL += ["--masking.schemes", "neuron", "causal"]
ONES_OWN = (".one", ".one_params")
"""Where ONE keeps the account of whoever asks it to."""


def files_that_hold(secret: str, *folders: Path) -> list[Path]:
    """Return the files below some folders in which a secret stands, in any common coding."""
    codings = [secret.encode(code) for code in ("utf-8", "utf-16-le")]
    codings += [secret.encode().hex().encode()]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if any(code in path.read_bytes() for code in codings)]


@pytest.mark.filterwarnings("ignore")
def test_the_password_is_in_no_file_and_no_word(alyx, home, tmp_path, monkeypatch, capfd, caplog):
    monkeypatch.setenv("MTM_ALYX_USERNAME", USER)
    monkeypatch.setenv("MTM_ALYX_PASSWORD", PASSWORD)
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    from_server = ["--url", alyx.url, "--cache", str(tmp_path / "cache"), "--preset", "paper"]
    commands = [
        ["prepare", alyx.eid(FIRST), "--out", "s.h5", *from_server, "--debug"],
        ["train", "--session", "s.h5", "--out", "run", *SMALL],
        ["reconstruct", "run", "s.h5", "--hide", "rate_hz > 2", "--out", "rates.h5"],
        ["compare", "run", "s.h5", "--hide", "rate_hz > 2", "--with", "psth", "--out", "c"],
        ["doctor", "--json"],
    ]
    codes = [main(command) for command in commands]
    assert codes == [0] * len(codes), capfd.readouterr().err
    found = files_that_hold(PASSWORD, tmp_path, home)
    assert [path for path in found if not any(own in str(path) for own in ONES_OWN)] == []
    said = capfd.readouterr()
    assert PASSWORD not in said.out + said.err + caplog.text
