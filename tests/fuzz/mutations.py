"""Ways to spoil a file: bytes, text, JSON trees, and the structure of HDF5 files."""

from __future__ import annotations

import contextlib
import io
import json
import random
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

HUGE_NESTING = 20_000
Values = NDArray[Any]
_BYTES = (b"\x00", b"\xff", b"\x7f", b"\x80", b"\n", b"[", b"{", b'"', b"\\", b"%", b"(", b"<")
_NUMBERS = (
    0,
    1,
    2,
    4,
    8,
    0x7F,
    0xFF,
    0x7FFF,
    0xFFFF,
    0x7FFFFFFF,
    0xFFFFFFFF,
    2**63 - 1,
    2**64 - 1,
)
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, -(2**70), 10**400, 0.5, 1e308, -1e-308),
    *(float("nan"), float("inf"), "", " ", "a" * 5000, "\x00", "\ud800", "../../../../etc/passwd"),
    *("/dev/zero", "~", "C:\\x", "実験", "nan", "1e999", "${HOME}", "{0.__class__}", "%s%n"),
    *([], {}, [[]], [None], {"": ""}, [1, "a", None], ["x"] * 300, [0] * 3000, {"schema": 1}),
)
_WORDS = (
    *(
        "and",
        "or",
        "not",
        "in",
        "(",
        ")",
        ",",
        "==",
        "!=",
        "<",
        ">=",
        '"',
        "'",
        "*",
        "?",
        "[",
        "]",
    ),
    *("region", "rate_hz", "beryl", "nan", "inf", "1e999", "-", "0x10", "True", "é", "\u2264"),
    *('"CA1"', '"*"', "((((", "not not", "\t", "\x00", "=", "#", "[a.b]", "{", "}", "'''", "\\u"),
)


