"""The `mtm-viewer` program: opens the window, or draws it into a file without a display."""

from __future__ import annotations

import argparse
import contextlib
import functools
import gc
import logging
import os
import socket
import sys
import types
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import mtm_core  # noqa: F401 (before torch: see mtm_core.brief_waits)

# isort: split
# torch before Qt: the other order fails on Windows. Qt's libraries are opened in `main` only,
# where their absence can be told in a sentence.
import torch

with contextlib.suppress(ImportError):
    import PyQt6  # noqa: F401

from mtm_core import __version__
from mtm_core.cli import output
from mtm_core.cli.parser import Parser
from mtm_core.cli.qt_libraries import OFFSCREEN, X11, missing_packages
from mtm_core.data.sources import kind_of
from mtm_core.errors import ConfigError, MtmError
from mtm_core.experiment.files import may_hold_experiment
from mtm_core.one_blas_thread import use_one_blas_thread
from mtm_viewer.jobs.core_command import CORE_FLAG
from mtm_viewer.jobs.kept_memory import keep_little

if TYPE_CHECKING:
    from PyQt6.QtCore import QMessageLogContext, QSettings, QtMsgType
    from PyQt6.QtWidgets import QApplication

    from mtm_viewer.desktop import Desktop, LogKeeper

PROGRAM = "mtm-viewer"
EXIT_ERROR = 2
logger = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `mtm-viewer`.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after the program's name; by default those of the command line.

    Returns
    -------
    int
        The exit code: 0, or 2 after an error.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == [CORE_FLAG]:  # a bundled program has no other way to the command line
        from mtm_core.cli.__main__ import main as core_main

        return core_main(words[1:])
    try:
        arguments = _parser().parse_args(words)
        _check(arguments)
        return _run(arguments)
    except SystemExit as request:  # argparse ends --help and --version so
        return int(request.code or 0)
    except MtmError as error:
        output.fail(PROGRAM, str(error))
        return EXIT_ERROR
    except KeyboardInterrupt:
        output.fail(PROGRAM, "Stopped.")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = Parser(PROGRAM, __doc__)
    parser.add_argument(
        "session",
        nargs="?",
        help="what to open: a session file, an NWB file, a folder (ALF or your own layout), an "
        "eid of the IBL database, the name of a bundled recording, an experiment or a figure",
    )
    parser.add_argument(
        "--model",
        type=Path,
        metavar="CKPT",
        nargs="+",
        default=[],
        help="a checkpoint to open; further ones are there to choose and to compare with",
    )
    parser.add_argument("--demo", action="store_true", help="open the demo with its models")
    parser.add_argument(
        "--offscreen",
        action="store_true",
        help="draw the window without a display, print its scores, and end",
    )
    parser.add_argument(
        "--screenshot", type=Path, metavar="PNG", help="where --offscreen saves the window"
    )
    parser.add_argument("--theme", choices=["light", "dark"], help="colours of the window")
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    return parser


def _check(arguments: argparse.Namespace) -> None:
    """Refuse what cannot work, before a window is up."""
    if arguments.screenshot is not None and not arguments.offscreen:
        msg = "--screenshot belongs to --offscreen; in the window use File > Export."
        raise ConfigError(msg)
    if arguments.demo and (arguments.session or arguments.model):
        msg = "--demo brings its own session and model; leave out the others."
        raise ConfigError(msg)
    if arguments.offscreen and not (arguments.demo or arguments.session or arguments.model):
        msg = "--offscreen needs something to draw: --demo, a session, or --model."
        raise ConfigError(msg)
    for path in arguments.model:
        if not path.is_file():
            msg = f"There is no file {path}."
            raise ConfigError(msg)
    if arguments.session is not None:
        _check_source(arguments)
    _check_qt(is_offscreen=arguments.offscreen)


def _check_source(arguments: argparse.Namespace) -> None:
    if not _is_experiment(arguments.session):
        kind_of(arguments.session)  # says what would be accepted
    elif arguments.offscreen:
        msg = "--offscreen draws sessions; for an experiment use: mtm-core replay FILE --out DIR."
        raise ConfigError(msg)


