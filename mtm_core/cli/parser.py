"""An argument parser whose errors are one sentence with the nearest valid word."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Iterable, Sequence
from typing import NoReturn

from mtm_core.errors import ConfigError, UnknownNameError

_INVALID_CHOICE = re.compile(r"argument (?P<flag>.+?): invalid choice: '(?P<word>.*?)' ")
_UNRECOGNISED = re.compile(r"unrecognized arguments: (?P<words>.*)", re.DOTALL)


class Parser(argparse.ArgumentParser):
    """`argparse.ArgumentParser` that raises `ConfigError` where the original prints and exits.

    Abbreviated flags are refused: a misspelt one must not pass for another.

    Examples
    --------
    >>> parser = Parser(prog="mtm-core evaluate")
    >>> _ = parser.add_argument("--split", choices=["train", "val", "test"])
    >>> parser.parse_args(["--split", "tset"])
    Traceback (most recent call last):
    ...
    mtm_core.errors.ConfigError: '--split' cannot be 'tset'. Did you mean 'test'? ...
    """

    def __init__(self, prog: str, description: str | None = None, **more: object) -> None:
        super().__init__(
            prog=prog,
            description=description,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **more,  # type: ignore[arg-type]
        )

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong, the nearest valid word, and where to read more.

        Raises
        ------
        ConfigError
            Always.
        """
        said = self._choice_error(message) or self._flag_error(message) or _sentence(message)
        msg = f"{said} See '{self.prog} --help'."
        raise ConfigError(msg)

    def _choice_error(self, message: str) -> str | None:
        found = _INVALID_CHOICE.match(message)
        if found is None:
            return None
        choices = self._choices(found["flag"])
        return f"'{found['flag']}' cannot be '{found['word']}'.{nearest(found['word'], choices)}"

    def _choices(self, flag: str) -> list[str]:
        for action in self._actions:
            names = {"/".join(action.option_strings), action.metavar, action.dest}
            if flag in names and action.choices is not None:
                return [str(choice) for choice in action.choices]
        return []

    def _flag_error(self, message: str) -> str | None:
        found = _UNRECOGNISED.match(message)
        if found is None:
            return None
        words = [word.partition("=")[0] for word in found["words"].split()]
        word = next((each for each in words if each.startswith("-")), words[0])
        if not word.startswith("-"):
            return f"'{word}' is one argument too many."
        flags = (flag for flag in self._option_string_actions if flag.startswith("--"))
        return f"There is no flag '{word}'.{nearest(word, flags, show_all=False)}"


class ActionParser(Parser):
    """The parser of one action of a command: it refuses unknown flags itself.

    Left to the parser of the whole command they would be compared with that one's flags.
    """

    def parse_known_args(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        namespace: argparse.Namespace | None = None,
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse, and raise `ConfigError` if a word is left over."""
        found, rest = super().parse_known_args(args, namespace)
        if rest:
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        return found, rest


def nearest(word: str, known: Iterable[str], *, show_all: bool = True) -> str:
    """Return " Did you mean ...? Known: ..." or as much of it as applies.

    Examples
    --------
    >>> nearest("tset", ["train", "val", "test"])
    " Did you mean 'test'? Known: train, val, test."
    >>> nearest("--sped", ["--seed"], show_all=False)
    " Did you mean '--seed'?"
    """
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    listed = f" Known: {', '.join(names[:20])}." if names and show_all else ""
    return hint + listed


def find_command(word: str, known: Sequence[str]) -> str:
    """Return `word` if it is a command.

    Raises
    ------
    UnknownNameError
        If it is none; the text names the nearest.
    """
    if word not in known:
        raise UnknownNameError("command", word, known)
    return word


def _sentence(message: str) -> str:
    text = " ".join(message.split())
    return text[:1].upper() + text[1:].rstrip(".") + "."
