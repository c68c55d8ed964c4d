"""How far a download is, in words."""

from __future__ import annotations

import pytest

from mtm_core.data.one_records import DownloadProgress
from mtm_viewer.presenters.transfer import (
    bytes_words,
    download_task,
    download_words,
    duration_words,
    progress_task,
)

HALF = DownloadProgress(
    stage="downloading", n_bytes=500_000, n_bytes_total=1_000_000, n_files=3, n_files_total=9
)


def test_units_are_told_once_where_they_are_the_same():
    assert download_words(HALF) == "500 kB of 1.0 MB, 3 of 9 files"


@pytest.mark.parametrize(
    ("stage", "words"),
    [("waiting", "another program"), ("done", "all files have arrived")],
)
def test_every_stage_has_its_words(stage, words):
    assert words in download_words(DownloadProgress(stage=stage))


def test_a_download_says_what_comes_after_it():
    task = download_task("KS014", HALF, 2)
    assert (task.title, task.share) == ("Downloading KS014", 0.5)
    assert task.detail.endswith("3 of 9 files   (2 more waiting)")
    first = download_task("KS014", None, 0)
    assert (first.detail, first.share) == ("connecting", None)


def test_the_share_is_not_told_before_it_is_known():
    assert progress_task("x", DownloadProgress(stage="looking up")).share is None
    assert progress_task("x", None).detail == ""
    assert progress_task("x", 1.5).share == 1.0


def test_huge_sizes_and_long_times_are_readable():
    assert bytes_words(5e15) == "5000 TB"
    assert duration_words(7200) == "2 h 0 min"
