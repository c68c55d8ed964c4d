"""A stand-in for an Alyx database and its file server, on the loopback interface alone.

It serves the ALF sessions below a folder, ``lab/Subjects/subject/date/number``, with the answers
that a real Alyx gives (sessions, insertions, datasets, tokens) and the faults that real networks
have; see `Faults`. Nothing is stored; every request is kept in `StubAlyx.log`.

::

    with StubAlyx(folder) as server:
        client = OneClient.connect(server.url, username=USER, password=PASSWORD, ...)
        server.faults.drop_after_bytes = 1000
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import urllib.parse
import uuid
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

USER, PASSWORD, TOKEN = "tester", "correct horse", "0123456789abcdef" * 2 + "01234567"
NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
UUID_IN_NAME = re.compile(r"\.[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?=\.[^./]+$)")
FILTERS = (
    *("subject", "date_range", "lab", "number", "projects", "task_protocol", "datasets"),
    *("atlas_acronym", "django", "limit", "offset", "id"),
)
PAGE = 3
"""Sessions on a page: few, so that paging is walked."""


@dataclass
class Faults:
    """What goes wrong; may be changed while the server runs.

    Names are those of files without their ids, for example ``"spikes.times.npy"``.
    """

    has_passwords: bool = True
    """False: every account signs in through ORCiD, and only a token serves."""
    valid_tokens: set[str] = field(default_factory=lambda: {TOKEN})
    """Empty it and every token has expired."""
    names_owner: bool = True
    """False: an older server without ``/me``."""
    status: int | None = None
    """Answer every question to the database with this, for example 503."""
    is_silent: bool = False
    """Take connections and never answer."""
    is_garbled: bool = False
    """Answer questions with a web page, as the log-in page of a guest network does."""
    file_status: int | None = None
    """Answer every request for a file with this."""
    missing: set[str] = field(default_factory=set)
    """Files that are on record and not on the file server."""
    wrong_sizes: set[str] = field(default_factory=set)
    """Files whose size on record is wrong while their hash is right."""
    without_hash: set[str] = field(default_factory=set)
    """Files whose record has a size only."""
    damaged: set[str] = field(default_factory=set)
    """Files that arrive with other bytes of the same number."""
    damaged_once: set[str] = field(default_factory=set)
    """The same, the first time alone."""
    without_url: set[str] = field(default_factory=set)
    """Files whose address only the dataset's own record tells."""
    nowhere: set[str] = field(default_factory=set)
    """Files on record that lie on no file server."""
    drop_after_bytes: int | None = None
    """Cut the connection of a file after so many bytes."""
    drops_left: int = 1 << 30
    """So many connections are cut, then no more."""
    slow_s: float = 0.0
    """Wait so long after every `slow_bytes` of a file."""
    slow_bytes: int = 4096
    knows_ranges: bool = True
    """False: a file can only be had from its beginning."""
    evil_path: str = ""
    """Name of one more dataset of every session, for example ``"../../evil.npy"``."""


