from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mtm_core import resources
from mtm_core.errors import ConfigError, OutputError, UnknownNameError
from mtm_core.resources import atomic_write


def test_a_written_file_replaces_the_old_one_and_leaves_nothing_else(tmp_path):
    target = tmp_path / "scores.json"
    target.write_text("old")
    with atomic_write(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("fault", [ValueError("bad"), KeyboardInterrupt(), OSError(28, "full")])
def test_a_failed_write_keeps_the_old_file(tmp_path, fault):
    target = tmp_path / "scores.json"
    target.write_text("old")
    expected = OutputError if isinstance(fault, OSError) else type(fault)

    def write_half() -> None:
        with atomic_write(target) as temporary:
            temporary.write_text("half")
            raise fault

    with pytest.raises(expected):
        write_half()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_temporary_file_keeps_the_suffix_and_lies_beside_the_target(tmp_path):
    with atomic_write(tmp_path / "figure.svg") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".svg"


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ("", "it is a folder"),
        ("absent/out.json", "there is no folder"),
        ("file.txt/out.json", "there is no folder"),
    ],
)
def test_a_target_that_cannot_be_says_why(tmp_path, where, sentence):
    (tmp_path / "file.txt").write_text("")
    with pytest.raises(OutputError, match=sentence), atomic_write(tmp_path / where):
        pass


def test_a_full_disk_is_one_sentence_and_no_half_file(tmp_path):
    resource = pytest.importorskip("resource")
    script = (
        "import sys\n"
        "from mtm_core.errors import OutputError\n"
        "from mtm_core.resources import atomic_write\n"
        "try:\n"
        "    with atomic_write(sys.argv[1]) as temporary:\n"
        "        temporary.write_bytes(bytes(100_000))\n"
        "except OutputError as error:\n"
        "    sys.exit(str(error))\n"
    )

    def limit_file_size() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "rates.bin")],
        preexec_fn=limit_file_size,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"Could not write {tmp_path / 'rates.bin'}: ")
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_name_is_found_whole_with_its_suffix_or_by_its_unambiguous_beginning(
    tmp_path, monkeypatch
):
    sessions = tmp_path / "sessions"
    sessions.mkdir()
    (tmp_path / "presets").mkdir()
    for name in ("lab_s01_Cori.h5", "lab_s02_Cori.h5", "lab_s11_Hench.h5"):
        (sessions / name).touch()
    monkeypatch.setattr(resources, "_CANDIDATES", (tmp_path,))
    assert resources.list_sessions() == ["lab_s01_Cori", "lab_s02_Cori", "lab_s11_Hench"]
    for name in ("lab_s11", "lab_s11_Hench", "lab_s11_Hench.h5"):
        assert resources.session_path(name) == sessions / "lab_s11_Hench.h5"
    with pytest.raises(UnknownNameError, match="Known: lab_s01_Cori, lab_s02_Cori"):
        resources.session_path("lab")


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'quick'"):
        resources.preset_path("quik")


def test_a_crippled_installation_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(resources, "_CANDIDATES", (tmp_path / "none",))
    with pytest.raises(ConfigError, match="Install mtm-viewer again"):
        resources.resource_dir()


def test_every_bundled_thing_is_found_by_its_name():
    for names, find in (
        (resources.list_presets(), resources.preset_path),
        (resources.list_sessions(), resources.session_path),
        (resources.list_checkpoints(), resources.checkpoint_path),
    ):
        assert names
        assert all(find(name).is_file() for name in names)
    assert Path(resources.table_path("allen_regions")).is_file()
