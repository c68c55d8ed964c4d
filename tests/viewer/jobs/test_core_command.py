"""The way from the viewer to the command line, installed and frozen."""

from __future__ import annotations

import subprocess
import sys

from mtm_viewer import app
from mtm_viewer.jobs.core_command import core_command


def test_the_command_runs_mtm_core():
    done = subprocess.run(core_command(["--version"]), capture_output=True, text=True, check=True)
    assert done.stdout.startswith("mtm-core ")


def test_a_frozen_viewer_turns_into_mtm_core(monkeypatch, capsys):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    command = core_command(["--version"])
    assert command[0] == sys.executable
    assert app.main(command[1:]) == 0
    assert capsys.readouterr().out.startswith("mtm-core ")
