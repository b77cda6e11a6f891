"""Settings: what operators may say, and what they are told when it cannot work."""

import ssl
from datetime import time
from pathlib import Path

import pytest

from enrich.entities.adapters import FORMS
from enrich.entities.tiers import TIERS
from services.broker import MAX_SOCKET_PATH_BYTES
from services.complaints import SettingsError
from services.secrets import mask_url
from services.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WIREROOM_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def test_without_any_setting_everything_lies_in_the_home(tmp_path: Path) -> None:
    settings = load_settings()

    assert settings.database_url == f"sqlite+pysqlite:///{tmp_path}/wireroom.db"
    assert settings.broker.embedded
    assert settings.broker.socket == tmp_path / "redis" / "redis.sock"


def test_every_tier_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for tier in (*TIERS, *FORMS, "spacy:/models/my names"):
        monkeypatch.setenv("WIREROOM_ENTITY_TIER", tier)
        assert load_settings().entity_tier == tier


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIREROOM_MAX_ENTRIES", "50")
    monkeypatch.setenv("WIREROOM_REPROCESS_AT", "04:30")
    monkeypatch.setenv("WIREROOM_ALLOW_NETWORKS", "127.0.0.0/8, 10.1.0.0/16")

    settings = load_settings()

    assert settings.max_entries == 50
    assert settings.reprocess_at == time(4, 30)
    assert settings.allow_networks == ("127.0.0.0/8", "10.1.0.0/16")


def test_command_line_beats_environment_beats_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "wireroom.toml"
    file.write_text("max_entries = 1\nfeed_batch = 2\nfile_batch = 3\n")
    monkeypatch.setenv("WIREROOM_FEED_BATCH", "20")
    monkeypatch.setenv("WIREROOM_FILE_BATCH", "30")

    settings = load_settings(file_batch=300)

    assert settings.max_entries == 1
    assert settings.feed_batch == 20
    assert settings.file_batch == 300


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIREROOM_BROKER_URL", "")

    assert load_settings().broker_url is None


def test_an_unknown_variable_is_refused_with_the_closest_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WIREROOM_BROKR_URL", "redis://x")

    with pytest.raises(SettingsError, match="did you mean WIREROOM_BROKER_URL"):
        load_settings()


def test_an_unknown_key_of_the_file_is_refused_with_the_closest_name(
    tmp_path: Path,
) -> None:
    (tmp_path / "wireroom.toml").write_text("max_entrys = 1\n")

    with pytest.raises(SettingsError, match="did you mean max_entries"):
        load_settings()


def test_a_broken_file_is_a_settings_error(tmp_path: Path) -> None:
    (tmp_path / "wireroom.toml").write_text("max_entries = \n")

    with pytest.raises(SettingsError, match="cannot read the settings"):
        load_settings()


def test_the_variables_of_the_test_suite_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WIREROOM_TEST_REDIS_URL", "redis://x")
    monkeypatch.setenv("WIREROOM_CORPORA", "/data")

    load_settings()


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("TASK_TIME_LIMIT", "200", "visibility_timeout must be above 430"),
        ("ENTITY_SECOND_TIER", "rules", "entity_second_tier must not be entity_tier"),
        ("LEASE_SECONDS", "2", "greater than or equal to 3"),
        ("TASK_SOFT_TIME_LIMIT", "90", "task_soft_time_limit must be below"),
        ("POLL_TIMEOUT_SECONDS", "60", "poll_timeout_seconds must be below"),
        ("CONNECT_TIMEOUT_SECONDS", "31", "connect_timeout_seconds must not be above"),
        ("ALLOW_NETWORKS", "10.0.0.1/8", "host bits"),
        ("DATABASE_URL", "mysql://h/d", "must start with sqlite:// or postgresql://"),
        ("BROKER_URL", "http://h", "broker_url must start with redis://"),
        ("HTTP_PROXY", "socks5://h:1", "http_proxy must be spelt http://host:port"),
        ("HTTP_PROXY", "h:3128", "http_proxy must be spelt http://host:port"),
        ("LIVE_BATCH", "0", "WIREROOM_LIVE_BATCH"),
        ("MAX_ENTRIES", "many", "WIREROOM_MAX_ENTRIES"),
        ("ENTITY_TIER", "bert", r"ENTITY_TIER: .*'crf'.*spacy\|gliner\|hf"),
        ("ENTITY_TIER", "stanza:en", "ENTITY_TIER"),
        ("ENTITY_TIER", "hf:", "ENTITY_TIER"),
    ],
)
def test_what_cannot_work_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, complaint: str
) -> None:
    monkeypatch.setenv(f"WIREROOM_{variable}", value)

    with pytest.raises(SettingsError, match=complaint):
        load_settings()


