from __future__ import annotations

import threading

import pytest

from mtm_core.training.lookahead import Lookahead


@pytest.fixture
def ahead():
    made = Lookahead(lambda key: (key, threading.current_thread().name))
    yield made
    made.close()


def test_what_was_begun_is_fetched_by_another_thread_once(ahead):
    fetched = []
    is_done = threading.Event()

    def fetch(key):
        fetched.append((key, threading.current_thread().name))
        is_done.set()
        return key

    ahead._fetch = fetch
    ahead.begin((1, 0))
    ahead.begin((1, 0))
    assert is_done.wait(10)
    assert ahead.take((1, 0)) == (1, 0)
    assert fetched == [((1, 0), "lookahead_0")]


def test_what_nobody_began_is_fetched_here(ahead):
    assert ahead.take((3, 1)) == ((3, 1), threading.current_thread().name)


def test_what_the_thread_has_not_come_to_is_fetched_here(ahead):
    may_go, is_busy = threading.Event(), threading.Event()

    def fetch(key):
        if threading.current_thread().name.startswith("lookahead"):
            is_busy.set()
            may_go.wait(10)
        return key, threading.current_thread().name

    ahead._fetch = fetch
    ahead.begin((1, 0))
    assert is_busy.wait(10)
    ahead.begin((2, 0))
    assert ahead.take((2, 0)) == ((2, 0), threading.current_thread().name)
    may_go.set()
    assert ahead.take((1, 0)) == ((1, 0), "lookahead_0")


def test_an_error_arrives_where_the_result_would(ahead):
    def fetch(key):
        raise OSError(5, "the disk is gone")

    ahead._fetch = fetch
    ahead.begin((1, 0))
    with pytest.raises(OSError, match="the disk is gone"):
        ahead.take((1, 0))
