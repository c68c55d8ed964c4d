"""Is a server within reach, and what went wrong with it, in words.

A probe comes before everything slow: neither ONE nor the look-up of an address knows a time limit.
"""

from __future__ import annotations

import socket
import threading
from urllib.parse import urlsplit

from mtm_core.errors import ConfigError, DownloadError, LoginError, NetworkError, UnreachableError

PROBE_S = 2.0
"""How long a server may take to accept a connection."""
TIMEOUT_S = (5.0, 20.0)
"""How long a request may take to connect, and to send its next bytes."""
_LATER = "Try again later, or go on with the sessions of the cache."
_PORTS = {"http": 80, "https": 443}
_REFUSED = (401, 403)


def normal_url(url: str) -> str:
    """Return an address with its scheme and without a slash at its end.

    Raises
    ------
    ConfigError
        If it is no address of a web server.

    Examples
    --------
    >>> normal_url("openalyx.internationalbrainlab.org/")
    'https://openalyx.internationalbrainlab.org'
    """
    text = url.strip() if "://" in url else f"https://{url.strip()}"
    try:
        parts = urlsplit(text)
        is_web = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_web = False
    if not is_web:
        msg = f"'{url}' is no address of a database. It should look like 'https://HOST'."
        raise ConfigError(msg)
    return text.rstrip("/")


def probe(url: str, *, seconds: float = PROBE_S) -> None:
    """Return if the server of an address (or the proxy before it) takes a connection.

    Raises
    ------
    UnreachableError
        If it does not within `seconds`.
    """
    host, port = _first_stop(url)
    found: list[BaseException | None] = []

    def connect() -> None:
        try:
            socket.create_connection((host, port), seconds).close()
        except (OSError, UnicodeError) as error:
            found.append(error)
        else:
            found.append(None)

    # The look-up of a name knows no time limit: it is left behind where it hangs.
    thread = threading.Thread(target=connect, name="mtm-probe", daemon=True)
    thread.start()
    thread.join(seconds * 1.5)
    error = found[0] if found else TimeoutError()
    if error is not None:
        raise UnreachableError(_unreachable(host, error)) from error


def host_of(url: str) -> str:
    """Return the name of the server in an address, with its port if it is an unusual one.

    Examples
    --------
    >>> host_of("https://ibl.flatironinstitute.org/public/x.npy"), host_of("http://127.0.0.1:8010/a")
    ('ibl.flatironinstitute.org', '127.0.0.1:8010')
    """
    return urlsplit(url).netloc.rpartition("@")[2]


def explain(error: Exception, url: str) -> NetworkError:
    """Turn what a request raised into a sentence.

    Parameters
    ----------
    error : Exception
        From `requests`.
    url : str
        What was asked for.
    """
    import requests

    host = host_of(url)
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return explain_status(error.response.status_code, error.response.url or url)
    if isinstance(error, requests.Timeout):
        msg = f"{host} took a connection and then fell silent. {_LATER}"
        return UnreachableError(msg)
    if isinstance(error, requests.exceptions.SSLError):
        msg = (
            f"The certificate of {host} was not accepted: {_short(error)}. "
            "Check the clock of this machine and the proxy of this network."
        )
        return UnreachableError(msg)
    if isinstance(error, requests.exceptions.ProxyError):
        msg = f"The proxy on the way to {host} does not answer. Check HTTPS_PROXY. {_LATER}"
        return UnreachableError(msg)
    if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return UnreachableError(f"The connection to {host} was lost. {_LATER}")
    return NetworkError(f"{host} gave an answer that could not be read: {_short(error)}. {_LATER}")


def explain_status(status: int, url: str, detail: str = "") -> NetworkError:
    """Turn the status of an answer into a sentence."""
    host = host_of(url)
    if status in _REFUSED and _is_about_login(status, detail):
        msg = (
            f"{host} did not accept the token: it is wrong, or has expired. "
            f"Log in again with account and password, or with the token shown at {_me(url)}."
        )
        return LoginError(msg)
    if status in _REFUSED:
        return LoginError(f"{host} does not let this account see what was asked for.")
    if status == 404:
        return DownloadError(f"{host} does not have {urlsplit(url).path}.")
    if status == 429:
        return UnreachableError(f"{host} asks for fewer requests: wait a minute, then try again.")
    if status >= 500:
        return UnreachableError(f"{host} is up but has a fault of its own ({status}). {_LATER}")
    return NetworkError(f"{host} refused the request ({status}): {detail or 'no reason given'}.")


def _is_about_login(status: int, detail: str) -> bool:
    return status == 401 or "token" in detail.lower() or "credentials" in detail.lower()


def _me(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{host_of(url)}/me"


def _first_stop(url: str) -> tuple[str, int]:
    """Return host and port of the first machine on the way: the server, or the proxy."""
    import requests.utils as tools

    proxy = tools.select_proxy(url, tools.get_environ_proxies(url))
    parts = urlsplit(proxy if proxy and "://" in proxy else f"//{proxy}" if proxy else url)
    return parts.hostname or "", parts.port or _PORTS.get(parts.scheme or "http", 80)


def _unreachable(host: str, error: BaseException) -> str:
    if isinstance(error, socket.gaierror | UnicodeError):
        return (
            f"The address of {host} could not be looked up: there is no network, or the name is "
            "misspelt. Connect this machine, or go on with the sessions of the cache."
        )
    if isinstance(error, ConnectionRefusedError):
        return f"{host} refuses connections: the server is down. {_LATER}"
    if isinstance(error, TimeoutError):
        return f"{host} does not answer: there is no network, or the server is down. {_LATER}"
    return f"{host} cannot be reached ({_short(error)}): there is no network. {_LATER}"


def _short(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or " ".join(str(error).split())
    return str(text)[:160].rstrip(".").lower()
