from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mtm_core.cli import database
from mtm_core.cli.__main__ import main
from mtm_core.cli.sessions_text import entries_text, prune_text
from mtm_core.data.one_records import PruneReport, SessionEntry
from tests.core.data.one_world import FIRST, OTHER, PLACES, SECOND, THIRD, same_files
from tests.core.data.stub_alyx import PASSWORD, TOKEN, USER

ROOT = Path(__file__).parents[3]


@pytest.fixture
def database_flags(alyx, home, cache_dir, monkeypatch) -> list[str]:
    """Return the flags that reach the stand-in; the secrets are in the environment."""
    monkeypatch.setenv("MTM_ALYX_USERNAME", USER)
    monkeypatch.setenv("MTM_ALYX_PASSWORD", PASSWORD)
    return ["--url", alyx.url, "--cache", str(cache_dir)]


class Said:
    """What a run of `mtm-core sessions` printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def say(capsys):
    def run(*words: str) -> Said:
        capsys.readouterr()
        code = main(["sessions", *words])
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return run


def test_the_pick_lists_are_shown_without_a_network(say, home):
    said = say("list")
    assert said.code == 0
    assert "paper-40              40  The 40 repeated-site sessions" in said.out
    assert [each["n_sessions"] for each in say("list", "--json").json] == [459, 40, 5, 83]


def test_the_sessions_of_a_pick_list_are_shown_without_a_home(say, home, monkeypatch):
    monkeypatch.setenv("HOME", str(home / "nowhere"))
    said = say("list", "paper-heldout")
    assert said.code == 0
    assert said.out.startswith("The 5 of the MtM paper's sessions")
    assert "UCLA014  2021-08-18    1  churchlandlab_ucla       1  no" in said.out
    assert said.out.endswith("5 sessions.\n")
    facts = say("list", "paper-heldout", "--json").json
    assert facts["name"] == "paper-heldout"
    assert len(facts["sessions"]) == 5


def test_search_shows_what_fits(say, database_flags, alyx):
    said = say("search", "sim", "--region", "CA1", *database_flags)
    assert said.code == 0, said.err
    assert [line.split()[1] for line in said.out.splitlines()[1:4]] == [THIRD, SECOND, FIRST]
    assert said.out.endswith("3 sessions.\n")
    found = say("search", "--lab", "beta", "--date", "2024-02-01", "--json", *database_flags).json
    assert [entry["eid"] for entry in found] == [alyx.eid(THIRD)]


def test_search_says_when_there_is_more_or_nothing(say, database_flags):
    assert "These are the first 2" in say("search", "--limit", "2", *database_flags).err
    said = say("search", "nobody", *database_flags)
    assert (said.code, said.out) == (0, "0 sessions.\n")
    assert "Nothing at http://127.0.0.1" in said.err


def test_show_says_what_a_download_would_bring(say, database_flags, alyx):
    said = say("show", alyx.eid(FIRST), *database_flags)
    assert said.code == 0
    assert "probes          probe00, probe01" in said.out
    assert f"'mtm-core sessions download {alyx.eid(FIRST)}' fetches" in said.out
    facts = say("show", alyx.eid(FIRST), "--json", *database_flags).json
    assert facts["n_bytes_here"] == 0 < facts["n_bytes"]
    assert sum(file["n_bytes"] for file in facts["files"]) == facts["n_bytes"]


def test_download_then_everything_goes_offline(say, database_flags, alyx, shelf, cache_dir):
    eid = alyx.eid(FIRST)
    said = say("download", eid, *database_flags)
    assert said.code == 0, said.err
    folder = cache_dir / PLACES[FIRST]
    assert said.out == f"{eid}  {folder}\n"
    assert said.err.endswith(f"Next: mtm-core prepare {eid} --out S.h5\n")
    assert same_files(folder, shelf / PLACES[FIRST])
    n_before = len(alyx.log)
    offline = ["--cache", str(cache_dir), "--offline"]
    assert say("download", eid, *offline).out == f"{eid}  {folder}\n"
    assert "here" in say("show", "SIM_001/2024-01-01/1", *offline).out
    (found,) = say("search", "--json", *offline).json
    assert (found["eid"], found["is_cached"]) == (eid, True)
    listed = say("cache", "--list", "--cache", str(cache_dir))
    assert f"labalpha/{FIRST}/2024-01-01/001" in listed.out
    assert len(alyx.log) == n_before


def test_one_that_fails_never_stops_the_rest(say, database_flags, alyx):
    unknown = "00000000-0000-4000-8000-000000000000"
    said = say("download", alyx.eid(FIRST), unknown, alyx.eid(SECOND), *database_flags)
    assert said.code == 2
    assert said.out.endswith("2 of 3 sessions are here.\n")
    assert f"{unknown}: 127.0.0.1:{alyx.url.rpartition(':')[2]} knows no session" in said.err
    outcomes = say("download", alyx.eid(FIRST), unknown, "--json", *database_flags).json
    assert [bool(each["folder"]) for each in outcomes] == [True, False]


def test_a_failing_download_is_one_sentence(say, database_flags, alyx):
    alyx.faults.missing = {"spikes.times.npy"}
    said = say("download", alyx.eid(FIRST), *database_flags)
    assert said.code == 2
    (sentence,) = [line for line in said.err.splitlines() if line.startswith("mtm-core: ")]
    assert "does not have" in sentence


def test_the_cache_is_pruned_and_says_so(say, database_flags, alyx, cache_dir):
    eid = alyx.eid(FIRST)
    say("download", eid, *database_flags)
    cache = ["--cache", str(cache_dir)]
    dry = say("cache", "--prune", eid, "--dry-run", *cache)
    assert dry.out.startswith("Would remove 3")
    assert eid in dry.out
    done = say("cache", "--prune", eid, "--json", *cache).json
    assert done["sessions"] == [eid]
    assert say("cache", "--json", *cache).json["sessions"] == []
    assert say("cache", "--prune", "--list", "--older-than", "0", *cache).out.splitlines() == [
        "Removed 0 files, 0 B: no session; 0 leftovers of broken downloads.",
        f"0 sessions, 0 B, in {cache_dir}",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["serch"], "'ACTION' cannot be 'serch'. Did you mean 'search'?"),
        ([], "required: ACTION"),
        (["search", "--regoin", "CA1"], "There is no flag '--regoin'. Did you mean '--region'?"),
        (["search", "--limit", "0"], "Argument --limit: invalid positive whole number value: '0'"),
        (["search", "--region", "CA9", "--offline"], "There is no region 'CA9'"),
        (["search", "--from", "yesterday", "--offline"], "should look like 2020-01-31"),
        (["list", "paper-41"], "There is no pick list 'paper-41'. Did you mean 'paper-40'?"),
        (["show", "SIM_001", "--offline"], "'SIM_001' names no session: give its eid"),
        (["download"], "Name a session to download, or a --pick-list."),
        (["download", "SIM_001/2024-01-01/1", "--offline"], "The cache alone is used, as asked."),
        (["cache", "--dry-run"], "add --prune"),
        (["cache", "--prune", "--older-than", "-1"], "invalid number of days value: '-1'"),
        (["search", "--url", "ftp://x"], "'ftp://x' is no address of a database"),
    ],
)
def test_a_mistake_is_one_sentence(words, said, say, home):
    answer = say(*words)
    assert answer.code == 2
    assert answer.out == ""
    lines = [line for line in answer.err.splitlines() if line.startswith("mtm-core: ")]
    assert len(lines) == 1
    assert said in lines[0]


def test_a_search_without_a_network_fails_and_says_how_to_go_on(say, home, cache_dir):
    import socket

    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    said = say("search", "--url", f"http://127.0.0.1:{port}", "--cache", str(cache_dir))
    assert (said.code, said.out) == (2, "")
    assert "the server is down" in said.err
    assert said.err.endswith("sessions of the cache. --offline does the latter.\n")
    assert len(said.err.splitlines()) == 1


def test_without_an_account_a_search_says_where_to_get_one(say, alyx, home, cache_dir):
    said = say("search", "--url", alyx.url, "--cache", str(cache_dir))
    assert said.code == 2
    assert "Make a free account at http://127.0.0.1" in said.err
    assert "MTM_ALYX_TOKEN" in said.err


def test_a_wrong_password_is_one_sentence(say, database_flags, monkeypatch):
    monkeypatch.setenv("MTM_ALYX_PASSWORD", "wrong horse")
    said = say("search", *database_flags)
    assert said.code == 2
    assert said.err.startswith("mtm-core: 127.0.0.1")
    assert "did not accept the password of account 'tester'" in said.err
    assert "wrong horse" not in said.err


@pytest.fixture
def typed(monkeypatch):
    """Pretend that a person sits at a terminal and types these lines."""

    def install(*lines: str) -> None:
        answers = list(lines)

        class Terminal:
            def isatty(self) -> bool:
                return True

            def readline(self) -> str:
                return f"{answers.pop(0)}\n"

        monkeypatch.setattr(sys, "stdin", Terminal())
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(database.getpass, "getpass", lambda _: answers.pop(0))

    return install


@pytest.mark.parametrize("lines", [(USER, PASSWORD), ("", TOKEN), (USER, "", TOKEN)])
@pytest.mark.parametrize("action", ["search", "show"])
def test_in_a_terminal_the_account_is_asked_for(action, lines, say, typed, alyx, home, cache_dir):
    typed(*lines)
    words = [alyx.eid(FIRST)] if action == "show" else []
    flags = ["--url", alyx.url, "--cache", str(cache_dir)]
    said = say(action, *words, *flags)
    assert said.code == 0, said.err
    assert "Make a free account" in said.err
    assert PASSWORD not in said.err + said.out
    assert TOKEN not in said.err + said.out
    typed()  # ONE has kept the token: nobody is asked again
    assert say(action, *words, *flags).code == 0


def test_an_account_that_is_named_is_asked_for_its_password(say, typed, alyx, home, cache_dir):
    typed("wrong horse")
    flags = ["--url", alyx.url, "--cache", str(cache_dir), "--username", USER]
    assert "did not accept the password" in say("search", *flags).err
    typed(PASSWORD)
    assert say("search", *flags).code == 0


def test_typing_nothing_is_said_so(say, typed, alyx, home, cache_dir):
    typed("", "")
    said = say("search", "--url", alyx.url, "--cache", str(cache_dir))
    assert said.code == 2
    assert "Neither a password nor a token was given." in said.err


@pytest.mark.parametrize("password", [PASSWORD, "wrong horse"])
def test_nothing_secret_is_printed_even_when_debugging(password, database_flags, monkeypatch):
    monkeypatch.setenv("MTM_ALYX_PASSWORD", password)
    words = ["-m", "mtm_core", "sessions", "search", "--debug", *database_flags]
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.stderr
    for secret in (password, TOKEN):
        assert secret not in done.stdout + done.stderr


def test_control_c_keeps_what_has_arrived(database_flags, alyx, cache_dir, shelf, say):
    alyx.faults.slow_s, alyx.faults.slow_bytes = 0.02, 2048
    words = ["-m", "mtm_core", "sessions", "download", alyx.eid(FIRST), *database_flags]
    process = subprocess.Popen(
        [sys.executable, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=dict(os.environ),
    )
    end = time.monotonic() + 30
    while alyx.n_bytes < 60_000 and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert "Stopping: what has arrived is kept." in err
    assert "The same command goes on from here." in err
    alyx.faults.slow_s = 0.0
    assert say("download", alyx.eid(FIRST), *database_flags).code == 0
    assert same_files(cache_dir / PLACES[FIRST], shelf / PLACES[FIRST])


def test_many_regions_are_shortened_and_unknown_ones_are_a_dash():
    many = SessionEntry(eid="x", regions=tuple("ABCDEFGH"), is_cached=True)
    lines = entries_text([many, SessionEntry(subject=OTHER)]).splitlines()
    assert lines[1].endswith("A B C D E F +2")
    assert lines[2].endswith("-")
    assert lines[-1] == "2 sessions."


def test_what_was_pruned_is_said_in_one_line():
    report = PruneReport(sessions=("a", "b"), n_files=3, n_bytes=2_500_000, n_leftovers=1)
    assert prune_text(report, is_dry=False) == (
        "Removed 3 files, 2.5 MB: a, b; 1 leftovers of broken downloads."
    )