class StubAlyx:
    """The server; use it as a context manager.

    Parameters
    ----------
    root : Path
        Folder of the sessions.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.faults = Faults()
        self.log: list[str] = []
        self.n_fetched: Counter[str] = Counter()
        self.n_bytes = 0
        self.stop = threading.Event()
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Bound", (_Handler,), {"stub": self})
        )
        self._server.daemon_threads = False  # so that closing waits for them
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, name="stub-alyx"
        )
        self.sessions = {session["id"]: session for session in self._scan()}

    def __enter__(self) -> StubAlyx:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def eid(self, subject: str) -> str:
        return next(eid for eid, each in self.sessions.items() if each["subject"] == subject)

    def _scan(self):
        seen: set[str] = set()
        for folder in sorted(self.root.glob("*/Subjects/*/*/*")):
            lab, _, subject, date, number = folder.relative_to(self.root).parts
            eid = _eid_of(folder, f"{lab}/{subject}/{date}/{number}", seen)
            yield {
                "id": eid,
                "subject": subject,
                "start_time": f"{date}T10:00:00",
                "number": int(number),
                "lab": lab,
                "projects": ["main"],
                "url": f"{self.url}/sessions/{eid}",
                "task_protocol": "_iblrig_tasks_ephysChoiceWorld",
                "_folder": folder,
            }

    def short(self, session) -> dict:
        return {key: value for key, value in session.items() if not key.startswith("_")}

    def full(self, session) -> dict:
        folder = session["_folder"]
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        rows = [self.dataset(session, path) for path in files]
        if self.faults.evil_path:
            rows.append({**rows[0], "name": self.faults.evil_path})
        probes = sorted(path.name for path in (folder / "alf").glob("probe*"))
        return {
            **self.short(session),
            "users": [USER],
            "json": {},
            "data_dataset_session_related": rows,
            "probe_insertion": [{"id": _id(session["id"], name), "name": name} for name in probes],
        }

    def dataset(self, session, path: Path) -> dict:
        parts = path.relative_to(session["_folder"]).parts
        dataset_id = _id(session["id"], "/".join(parts))
        revision = next((part.strip("#") for part in parts if part.startswith("#")), None)
        place = path.relative_to(self.root).parent / f"{path.stem}.{dataset_id}{path.suffix}"
        content = path.read_bytes()
        return {
            "id": dataset_id,
            "name": path.name,
            "dataset_type": path.stem,
            "url": f"{self.url}/datasets/{dataset_id}",
            "data_url": None
            if path.name in self.faults.without_url | self.faults.nowhere
            else f"{self.url}/files/{place.as_posix()}",
            "file_size": len(content) + 1000 * (path.name in self.faults.wrong_sizes),
            "hash": None
            if path.name in self.faults.without_hash
            else hashlib.md5(content).hexdigest(),
            "collection": "/".join(part for part in parts[:-1] if not part.startswith("#")),
            "revision": revision,
            "default_revision": "True",
            "qc": "NOT_SET",
        }

    def record_of_dataset(self, dataset_id: str) -> dict | None:
        for session in self.sessions.values():
            for path in session["_folder"].rglob("*"):
                if path.is_file() and self.dataset(session, path)["id"] == dataset_id:
                    place = path.relative_to(self.root).as_posix()
                    url = f"{self.url}/files/{place}"
                    exists = path.name not in self.faults.nowhere
                    here = {"data_repository": "flatiron", "data_url": url, "exists": exists}
                    gone = {"data_repository": "lab", "data_url": None, "exists": False}
                    return {"id": dataset_id, "name": path.name, "file_records": [gone, here]}
        return None

    def search(self, query: dict[str, str]) -> list[dict]:
        found = [each for each in self.sessions.values() if _fits(each, query)]
        return [self.short(each) for each in found]


def _id(*parts: str) -> str:
    return str(uuid.uuid5(NAMESPACE, "/".join(parts)))


def _eid_of(folder: Path, place: str, seen: set[str]) -> str:
    """Return the eid that the session's own note says, or one made of its place."""
    note = folder / "alf/_mtm_session.origin.json"
    said = json.loads(note.read_text()).get("eid") if note.is_file() else None
    eid = said if said and said not in seen else _id(place)
    seen.add(eid)
    return eid


def _fits(session: dict, query: dict[str, str]) -> bool:
    date = session["start_time"][:10]
    first, last = (query.get("date_range") or "0000,9999").split(",")
    names = {path.name for path in session["_folder"].rglob("*") if path.is_file()}
    conditions = [
        query.get("subject", session["subject"]).lower() == session["subject"].lower(),
        query.get("lab", session["lab"]).lower() == session["lab"].lower(),
        first <= date <= last,
        int(query.get("number", session["number"])) == session["number"],
        query.get("id", session["id"]) == session["id"],
        set(filter(None, query.get("datasets", "").split(","))) <= names,
        "atlas_acronym" not in query or query["atlas_acronym"] in _acronyms(session["_folder"]),
        all(_holds(session, key, value) for key, value in _pairs(query.get("django", ""))),
    ]
    return all(conditions)


def _pairs(text: str) -> list[tuple[str, str]]:
    """Split ``a__icontains,x,id__in,['1', '2']`` at the commas outside brackets."""
    parts = re.split(r",(?![^\[]*\])", text) if text else []
    return list(zip(parts[::2], parts[1::2], strict=True))


def _holds(session: dict, key: str, value: str) -> bool:
    if key in ("id__in", "pk__in"):
        return session["id"] in re.findall(r"[0-9a-f-]{36}", value)
    if key == "subject__nickname__icontains":
        return value.lower() in session["subject"].lower()
    if key == "lab__name__icontains":
        return value.lower() in session["lab"].lower()
    msg = f"the stub does not know the filter {key}"
    raise NotImplementedError(msg)


def _acronyms(folder: Path) -> set[str]:
    """Return every region that the probes go through, with all that it is a part of."""
    import numpy as np

    from mtm_core.data.regions import load_regions, region_names_of_ids

    known, found = load_regions(), set()
    for path in folder.rglob("channels.brainLocationIds_ccf_2017.npy"):
        names = set(region_names_of_ids(np.load(path))[0].tolist())
        while names:
            found |= names
            names = {known[name].parent for name in names if name in known} - {"", *found}
    return found


