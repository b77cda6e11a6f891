"""Settings: the environment and an optional file become one frozen object, once.

Every field is read from `WIREROOM_<FIELD>` or from the key of the same name in a
`wireroom.toml` (in `WIREROOM_HOME`, else in the working folder). The environment wins.
"""

import ipaddress
import os
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from services.broker import Broker, resolve_broker
from services.complaints import SettingsError, explain, refuse_unknown
from services.place_settings import PlaceSettings
from services.relations import relations
from services.secrets import mask_url, normal_database_url, read_secret_files

PREFIX = "WIREROOM_"
MB = 1_000_000
# A recogniser that is an installed model.
Installed = Annotated[str, Field(pattern=r"^(spacy|gliner|hf):\S")]
SECRET_URLS = ("database_url", "read_database_url", "broker_url")


def _usable_cores() -> int:
    # A container may own fewer cores than the machine has; only Linux tells.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Settings(PlaceSettings):
    """Everything an operator can choose."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,  # compose files pass unset variables as empty ones
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    # Polling and reading
    allow_networks: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Networks (CIDR, comma separated) that feeds may lie in although "
        "they are not public.",
    )
    user_agent: str = Field(
        default="wireroom/0.1 (news reader)",
        min_length=3,
        description="How polls introduce themselves; add an address for complaints.",
    )
    http_proxy: str | None = Field(
        default=None,
        repr=False,
        description="Proxy for all polls (`http://host:port`); the one of the "
        "environment is never used.",
    )
    feed_robots: bool = Field(
        default=False,
        description="Ask robots.txt of its host before a feed is polled.",
    )
    host_batch: int = Field(
        default=10,
        ge=1,
        description="Most feeds of one host that are handed out at a time.",
    )
    poll_timeout_seconds: float = Field(
        default=30, gt=0, description="Longest time that one poll may take in all."
    )
    connect_timeout_seconds: float = Field(
        default=10, gt=0, description="Longest time to wait for one connection."
    )
    max_body_bytes: int = Field(
        default=10 * MB, gt=0, description="Largest feed that is read, decoded."
    )
    max_entries: int = Field(
        default=2000, gt=0, description="Most entries that one poll may bring."
    )
    max_file_bytes: int = Field(
        default=10 * MB, gt=0, description="Largest file that is read as a whole."
    )
    max_archive_bytes: int = Field(
        default=10_000 * MB,
        gt=0,
        description="Largest archive, WARC or JSON Lines, which are read bit by bit.",
    )
    max_message_bytes: int = Field(
        default=1 * MB,
        ge=10_000,
        description="Size at which an event is split into parts.",
    )

    # Pages behind teasers
    pages: bool = Field(
        default=True,
        description="Fetch the pages of entries that only tease, unless a feed's "
        "own option says otherwise.",
    )
    page_max_age_days: int = Field(
        default=7,
        ge=1,
        description="Age in days from which the page of an entry is not fetched.",
    )
    pages_a_day: int = Field(
        default=200, ge=1, description="Most pages of one feed in a day."
    )
    page_batch: int = Field(default=10, ge=1, description="Pages of one message.")

    # Work and its limits
    concurrency: int = Field(
        default_factory=_usable_cores,
        ge=1,
        le=256,
        description="Processes of one worker; the usable cores unless set.",
    )
    max_attempts: int = Field(
        default=5, ge=1, description="Attempts before an item goes to quarantine."
    )
    lease_seconds: int = Field(
        default=60,
        ge=3,
        description="Silence after which dispatched work may be taken for lost.",
    )
    tick_seconds: float = Field(
        default=5, gt=0, description="How often due feeds and new work are dispatched."
    )
    sweep_seconds: float = Field(
        default=30, gt=0, description="How often lost work is looked for."
    )
    review_seconds: float = Field(
        default=60, gt=0, description="How often stories that changed are reviewed."
    )
    reprocess_at: time = Field(
        default=time(3, 0), description="Time of day (UTC) for scheduled reprocessing."
    )
    maintain_at: time = Field(
        default=time(2, 0), description="Time of day (UTC) for `wireroom db maintain`."
    )
    keep_polls_days: int = Field(
        default=90, ge=1, description="Age in days at which polls are deleted."
    )
    story_days: int = Field(
        default=30,
        ge=1,
        description="Days without a change after which a story is closed.",
    )
    keep_audit_log_days: int = Field(
        default=730, ge=1, description="Age in days at which the audit log is deleted."
    )
    copy_index_days: int = Field(
        default=90,
        ge=0,
        description="Days for which edited copies of an article are found; "
        "0: for ever.",
    )
    live_batch: int = Field(
        default=10, ge=1, description="Articles of one live enrichment message."
    )
    bulk_batch: int = Field(
        default=50, ge=1, description="Articles of one bulk enrichment message."
    )
    feed_batch: int = Field(default=20, ge=1, description="Feeds of one poll message.")
    file_batch: int = Field(default=25, ge=1, description="Files of one read message.")
    max_batches_in_flight: int = Field(
        default=8, ge=1, description="Most batches that are dispatched to one queue."
    )
    store_queue_high_water: int = Field(
        default=200,
        ge=1,
        description="Waiting store messages above which readers slow down.",
    )
    store_latency_high_water_ms: int = Field(
        default=2000,
        ge=1,
        description="Time of a store transaction above which bulk work slows down.",
    )
    task_soft_time_limit: int = Field(
        default=60, gt=0, description="Seconds after which a task is asked to end."
    )
    task_time_limit: int = Field(
        default=90, gt=0, description="Seconds after which a task is killed."
    )
    task_memory_mb: int = Field(
        default=1000,
        ge=100,
        description="Memory that one process of a worker may have, in MB.",
    )
    visibility_timeout: int = Field(
        default=300, gt=0, description="Seconds after which Redis hands work out again."
    )
    soft_shutdown_seconds: int = Field(
        default=20, ge=1, description="Time that running tasks get when a worker stops."
    )

    # Enrichment and the read side
    entity_tier: Literal["crf", "minilm", "rules"] | Installed = Field(
        default="crf",
        description="Which recogniser finds names: crf, minilm, rules, or an installed "
        "model (spacy:NAME, gliner:NAME, hf:NAME).",
    )
    entity_second_tier: Literal["crf", "minilm", "rules"] | Installed | None = Field(
        default=None, description="Which one finds them again, and better, at night."
    )
    story_embeddings: bool = Field(
        default=False,
        description="Tell stories by sentence embeddings too; needs an extra.",
    )
    sql_time_limit_seconds: float = Field(
        default=15, gt=0, description="Longest time that an operator's query may take."
    )
    sql_row_limit: int = Field(
        default=1000, ge=1, description="Most rows that an operator's query returns."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Rank the sources: command line, environment, file."""
        del dotenv_settings, file_secret_settings  # two more places to look: no
        home = init_settings().get("home") or env_settings().get("home")
        file = find_file(Path(home) if home else None)
        toml = TomlConfigSettingsSource(settings_cls, file)
        return init_settings, env_settings, toml

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, data: dict[str, Any]) -> dict[str, Any]:
        return read_secret_files(data, SECRET_URLS)

    @field_validator("home", "broker_ca_file", mode="after")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path and path.expanduser().resolve()

    @field_validator("database_url", "read_database_url", mode="after")
    @classmethod
    def _normal_database(cls, url: str | None) -> str | None:
        return normal_database_url(url) if url else url

    @field_validator("allow_networks", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        return value.replace(",", " ").split() if isinstance(value, str) else value

    @field_validator("allow_networks", mode="after")
    @classmethod
    def _check_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ipaddress.ip_network(network)) for network in networks)

    @model_validator(mode="after")
    def _check_relations(self) -> Self:
        for holds, reason in relations(self):
            if not holds:
                raise ValueError(reason)
        self.broker  # noqa: B018 - the URL is looked at now, not when it is used
        return self

    @property
    def broker(self) -> Broker:
        """Where the broker is, in each spelling that a library asks for."""
        return resolve_broker(
            self.broker_url, home=self.home, ca_file=self.broker_ca_file
        )

    def describe(self) -> dict[str, str]:
        """Return each field as text, with passwords masked."""
        shown = {name: str(getattr(self, name)) for name in type(self).model_fields}
        shown["database_url"] = mask_url(self.database_url)
        shown["read_database_url"] = mask_url(self.read_database_url or "")
        shown["http_proxy"] = mask_url(self.http_proxy or "")
        shown["broker_url"] = mask_url(self.broker_url or self.broker.url)
        return shown


def find_file(home: Path | None) -> Path | None:
    """Return the settings file in use, if there is one."""
    folders = (home or Path("~/.wireroom"), Path())
    files = (folder.expanduser() / "wireroom.toml" for folder in folders)
    return next((file for file in files if file.is_file()), None)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment and the file.

    Args:
        **overrides: Fields given on a command line; they win over everything.

    Raises:
        SettingsError: A name is unknown, or a value is wrong or missing.
    """
    fields = Settings.model_fields
    refuse_unknown(os.environ, prefix=PREFIX, fields=fields)
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError(explain(error, prefix=PREFIX, fields=fields)) from None
    except (OSError, ValueError) as error:
        raise SettingsError(f"cannot read the settings: {error}") from None
