"""What a prepared session was made from: the source as it lay there, and the settings.

A session file carries its recipe, so that the same command need not do the same work twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mtm_core.config import PreparationConfig
from mtm_core.config_io import preparation_to_dict
from mtm_core.data.alf import find_sessions
from mtm_core.data.alf_folders import list_files
from mtm_core.data.session_file import read_made_from
from mtm_core.data.sources import DEMO, kind_of
from mtm_core.errors import SessionFileError
from mtm_core.json_text import parse_json
from mtm_core.resources import session_path


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a session is made from.

    Parameters
    ----------
    source : str
        Absolute path of the folder or file, the eid, or the name of a bundled session.
    state : str
        Changes when a file of the source changes; "" for an eid.
    settings : dict
        Every setting of the preparation.
    typed : tuple of str
        Settings that a person asked for; they matter where the source lies binned already.
    """

    source: str
    state: str
    settings: dict[str, Any]
    typed: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return it as JSON, the same text for the same recipe."""
        return json.dumps(asdict(self), sort_keys=True)


def recipe_of(source: str, config: PreparationConfig, typed: Collection[str] = ()) -> Recipe:
    """Describe how a source is about to be prepared.

    Raises
    ------
    DataError
        If it is no source.
    """
    kind = kind_of(source)
    settings = preparation_to_dict(config)
    if kind == "eid":
        return Recipe(source=source.strip().lower(), state="", settings=settings)
    if kind == "bundled":
        path = session_path(source.strip().removeprefix(DEMO))
        name, files = f"{DEMO}{path.stem}", [path]
    else:
        path = Path(source).resolve()
        name, files = str(path), _files(path, is_alf=kind == "alf")
    is_binned = kind in ("bundled", "session_file")
    return Recipe(
        source=name,
        state=_state(files),
        settings=settings,
        typed=tuple(sorted(typed)) if is_binned else (),
    )


def parse_recipe(text: str) -> Recipe | None:
    """Read what `Recipe.to_json` wrote; None if it is something else."""
    try:
        fields = parse_json(text)
        return Recipe(**{**fields, "typed": tuple(fields["typed"])})
    except (ValueError, TypeError, KeyError):
        return None


def difference(made: Recipe | None, wanted: Recipe) -> str:
    """Say in a few words how a session that is there differs from the wanted one; "" if not.

    Examples
    --------
    >>> made = Recipe(source="a", state="", settings={"align": "go_cue"})
    >>> wanted = Recipe(source="a", state="", settings={"align": "stim_on"})
    >>> difference(made, wanted)
    'made with other settings (align go_cue, not stim_on)'
    """
    if made is None:
        return "not made by this command"
    if made.source != wanted.source:
        return f"made from {made.source}"
    if made.settings != wanted.settings or made.typed != wanted.typed:
        names = sorted({*made.settings, *wanted.settings} - {"preset"})
        changed = [
            f"{name} {made.settings.get(name)}, not {wanted.settings.get(name)}"
            for name in names
            if made.settings.get(name) != wanted.settings.get(name)
        ]
        if not changed:
            return "made with another preset"
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        return f"made with other settings ({'; '.join(changed[:3])}{more})"
    return "made from an earlier state of the source" if made.state != wanted.state else ""


def read_recipe(path: Path) -> Recipe | None:
    """Return the recipe of a session file; None where it has none.

    Raises
    ------
    SessionFileError
        If it is no session file.
    """
    try:
        return parse_recipe(read_made_from(path))
    except SessionFileError as error:
        msg = f"{path} is there already and is no session file: {error}"
        raise SessionFileError(msg) from error


def _files(path: Path, *, is_alf: bool) -> list[Path]:
    if path.is_file():
        return [path]
    if is_alf:
        session = next(find_sessions(path), path)
        return [session / name for name in list_files(session)]
    folders = [path, *sorted(folder for folder in path.iterdir() if folder.is_dir())]
    return [file for folder in folders for file in sorted(folder.iterdir()) if file.is_file()]


def _state(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        status = path.stat()
        digest.update(f"{path.name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]
