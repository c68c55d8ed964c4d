from __future__ import annotations

import pytest

from mtm_core.cli.bound_model import find_model
from mtm_core.cli.bundled_name import find_bundled
from mtm_core.cli.info import find
from mtm_core.errors import CheckpointError, SessionFileError
from mtm_core.resources import checkpoint_path, list_checkpoints, list_sessions, session_path


def test_a_bundled_name_or_its_beginning_is_found() -> None:
    session, model = list_sessions()[0], list_checkpoints()[0]
    assert find(session) == session_path(session)
    assert find(model) == find_model(model) == checkpoint_path(model)


@pytest.mark.parametrize(
    ("look", "error", "answer"),
    [
        (find, SessionFileError, "There is no file or folder xyzzy."),
        (find_model, CheckpointError, "There is no checkpoint or run folder xyzzy."),
    ],
)
def test_a_name_like_none_says_so(look, error, answer: str) -> None:
    with pytest.raises(error) as raised:
        look("xyzzy")
    assert str(raised.value) == answer


@pytest.mark.parametrize(
    ("look", "names", "kind"),
    [(find, list_sessions, "session"), (find_model, list_checkpoints, "checkpoint")],
)
def test_a_misspelt_name_is_answered_with_the_nearest(look, names, kind: str) -> None:
    name = names()[0]
    with pytest.raises((SessionFileError, CheckpointError), match=f"the bundled {kind} {name}"):
        look(name[:-1] + "#")


def test_the_error_is_of_the_kind_that_was_asked_for() -> None:
    with pytest.raises(CheckpointError, match="There is no such thing nothing"):
        find_bundled(
            "nothing", session_path, kind="session", otherwise="such thing", error=CheckpointError
        )
