"""A database (Alyx) by way of ONE's client: login, and questions with a time limit."""

from __future__ import annotations

import functools
import inspect
import itertools
import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mtm_core.data.one_network import TIMEOUT_S, explain, explain_status, host_of
from mtm_core.data.one_records import Credentials
from mtm_core.data.one_settings import (
    ENV_PASSWORD,
    ENV_TOKEN,
    ENV_USERNAME,
    Settings,
    damaged,
    import_params,
)
from mtm_core.errors import DataError, DownloadError, LoginError, NetworkError

Record = dict[str, Any]
_MAX_RETRIES = 1
_MAX_WAIT_S = 5.0


class Server:
    """One database, with somebody logged in.

    Parameters
    ----------
    settings : Settings
        Which database.
    credentials : Credentials
        Who asks; without any, the token that ONE keeps serves.

    Raises
    ------
    LoginError
        If there is nothing to log in with, or it was not accepted.
    NetworkError
        If the database does not answer as it should.
    """

    def __init__(self, settings: Settings, credentials: Credentials) -> None:
        self.url = settings.url
        self._client = _make_client(settings)
        name = credentials.username or settings.username
        if credentials.are_given:
            token = credentials.token or _fetch_token(settings.url, credentials)
            self._log_in(token, credentials.username)
        elif settings.has_token and name == settings.username:
            self._client.authenticate(username=name)
        else:
            raise LoginError(_who_are_you(settings.url))

    def sessions(self, filters: Mapping[str, str], limit: int) -> list[Record]:
        """Return the records of the sessions that fit, as the list of the database has them."""
        pages = self._ask("sessions", "list", **filters)
        return list(itertools.islice(self._walk(pages), limit))

    def session(self, eid: str) -> Record:
        """Return the full record of a session, with its probes and datasets.

        Raises
        ------
        DataError
            If the database has no such session.
        """
        try:
            found = self._ask("sessions", "read", id=eid, no_cache=True)
        except DownloadError as error:  # 404
            raise DataError(unknown_session(self.url, eid)) from error
        return _as_record(found, self.url)

    def dataset(self, dataset_id: str) -> Record:
        """Return the full record of a dataset, with the places where its file lies."""
        found = self._ask("datasets", "read", id=dataset_id)
        return _as_record(found, self.url)

    def _ask(self, endpoint: str, action: str, **more: object) -> object:
        try:
            return self._client.rest(endpoint, action, **more)
        except NetworkError:
            raise
        except (OSError, ValueError, KeyError, AssertionError) as error:
            if self._is_about_the_disk(error):
                self._client.cache_mode = None  # answers need not be kept
                return self._ask(endpoint, action, **more)
            raise explain(error, self.url) from error

    def _is_about_the_disk(self, error: Exception) -> bool:
        import requests

        is_local = isinstance(error, OSError) and not isinstance(error, requests.RequestException)
        return is_local and self._client.cache_mode is not None

    def _walk(self, pages: Any) -> Iterator[Record]:  # noqa: ANN401 - a list, or ONE's pages
        try:
            for record in pages:
                if record is not None:
                    yield _as_record(record, self.url)
        except NetworkError:
            raise
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise explain(error, self.url) from error

    def _log_in(self, token: str, username: str | None) -> None:
        """Let ONE check the token, find whose it is, and keep it in its settings."""
        import requests

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # a token of another account: fine
                self._client.authenticate(username=username, token=token)
        except requests.HTTPError:
            raise explain_status(401, f"{self.url}/me", "Invalid token.") from None
        except json.JSONDecodeError as error:
            raise damaged(import_params().get_params_dir(), error) from error
        except ValueError as error:
            msg = (
                f"{host_of(self.url)} does not say whose token this is: name the account as well."
            )
            raise LoginError(msg) from error
        except OSError as error:
            raise explain(error, self.url) from error


def unknown_session(url: str, ref: str) -> str:
    """Say that a database has no such session."""
    return f"{host_of(url)} knows no session {ref}. Check it, or search for it."


def _as_record(found: object, url: str) -> Record:
    if not isinstance(found, dict):
        raise explain(ValueError("not a record."), url)
    return found


def _make_client(settings: Settings) -> Any:  # noqa: ANN401 - ONE has no types
    from one.webclient import AlyxClient

    keeps_answers = os.access(settings.cache_dir, os.W_OK)
    client = AlyxClient(
        base_url=settings.url,
        cache_dir=str(settings.cache_dir),
        silent=True,
        cache_rest="GET" if keeps_answers else None,
    )
    client.max_retry_attempts = _MAX_RETRIES
    client.max_retry_wait_seconds = _MAX_WAIT_S
    plain = client._generic_request

    def in_time(ask: Callable[..., Any], query: str, **more: object) -> object:
        return plain(_with_limit(ask, settings.url), query, **more)

    # ONE unwraps its own method when it asks a second time.
    in_time.__wrapped__ = inspect.unwrap(plain)  # type: ignore[attr-defined]
    client._generic_request = in_time
    return client


def _with_limit(ask: Callable[..., Any], url: str) -> Callable[..., Any]:
    """Give a request of ONE's a time limit, and a refusal its sentence.

    Without this a refused token would make ONE log out and try to log in anew without a password.
    """
    import requests

    @functools.wraps(ask)
    def limited(*args: object, **more: Any) -> Any:  # noqa: ANN401 - passed through
        try:
            answer = ask(*args, timeout=TIMEOUT_S, **more)
        except requests.RequestException as error:
            raise explain(error, url) from error
        status = answer.status_code
        if status in (401, 403) or (status >= 500 and status != 503):
            raise explain_status(status, url, answer.text[:300])
        return answer

    return limited


def _fetch_token(url: str, credentials: Credentials) -> str:
    """Exchange a password for a token, with a time limit, which ONE does not set."""
    import requests

    try:
        answer = requests.post(
            f"{url}/auth-token",
            data={"username": credentials.username, "password": credentials.password},
            timeout=TIMEOUT_S,
        )
        if answer.ok:
            return str(answer.json()["token"])
    except requests.RequestException as error:
        raise explain(error, url) from None  # its text could hold what was sent
    except (KeyError, TypeError, ValueError):
        raise explain(ValueError("no token."), url) from None
    if answer.status_code == 400:
        msg = (
            f"{host_of(url)} did not accept the password of account '{credentials.username}'. "
            "Check both; an account that signs in with ORCiD has no password and uses a token."
        )
        raise LoginError(msg)
    raise explain_status(answer.status_code, url, answer.text[:300])


def _who_are_you(url: str) -> str:
    return (
        f"{host_of(url)} wants to know who asks. Make a free account at {url}/signup, then set "
        f"{ENV_USERNAME} and {ENV_PASSWORD}, or {ENV_TOKEN} (shown at {url}/me)."
    )
