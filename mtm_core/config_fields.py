"""What can be known about the fields of a settings class: type, bounds, choices, documentation.

Checks, TOML files and command-line help are all generated from this, so that a field is written
once, in `config.py`, with its type, its default and the line under it.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import itertools
import math
import textwrap
import types
import typing
from collections.abc import Hashable
from typing import Annotated, Any, Literal

from mtm_core.errors import ConfigError, UnknownNameError


@dataclasses.dataclass(frozen=True)
class Bounds:
    """Smallest and largest valid value of a number, both allowed."""

    low: float
    high: float

    def nearest(self, value: float) -> float:
        """Return the valid value that is nearest."""
        return min(max(value, self.low), self.high)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setting:
    """One field of a settings class.

    Parameters
    ----------
    key : str
        Section and name with a dot, as a person types it: ``"model.width"``.
    name : str
        Name of the field.
    kind : type
        bool, int, float or str; for a list, the kind of its entries.
    choices : tuple of str
        The valid words; empty if any value of the kind will do.
    bounds : Bounds or None
        Range of a number.
    is_optional : bool
        Whether ``none`` is a value.
    is_list : bool
        Whether it holds several values.
    default : object
        The default.
    doc : str
        The line under the field.
    """

    key: str
    name: str
    kind: type
    choices: tuple[str, ...]
    bounds: Bounds | None
    is_optional: bool
    is_list: bool
    default: Any
    doc: str

    @property
    def flag(self) -> str:
        """What a person types on the command line."""
        return f"--{self.key}"


@functools.cache
def settings_of(cls: type) -> dict[str, Setting]:
    """Describe the plain fields of a settings class, by name; sections are left out.

    Parameters
    ----------
    cls : type
        A dataclass with a class variable ``section``.

    Examples
    --------
    >>> from mtm_core.config_model import Ndt1Config
    >>> width = settings_of(Ndt1Config)["width"]
    >>> width.flag, width.kind, width.doc
    ('--model.width', <class 'int'>, 'Width of a token.')
    """
    hints = typing.get_type_hints(cls, include_extras=True)
    docs: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        docs |= _field_docs(base) if dataclasses.is_dataclass(base) else {}
    return {
        field.name: _describe(cls, field, hints[field.name], docs.get(field.name, ""))
        for field in dataclasses.fields(cls)
        if not dataclasses.is_dataclass(hints[field.name])
    }


def check_settings(config: object) -> None:
    """Check every plain field of a settings object against its type, bounds and choices.

    Raises
    ------
    ConfigError
        Names the flag that a person would type, and the nearest valid value.
    """
    cls = typing.cast("Hashable", type(config))
    for setting in settings_of(cls).values():
        _check(setting, getattr(config, setting.name))


def join_key(section: str, name: str) -> str:
    """Return ``section.name``, or the name alone at the top.

    Examples
    --------
    >>> join_key("model", "width"), join_key("", "name")
    ('model.width', 'name')
    """
    return f"{section}.{name}" if section else name


def _describe(cls: type, field: dataclasses.Field[Any], hint: object, doc: str) -> Setting:
    hint, is_optional = _without_none(hint)
    is_list = typing.get_origin(hint) is tuple
    if is_list:
        hint = typing.get_args(hint)[0]
    hint, bounds = _without_bounds(hint)
    is_word = typing.get_origin(hint) is Literal
    return Setting(
        key=join_key(getattr(cls, "section", ""), field.name),
        name=field.name,
        kind=str if is_word else typing.cast("type", hint),
        choices=typing.get_args(hint) if is_word else (),
        bounds=bounds,
        is_optional=is_optional,
        is_list=is_list,
        default=field.default,
        doc=doc,
    )


def _without_none(hint: object) -> tuple[object, bool]:
    if typing.get_origin(hint) not in (types.UnionType, typing.Union):
        return hint, False
    (kept,) = (part for part in typing.get_args(hint) if part is not type(None))
    return kept, True


def _without_bounds(hint: object) -> tuple[object, Bounds | None]:
    if typing.get_origin(hint) is not Annotated:
        return hint, None
    kept, bounds = typing.get_args(hint)
    return kept, bounds


def _field_docs(cls: type) -> dict[str, str]:
    """Read the text under each field from the source of the class; none where it is not there."""
    try:
        source = textwrap.dedent(inspect.getsource(cls))
    except (OSError, TypeError):
        return {}
    body = typing.cast("ast.ClassDef", ast.parse(source).body[0]).body
    docs = {}
    for node, after in itertools.pairwise(body):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            text = after.value if isinstance(after, ast.Expr) else None
            if isinstance(text, ast.Constant):
                docs[node.target.id] = " ".join(str(text.value).split())
    return docs


_KIND_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}


def _check(setting: Setting, value: object) -> None:
    if value is None:
        if setting.is_optional:
            return
        msg = f"{setting.flag} cannot be none; it must be {_KIND_WORDS[setting.kind]}."
        raise ConfigError(msg)
    if not setting.is_list:
        _check_one(setting, value)
        return
    if not isinstance(value, tuple) or (not value and setting.default != ()):
        msg = f"{setting.flag} needs at least one value."
        raise ConfigError(msg)
    for entry in value:
        _check_one(setting, entry)
    if len(set(value)) < len(value):
        msg = f"{setting.flag} names a value twice: {', '.join(map(str, value))}."
        raise ConfigError(msg)


def _check_one(setting: Setting, value: object) -> None:
    if not _is_kind(value, setting.kind):
        shown = f"'{value}'" if isinstance(value, str) else value
        msg = f"{setting.flag} must be {_KIND_WORDS[setting.kind]}, not {shown}."
        raise ConfigError(msg)
    if setting.choices and value not in setting.choices:
        raise UnknownNameError(f"value of {setting.flag} called", str(value), setting.choices)
    if setting.bounds is not None:
        _check_bounds(setting, setting.bounds, typing.cast("float", value))


def _is_kind(value: object, kind: type) -> bool:
    if kind is float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and math.isfinite(typing.cast("float", value))
    return type(value) is kind


def _check_bounds(setting: Setting, bounds: Bounds, value: float) -> None:
    nearest = bounds.nearest(value)
    if nearest == value:
        return
    side = "at least" if value < bounds.low else "at most"
    msg = f"{setting.flag} is {value}, but must be {side} {nearest} (the nearest valid value)."
    raise ConfigError(msg)
