"""A text carried inside a picture: a PNG text chunk, SVG metadata, an entry of a PDF's Info.

The text is ASCII. It is found again without rendering or parsing the picture as a whole, in
bounded memory; nothing in the picture is ever executed.

References
----------
PNG, third edition, section 11.3.3 (tEXt); SVG 2, section 5.8 (metadata); ISO 32000-1, sections
7.5.6 (incremental updates) and 14.3.3 (document information).
"""

from __future__ import annotations

import html
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from mtm_core.errors import OutputError

KEY = "MtMExperiment"
CARRIERS = (".png", ".svg", ".pdf")
"""Endings of pictures that can carry a text."""
MAX_TEXT = 12_000_000
"""Longest text that is read, in bytes as it lies in the file."""
MAX_FILE = 256_000_000
"""Larger SVG and PDF files are not looked through."""

_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_CHUNKS = 200_000
_SVG_TAG = re.compile(rb"<svg\b[^>]*?(?<!/)>")
_SVG_ID = "mtm-experiment"
_SVG_TEXT = re.compile(
    rb"<metadata\b[^>]{0,500}\bid=[\"']"
    + _SVG_ID.encode()
    + rb"[\"'][^>]{0,500}>([^<]*)</metadata>"
)
_PDF_TEXT = re.compile(rb"/" + KEY.encode() + rb"\s*\(((?:[^()\\]|\\.)*)\)", re.DOTALL)
_PDF_START = re.compile(rb"startxref\s+(\d{1,12})\s+%%EOF\s*$")
_PDF_REFERENCE = rb"\s+(\d{1,8})\s+(\d{1,5})\s+R"


def attach(picture: bytes, suffix: str, text: str) -> bytes:
    """Return a picture that carries a text.

    Parameters
    ----------
    picture : bytes
        A whole file, as matplotlib or Qt wrote it.
    suffix : str
        One of `CARRIERS`.
    text : str
        ASCII.

    Raises
    ------
    OutputError
        If the picture is not built as expected.
    """
    attachers: dict[str, Callable[[bytes, bytes], bytes]] = {
        ".png": _attach_png,
        ".svg": _attach_svg,
        ".pdf": _attach_pdf,
    }
    return attachers[suffix.lower()](picture, text.encode("ascii"))


def read_attachment(path: Path) -> str | None:
    """Return the text that a picture carries; None if it carries none.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with path.open("rb") as file:
        if path.suffix.lower() == ".png":
            return _find_png(file)
        if path.stat().st_size > MAX_FILE:
            return None
        data = file.read()
    if path.suffix.lower() == ".svg":
        found = _last(_SVG_TEXT, data)
        return None if found is None else html.unescape(found.decode("ascii", "replace"))
    found = _last(_PDF_TEXT, data)
    return None if found is None else _pdf_unescaped(found).decode("ascii", "replace")


def _attach_png(picture: bytes, text: bytes) -> bytes:
    if not picture.startswith(_PNG) or len(picture) < 33:
        raise _unexpected("PNG")
    after_header = len(_PNG) + 25  # IHDR comes first, and is 25 bytes with its frame
    body = b"tEXt" + KEY.encode() + b"\0" + text
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return picture[:after_header] + chunk + picture[after_header:]


def _find_png(file: BinaryIO) -> str | None:
    """Walk through the chunks; only the one that is looked for is read."""
    if file.read(8) != _PNG:
        return None
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return None
        (length,) = struct.unpack(">I", head[:4])
        if head[4:] != b"tEXt" or length > MAX_TEXT:
            file.seek(length + 4, 1)
            continue
        data, crc = file.read(length), file.read(4)
        key, _, text = data.partition(b"\0")
        is_whole = crc == struct.pack(">I", zlib.crc32(b"tEXt" + data))
        if key == KEY.encode() and is_whole:
            return text.decode("ascii", "replace")
    return None


def _attach_svg(picture: bytes, text: bytes) -> bytes:
    tag = _SVG_TAG.search(picture)
    if tag is None:
        raise _unexpected("SVG")
    escaped = html.escape(text.decode("ascii"), quote=False).encode("ascii")
    element = b'\n<metadata id="' + _SVG_ID.encode() + b'">' + escaped + b"</metadata>"
    return picture[: tag.end()] + element + picture[tag.end() :]


def _attach_pdf(picture: bytes, text: bytes) -> bytes:
    """Append a new state of the Info dictionary, as an editor of the document would."""
    start = _PDF_START.search(picture[-64:])
    info = None if start is None else _last_match(rb"/Info" + _PDF_REFERENCE, picture)
    root = _last_match(rb"/Root" + _PDF_REFERENCE, picture)
    size = _last_match(rb"/Size\s+(\d{1,8})", picture)
    if start is None or info is None or root is None or size is None:
        raise _unexpected("PDF")
    number, generation = (int(group) for group in info.groups())
    entries = _pdf_dictionary(picture, number, generation)
    escaped = re.sub(rb"([()\\])", rb"\\\1", text)
    head = b"" if picture.endswith(b"\n") else b"\n"
    new_info = b"%d %d obj\n<<%s/%s (%s)\n>>\nendobj\n"
    body = head + new_info % (number, generation, entries, KEY.encode(), escaped)
    at = len(picture) + len(head)
    table = b"xref\n%d 1\n%010d %05d n \n" % (number, at, generation)
    trailer = b"trailer\n<< /Size %s /Root %s /Info %d %d R /Prev %s >>\n" % (
        size[1],
        b" ".join([*root.groups(), b"R"]),
        *(number, generation),
        start[1],
    )
    end = b"startxref\n%d\n%%%%EOF\n" % (len(picture) + len(body))
    return picture + body + table + trailer + end


def _pdf_dictionary(picture: bytes, number: int, generation: int) -> bytes:
    """Return the entries of the newest dictionary object of this number."""
    pattern = rb"(?:^|[\r\n])%d\s+%d\s+obj\s*<<(.*?)>>\s*endobj" % (number, generation)
    found = _last_match(pattern, picture, re.DOTALL)
    if found is None:
        raise _unexpected("PDF")
    entries: bytes = found[1]
    return entries


def _pdf_unescaped(raw: bytes) -> bytes:
    return re.sub(rb"\\([()\\])", rb"\1", raw)


def _last_match(pattern: bytes, data: bytes, flags: int = 0) -> re.Match[bytes] | None:
    last = None
    for last in re.finditer(pattern, data, flags):  # noqa: B007
        pass
    return last


def _last(pattern: re.Pattern[bytes], data: bytes) -> bytes | None:
    """Return what the last match holds, if it is not too long."""
    texts = [match[1] for match in pattern.finditer(data) if len(match[1]) <= MAX_TEXT]
    return texts[-1] if texts else None


def _unexpected(kind: str) -> OutputError:
    msg = f"The experiment could not be put into the {kind} picture. Save it in another format."
    return OutputError(msg)
