"""Find and fetch sessions of the International Brain Laboratory.

  list      the pick lists that are shipped, or the sessions of one
  search    sessions of the database (or, --offline, of the cache folder)
  show      one session: probes, regions, the files that preparing it needs
  download  fetch what preparing a session needs; stop and go on as you like
  cache     what lies in the cache folder; remove downloads

A session is named by its eid or by SUBJECT/DATE/NUMBER.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mtm_core.cli import output
from mtm_core.cli.database import add_cache_arguments, add_database_arguments, connect
from mtm_core.cli.parser import ActionParser

if TYPE_CHECKING:
    from mtm_core.data.one_client import OneClient

_SESSION_HELP = "an eid, or SUBJECT/DATE/NUMBER"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `mtm-core sessions`."""
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="ACTION", parser_class=ActionParser
    )
    for name, (what, add) in _ACTIONS.items():
        sub = actions.add_parser(name, description=what, help=what)
        sub.add_argument("--debug", action="store_true", help=argparse.SUPPRESS)
        sub.add_argument("--json", action="store_true", help="print pure JSON")
        add(sub)


def run(args: argparse.Namespace) -> int:
    """Do what was asked for."""
    return _RUN[args.action](args)


def _add_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="show the sessions of this list")
    add_cache_arguments(parser)


