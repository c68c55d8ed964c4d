from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
import types
import warnings

import pytest

from mtm_core import __version__
from mtm_core.cli import __main__ as program
from mtm_core.cli import output
from mtm_core.cli.__main__ import COMMANDS, main
from mtm_core.errors import ConfigError, MaskError

FOLDER_OF_PROGRAMS = os.path.dirname(sys.executable)  # noqa: PTH120 - not resolved on purpose


def run_python(*words: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=False, **more
    )


@pytest.fixture
def command(monkeypatch):
    """Replace `doctor` by a command whose `run` the test chooses."""

    def install(run, **arguments) -> None:
        module = types.ModuleType("fake", "A command for the test.")
        module.add_arguments = lambda parser: [
            parser.add_argument(f"--{name}", **more) for name, more in arguments.items()
        ]
        module.run = run
        monkeypatch.setattr(program, "_load", lambda _: module)

    return install


def raises(error: BaseException):
    def run(_args):
        raise error

    return run


@pytest.mark.parametrize("words", [[], ["-h"], ["--help"], ["help"], ["--debug"]])
def test_help_lists_every_command(words, capsys):
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    for name, what in COMMANDS.items():
        assert any(line.split(maxsplit=1) == [name, what] for line in lines)


def test_version_is_the_packages(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"mtm-core {__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_without_heavy_imports(name):
    script = (
        "import sys\n"
        "from mtm_core.cli.__main__ import main\n"
        f"code = main([{name!r}, '--help'])\n"
        "heavy = {'torch', 'h5py', 'scipy', 'sklearn', 'matplotlib', 'pandas', 'PyQt6'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
        "sys.exit(code)\n"
    )
    done = run_python("-c", script)
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: mtm-core {name} ")
    assert done.stderr == "[]\n"


def test_help_is_about_as_quick_as_python_itself():
    def seconds(*words: str) -> float:
        start = time.perf_counter()
        run_python(*words)
        return time.perf_counter() - start

    bare = statistics.median(seconds("-c", "import argparse, json, logging") for _ in range(5))
    ours = statistics.median(seconds("-m", "mtm_core", "--help") for _ in range(5))
    assert ours < 5 * bare


def test_both_ways_of_starting_are_the_same_program():
    suffix = ".exe" if sys.platform == "win32" else ""
    script = os.path.join(FOLDER_OF_PROGRAMS, f"mtm-core{suffix}")  # noqa: PTH118
    by_script = subprocess.run([script, "--help"], capture_output=True, text=True, check=True)
    by_module = run_python("-m", "mtm_core", "--help")
    by_cli = run_python("-m", "mtm_core.cli", "--help")
    assert by_script.stdout == by_module.stdout == by_cli.stdout != ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evalute"], "There is no command 'evalute'. Did you mean 'evaluate'?"),
        (["xyzzy"], "There is no command 'xyzzy'. Known: compare, c"),
        (["--jsn", "doctor"], "There is no flag '--jsn' before the command."),
        (["doctor", "--jsn"], "There is no flag '--jsn'. Did you mean '--json'?"),
        (["doctor", "--js"], "There is no flag '--js'. Did you mean '--json'?"),
        (["doctor", "--zzz=1"], "There is no flag '--zzz'. See 'mtm-core doctor --help'."),
        (["doctor", "extra"], "'extra' is one argument too many."),
    ],
)
def test_a_wrong_word_is_one_sentence_with_the_nearest_right_one(words, said, capsys):
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"mtm-core: {said}")
    assert len(captured.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--split", "tset"], "'--split' cannot be 'tset'. Did you mean 'test'? Known: train, te"),
        (["--steps", "many"], "Argument --steps: invalid int value: 'many'."),
        ([], "The following arguments are required: --split."),
        (["--split"], "Argument --split: expected one argument."),
    ],
)
def test_a_wrong_value_is_one_sentence(words, said, command, capsys):
    command(
        lambda _: 0,
        split={"choices": ["train", "test"], "required": True},
        steps={"type": int},
    )
    assert main(["doctor", *words]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"mtm-core: {said}")
    assert captured.err.endswith(" See 'mtm-core doctor --help'.\n")
    assert len(captured.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MaskError("This mask hides nothing."), "This mask hides nothing."),
        (ConfigError("One.\nTwo.\n\nThree.\nFour."), "One.\nTwo.\nThree."),
        (FileNotFoundError(2, "No such file or directory", "a.h5"), "a.h5: no such file or"),
        (MemoryError(), "The memory of this machine is not enough"),
        (ValueError("bad\nshape"), "Unexpected ValueError: bad shape\nThis is a fault of the pro"),
    ],
)
def test_an_error_is_at_most_three_lines_on_stderr(error, said, command, capsys):
    command(raises(error))
    assert main(["doctor"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"mtm-core: {said}")
    assert len(captured.err.splitlines()) <= 3
    assert "Traceback" not in captured.err


@pytest.mark.parametrize("words", [["--debug", "doctor"], ["doctor", "--debug"]])
def test_debug_shows_the_traceback(words, command):
    command(raises(MaskError("This mask hides nothing.")))
    with pytest.raises(MaskError, match="hides nothing"):
        main(words)


def test_ctrl_c_is_one_sentence_and_exit_code_130(command, capsys):
    command(raises(KeyboardInterrupt()))
    assert main(["doctor"]) == 130
    assert capsys.readouterr().err == "mtm-core: Stopped.\n"


def test_a_reader_that_goes_away_is_no_error():
    script = (
        "import sys\n"
        "from mtm_core.cli import output\n"
        "from mtm_core.cli import __main__ as program\n"
        "class Module:\n"
        "    add_arguments = staticmethod(lambda parser: None)\n"
        "    run = staticmethod(lambda args: [output.show('x' * 1000) for _ in range(10000)])\n"
        "program._load = lambda name: Module\n"
        "sys.exit(program.main(['doctor']))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def test_after_a_command_warnings_reach_the_caller_again(command):
    command(lambda _: 0)
    assert main(["doctor"]) == 0
    with pytest.warns(UserWarning, match="still a warning"):
        warnings.warn("still a warning", stacklevel=1)


def test_a_file_of_json_holds_no_nan_and_is_written_whole(tmp_path):
    import numpy as np

    path = tmp_path / "scores.json"
    output.write_json(path, {"bps": np.float64("nan"), "units": np.arange(2), "path": tmp_path})
    expected = (
        f'{{\n  "bps": null,\n  "units": [\n    0,\n    1\n  ],\n  "path": "{tmp_path}"\n}}\n'
    )
    assert path.read_text() == expected


def test_progress_is_shown_on_stderr_only(capsys):
    with output.progress(3, "Training") as bar:
        for _ in range(3):
            bar.update()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Training" in captured.err
    assert "3/3" in captured.err
