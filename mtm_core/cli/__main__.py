"""The `mtm-core` program: finds the command, runs it, and turns errors into one sentence."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
import textwrap
from collections.abc import Iterator, Sequence
from types import ModuleType

from mtm_core import __version__
from mtm_core.cli import output
from mtm_core.cli.parser import Parser, find_command
from mtm_core.errors import ConfigError, MtmError

PROGRAM = "mtm-core"
EXIT_ERROR = 2
EXIT_INTERRUPTED = 130
EXIT_PIPE_CLOSED = 141

COMMANDS = {
    "info": "what a session, a recording, a checkpoint or a run holds",
    "units": "the units of a session: region, depth, rate, scores",
    "sessions": "find and download IBL sessions",
    "prepare": "turn recordings into session files: folders, NWB, eids",
    "convert": "turn a published recording into a session file",
    "simulate": "make a recording of which everything is known",
    "train": "train a model on a session",
    "finetune": "carry a trained model over to another session",
    "evaluate": "score a checkpoint on the four tasks, beside baselines",
    "robustness": "score a checkpoint on fewer units, more noise, fewer spikes",
    "region-matrix": "predict every region from every other one alone",
    "decode": "decode choice, side, reward, block and signals of behaviour",
    "compare": "compare a model with another or a baseline on the same mask and trials",
    "reconstruct": "hide units by a rule and write the reconstructed rates",
    "figure": "draw a reconstruction as PNG, SVG or PDF",
    "replay": "compute an experiment or a figure anew and compare its numbers",
    "export-bwb": "write and score predictions in BrainWideBench's format, own split",
    "reproduce": "make the results table, from training to scores",
    "sweep": "search settings by their validation scores; best preset as TOML",
    "doctor": "versions, devices, threads, paths, and what is missing",
}
"""Command and what it does; `mtm_core.cli.<command>` defines `add_arguments` and `run`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `mtm-core`.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after the program's name; by default those of the command line.

    Returns
    -------
    int
        The exit code: 0, 2 after an error, 130 after Ctrl-C.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    is_debug = "--debug" in words
    try:
        with _logging(is_debug):
            return _run(words)
    except SystemExit as request:  # argparse ends --help and --version so
        return int(request.code or 0)
    except KeyboardInterrupt:
        output.fail(PROGRAM, "Stopped.")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return EXIT_PIPE_CLOSED
    except Exception as error:
        if is_debug:
            raise
        output.fail(PROGRAM, _explain(error))
        return EXIT_ERROR


def _run(words: list[str]) -> int:
    if words in ([], ["--debug"]) or words[0] in ("-h", "--help", "help"):
        output.show(_help_text())
        return 0
    if words[0] == "--version":
        output.show(f"{PROGRAM} {__version__}")
        return 0
    command, rest = _split(words)
    module = _load(command)
    parser = Parser(f"{PROGRAM} {command}", module.__doc__)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(rest)) or 0)


def _split(words: list[str]) -> tuple[str, list[str]]:
    """Return the command and its words; flags before the command go to it as well."""
    position = next((i for i, word in enumerate(words) if not word.startswith("-")), len(words))
    unknown = [word for word in words[:position] if word != "--debug"]
    if unknown:
        msg = f"There is no flag '{unknown[0]}' before the command. See '{PROGRAM} --help'."
        raise ConfigError(msg)
    command = find_command(words[position], tuple(COMMANDS))
    return command, words[:position] + words[position + 1 :]


def _load(command: str) -> ModuleType:
    return importlib.import_module(f"mtm_core.cli.{command.replace('-', '_')}")


def _help_text() -> str:
    width = max(map(len, COMMANDS)) + 2
    lines = "\n".join(f"  {name:<{width}}{what}" for name, what in COMMANDS.items())
    return textwrap.dedent(
        """\
        usage: {program} COMMAND ...

        Multi-task masking (MtM) for multi-region spiking data, without a display.

        commands:
        {lines}

        '{program} COMMAND --help' explains one; every command takes --debug.
        '{program} --version' prints the version; 'mtm-viewer' opens the window."""
    ).format(program=PROGRAM, lines=lines)


def _explain(error: Exception) -> str:
    """Return a sentence a person can act on; what we did not foresee says so."""
    if isinstance(error, MtmError):
        return str(error)
    what = " ".join(str(error).split())[:300]
    if isinstance(error, MemoryError):
        return "The memory of this machine is not enough for this. Use fewer trials or units."
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {(error.strerror or what).lower()}."
    return (
        f"Unexpected {type(error).__name__}: {what}\n"
        "This is a fault of the program: please report it, with what --debug prints."
    )


@contextlib.contextmanager
def _logging(is_debug: bool) -> Iterator[None]:
    """Send the log to stderr; other libraries' warnings belong to --debug."""
    level = logging.DEBUG if is_debug else logging.WARNING
    logging.basicConfig(level=level, format=f"{PROGRAM}: %(message)s", stream=sys.stderr)
    logging.getLogger("py.warnings").setLevel(logging.DEBUG if is_debug else logging.ERROR)
    logging.captureWarnings(capture=True)
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)


def _silence_stdout() -> None:
    """Keep the interpreter from complaining about a reader that went away."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