SCHEMA = {
    "paths": {
        "/sessions": {"get": {"parameters": [{"name": name, "in": "query"} for name in FILTERS]}},
        "/sessions/{id}": {"get": {}},
        "/insertions": {"get": {"parameters": []}},
        "/datasets": {"get": {"parameters": []}},
        "/datasets/{id}": {"get": {}},
    }
}


class _Handler(BaseHTTPRequestHandler):
    stub: StubAlyx

    def log_message(self, *_: object) -> None:
        self.stub.log.append(f"{self.command} {self.path}")

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        form = dict(urllib.parse.parse_qsl(self.rfile.read(length).decode()))
        if self._is_spoiled():
            return
        if self.path.rstrip("/") != "/auth-token":
            self._reply({"detail": "read only"}, 405)
        elif self.stub.faults.has_passwords and form == {"username": USER, "password": PASSWORD}:
            self._reply({"token": TOKEN})
        else:
            said = ["Unable to log in with provided credentials."]
            self._reply({"non_field_errors": said}, 400)

    def do_GET(self) -> None:
        address = urllib.parse.urlsplit(self.path)
        parts = address.path.strip("/").split("/")
        if parts[0] == "files":
            self._file(urllib.parse.unquote("/".join(parts[1:])))
        elif not self._is_spoiled():
            self._answer(parts, dict(urllib.parse.parse_qsl(address.query)))

    def _is_spoiled(self) -> bool:
        faults = self.stub.faults
        if faults.is_silent:
            self.stub.stop.wait()
            return True
        if faults.status is not None:
            self._reply({"detail": "out of order"}, faults.status)
        elif faults.is_garbled:
            self._send(b"<html>Welcome to our guest network</html>", "text/html")
        return faults.status is not None or faults.is_garbled

    def _answer(self, parts: list[str], query: dict[str, str]) -> None:
        stub = self.stub
        word, _, token = self.headers.get("Authorization", "").partition(" ")
        if word != "Token" or token not in stub.faults.valid_tokens:
            self._reply({"detail": "Invalid token."}, 403)
        elif parts == ["api", "schema"]:
            self._reply(SCHEMA)
        elif parts == ["me"] and stub.faults.names_owner:
            self._reply({"username": USER})
        elif parts == ["sessions"]:
            self._page(stub.search(query), query)
        elif parts[0] == "sessions" and parts[-1] in stub.sessions:
            self._reply(stub.full(stub.sessions[parts[-1]]))
        elif parts[0] == "datasets" and (record := stub.record_of_dataset(parts[-1])):
            self._reply(record)
        else:
            self._reply({"detail": "Not found."}, 404)

    def _page(self, rows: list[dict], query: dict[str, str]) -> None:
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", PAGE))
        more = urllib.parse.urlencode({**query, "limit": limit, "offset": offset + limit})
        next_url = f"{self.stub.url}/sessions?{more}" if offset + limit < len(rows) else None
        page = rows[offset : offset + limit]
        self._reply({"count": len(rows), "next": next_url, "previous": None, "results": page})

    def _file(self, place: str) -> None:
        stub, faults = self.stub, self.stub.faults
        path = (stub.root / UUID_IN_NAME.sub("", place)).resolve()
        stub.n_fetched[path.name] += 1
        if faults.file_status is not None:
            self._reply({"detail": "out of order"}, faults.file_status)
            return
        if stub.root not in path.parents or not path.is_file() or path.name in faults.missing:
            self._reply({"detail": "no such file"}, 404)
            return
        content = self._content(path)
        begin = self._begin_of_range() if faults.knows_ranges else 0
        if begin and begin >= len(content):
            self._reply({"detail": "no such range"}, 416)
            return
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        self._pour(content[begin:])

    def _content(self, path: Path) -> bytes:
        faults, content = self.stub.faults, path.read_bytes()
        if path.name in faults.damaged | faults.damaged_once:
            faults.damaged_once.discard(path.name)
            return bytes(len(content))
        return content

    def _begin_of_range(self) -> int:
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(found[1]) if found else 0

    def _pour(self, content: bytes) -> None:
        faults = self.stub.faults
        cut = faults.drop_after_bytes
        if cut is not None and cut < len(content) and faults.drops_left > 0:
            faults.drops_left -= 1
            content = content[:cut]
        step = faults.slow_bytes if faults.slow_s else len(content) or 1
        try:
            for start in range(0, len(content), step):
                piece = content[start : start + step]
                self.wfile.write(piece)
                self.stub.n_bytes += len(piece)
                if faults.slow_s and self.stub.stop.wait(faults.slow_s):
                    return
        except (BrokenPipeError, ConnectionResetError):  # the other side had enough
            return

    def _reply(self, value: object, status: int = 200) -> None:
        self._send(json.dumps(value).encode(), "application/json", status)

    def _send(self, content: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
