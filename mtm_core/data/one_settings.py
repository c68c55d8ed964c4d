"""ONE's own settings: which database, which cache, which token; and the import of ONE itself.

People who use ONE already have them in their home folder; they are read and added to, never reset.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from mtm_core.data.one_network import normal_url
from mtm_core.data.one_notes import make_folder
from mtm_core.data.one_records import Credentials
from mtm_core.errors import ConfigError
from mtm_core.json_text import parse_json

PUBLIC_URL = "https://openalyx.internationalbrainlab.org"
"""IBL's public database. It wants an account of one's own, which is free."""
ENV_URL = "MTM_ALYX_URL"
ENV_USERNAME = "MTM_ALYX_USERNAME"
ENV_PASSWORD = "MTM_ALYX_PASSWORD"  # noqa: S105 - the name of a variable
ENV_TOKEN = "MTM_ALYX_TOKEN"  # noqa: S105 - the name of a variable
ENV_CACHE = "MTM_ONE_CACHE"
_LOCK_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What ONE keeps about one database.

    Parameters
    ----------
    url : str
        Address of the database.
    cache_dir : Path
        Folder that its files are downloaded to.
    username : str or None
        The account of the last login.
    has_token : bool
        Whether a token of that account is kept.
    data_server : str
        Beginning of the addresses of its files.
    data_login : tuple of (str, str) or None
        Account and password of the file server, where it wants one.
    """

    url: str
    cache_dir: Path
    username: str | None
    has_token: bool
    data_server: str = ""
    data_login: tuple[str, str] | None = field(default=None, repr=False)

    def login_for(self, url: str) -> tuple[str, str] | None:
        """Return the file server's account, for that file server's addresses alone."""
        is_there = bool(self.data_server) and url.startswith(self.data_server.rstrip("/") + "/")
        return self.data_login if is_there else None


def fill_from_environment(given: Credentials) -> Credentials:
    """Add ``MTM_ALYX_USERNAME``, ``..._PASSWORD`` and ``..._TOKEN`` where nothing was given.

    The secrets of another account than the one that was named are left alone.
    """
    username = os.environ.get(ENV_USERNAME) or None
    if given.are_given or (given.username and username not in (None, given.username)):
        return given
    return Credentials(
        username=given.username or username,
        password=os.environ.get(ENV_PASSWORD) or None,
        token=os.environ.get(ENV_TOKEN) or None,
    )


def import_params() -> ModuleType:
    """Import ONE's settings.

    Raises
    ------
    ConfigError
        If there is no home folder to keep them in, or ONE is not installed.
    """
    try:
        home = Path.home()
        is_there = home.is_dir()
    except RuntimeError:
        home, is_there = Path("~"), False
    if not is_there:
        msg = (
            f"There is no home folder {home}, where ONE keeps its settings. "
            "Set HOME to a folder of yours."
        )
        raise ConfigError(msg)
    try:
        import one.params
    except ImportError as error:
        msg = f"ONE cannot be imported ({error}). Install it: pip install ONE-api."
        raise ConfigError(msg) from error
    _keep_secrets_out_of_the_log()
    return one.params  # type: ignore[no-any-return]


def default_url() -> str:
    """Return the database to ask: ``MTM_ALYX_URL``, ONE's default, or the public one."""
    asked = os.environ.get(ENV_URL)
    if asked:
        return normal_url(asked)
    params = import_params()
    key = _map_of_caches(params).get("DEFAULT")
    return normal_url(str(params.get(key, silent=True).ALYX_URL)) if key else PUBLIC_URL


def find_cache_dir(url: str) -> Path:
    """Return where the files of a database lie: ``MTM_ONE_CACHE``, ONE's folder, its default.

    Nothing is made.
    """
    asked = os.environ.get(ENV_CACHE)
    if asked:
        return Path(asked).expanduser()
    params = import_params()
    key = params._key_from_url(url)
    known = _map_of_caches(params).get("CLIENT_MAP", {}).get(key)
    return Path(known) if known else Path(params.CACHE_DIR_DEFAULT, key)


@contextlib.contextmanager
def settings_lock() -> Iterator[None]:
    """Keep other processes of this program away from ONE's settings.

    ONE writes them in place: who reads at that moment finds half a file. Where no lock can be had
    (a home that cannot be written) things go on without.
    """
    from filelock import FileLock, Timeout

    folder = Path(import_params().get_params_dir())
    lock = FileLock(folder / ".mtm-viewer.lock", timeout=_LOCK_S)
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError, Timeout):
            folder.mkdir(exist_ok=True)
            stack.enter_context(lock)
        yield


def damaged(path: Path, error: Exception) -> ConfigError:
    """Say that ONE's settings are damaged."""
    reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:160]
    return ConfigError(
        f"ONE's settings in {path} could not be read or written: {reason.lower()}. "
        "Mend or remove them; ONE makes them anew."
    )


def load_settings(url: str, cache_dir: Path) -> Settings:
    """Read ONE's settings of a database; made silently where there are none.

    Parameters
    ----------
    url : str
        See `normal_url`.
    cache_dir : Path
        Becomes the folder of a database that ONE did not know before.

    Raises
    ------
    ConfigError
        If they cannot be read or written.
    OutputError
        If the cache folder cannot be made.
    """
    params = import_params()
    is_known = params._key_from_url(url) in _map_of_caches(params).get("CLIENT_MAP", {})
    if not is_known:
        make_folder(cache_dir)
    try:
        # Made once only: for the public database `setup` would forget a token that is kept.
        if not is_known:
            params.setup(client=url, silent=True, cache_dir=str(cache_dir))
        kept = params.get(client=url, silent=True)
    except (OSError, ValueError) as error:
        raise damaged(params.get_params_dir(), error) from error
    return _settings(kept, url, cache_dir)


def _settings(kept: Any, url: str, cache_dir: Path) -> Settings:  # noqa: ANN401 - made by ONE
    tokens = getattr(kept, "TOKEN", None) or {}
    username = kept.ALYX_LOGIN or None
    if username not in tokens and len(tokens) == 1:
        username = next(iter(tokens))
    login, password = kept.HTTP_DATA_SERVER_LOGIN, kept.HTTP_DATA_SERVER_PWD
    return Settings(
        url=url,
        cache_dir=cache_dir,
        username=username,
        has_token=username in tokens,
        data_server=kept.HTTP_DATA_SERVER or "",
        data_login=(login, password) if login and password else None,
    )


def _map_of_caches(params: ModuleType) -> dict[str, Any]:
    """Return ONE's own note of databases and folders, without making one."""
    path = params.get_params_dir() / ".caches"
    try:
        found = parse_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise damaged(path, error) from error
    return found if isinstance(found, dict) else {}


class _NoSecrets(logging.Filter):
    """ONE writes the headers of every request to its debug log, and the token is in them."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "Authorization" not in record.getMessage()


def _keep_secrets_out_of_the_log() -> None:
    log = logging.getLogger("one.webclient")
    if not any(isinstance(each, _NoSecrets) for each in log.filters):
        log.addFilter(_NoSecrets())
