"""Fetch what the next step needs while this one is computed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")
Key = tuple[int, int]


class Lookahead(Generic[T]):
    """One thread that fetches ahead; what it fetches is what would be fetched without it.

    Parameters
    ----------
    fetch : callable
        Fetches what belongs to a key; called by one thread at a time and by the caller of `take`.

    Examples
    --------
    >>> ahead = Lookahead(lambda key: sum(key))
    >>> ahead.begin((1, 2))
    >>> ahead.take((1, 2)), ahead.take((5, 0))
    (3, 5)
    >>> ahead.close()
    """

    def __init__(self, fetch: Callable[[Key], T]) -> None:
        self._fetch = fetch
        self._pool: ThreadPoolExecutor | None = None
        self._begun: dict[Key, Future[T]] = {}

    def begin(self, key: Key) -> None:
        """Begin to fetch, unless that was begun already."""
        if key not in self._begun:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(1, thread_name_prefix="lookahead")
            self._begun[key] = self._pool.submit(self._fetch, key)

    def take(self, key: Key) -> T:
        """Return what belongs to a key: fetched ahead, or now if the thread has not come to it."""
        begun = self._begun.pop(key, None)
        if begun is None or begun.cancel():
            return self._fetch(key)
        return begun.result()

    def close(self) -> None:
        """End the thread; what was begun is forgotten."""
        self._begun.clear()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