def spoil_bytes(data: bytes, rng: random.Random) -> bytes:
    """Change, insert, remove, repeat or swap a few bytes, or cut the file short."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        size = max(len(changed), 1)
        place = rng.randrange(size)
        kind = rng.randrange(8)
        if kind == 0:
            changed[place : place + 1] = bytes([rng.randrange(256)])
        elif kind == 1 and changed:
            changed[place] ^= 1 << rng.randrange(8)
        elif kind == 2:
            width = rng.choice((1, 2, 4, 8))
            number = rng.choice(_NUMBERS) % (1 << (8 * width))
            changed[place : place + width] = number.to_bytes(width, rng.choice(("little", "big")))
        elif kind == 3:
            changed[place:place] = rng.choice(_BYTES) * rng.choice((1, 3, 100))
        elif kind == 4:
            del changed[place : place + rng.choice((1, 2, 8, 64, 1000))]
        elif kind == 5:
            end = place + rng.choice((1, 8, 64, 512))
            other = rng.randrange(size)
            changed[other:other] = changed[place:end]
        elif kind == 6:
            changed[place : place + 8] = rng.randbytes(8)
        else:
            del changed[place:]
    return bytes(changed)


def spoil_text(text: str, rng: random.Random) -> str:
    """Put words of the language where they do not belong, remove some, or nest too deep."""
    if rng.random() < 0.02:
        opening = rng.choice(("(", "not ", "[", "{", '{"a":', "a.", "[["))
        return opening * HUGE_NESTING + text
    pieces = text.split(" ")
    for _ in range(rng.choice((1, 2, 4, 8))):
        place = rng.randrange(len(pieces) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            pieces.insert(place, rng.choice(_WORDS))
        elif kind == 1 and pieces:
            del pieces[min(place, len(pieces) - 1)]
        elif kind == 2 and pieces:
            pieces.insert(place, rng.choice(pieces))
        elif pieces:
            at = min(place, len(pieces) - 1)
            letters = list(pieces[at])
            letters.insert(rng.randrange(len(letters) + 1), rng.choice(_WORDS))
            pieces[at] = "".join(letters)
    return rng.choice((" ", " ", "", "\n")).join(pieces)


def spoil_tree(value: Any, rng: random.Random) -> Any:
    """Replace, remove or rename some parts of a JSON value."""
    copy = json.loads(json.dumps(value))
    for _ in range(rng.choice((1, 1, 2, 3))):
        places = list(_places(copy))
        if not places:
            return _any(rng)
        holder, key = rng.choice(places)
        kind = rng.randrange(6)
        if kind == 0:
            del holder[key]
        elif kind == 1 and isinstance(holder, dict):
            holder[rng.choice(("", "x", "__class__", str(key) + " "))] = holder.pop(key)
        elif kind == 2:
            holder[key] = [holder[key]]
        elif kind == 3 and type(holder[key]) is float:
            holder[key] = holder[key] * rng.choice((-1, 0, 2, 1e6, 1e300, 0.1))
        else:
            holder[key] = _any(rng)
    return copy


def spoil_json(text: str, rng: random.Random) -> bytes:
    """Spoil the value of a JSON text, or the text."""
    if rng.random() < 0.2:
        return spoil_bytes(text.encode("utf-8"), rng)
    if rng.random() < 0.02:
        return text.replace(":", ":" + "[" * HUGE_NESTING, 1).encode("utf-8")
    spoilt = json.dumps(spoil_tree(json.loads(text), rng))
    return spoilt.encode("utf-8", "surrogatepass")


def spoil_hdf5(data: bytes, rng: random.Random) -> bytes:
    """Spoil the structure of an HDF5 file: other types and shapes, links, attributes."""
    image = io.BytesIO(data)
    with h5py.File(image, "r+") as file:
        nodes: list[str] = []
        file.visit(nodes.append)
        for _ in range(rng.choice((1, 1, 2))):
            name = rng.choice(nodes)
            with contextlib.suppress(Exception):  # what h5py itself refuses to write
                if rng.random() < 0.2:
                    _spoil_attributes(file, rng.choice((file, file[name])), rng)
                else:
                    _spoil_node(file, name, rng)
    return image.getvalue()


def _any(rng: random.Random) -> Any:
    return json.loads(json.dumps(rng.choice(_VALUES)))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    if not isinstance(value, dict | list):
        return
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in list(items):
        yield value, key
        yield from _places(part)


def _spoil_node(file: h5py.File, name: str, rng: random.Random) -> None:
    node = file[name]
    old = np.asarray(node[()]) if isinstance(node, h5py.Dataset) else np.zeros(3)
    del file[name]
    rng.choice(_SPOILERS)(file, name, old, rng)


def _put_nothing(_file: h5py.File, _name: str, _old: Values, _rng: random.Random) -> None:
    pass


def _put_group(file: h5py.File, name: str, _old: Values, _rng: random.Random) -> None:
    file.create_group(name)


def _put_link(file: h5py.File, name: str, _old: Values, rng: random.Random) -> None:
    inside = [h5py.SoftLink(to) for to in ("/" + name, "/", "/nothing", "/units", "/counts")]
    outside = [h5py.ExternalLink(to, "/x") for to in ("/etc/passwd", "other.h5", "")]
    file[name] = rng.choice((*inside, *outside))


def _put_promise(file: h5py.File, name: str, _old: Values, rng: random.Random) -> None:
    """Write a few bytes that say they are many."""
    shape = rng.choice(((2**40,), (2**20, 2**20), (10**6, 10**3, 10**3), (2**62,)))
    file.create_dataset(name, shape=shape, dtype=rng.choice(("u1", "f8")), chunks=True)


def _put_bomb(file: h5py.File, name: str, _old: Values, _rng: random.Random) -> None:
    data = np.zeros((20, 1000, 1000), np.uint8)
    file.create_dataset(name, data=data, compression="gzip", chunks=True)


def _put_other_kind(file: h5py.File, name: str, _old: Values, rng: random.Random) -> None:
    kind = rng.randrange(3)
    if kind == 0:
        file.create_dataset(name, data=h5py.Empty("f4"))
    elif kind == 1:
        file[name] = np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])
    else:
        file.create_dataset(name, data=file.ref, dtype=h5py.ref_dtype)


def _put_text(file: h5py.File, name: str, old: Values, rng: random.Random) -> None:
    text = rng.choice(("", "a\x00b", "é" * 100, "x" * 100_000, "nan", "12", "CA1"))
    texts = np.array([text.encode()] * max(old.size, 1), dtype=object)
    shape = old.shape if old.size else (1,)
    file.create_dataset(name, data=texts.reshape(shape), dtype=h5py.string_dtype())


def _put_values(file: h5py.File, name: str, old: Values, rng: random.Random) -> None:
    value = rng.choice(
        (np.nan, np.inf, -1.0, 1e300, 2.0**40, -128, 0, 127, 255, 2**31 - 1, 1 + 2j)
    )
    file[name] = np.full(old.shape, value)


def _put_shape(file: h5py.File, name: str, old: Values, rng: random.Random) -> None:
    shapes = [old[..., None], np.repeat(old, 2, axis=0) if old.ndim else np.array([1, 2])]
    file[name] = rng.choice([*shapes, old[:0] if old.ndim else old])


def _put_type(file: h5py.File, name: str, old: Values, rng: random.Random) -> None:
    file[name] = np.full(old.shape, -1).astype(rng.choice(("i1", "u1", "f2", "f8", "?", ">i4")))


_SPOILERS = (
    *(_put_nothing, _put_group, _put_link, _put_promise, _put_bomb, _put_other_kind, _put_text),
    *(_put_values, _put_values, _put_shape, _put_shape, _put_type),
)


def _spoil_attributes(file: h5py.File, node: Any, rng: random.Random) -> None:
    names = list(node.attrs)
    name = rng.choice([*names, "x"])
    value = rng.choice(
        (0, -1, 2**40, np.nan, "", "x" * 30_000, b"\xff\xfe", "a\x00", np.zeros(5), file.ref, True)
    )
    if name in node.attrs and rng.random() < 0.3:
        del node.attrs[name]
    else:
        node.attrs[name] = value