def _add_search(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", nargs="*", metavar="WORD", help="part of an eid, a lab, a subject")
    parser.add_argument("--subject", default="", help="part of the subject's name")
    parser.add_argument("--lab", default="", help="part of the lab's name")
    parser.add_argument("--date", default="", metavar="DAY", help="2020-01-31")
    parser.add_argument("--from", dest="first", default="", metavar="DAY", help="from this day")
    parser.add_argument("--to", dest="last", default="", metavar="DAY", help="to this day")
    parser.add_argument("--number", type=int, help="number of the session on its day")
    parser.add_argument("--region", default="", help="a probe goes through it, for example CA1")
    parser.add_argument("--pick-list", default="", metavar="NAME", help="see 'sessions list'")
    parser.add_argument("--cached", action="store_true", help="only what lies on this machine")
    parser.add_argument("--limit", type=_positive, default=100, help="at most so many (100)")
    add_database_arguments(parser)


def _add_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session", metavar="SESSION", help=_SESSION_HELP)
    add_database_arguments(parser)


def _add_download(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session", nargs="*", metavar="SESSION", help=_SESSION_HELP)
    parser.add_argument("--pick-list", default="", metavar="NAME", help="all sessions of a list")
    parser.add_argument(
        "--refresh", action="store_true", help="look for newer files of sessions that are here"
    )
    add_database_arguments(parser)


def _add_cache(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session", nargs="*", metavar="SESSION", help="--prune these")
    parser.add_argument("--list", action="store_true", help="say what is there (the default)")
    parser.add_argument(
        "--prune",
        action="store_true",
        help="remove what broken downloads left, and the SESSIONs; only what was downloaded here",
    )
    parser.add_argument(
        "--older-than",
        type=_not_negative,
        metavar="DAYS",
        help="--prune also what was last used so many days ago (0: everything downloaded)",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what --prune would do")
    add_cache_arguments(parser)


def _list(args: argparse.Namespace) -> int:
    from mtm_core.cli import sessions_text as text
    from mtm_core.data.one_records import SearchQuery
    from mtm_core.data.pick_lists import load_pick_list, load_pick_lists

    if args.name is None:
        lists = load_pick_lists()
        if args.json:
            output.show_json([text.pick_list_facts(each) for each in lists])
        else:
            output.show(text.pick_lists_text(lists))
        return 0
    picked = load_pick_list(args.name)
    client = _local(args)
    query = SearchQuery(pick_list=picked.name, limit=len(picked.entries))
    entries = client.search(query) if client is not None else list(picked.entries)
    if args.json:
        output.show_json(
            {**text.pick_list_facts(picked), "sessions": [text.entry_facts(e) for e in entries]}
        )
    else:
        output.show(f"{picked.title}\n\n{text.entries_text(entries)}")
    return 0


def _search(args: argparse.Namespace) -> int:
    from mtm_core.cli import sessions_text as text
    from mtm_core.data.one_records import SearchQuery

    query = SearchQuery(
        text=" ".join(args.text),
        subject=args.subject,
        lab=args.lab,
        date_from=args.first or args.date,
        date_to=args.last or args.date,
        number=args.number,
        region=args.region,
        pick_list=args.pick_list,
        only_cached=args.cached,
        limit=args.limit,
    )
    client = connect(args, "remote")
    entries = client.search(query)
    if args.json:
        output.show_json([text.entry_facts(entry) for entry in entries])
    else:
        output.show(text.entries_text(entries))
    if len(entries) == args.limit:
        output.note(f"These are the first {args.limit}; --limit shows more.")
    if not entries:
        output.note(text.nothing_found(client))
    return 0


def _show(args: argparse.Namespace) -> int:
    from mtm_core.cli import sessions_text as text

    details = connect(args).show(args.session)
    if args.json:
        output.show_json(text.details_facts(details))
    else:
        output.show(text.details_text(details))
    return 0


def _download(args: argparse.Namespace) -> int:
    from mtm_core.cli.sessions_download import download_all
    from mtm_core.data.pick_lists import load_pick_list
    from mtm_core.errors import ConfigError

    refs: Sequence[str] = args.session
    if args.pick_list:
        refs = [*refs, *load_pick_list(args.pick_list).eids]
    if not refs:
        msg = (
            "Name a session to download, or a --pick-list. 'mtm-core sessions search' finds some."
        )
        raise ConfigError(msg)
    client = connect(args)
    return download_all(client, refs, refresh=args.refresh, as_json=args.json)


def _cache(args: argparse.Namespace) -> int:
    from mtm_core.cli import sessions_text as text
    from mtm_core.data.one_client import OneClient
    from mtm_core.errors import ConfigError

    if not args.prune and (args.session or args.older_than is not None or args.dry_run):
        msg = "SESSION, --older-than and --dry-run say what to remove: add --prune."
        raise ConfigError(msg)
    client = OneClient.connect(cache_dir=args.cache, mode="local")
    if args.prune:
        report = client.prune(args.session, older_than_days=args.older_than, dry_run=args.dry_run)
        if args.json:
            output.show_json(report)
        else:
            output.show(text.prune_text(report, is_dry=args.dry_run))
        if not args.list:
            return 0
    cached = client.cached()
    if args.json and not args.prune:
        output.show_json({"cache": client.cache_dir, "sessions": cached})
    elif not args.json:
        output.show(text.cache_text(client.cache_dir, cached))
    return 0


def _local(args: argparse.Namespace) -> OneClient | None:
    """Return a client of the cache, or None where there is no home and no folder was named."""
    from mtm_core.data.one_client import OneClient
    from mtm_core.errors import ConfigError

    try:
        return OneClient.connect(cache_dir=args.cache, mode="local")
    except ConfigError:
        if args.cache is not None:
            raise
        return None


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def _not_negative(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1e6:
        raise ValueError
    return value


_positive.__name__ = "positive whole number"
_not_negative.__name__ = "number of days"

_ACTIONS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "list": ("the pick lists that are shipped, or the sessions of one", _add_list),
    "search": ("sessions of the database, newest first", _add_search),
    "show": ("one session: probes, regions, and the files that preparing it needs", _add_show),
    "download": ("fetch what preparing sessions needs", _add_download),
    "cache": ("what lies in the cache folder; remove downloads", _add_cache),
}
_RUN: dict[str, Callable[[argparse.Namespace], int]] = {
    "list": _list,
    "search": _search,
    "show": _show,
    "download": _download,
    "cache": _cache,
}