def _is_experiment(source: str) -> bool:
    path = Path(source)
    return path.is_file() and may_hold_experiment(path)


def _check_qt(*, is_offscreen: bool) -> None:
    """Say which package is missing, or that there is no display, where Qt would just abort."""
    if is_offscreen:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    needs_x11 = sys.platform.startswith("linux") and platform in ("", "xcb")
    missing = missing_packages(OFFSCREEN | (X11 if needs_x11 and _wants_x11() else {}))
    if missing:
        msg = f"Qt needs system libraries that are not here: apt-get install {' '.join(missing)}"
        raise ConfigError(msg)
    if needs_x11 and not os.environ.get("WAYLAND_DISPLAY") and not display_answers():
        msg = (
            "There is no display to open a window on. Run it on a desktop, over 'ssh -X', or "
            f"draw the window into a file: {PROGRAM} --demo --offscreen --screenshot demo.png"
        )
        raise ConfigError(msg)
    try:
        import PyQt6.QtWidgets  # noqa: F401
    except ImportError as error:
        msg = f"Qt cannot be loaded ({error}). 'mtm-core doctor' says what is missing."
        raise ConfigError(msg) from error


def _wants_x11() -> bool:
    return bool(os.environ.get("DISPLAY")) and not os.environ.get("WAYLAND_DISPLAY")


def display_answers(name: str | None = None) -> bool:
    """Tell whether an X server answers at a display's address, for example ``":0"``."""
    address = os.environ.get("DISPLAY", "") if name is None else name
    host, _, rest = address.rpartition(":")
    number = rest.partition(".")[0]
    if not number.isdigit():
        return False
    try:
        if host and host != "unix":
            with socket.create_connection((host, 6000 + int(number)), timeout=3):
                return True
        for place in (f"/tmp/.X11-unix/X{number}", f"\0/tmp/.X11-unix/X{number}"):  # noqa: S108
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as link:
                link.connect(place)
                return True
    except OSError:
        pass
    return False


def _run(arguments: argparse.Namespace) -> int:
    from mtm_viewer.desktop import LogKeeper

    keep_little()
    log = LogKeeper()
    logging.getLogger().addHandler(log)
    logging.getLogger("mtm_viewer").setLevel(logging.INFO)
    use_one_blas_thread()
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
    _scale_letters(is_offscreen=arguments.offscreen)
    app = _make_app()
    exempt_imports()
    desktop = build(log, is_offscreen=arguments.offscreen)
    try:
        with _last_resort(desktop):
            return _show(app, desktop, arguments)
    finally:
        logging.getLogger().removeHandler(log)


def exempt_imports() -> None:
    """Keep the garbage collector from what was imported, which stays to the end anyway.

    To look through it takes some tenths of a second, in which the window would stand still.
    """
    gc.collect()
    gc.freeze()


def _show(app: QApplication, desktop: Desktop, arguments: argparse.Namespace) -> int:
    if arguments.theme is not None:
        from mtm_viewer.theme import THEMES

        desktop.state.set_theme(THEMES[arguments.theme])
    if arguments.offscreen:
        from mtm_viewer.offscreen import draw_once

        return draw_once(desktop, lambda: _open(desktop, arguments), arguments.screenshot)
    desktop.explorer.window.show()
    _open(desktop, arguments)
    return app.exec()


def _log_qt(kind: QtMsgType, context: QMessageLogContext, text: str | None) -> None:
    """Write Qt's own messages into the log, where people can find them."""
    levels = {"QtDebugMsg": logging.DEBUG, "QtInfoMsg": logging.INFO}
    logging.getLogger("qt").log(levels.get(kind.name, logging.WARNING), "%s", text)


