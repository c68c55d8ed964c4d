from __future__ import annotations

import json
from pathlib import Path

import pytest

from mtm_core.data import one_settings
from mtm_core.data.one_client import OneClient
from mtm_core.data.one_records import Credentials
from mtm_core.data.one_settings import (
    PUBLIC_URL,
    Settings,
    default_url,
    fill_from_environment,
    find_cache_dir,
    load_settings,
)
from mtm_core.errors import ConfigError
from tests.core.data.stub_alyx import PASSWORD, USER


def test_the_default_is_the_environments_then_ones_then_the_public_database(home, monkeypatch):
    import one.params

    assert default_url() == PUBLIC_URL
    one.params.setup(client="https://alyx.lab.invalid", silent=True, cache_dir=str(home / "c"))
    assert default_url() == "https://alyx.lab.invalid"
    monkeypatch.setenv("MTM_ALYX_URL", "alyx.other.invalid/")
    assert default_url() == "https://alyx.other.invalid"


def test_the_cache_is_the_environments_then_ones_then_its_default(home, monkeypatch):
    import one.params

    url = "https://alyx.lab.invalid"
    assert find_cache_dir(url).name == "alyx.lab.invalid"
    assert not find_cache_dir(url).exists()
    one.params.setup(client=url, silent=True, cache_dir=str(home / "known"))
    assert find_cache_dir(url) == home / "known"
    monkeypatch.setenv("MTM_ONE_CACHE", "~/mine")
    assert find_cache_dir(url) == home / "mine"


def test_a_token_of_the_public_database_is_never_reset(home, tmp_path):
    import one.params

    load_settings(PUBLIC_URL, tmp_path / "first")
    kept = one.params.get(PUBLIC_URL, silent=True).set("TOKEN", {"me": {"token": "secret"}})
    one.params.save(kept.set("ALYX_LOGIN", "me"), PUBLIC_URL)
    again = load_settings(PUBLIC_URL, tmp_path / "second")
    assert (again.username, again.has_token) == ("me", True)
    assert find_cache_dir(PUBLIC_URL) == tmp_path / "first"  # ONE's folder stays ONE's


def test_the_only_token_serves_where_no_account_is_noted(home, tmp_path):
    import one.params

    url = "https://alyx.lab.invalid"
    load_settings(url, tmp_path / "cache")
    kept = one.params.get(url, silent=True).set("TOKEN", {"me": {"token": "secret"}})
    one.params.save(kept, url)
    assert load_settings(url, tmp_path / "cache").username == "me"


def test_the_file_servers_account_goes_to_the_file_server_alone():
    settings = Settings(
        url="https://alyx.invalid",
        cache_dir=Path("cache"),
        username=None,
        has_token=False,
        data_server="https://files.invalid/public",
        data_login=("lab", "hidden"),
    )
    assert settings.login_for("https://files.invalid/public/a.npy") == ("lab", "hidden")
    assert settings.login_for("https://files.invalid/public-too/a.npy") is None
    assert settings.login_for("https://files.invalid.evil.invalid/public/a.npy") is None
    assert "hidden" not in repr(settings)


def test_secrets_of_another_account_are_left_alone(monkeypatch):
    monkeypatch.setenv("MTM_ALYX_USERNAME", "somebody")
    monkeypatch.setenv("MTM_ALYX_PASSWORD", "secret")
    monkeypatch.delenv("MTM_ALYX_TOKEN", raising=False)
    assert fill_from_environment(Credentials()).password == "secret"
    assert fill_from_environment(Credentials(username="somebody")).are_given
    assert not fill_from_environment(Credentials(username="another")).are_given
    token = Credentials(token="given")
    assert fill_from_environment(token) == token


def test_settings_that_are_damaged_are_named(home, tmp_path):
    load_settings(PUBLIC_URL, tmp_path / "cache")
    (home / ".one/.openalyx.internationalbrainlab.org").write_text("{")
    with pytest.raises(ConfigError, match=r"settings in .*\.one could not be read or written"):
        load_settings(PUBLIC_URL, tmp_path / "cache")
    (home / ".one/.caches").write_text(json.dumps([1]))
    assert default_url() == PUBLIC_URL


def test_a_home_that_python_cannot_find_is_said_so(monkeypatch):
    def no_home() -> Path:
        raise RuntimeError

    monkeypatch.setattr(one_settings.Path, "home", no_home)
    with pytest.raises(ConfigError, match="There is no home folder ~"):
        default_url()


def test_a_home_that_is_not_there_is_said_so(alyx, home, cache_dir, monkeypatch):
    monkeypatch.setenv("HOME", str(home / "nowhere"))
    with pytest.raises(ConfigError, match=r"There is no home folder .*nowhere.* Set HOME"):
        OneClient.connect(alyx.url, username=USER, password=PASSWORD, cache_dir=cache_dir)
    client = OneClient.connect(cache_dir=cache_dir, mode="local")
    assert client.search() == []


def test_damaged_settings_of_one_are_said_so(connect, home):
    (home / ".one").mkdir()
    (home / ".one/.caches").write_text("{ half")
    with pytest.raises(ConfigError, match=r"ONE's settings in .*caches could not be read"):
        connect()


def test_settings_and_token_of_one_are_used_as_they_are(alyx, home, tmp_path):
    import one.params
    from one.webclient import AlyxClient

    folder = tmp_path / "the cache of ONE"
    one.params.setup(client=alyx.url, silent=True, username=USER, cache_dir=str(folder))
    AlyxClient(base_url=alyx.url, username=USER, password=PASSWORD, silent=True)
    before = settings_in(home)
    client = OneClient.connect()  # the default of ONE, its token, its folder
    assert client.url == alyx.url
    assert client.cache_dir == folder
    assert client.search()
    assert settings_in(home) == before


def settings_in(home: Path) -> dict[str, str]:
    files = (path for path in (home / ".one").iterdir() if path.suffix != ".lock")
    return {path.name: path.read_text() for path in files}
