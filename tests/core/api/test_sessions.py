from __future__ import annotations

import numpy as np
import pytest

from mtm_core.api.sessions import open_session, save_session
from mtm_core.cli.__main__ import main
from mtm_core.data.session_file import write_session
from mtm_core.errors import DataError, UnknownNameError
from tests.core.sessions import make_session


def test_a_saved_session_opens_as_it_was(tmp_path):
    session = make_session()
    path = save_session(session, tmp_path / "S.h5")
    assert open_session(path).content_hash == session.content_hash


def test_a_bundled_recording_opens_by_the_beginning_of_its_name():
    assert open_session("steinmetz2019_s12").n_units == 698


def test_a_session_file_is_prepared_again_only_if_asked(tmp_path):
    session = make_session()
    write_session(session, tmp_path / "S.h5")
    fewer = open_session(tmp_path / "S.h5", min_rate_hz=5.0)
    assert fewer.n_units < session.n_units
    assert fewer.preparation is not None


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated")
    assert main(["simulate", "--preset", "tiny", "--out", str(folder)]) == 0
    (session,) = folder.glob("*/Subjects/*/*/001")
    return session


def test_a_folder_is_prepared_by_a_preset_and_single_choices(recording):
    good = open_session(recording)
    everything = open_session(recording, "paper", align="first_movement")
    assert everything.n_units > good.n_units
    assert everything.provenance.align_event != good.provenance.align_event
    assert np.isclose(good.bin_size_s, 0.02)


def test_an_unknown_choice_of_preparation_is_refused_by_name(recording):
    with pytest.raises(UnknownNameError, match=r"prepare\.algin"):
        open_session(recording, algin="stim_on")


def test_what_is_no_recording_is_refused(tmp_path):
    with pytest.raises(DataError, match="no file or folder"):
        open_session(tmp_path / "nothing.h5")