@functools.cache
def _make_app() -> QApplication:
    """Make the application; it is kept, since it has to outlive all that Qt shows."""
    from PyQt6.QtCore import qInstallMessageHandler
    from PyQt6.QtWidgets import QApplication

    from mtm_viewer.last_deletions import delete_at_exit
    from mtm_viewer.views.icons import app_icon

    delete_at_exit()
    qInstallMessageHandler(_log_qt)
    QApplication.setApplicationName("mtm-viewer")
    QApplication.setApplicationDisplayName("MtM Viewer")
    QApplication.setOrganizationName("mtm-viewer")
    QApplication.setApplicationVersion(__version__)
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication([PROGRAM])
    app.setWindowIcon(app_icon())
    return app


def _settings(*, is_offscreen: bool) -> QSettings:
    """Return a person's own settings, or none."""
    from PyQt6.QtCore import QSettings

    from mtm_viewer.kept_settings import unkept_settings

    if is_offscreen:
        return unkept_settings()
    kind = QSettings.Format.IniFormat
    return QSettings(kind, QSettings.Scope.UserScope, "mtm-viewer", "mtm-viewer")


def _scale_letters(*, is_offscreen: bool) -> None:
    """Let all letters have the size that a person chose; Qt looks at this only once."""
    from mtm_viewer.preferences_desk import stored_preferences

    percent = stored_preferences(_settings(is_offscreen=is_offscreen)).font_percent
    if percent != 100:
        normal = 72 if sys.platform == "darwin" else 96
        os.environ.setdefault("QT_FONT_DPI", str(round(normal * percent / 100)))


def build(log: LogKeeper, *, is_offscreen: bool = False) -> Desktop:
    """Build all objects of the program and connect them; the window is not shown yet.

    Parameters
    ----------
    log : LogKeeper
        Keeps lines for Help > Show log.
    is_offscreen : bool
        Neither read nor write what a person set up for their own window.
    """
    from mtm_core.models.backend import available_devices
    from mtm_viewer.commands import CommandRegistry
    from mtm_viewer.desktop import Desktop
    from mtm_viewer.explorer import Explorer
    from mtm_viewer.jobs.backend_job import BackendWork
    from mtm_viewer.jobs.prepare_job import OpenJob
    from mtm_viewer.jobs.reconstruct_job import ReconstructionJob
    from mtm_viewer.main_window import MainWindow
    from mtm_viewer.preferences_desk import stored_preferences
    from mtm_viewer.state import ViewerState

    settings = _settings(is_offscreen=is_offscreen)
    registry = CommandRegistry()
    state, window = ViewerState(), MainWindow(registry)
    devices = available_devices()
    state.set_device(devices[0])
    computing = stored_preferences(settings).computing
    engine = BackendWork(lambda chosen: ReconstructionJob(chosen.memory_bytes), computing)
    works = (OpenJob(), engine)
    explorer = Explorer(state, window, registry, works, devices)
    return Desktop(explorer, settings, log)


def _open(desktop: Desktop, arguments: argparse.Namespace) -> None:
    from mtm_viewer.jobs.open_job import OpenRequest

    if arguments.demo:
        desktop.open_demo()
    elif arguments.session and _is_experiment(arguments.session):
        desktop.experiments.open(Path(arguments.session))
    elif arguments.session:
        # Without a window there is nobody to ask about dropped trials.
        desktop.open_source(
            arguments.session,
            checkpoints=arguments.model,
            is_accepted=arguments.offscreen,
        )
    elif arguments.model:
        desktop.explorer.open_files(OpenRequest(checkpoint_paths=tuple(arguments.model)))
    else:
        desktop.begin()


@contextlib.contextmanager
def _last_resort(desktop: Desktop) -> Iterator[None]:
    """Tell of any fault in a dialog: otherwise an exception in a slot ends the process at once."""
    before = sys.excepthook

    def tell(
        kind: type[BaseException], error: BaseException, trace: types.TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            desktop.close_window()
            return
        logger.critical("A fault of the program.", exc_info=(kind, error, trace))
        sentence = (
            f"The program met a fault of its own ({kind.__name__}: {error}). What you opened is "
            "untouched; Help > Show log has the details."
        )
        desktop.explorer.tell("Something went wrong", sentence)

    sys.excepthook = tell
    try:
        yield
    finally:
        sys.excepthook = before


if __name__ == "__main__":
    sys.exit(main())
