"""A text goes into a picture and comes out again; the picture stays one."""

from __future__ import annotations

import io
import re

import pytest
from matplotlib.figure import Figure

from mtm_core.errors import OutputError
from mtm_core.figures.attachment import CARRIERS, KEY, attach, read_attachment

TEXT = '{"a": "x) (\\\\ <b> & ]]> \\u00e9", "n": [1, 2.5e-7], "q": "\'"}'


def picture(suffix: str) -> bytes:
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([1, 2])
    stream = io.BytesIO()
    figure.savefig(stream, format=suffix[1:], metadata={"Title": "T (1)"})
    return stream.getvalue()


def written(tmp_path, suffix, content):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("suffix", CARRIERS)
def test_the_text_comes_out_as_it_went_in(tmp_path, suffix):
    plain = picture(suffix)
    assert read_attachment(written(tmp_path, suffix, plain)) is None
    assert read_attachment(written(tmp_path, suffix, attach(plain, suffix, TEXT))) == TEXT


@pytest.mark.parametrize("suffix", CARRIERS)
def test_what_is_no_picture_is_told(suffix):
    with pytest.raises(OutputError, match="Save it in another format"):
        attach(b"nothing of the kind", suffix, TEXT)


def test_a_png_with_a_text_shows_the_same(tmp_path):
    from matplotlib.image import imread

    plain = picture(".png")
    path = written(tmp_path, ".png", attach(plain, ".png", TEXT))
    assert (imread(path) == imread(io.BytesIO(plain))).all()


def test_a_damaged_text_in_a_png_is_none(tmp_path):
    whole = attach(picture(".png"), ".png", TEXT)
    damaged = whole.replace(b"2.5e-7", b"2.5e-8")
    assert read_attachment(written(tmp_path, ".png", damaged)) is None
    cut = whole[: whole.index(KEY.encode()) + 30]
    assert read_attachment(written(tmp_path, ".png", cut)) is None
    monstrous = whole[:33] + b"\x7f\xff\xff\xfftEXt" + whole[33:]
    assert read_attachment(written(tmp_path, ".png", monstrous)) is None


def test_a_pdf_gets_a_new_state_whose_offsets_are_true(tmp_path):
    plain = picture(".pdf")
    whole = attach(attach(plain, ".pdf", "old"), ".pdf", TEXT)
    assert whole.startswith(plain)
    assert read_attachment(written(tmp_path, ".pdf", whole)) == TEXT
    start = int(re.findall(rb"startxref\s+(\d+)", whole)[-1])
    table = whole[start:]
    number, offset = re.match(rb"xref\n(\d+) 1\n(\d{10}) ", table).groups()
    assert whole[int(offset) :].startswith(number + b" 0 obj")
    assert b"/Title (T \\(1\\))" in whole[int(offset) : start]
    before = int(re.search(rb"/Prev (\d+)", table)[1])
    assert whole[before:].startswith(b"xref")