def test_a_secret_may_lie_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "database"
    secret.write_text("postgresql://wire:s3cret@db/wire\n")
    monkeypatch.setenv("WIREROOM_DATABASE_URL_FILE", str(secret))

    url = load_settings().database_url

    assert url == "postgresql+psycopg://wire:s3cret@db/wire"


def test_a_secret_given_twice_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WIREROOM_BROKER_URL", "redis://h")
    monkeypatch.setenv("WIREROOM_BROKER_URL_FILE", str(tmp_path / "broker"))

    with pytest.raises(SettingsError, match="not both"):
        load_settings()


def test_a_missing_secret_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIREROOM_BROKER_URL_FILE", "/does/not/exist")

    with pytest.raises(SettingsError, match="broker_url_file cannot be read"):
        load_settings()


def test_no_password_is_ever_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIREROOM_DATABASE_URL", "postgresql://u:s3cret@db/wire")
    monkeypatch.setenv("WIREROOM_BROKER_URL", "redis://:s3cret@queue:6379/1")
    monkeypatch.setenv("WIREROOM_HTTP_PROXY", "http://me:s3cret@proxy:3128")

    settings = load_settings()

    shown = f"{settings!r} {settings} {settings.broker!r} {settings.describe()}"
    assert "s3cret" not in shown
    assert settings.describe()["database_url"] == "postgresql+psycopg://u:***@db/wire"


def test_no_password_is_shown_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIREROOM_BROKER_URL", "http://:s3cret@queue")
    monkeypatch.setenv("WIREROOM_DATABASE_URL", "oracle://u:s3cret@db")

    with pytest.raises(SettingsError) as caught:
        load_settings()

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("redis://h:1/0", "redis://h:1/0"),
        ("redis://u:p@h", "redis://u:***@h"),
        ("sqlite+pysqlite:////a/b.db", "sqlite+pysqlite:////a/b.db"),
        ("postgresql://h/d?user=a&password=p", "postgresql://h/d?user=a&password=***"),
        ("redis://u:a@b@h", "redis://u:***@h"),
        ("redis://[::bad", "***"),
    ],
)
def test_urls_are_shown_without_their_secrets(url: str, masked: str) -> None:
    assert mask_url(url) == masked


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_says_what_it_is_for(name: str) -> None:
    assert Settings.model_fields[name].description


def test_settings_cannot_be_changed_afterwards() -> None:
    settings = load_settings()

    with pytest.raises(ValueError, match="frozen"):
        setattr(settings, "max_entries", 1)  # noqa: B010 - mypy would stop us too


def test_a_long_home_gets_a_short_socket_that_every_command_finds(
    tmp_path: Path,
) -> None:
    home = tmp_path / ("x" * 100)

    here, there = load_settings(home=home), load_settings(home=home)
    other = load_settings(home=tmp_path / ("y" * 100))

    assert len(str(here.broker.socket)) <= MAX_SOCKET_PATH_BYTES
    assert here.broker.socket == there.broker.socket
    assert here.broker.socket != other.broker.socket


@pytest.mark.parametrize("scheme", ["unix", "redis+socket"])
def test_a_socket_is_spelt_for_both_libraries(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("WIREROOM_BROKER_URL", f"{scheme}:///run/redis.sock?db=3")

    broker = load_settings().broker

    assert broker.url == "redis+socket:///run/redis.sock?virtual_host=3"
    assert broker.redis_url == "unix:///run/redis.sock?db=3"
    assert not broker.embedded


def test_rabbitmq_has_no_redis_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIREROOM_BROKER_URL", "amqp://u:p@h//")

    broker = load_settings().broker

    assert broker.is_rabbitmq
    assert broker.redis_url is None


def test_several_hosts_of_one_broker_are_shown_without_their_secrets() -> None:
    url = "sentinel://:hidden@one:1,two:2/3?master_name=news&sentinel_password=secret"
    settings = load_settings(broker_url=url)

    shown = f"{settings.describe()} {mask_url(settings.broker.url)}"

    assert "hidden" not in shown
    assert "secret" not in shown


def test_sentinels_are_named_in_one_url() -> None:
    url = "sentinel://anna:pass@one:1,two/3?master_name=news"

    broker = load_settings(broker_url=url).broker

    assert broker.url == "sentinel://anna:pass@one:1/3;sentinel://anna:pass@two:26379/3"
    assert broker.sentinels is not None
    assert broker.sentinels.addresses == (("one", 1), ("two", 26379))
    assert broker.sentinels.master_name == "news"


def test_sentinels_without_the_name_of_the_primary_are_refused() -> None:
    with pytest.raises(SettingsError, match="master_name"):
        load_settings(broker_url="sentinel://one:1/0")


@pytest.mark.parametrize("scheme", ["rediss", "amqps"])
def test_the_certificate_of_a_broker_is_always_checked(scheme: str) -> None:
    tls = load_settings(broker_url=f"{scheme}://host/0").broker.tls

    assert tls is not None
    assert ssl.CERT_REQUIRED in tls.values()
