"""The flags by which a command reaches an IBL database, and the questions it may ask."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mtm_core.cli import output

if TYPE_CHECKING:
    from mtm_core.data.one_client import Mode, OneClient
    from mtm_core.data.one_records import Credentials

HELP = """\
The database wants an account of your own (free). Set MTM_ALYX_USERNAME and MTM_ALYX_PASSWORD, or
MTM_ALYX_TOKEN; in a terminal you are asked. ONE keeps the token, so this is needed once.
"""


def add_database_arguments(parser: argparse.ArgumentParser) -> None:
    """Define --url, --username, --cache and --offline."""
    group = parser.add_argument_group("database", HELP)
    group.add_argument("--url", help="the database (default: MTM_ALYX_URL, ONE's, the public one)")
    group.add_argument("--username", help="log in anew with this account")
    add_cache_arguments(group)
    group.add_argument("--offline", action="store_true", help="go by the cache folder alone")


def add_cache_arguments(parser: argparse._ActionsContainer) -> None:
    """Define --cache."""
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="FOLDER",
        help="a ONE cache or a lab's folder of sessions (default: MTM_ONE_CACHE, ONE's own)",
    )


def connect(args: argparse.Namespace, mode: Mode = "auto") -> OneClient:
    """Reach the database as the flags say; in a terminal, ask for what is needed to log in.

    Parameters
    ----------
    args : Namespace
        With what `add_database_arguments` defined.
    mode : {"auto", "remote"}
        See `OneClient.connect`.
    """
    from mtm_core.data.one_client import OneClient
    from mtm_core.data.one_records import Credentials
    from mtm_core.errors import LoginError, UnreachableError

    if args.offline:
        return OneClient.connect(args.url, cache_dir=args.cache, mode="local")
    can_ask = sys.stdin.isatty() and sys.stderr.isatty()
    who = Credentials(username=args.username)
    if args.username and can_ask:
        who = _ask(args.username)
    try:
        client = _connect(args, who, mode)
    except UnreachableError as error:
        msg = f"{error} --offline does the latter."
        raise UnreachableError(msg) from error
    except LoginError as error:
        if not can_ask or who.are_given:
            raise
        output.note(str(error))
        return _connect(args, _ask(args.username), mode)
    if client.needs_login and can_ask and mode == "auto":
        output.note(client.why_offline)
        return _connect(args, _ask(args.username), mode)
    return client


def _connect(args: argparse.Namespace, who: Credentials, mode: Mode) -> OneClient:
    from mtm_core.data.one_client import OneClient

    return OneClient.connect(
        args.url,
        username=who.username,
        password=who.password,
        token=who.token,
        cache_dir=args.cache,
        mode=mode,
    )


def _ask(username: str | None) -> Credentials:
    """Ask for account and password, or for a token; nothing typed secretly is shown."""
    from mtm_core.data.one_records import Credentials
    from mtm_core.errors import LoginError

    if not username:
        sys.stderr.write("Account (empty to give a token instead): ")
        sys.stderr.flush()
        username = sys.stdin.readline().strip() or None
    if username:
        password = getpass.getpass(f"Password of {username} (empty to give a token instead): ")
        if password:
            return Credentials(username=username, password=password)
    token = getpass.getpass("Token: ").strip()
    if not token:
        msg = "Neither a password nor a token was given."
        raise LoginError(msg)
    return Credentials(username=username, token=token)
