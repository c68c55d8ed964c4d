"""Prepared sessions on disk: found again, or made again when anything changed."""

from __future__ import annotations

import os
import shutil

import pytest

from mtm_core.config import PreparationConfig
from mtm_core.errors import OutputError
from mtm_viewer.jobs.prepared_cache import PreparedCache, default_cache
from tests.core.sessions import make_session

SESSION = make_session()
CONFIG = PreparationConfig()
EID = "5dcee0eb-b34d-4652-acc3-d10afc6eae68"


@pytest.fixture
def cache(tmp_path):
    return PreparedCache(tmp_path / "kept")


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "KS014" / "alf" / "probe00"
    folder.mkdir(parents=True)
    (folder / "spikes.times.npy").write_bytes(b"spikes")
    return tmp_path / "KS014"


def test_what_is_kept_is_found_again(cache, source):
    path = cache.keep(SESSION, str(source), CONFIG)
    session, found = cache.find(str(source), CONFIG)
    assert found == path
    assert session.content_hash == SESSION.content_hash
    assert path.name.startswith("simulated-0-")


def test_an_eid_is_found_by_its_name(cache):
    cache.keep(SESSION, EID, CONFIG)
    assert cache.find(EID.upper(), CONFIG) is not None


def test_other_settings_and_changed_files_are_not_found(cache, source):
    cache.keep(SESSION, str(source), CONFIG)
    assert cache.find(str(source), PreparationConfig(units="all")) is None
    (source / "alf" / "probe00" / "spikes.times.npy").write_bytes(b"more spikes")
    assert cache.find(str(source), CONFIG) is None


def test_a_single_file_is_told_by_size_and_time(cache, tmp_path):
    file = tmp_path / "session.nwb"
    file.write_bytes(b"nwb")
    cache.keep(SESSION, str(file), CONFIG)
    assert cache.find(str(file), CONFIG) is not None
    os.utime(file, (1, 1))
    assert cache.find(str(file), CONFIG) is None


def test_a_damaged_file_is_as_good_as_none(cache, source, caplog):
    path = cache.keep(SESSION, str(source), CONFIG)
    path.write_bytes(path.read_bytes()[:500])
    assert cache.find(str(source), CONFIG) is None
    assert "left out" in caplog.text
    cache.keep(SESSION, str(source), CONFIG)
    assert cache.find(str(source), CONFIG) is not None


def test_what_was_used_longest_ago_makes_room(tmp_path, source):
    small = PreparedCache(tmp_path / "kept", max_bytes=1)
    first = small.keep(SESSION, EID, CONFIG)
    second = small.keep(SESSION, str(source), CONFIG)
    assert not first.exists()
    assert second.exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path, source):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="Could not make the folder"):
        PreparedCache(tmp_path / "file" / "kept").keep(SESSION, str(source), CONFIG)


def test_the_cache_lies_in_the_persons_own_cache_folder(qapp):
    folder = default_cache().folder
    assert folder.parts[-2:] == ("mtm-viewer", "prepared")
    assert str(folder).startswith(os.environ["XDG_CACHE_HOME"])


def test_a_link_that_leads_nowhere_does_not_matter(cache, source):
    (source / "alf" / "gone.npy").symlink_to(source / "nowhere")
    shutil.copytree(source / "alf", source / "raw_ephys_data", symlinks=True)
    cache.keep(SESSION, str(source), CONFIG)
    assert cache.find(str(source), CONFIG) is not None
