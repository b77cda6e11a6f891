"""Settings of a process: where its things are, who it is, and what it says."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings


class PlaceSettings(BaseSettings):
    """What an operator can choose of places and words; a part of `Settings`."""

    # Where things are
    home: Path = Field(
        default=Path("~/.wireroom"),
        description="Folder for the database, the embedded Redis and run files.",
    )
    database_url: str = Field(
        default_factory=lambda data: f"sqlite+pysqlite:///{data['home']}/wireroom.db",
        repr=False,
        description="SQLAlchemy URL of the database: SQLite or PostgreSQL.",
    )
    database_url_file: Path | None = Field(
        default=None,
        description="File that holds the database URL, in place of the URL.",
    )
    read_database_url: str | None = Field(
        default=None,
        repr=False,
        description="URL with which `wireroom sql` asks, as a role that only reads.",
    )
    read_database_url_file: Path | None = Field(
        default=None,
        description="File that holds the reading URL, in place of the URL.",
    )
    broker_url: str | None = Field(
        default=None,
        repr=False,
        description="Redis or RabbitMQ URL; unset means a Redis of our own.",
    )
    broker_url_file: Path | None = Field(
        default=None, description="File that holds the broker URL, in place of the URL."
    )
    broker_ca_file: Path | None = Field(
        default=None,
        description="Certificates that sign the broker's; else those of the system.",
    )
    broker_key_prefix: str = Field(
        default="wireroom:",
        description="Put before each Redis key, so Redis can be shared.",
    )
    broker_memory_mb: int = Field(
        default=256,
        ge=16,
        description="Memory limit of the Redis that we start, in MB.",
    )

    # Who is at work
    operator: str | None = Field(
        default=None,
        description="Who you are in the operators' log; user@host unless set.",
    )

    # What is said
    log_format: Literal["console", "json"] = Field(
        default="console", description="Lines for people, or one JSON object a line."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="The least serious level that is logged."
    )
