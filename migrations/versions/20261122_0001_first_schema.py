"""The tables of the first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite gives automatic row ids to INTEGER keys only.
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
# The tables that only grow, in partitions by time on PostgreSQL.
PARTITIONED = ("poll", "mention", "audit_log")


def on_postgresql() -> bool:
    return op.get_context().dialect.name == "postgresql"


def partitioned_key(*columns: str) -> tuple[str, ...]:
    """Leave the last column to PostgreSQL, where a key must hold what parts by."""
    return columns if on_postgresql() else columns[:-1]


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", BIG_ID, nullable=False, comment="Surrogate key"),
        sa.Column("name", sa.Text(), nullable=False, comment="Who has it"),
        sa.Column(
            "prefix",
            sa.String(length=16),
            nullable=False,
            comment="Its beginning, by which it is found",
        ),
        sa.Column(
            "sha256",
            sa.String(length=64),
            nullable=False,
            comment="Hash of the whole key",
        ),
        sa.Column(
            "scopes",
            JSON,
            nullable=False,
            comment="What it allows: read, operate, admin",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was made",
        ),
        sa.Column(
            "expires_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it ends; NULL for never",
        ),
        sa.Column(
            "last_used_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it was last used",
        ),
        sa.Column(
            "revoked_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When an operator ended it",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_key_prefix")),
        comment="A key of a program; the key itself is not kept",
    )
    op.create_table(
        "audit_log",
        sa.Column(
            "id", BIG_ID, autoincrement=True, nullable=False, comment="Surrogate key"
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="When"),
        sa.Column(
            "actor",
            sa.Text(),
            nullable=False,
            comment="Who: an account, or the prefix of a key",
        ),
        sa.Column(
            "action", sa.String(length=64), nullable=False, comment="What was done"
        ),
        sa.Column("subject", sa.Text(), nullable=False, comment="To what: kind:id"),
        sa.Column("before", JSON, nullable=True, comment="How it was"),
        sa.Column("after", JSON, nullable=True, comment="How it is"),
        sa.PrimaryKeyConstraint(
            *partitioned_key("id", "at"), name=op.f("pk_audit_log")
        ),
        comment="What somebody changed by hand, never rewritten",
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index(
        "ix_audit_log_subject_at", "audit_log", ["subject", "at"], unique=False
    )
    op.create_table(
        "document",
        sa.Column(
            "sha256",
            sa.String(length=64),
            nullable=False,
            comment="Hash of the uncompressed bytes",
        ),
        sa.Column(
            "media_type",
            sa.String(length=128),
            nullable=False,
            comment="Media type, as told or found",
        ),
        sa.Column(
            "codec", sa.String(length=16), nullable=False, comment="Compression of body"
        ),
        sa.Column(
            "n_bytes",
            sa.BigInteger(),
            nullable=False,
            comment="Size before compression",
        ),
        sa.Column(
            "body", sa.LargeBinary(), nullable=True, comment="The compressed bytes"
        ),
        sa.Column(
            "uri", sa.Text(), nullable=True, comment="Where they are, if not in body"
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When first stored",
        ),
        sa.CheckConstraint(
            "(body IS NULL) <> (uri IS NULL)", name=op.f("ck_document_body_or_uri")
        ),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_document")),
        comment="Raw bytes as fetched or read, stored once",
    )
    op.create_table(
        "entity",
        sa.Column("id", BIG_ID, nullable=False, comment="Surrogate key"),
        sa.Column("key", sa.Text(), nullable=False, comment="Stable key, country:RU"),
        sa.Column(
            "kind", sa.String(length=8), nullable=False, comment="PER, ORG, LOC or MISC"
        ),
        sa.Column(
            "name", sa.Text(), nullable=False, comment="Name as first seen in full"
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When first found",
        ),
        sa.CheckConstraint(
            "kind IN ('PER', 'ORG', 'LOC', 'MISC')", name=op.f("ck_entity_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entity")),
        sa.UniqueConstraint("key", name=op.f("uq_entity_key")),
        comment="Who or what mentions resolve to",
    )
    op.create_table(
        "ingest_hour",
        sa.Column(
            "hour",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="First moment of the hour, by first_seen_at",
        ),
        sa.Column("source", sa.Text(), nullable=False, comment="Publisher"),
        sa.Column(
            "n_articles", sa.Integer(), nullable=False, comment="Articles stored"
        ),
        sa.PrimaryKeyConstraint("hour", "source", name=op.f("pk_ingest_hour")),
        comment="How many articles a publisher brought in one hour",
    )
    op.create_table(
        "job",
        sa.Column("id", BIG_ID, nullable=False, comment="Surrogate key"),
        sa.Column(
            "state", sa.String(length=16), nullable=False, comment="running or done"
        ),
        sa.Column(
            "stages", JSON, nullable=True, comment="Stages asked for; NULL for all"
        ),
        sa.Column(
            "since",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Only articles with sort_at from then on",
        ),
        sa.Column(
            "n_stale",
            sa.Integer(),
            nullable=False,
            comment="Stale articles found in ranges so far",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was ordered",
        ),
        sa.Column(
            "finished_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it was done",
        ),
        sa.CheckConstraint("state IN ('running', 'done')", name=op.f("ck_job_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        comment="One order to reprocess what is stale",
    )
    op.create_table(
        "outbox",
        sa.Column("id", BIG_ID, nullable=False, comment="Order of the events"),
        sa.Column(
            "kind", sa.String(length=32), nullable=False, comment="What happened"
        ),
        sa.Column("key", sa.Text(), nullable=False, comment="What it happened to"),
        sa.Column(
            "payload", JSON, nullable=False, comment="The event as receivers get it"
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it happened",
        ),
        sa.Column(
            "sent_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it had been handed to every receiver",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        comment="An event for the outside, written with what it tells of",
    )
    op.create_index(
        "ix_outbox_unsent",
        "outbox",
        ["id"],
        unique=False,
        sqlite_where=sa.text("sent_at IS NULL"),
        postgresql_where=sa.text("sent_at IS NULL"),
    )
    op.create_table(
        "pipeline",
        sa.Column("id", BIG_ID, nullable=False, comment="Surrogate key"),
        sa.Column(
            "stage", sa.String(length=16), nullable=False, comment="Stage of enrichment"
        ),
        sa.Column("name", sa.String(length=64), nullable=False, comment="Engine"),
        sa.Column(
            "version",
            sa.String(length=128),
            nullable=False,
            comment="Version with its parameters",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When first heard of",
        ),
        sa.CheckConstraint(
            "stage IN ('language', 'entities', 'copies', 'stories')",
            name=op.f("ck_pipeline_stage"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pipeline")),
        sa.UniqueConstraint(
            "stage", "name", "version", name=op.f("uq_pipeline_stage_name_version")
        ),
        comment="What made a result: the engine and version of one stage",
    )
    op.create_table(
        "poll_month",
        sa.Column(
            "month",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="First moment of the month",
        ),
        sa.Column("n_polls", sa.Integer(), nullable=False, comment="Polls deleted"),
        sa.Column(
            "n_seen", sa.Integer(), nullable=False, comment="Entries in the document"
        ),
        sa.Column(
            "n_new", sa.Integer(), nullable=False, comment="Entries with a new article"
        ),
        sa.Column(
            "n_revised",
            sa.Integer(),
            nullable=False,
            comment="Known entries whose text had changed",
        ),
        sa.Column(
            "n_unchanged",
            sa.Integer(),
            nullable=False,
            comment="Known entries as they were",
        ),
        sa.Column(
            "n_duplicate",
            sa.Integer(),
            nullable=False,
            comment="New entries of articles stored before",
        ),
        sa.Column(
            "n_rejected",
            sa.Integer(),
            nullable=False,
            comment="Entries without article",
        ),
        sa.Column(
            "n_quarantined",
            sa.Integer(),
            nullable=False,
            comment="Entries that could not be written",
        ),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_poll_month")),
        comment="What the deleted polls of one month had counted",
    )
    op.create_table(
        "poll_part",
        sa.Column(
            "poll_id", BIG_ID, autoincrement=False, nullable=False, comment="The poll"
        ),
        sa.Column(
            "part",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Number from 0",
        ),
        sa.Column(
            "stored_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When stored",
        ),
        sa.PrimaryKeyConstraint("poll_id", "part", name=op.f("pk_poll_part")),
        comment="A part of a large poll that has been stored",
    )
    op.create_index(
        op.f("ix_poll_part_stored_at"), "poll_part", ["stored_at"], unique=False
    )
    op.create_table(
        "run",
        sa.Column("id", BIG_ID, nullable=False, comment="Surrogate key"),
        sa.Column(
            "kind", sa.String(length=16), nullable=False, comment="What started it"
        ),
        sa.Column(
            "label", sa.Text(), nullable=False, comment="What it was asked to do"
        ),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it began",
        ),
        sa.Column(
            "listed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When all of its work had been written down",
        ),
        sa.CheckConstraint("kind IN ('ingest', 'poll')", name=op.f("ck_run_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
        comment="One batch of work under one id",
    )
    op.create_table(
        "watch_rule",
        sa.Column("id", BIG_ID, nullable=False, comment="Surrogate key"),
        sa.Column(
            "name", sa.Text(), nullable=False, comment="What the operator calls it"
        ),
        sa.Column(
            "query",
            sa.Text(),
            nullable=False,
            comment="The question, in the language of search",
        ),
        sa.Column(
            "active", sa.Boolean(), nullable=False, comment="Whether it is asked"
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was made",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch_rule")),
        sa.UniqueConstraint("name", name=op.f("uq_watch_rule_name")),
        comment="A question that is asked of every new article",
    )
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", BIG_ID, nullable=False, comment="Surrogate key"),
        sa.Column("url", sa.Text(), nullable=False, comment="Where events are posted"),
        sa.Column("secret", sa.Text(), nullable=False, comment="Key of the signatures"),
        sa.Column(
            "kinds",
            JSON,
            nullable=True,
            comment="Kinds of events it wants; NULL for all",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was added",
        ),
        sa.Column(
            "disabled_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Since when it gets nothing",
        ),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why it gets nothing"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoint")),
        sa.UniqueConstraint("url", name=op.f("uq_webhook_endpoint_url")),
        comment="An address that wants to be told of events",
    )
    op.create_table(
        "active_pipeline",
        sa.Column("stage", sa.String(length=16), nullable=False, comment="The stage"),
        sa.Column("pipeline_id", BIG_ID, nullable=False, comment="The choice"),
        sa.Column(
            "since",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was chosen",
        ),
        sa.CheckConstraint(
            "stage IN ('language', 'entities', 'copies', 'stories')",
            name=op.f("ck_active_pipeline_stage"),
        ),
        sa.ForeignKeyConstraint(
            ["pipeline_id"],
            ["pipeline.id"],
            name=op.f("fk_active_pipeline_pipeline_id_pipeline"),
        ),
        sa.PrimaryKeyConstraint("stage", name=op.f("pk_active_pipeline")),
        comment="Which pipeline's results count, per stage",
    )
    op.create_table(
        "entity_alias",
        sa.Column("entity_id", BIG_ID, nullable=False, comment="The entity"),
        sa.Column("alias", sa.Text(), nullable=False, comment="The spelling"),
        sa.ForeignKeyConstraint(
            ["entity_id"], ["entity.id"], name=op.f("fk_entity_alias_entity_id_entity")
        ),
        sa.PrimaryKeyConstraint("entity_id", "alias", name=op.f("pk_entity_alias")),
        comment="A spelling under which an entity was found",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_entity_alias_alias", "entity_alias", ["alias"], unique=False)
    op.create_table(
        "entity_hour",
        sa.Column(
            "hour",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="First moment of the hour, by sort_at",
        ),
        sa.Column(
            "pipeline_id",
            BIG_ID,
            autoincrement=False,
            nullable=False,
            comment="What found it",
        ),
        sa.Column(
            "entity_id",
            BIG_ID,
            autoincrement=False,
            nullable=False,
            comment="The entity",
        ),
        sa.Column(
            "n_articles", sa.Integer(), nullable=False, comment="Articles that name it"
        ),
        sa.Column(
            "n_mentions", sa.Integer(), nullable=False, comment="How often they do"
        ),
        sa.PrimaryKeyConstraint(
            "hour", "pipeline_id", "entity_id", name=op.f("pk_entity_hour")
        ),
        comment="How often an entity was in the news in one hour",
        postgresql_with={"fillfactor": 80},
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_entity_hour_entity_id_hour",
        "entity_hour",
        ["entity_id", "hour"],
        unique=False,
    )
    op.create_table(
        "feed",
        sa.Column("id", BIG_ID, nullable=False, comment="Surrogate key"),
        sa.Column(
            "url", sa.Text(), nullable=False, comment="Address as the operator gave it"
        ),
        sa.Column(
            "url_key",
            sa.String(length=64),
            nullable=False,
            comment="Hash of the canonical address",
        ),
        sa.Column(
            "kind",
            sa.String(length=16),
            nullable=False,
            comment="web, or files for handed-over files",
        ),
        sa.Column(
            "state",
            sa.String(length=16),
            nullable=False,
            comment="What the scheduler does with it",
        ),
        sa.Column(
            "reason", sa.Text(), nullable=True, comment="Why it is in that state"
        ),
        sa.Column(
            "title", sa.Text(), nullable=True, comment="Title the feed gives itself"
        ),
        sa.Column(
            "site_url", sa.Text(), nullable=True, comment="Page the feed belongs to"
        ),
        sa.Column(
            "source",
            sa.Text(),
            nullable=True,
            comment="Publisher, if the operator says",
        ),
        sa.Column(
            "language",
            sa.String(length=16),
            nullable=True,
            comment="Language it declares",
        ),
        sa.Column("tags", JSON, nullable=False, comment="Labels of the operator"),
        sa.Column(
            "key_mode",
            sa.String(length=16),
            nullable=True,
            comment="What keys of its entries are made of",
        ),
        sa.Column("etag", sa.Text(), nullable=True, comment="Validator, byte for byte"),
        sa.Column(
            "last_modified",
            sa.Text(),
            nullable=True,
            comment="Validator, byte for byte",
        ),
        sa.Column(
            "body_sha256",
            sa.String(length=64),
            nullable=True,
            comment="Hash of the last body that was parsed",
        ),
        sa.Column(
            "interval_seconds",
            sa.Integer(),
            nullable=False,
            comment="Present distance between polls",
        ),
        sa.Column(
            "next_poll_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it is due",
        ),
        sa.Column(
            "lease_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="A poll is under way until then; NULL when none is",
        ),
        sa.Column(
            "attempts",
            sa.Integer(),
            nullable=False,
            comment="Polls claimed since the last one that came back",
        ),
        sa.Column(
            "requested_run_id",
            BIG_ID,
            nullable=True,
            comment="Run that asked for the next poll",
        ),
        sa.Column(
            "n_unchanged",
            sa.Integer(),
            nullable=False,
            comment="Polls in a row without anything new",
        ),
        sa.Column(
            "n_errors", sa.Integer(), nullable=False, comment="Failed polls in a row"
        ),
        sa.Column(
            "last_polled_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the last poll came back",
        ),
        sa.Column(
            "last_ok_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When a poll last succeeded",
        ),
        sa.Column(
            "last_outcome",
            sa.String(length=24),
            nullable=True,
            comment="Outcome of the last poll",
        ),
        sa.Column(
            "last_error", sa.Text(), nullable=True, comment="Error of the last poll"
        ),
        sa.Column(
            "moved_url",
            sa.Text(),
            nullable=True,
            comment="Address to which polls are permanently redirected",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was added",
        ),
        sa.CheckConstraint("kind IN ('web', 'files')", name=op.f("ck_feed_kind")),
        sa.CheckConstraint(
            "state IN ('active', 'paused', 'gone', 'quarantined', 'removed', 'manual')",
            name=op.f("ck_feed_state"),
        ),
        sa.ForeignKeyConstraint(
            ["requested_run_id"], ["run.id"], name=op.f("fk_feed_requested_run_id_run")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed")),
        sa.UniqueConstraint("url_key", name=op.f("uq_feed_url_key")),
        comment="A polled document, or the place where handed-over files go",
    )
    op.create_index(
        "ix_feed_next_poll_at",
        "feed",
        ["next_poll_at"],
        unique=False,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_table(
        "job_range",
        sa.Column("job_id", BIG_ID, nullable=False, comment="The job"),
        sa.Column(
            "low_id",
            BIG_ID,
            autoincrement=False,
            nullable=False,
            comment="First article id",
        ),
        sa.Column(
            "high_id", BIG_ID, nullable=False, comment="One past the last article id"
        ),
        sa.Column(
            "state", sa.String(length=16), nullable=False, comment="pending or done"
        ),
        sa.Column(
            "n_stale", sa.Integer(), nullable=False, comment="Stale articles found"
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'done')", name=op.f("ck_job_range_state")
        ),
        sa.CheckConstraint("low_id < high_id", name=op.f("ck_job_range_not_empty")),
        sa.ForeignKeyConstraint(
            ["job_id"], ["job.id"], name=op.f("fk_job_range_job_id_job")
        ),
        sa.PrimaryKeyConstraint("job_id", "low_id", name=op.f("pk_job_range")),
        comment="A range of articles that a job goes through in one step",
    )
    op.create_index("ix_job_range_state", "job_range", ["state"], unique=False)
    op.create_table(
        "run_file",
        sa.Column("id", BIG_ID, nullable=False, comment="Surrogate key"),
        sa.Column("run_id", BIG_ID, nullable=False, comment="The run"),
        sa.Column(
            "path",
            sa.Text(),
            nullable=False,
            comment="Absolute path on the worker's host",
        ),
        sa.Column(
            "source",
            sa.Text(),
            nullable=False,
            comment="Publisher its articles are filed under",
        ),
        sa.Column(
            "state",
            sa.String(length=16),
            nullable=False,
            comment="pending, done or quarantined",
        ),
        sa.Column(
            "outcome",
            sa.String(length=24),
            nullable=True,
            comment="Its single named end",
        ),
        sa.Column(
            "error", sa.Text(), nullable=True, comment="One sentence for the operator"
        ),
        sa.Column(
            "attempts", sa.Integer(), nullable=False, comment="Times it was claimed"
        ),
        sa.Column(
            "leased",
            sa.Boolean(),
            nullable=False,
            comment="A worker has it until due_at",
        ),
        sa.Column(
            "due_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it may be dispatched",
        ),
        sa.Column(
            "document_sha256",
            sa.String(length=64),
            nullable=True,
            comment="Its bytes, where they were kept",
        ),
        sa.Column(
            "n_seen", sa.Integer(), nullable=False, comment="Entries in the document"
        ),
        sa.Column(
            "n_new", sa.Integer(), nullable=False, comment="Entries with a new article"
        ),
        sa.Column(
            "n_revised",
            sa.Integer(),
            nullable=False,
            comment="Known entries whose text had changed",
        ),
        sa.Column(
            "n_unchanged",
            sa.Integer(),
            nullable=False,
            comment="Known entries as they were",
        ),
        sa.Column(
            "n_duplicate",
            sa.Integer(),
            nullable=False,
            comment="New entries of articles stored before",
        ),
        sa.Column(
            "n_rejected",
            sa.Integer(),
            nullable=False,
            comment="Entries without article",
        ),
        sa.Column(
            "n_quarantined",
            sa.Integer(),
            nullable=False,
            comment="Entries that could not be written",
        ),
        sa.Column(
            "finished_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When stored",
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'done', 'quarantined')",
            name=op.f("ck_run_file_state"),
        ),
        sa.ForeignKeyConstraint(
            ["document_sha256"],
            ["document.sha256"],
            name=op.f("fk_run_file_document_sha256_document"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_run_file_run_id_run")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_file")),
        sa.UniqueConstraint("run_id", "path", name=op.f("uq_run_file_run_id_path")),
        comment="One file that a run was asked to read; it has one outcome",
    )
    op.create_index(
        "ix_run_file_document_sha256",
        "run_file",
        ["document_sha256"],
        unique=False,
        postgresql_using="hash",
    )
    op.create_index(
        "ix_run_file_state_due_at", "run_file", ["state", "due_at"], unique=False
    )
    op.create_table(
        "story",
        sa.Column("id", BIG_ID, nullable=False, comment="Stable public id"),
        sa.Column("pipeline_id", BIG_ID, nullable=False, comment="Clusterer"),
        sa.Column(
            "title",
            sa.Text(),
            nullable=False,
            comment="Title of the article that opened it",
        ),
        sa.Column(
            "n_articles",
            sa.Integer(),
            nullable=False,
            comment="Members, copies not counted",
        ),
        sa.Column(
            "first_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Time of its first article",
        ),
        sa.Column(
            "last_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Time of its latest article",
        ),
        sa.Column(
            "centroid", JSON, nullable=False, comment="Mean of its members' features"
        ),
        sa.Column(
            "merged_into", BIG_ID, nullable=True, comment="The story that took it over"
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was opened",
        ),
        sa.ForeignKeyConstraint(
            ["merged_into"], ["story.id"], name=op.f("fk_story_merged_into_story")
        ),
        sa.ForeignKeyConstraint(
            ["pipeline_id"], ["pipeline.id"], name=op.f("fk_story_pipeline_id_pipeline")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_story")),
        comment="Articles on one event; the id never changes",
    )
    op.create_index("ix_story_last_at", "story", ["last_at"], unique=False)
    op.create_table(
        "webhook_delivery",
        sa.Column("id", BIG_ID, nullable=False, comment="Surrogate key"),
        sa.Column("outbox_id", BIG_ID, nullable=False, comment="The event"),
        sa.Column("endpoint_id", BIG_ID, nullable=False, comment="The address"),
        sa.Column(
            "state",
            sa.String(length=16),
            nullable=False,
            comment="pending, delivered or given_up",
        ),
        sa.Column(
            "attempts", sa.Integer(), nullable=False, comment="Times it was tried"
        ),
        sa.Column(
            "next_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it is tried next",
        ),
        sa.Column("http_status", sa.Integer(), nullable=True, comment="Last answer"),
        sa.Column(
            "error", sa.Text(), nullable=True, comment="How the last attempt failed"
        ),
        sa.Column(
            "delivered_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it was accepted",
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'delivered', 'given_up')",
            name=op.f("ck_webhook_delivery_state"),
        ),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoint.id"],
            name=op.f("fk_webhook_delivery_endpoint_id_webhook_endpoint"),
        ),
        sa.ForeignKeyConstraint(
            ["outbox_id"],
            ["outbox.id"],
            name=op.f("fk_webhook_delivery_outbox_id_outbox"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sa.UniqueConstraint(
            "outbox_id",
            "endpoint_id",
            name=op.f("uq_webhook_delivery_outbox_id_endpoint_id"),
        ),
        comment="One event on its way to one address",
    )
    op.create_index(
        "ix_webhook_delivery_endpoint_id",
        "webhook_delivery",
        ["endpoint_id"],
        unique=False,
    )
    op.create_index(
        "ix_webhook_delivery_state_next_at",
        "webhook_delivery",
        ["state", "next_at"],
        unique=False,
    )
    op.create_table(
        "article",
        sa.Column("id", BIG_ID, nullable=False, comment="Surrogate key"),
        sa.Column(
            "uid", sa.String(length=64), nullable=False, comment="Hash of its identity"
        ),
        sa.Column(
            "url", sa.Text(), nullable=True, comment="Canonical address of its page"
        ),
        sa.Column("source", sa.Text(), nullable=False, comment="Publisher"),
        sa.Column("feed_id", BIG_ID, nullable=False, comment="Feed that brought it"),
        sa.Column(
            "current_revision",
            sa.Integer(),
            nullable=False,
            comment="Number of its latest text",
        ),
        sa.Column(
            "content_hash",
            sa.String(length=64),
            nullable=False,
            comment="Hash of title and text of the current revision",
        ),
        sa.Column(
            "title", sa.Text(), nullable=False, comment="Title of the current revision"
        ),
        sa.Column(
            "lead",
            sa.Text(),
            nullable=False,
            comment="First 1,000 characters of the text",
        ),
        sa.Column(
            "byline", sa.Text(), nullable=True, comment="Who wrote it, as printed"
        ),
        sa.Column(
            "language",
            sa.String(length=16),
            nullable=True,
            comment="ISO 639-1, und if unknown",
        ),
        sa.Column(
            "language_score", sa.Float(), nullable=True, comment="Trust in it, 0 to 1"
        ),
        sa.Column(
            "language_origin",
            sa.String(length=16),
            nullable=True,
            comment="declared or detector",
        ),
        sa.Column(
            "published_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it says it was published",
        ),
        sa.Column(
            "published_raw", sa.Text(), nullable=True, comment="That date as spelt"
        ),
        sa.Column(
            "published_from",
            sa.String(length=24),
            nullable=True,
            comment="Which field or line said so",
        ),
        sa.Column(
            "first_seen_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was stored",
        ),
        sa.Column(
            "sort_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="published_at, or first_seen_at where that is unknown",
        ),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feed.id"], name=op.f("fk_article_feed_id_feed")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article")),
        sa.UniqueConstraint("uid", name=op.f("uq_article_uid")),
        comment="An article, one row however often it appeared",
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_article_feed_id_sort_at", "article", ["feed_id", "sort_at"], unique=False
    )
    op.create_index("ix_article_sort_at_id", "article", ["sort_at", "id"], unique=False)
    op.create_index(
        "ix_article_source_sort_at", "article", ["source", "sort_at"], unique=False
    )
    op.create_table(
        "poll",
        sa.Column(
            "id", BIG_ID, autoincrement=True, nullable=False, comment="Surrogate key"
        ),
        sa.Column("feed_id", BIG_ID, nullable=False, comment="The feed"),
        sa.Column("run_id", BIG_ID, nullable=True, comment="Run that asked for it"),
        sa.Column(
            "state",
            sa.String(length=16),
            nullable=False,
            comment="open, done or abandoned",
        ),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was dispatched",
        ),
        sa.Column(
            "finished_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When stored",
        ),
        sa.Column(
            "outcome",
            sa.String(length=24),
            nullable=True,
            comment="Its single named end",
        ),
        sa.Column(
            "error", sa.Text(), nullable=True, comment="One sentence for the operator"
        ),
        sa.Column(
            "http_status", sa.Integer(), nullable=True, comment="Status of the last hop"
        ),
        sa.Column(
            "elapsed_ms", sa.Integer(), nullable=True, comment="Time to fetch and parse"
        ),
        sa.Column(
            "n_bytes", sa.BigInteger(), nullable=False, comment="Size of the body"
        ),
        sa.Column(
            "document_sha256",
            sa.String(length=64),
            nullable=True,
            comment="The body, where one was kept",
        ),
        sa.Column(
            "n_parts",
            sa.Integer(),
            nullable=True,
            comment="Messages its entries came in",
        ),
        sa.Column(
            "n_seen", sa.Integer(), nullable=False, comment="Entries in the document"
        ),
        sa.Column(
            "n_new", sa.Integer(), nullable=False, comment="Entries with a new article"
        ),
        sa.Column(
            "n_revised",
            sa.Integer(),
            nullable=False,
            comment="Known entries whose text had changed",
        ),
        sa.Column(
            "n_unchanged",
            sa.Integer(),
            nullable=False,
            comment="Known entries as they were",
        ),
        sa.Column(
            "n_duplicate",
            sa.Integer(),
            nullable=False,
            comment="New entries of articles stored before",
        ),
        sa.Column(
            "n_rejected",
            sa.Integer(),
            nullable=False,
            comment="Entries without article",
        ),
        sa.Column(
            "n_quarantined",
            sa.Integer(),
            nullable=False,
            comment="Entries that could not be written",
        ),
        sa.CheckConstraint(
            "state IN ('open', 'done', 'abandoned')", name=op.f("ck_poll_state")
        ),
        sa.ForeignKeyConstraint(
            ["document_sha256"],
            ["document.sha256"],
            name=op.f("fk_poll_document_sha256_document"),
        ),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feed.id"], name=op.f("fk_poll_feed_id_feed")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_poll_run_id_run")
        ),
        sa.PrimaryKeyConstraint(
            *partitioned_key("id", "started_at"), name=op.f("pk_poll")
        ),
        comment="One attempt to read a feed; it has one outcome",
        postgresql_partition_by="RANGE (started_at)",
    )
    op.create_index(
        "ix_poll_document_sha256",
        "poll",
        ["document_sha256"],
        unique=False,
        postgresql_using="hash",
    )
    op.create_index(
        "ix_poll_feed_id_started_at", "poll", ["feed_id", "started_at"], unique=False
    )
    op.create_index("ix_poll_run_id", "poll", ["run_id"], unique=False)
    op.create_table(
        "retention_policy",
        sa.Column(
            "scope", sa.Text(), nullable=False, comment="all, tag:NAME or feed:ID"
        ),
        sa.Column("feed_id", BIG_ID, nullable=True, comment="Its feed"),
        sa.Column("tag", sa.Text(), nullable=True, comment="Its tag"),
        sa.Column(
            "keep_days",
            sa.Integer(),
            nullable=True,
            comment="Days since an article was stored; NULL for ever",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was set",
        ),
        sa.CheckConstraint(
            "feed_id IS NULL OR tag IS NULL", name=op.f("ck_retention_policy_one_scope")
        ),
        sa.CheckConstraint("keep_days > 0", name=op.f("ck_retention_policy_keep_days")),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feed.id"], name=op.f("fk_retention_policy_feed_id_feed")
        ),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_retention_policy")),
        comment="How long articles are kept; what is most specific counts",
    )
    op.create_table(
        "story_event",
        sa.Column("id", BIG_ID, nullable=False, comment="Surrogate key"),
        sa.Column("story_id", BIG_ID, nullable=False, comment="The story"),
        sa.Column(
            "kind",
            sa.String(length=16),
            nullable=False,
            comment="opened, joined, moved, merged, split",
        ),
        sa.Column(
            "article_id",
            BIG_ID,
            nullable=True,
            comment="The article it is about, which may be deleted since",
        ),
        sa.Column(
            "other_story_id",
            BIG_ID,
            nullable=True,
            comment="The other story of a merge, split or move",
        ),
        sa.Column(
            "at", sa.DateTime(timezone=True), nullable=False, comment="When it happened"
        ),
        sa.CheckConstraint(
            "kind IN ('opened', 'joined', 'moved', 'merged', 'split')",
            name=op.f("ck_story_event_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["other_story_id"],
            ["story.id"],
            name=op.f("fk_story_event_other_story_id_story"),
        ),
        sa.ForeignKeyConstraint(
            ["story_id"], ["story.id"], name=op.f("fk_story_event_story_id_story")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_story_event")),
        comment="What happened to a story, never rewritten",
    )
    op.create_index(
        "ix_story_event_story_id", "story_event", ["story_id"], unique=False
    )
    op.create_table(
        "story_key",
        sa.Column("pipeline_id", BIG_ID, nullable=False, comment="Clusterer"),
        sa.Column(
            "key",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="Hash of a term",
        ),
        sa.Column("story_id", BIG_ID, nullable=False, comment="A story that has it"),
        sa.ForeignKeyConstraint(
            ["pipeline_id"],
            ["pipeline.id"],
            name=op.f("fk_story_key_pipeline_id_pipeline"),
        ),
        sa.ForeignKeyConstraint(
            ["story_id"], ["story.id"], name=op.f("fk_story_key_story_id_story")
        ),
        sa.PrimaryKeyConstraint(
            "pipeline_id", "key", "story_id", name=op.f("pk_story_key")
        ),
        comment="The index of heavy terms, to find candidate stories",
    )
    op.create_index("ix_story_key_story_id", "story_key", ["story_id"], unique=False)
    op.create_table(
        "tombstone",
        sa.Column("feed_id", BIG_ID, nullable=False, comment="The feed"),
        sa.Column(
            "key",
            sa.Text(),
            nullable=False,
            comment="Key of the entry, or an alias of it",
        ),
        sa.Column(
            "outcome",
            sa.String(length=16),
            nullable=True,
            comment="Outcome of the entry; NULL where the key is an alias",
        ),
        sa.Column(
            "uid",
            sa.String(length=64),
            nullable=True,
            comment="Identity of its article",
        ),
        sa.Column(
            "deleted_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was deleted",
        ),
        sa.CheckConstraint(
            "outcome IN ('stored', 'duplicate', 'rejected', 'quarantined')",
            name=op.f("ck_tombstone_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feed.id"], name=op.f("fk_tombstone_feed_id_feed")
        ),
        sa.PrimaryKeyConstraint("feed_id", "key", name=op.f("pk_tombstone")),
        comment="A key of a deleted entry, which never returns as new",
    )
    op.create_index(op.f("ix_tombstone_uid"), "tombstone", ["uid"], unique=False)
    op.create_table(
        "alert",
        sa.Column("id", BIG_ID, nullable=False, comment="Surrogate key"),
        sa.Column("rule_id", BIG_ID, nullable=False, comment="The rule"),
        sa.Column("article_id", BIG_ID, nullable=False, comment="The article"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was raised",
        ),
        sa.Column(
            "seen_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When an operator had seen it",
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_alert_article_id_article")
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["watch_rule.id"], name=op.f("fk_alert_rule_id_watch_rule")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        sa.UniqueConstraint(
            "rule_id", "article_id", name=op.f("uq_alert_rule_id_article_id")
        ),
        comment="An article that met a rule, once however often it is enriched",
    )
    op.create_index("ix_alert_article_id", "alert", ["article_id"], unique=False)
    op.create_table(
        "article_entity",
        sa.Column("article_id", BIG_ID, nullable=False, comment="The article"),
        sa.Column(
            "pipeline_id",
            BIG_ID,
            autoincrement=False,
            nullable=False,
            comment="What found it",
        ),
        sa.Column("entity_id", BIG_ID, nullable=False, comment="The entity"),
        sa.Column(
            "revision", sa.Integer(), nullable=False, comment="Revision it was found in"
        ),
        sa.Column(
            "n_mentions", sa.Integer(), nullable=False, comment="How often it is named"
        ),
        sa.Column(
            "salience",
            sa.Float(),
            nullable=False,
            comment="Weight in the article, 0 to 1",
        ),
        sa.Column(
            "sort_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="sort_at of the article",
        ),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["article.id"],
            name=op.f("fk_article_entity_article_id_article"),
        ),
        sa.ForeignKeyConstraint(
            ["entity_id"],
            ["entity.id"],
            name=op.f("fk_article_entity_entity_id_entity"),
        ),
        sa.PrimaryKeyConstraint(
            "article_id", "pipeline_id", "entity_id", name=op.f("pk_article_entity")
        ),
        comment="An entity of an article, summed over its mentions",
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_article_entity_entity_id_sort_at",
        "article_entity",
        ["entity_id", "sort_at"],
        unique=False,
    )
    op.create_index(
        "ix_article_entity_sort_at", "article_entity", ["sort_at"], unique=False
    )
    op.create_table(
        "copy_pair",
        sa.Column(
            "low_id", BIG_ID, nullable=False, comment="The one with the lower id"
        ),
        sa.Column("high_id", BIG_ID, nullable=False, comment="The other"),
        sa.Column("pipeline_id", BIG_ID, nullable=False, comment="What judged it"),
        sa.Column(
            "kind",
            sa.String(length=16),
            nullable=False,
            comment="identical, near or excerpt",
        ),
        sa.Column(
            "containment",
            sa.Float(),
            nullable=False,
            comment="Share of the shorter text found in the longer, 0 to 1",
        ),
        sa.Column(
            "resemblance",
            sa.Float(),
            nullable=False,
            comment="Shared over all marks, 0 to 1",
        ),
        sa.CheckConstraint(
            "kind IN ('identical', 'near', 'excerpt')", name=op.f("ck_copy_pair_kind")
        ),
        sa.CheckConstraint(
            "low_id < high_id", name=op.f("ck_copy_pair_low_below_high")
        ),
        sa.ForeignKeyConstraint(
            ["high_id"], ["article.id"], name=op.f("fk_copy_pair_high_id_article")
        ),
        sa.ForeignKeyConstraint(
            ["low_id"], ["article.id"], name=op.f("fk_copy_pair_low_id_article")
        ),
        sa.ForeignKeyConstraint(
            ["pipeline_id"],
            ["pipeline.id"],
            name=op.f("fk_copy_pair_pipeline_id_pipeline"),
        ),
        sa.PrimaryKeyConstraint(
            "low_id", "high_id", "pipeline_id", name=op.f("pk_copy_pair")
        ),
        comment="Two articles that pass as copies: the evidence",
    )
    op.create_index("ix_copy_pair_high_id", "copy_pair", ["high_id"], unique=False)
    op.create_table(
        "duplicate",
        sa.Column("article_id", BIG_ID, nullable=False, comment="The copy"),
        sa.Column("pipeline_id", BIG_ID, nullable=False, comment="What judged it"),
        sa.Column("original_id", BIG_ID, nullable=False, comment="The original"),
        sa.Column(
            "kind",
            sa.String(length=16),
            nullable=False,
            comment="identical, near or excerpt",
        ),
        sa.Column(
            "containment",
            sa.Float(),
            nullable=False,
            comment="Share of the shorter text found in the longer, 0 to 1",
        ),
        sa.Column(
            "resemblance",
            sa.Float(),
            nullable=False,
            comment="Shared over all marks, 0 to 1",
        ),
        sa.Column(
            "settled_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was settled",
        ),
        sa.CheckConstraint(
            "kind IN ('identical', 'near', 'excerpt')", name=op.f("ck_duplicate_kind")
        ),
        sa.CheckConstraint(
            "article_id <> original_id", name=op.f("ck_duplicate_not_of_itself")
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_duplicate_article_id_article")
        ),
        sa.ForeignKeyConstraint(
            ["original_id"],
            ["article.id"],
            name=op.f("fk_duplicate_original_id_article"),
        ),
        sa.ForeignKeyConstraint(
            ["pipeline_id"],
            ["pipeline.id"],
            name=op.f("fk_duplicate_pipeline_id_pipeline"),
        ),
        sa.PrimaryKeyConstraint("article_id", "pipeline_id", name=op.f("pk_duplicate")),
        comment="The verdict: an article judged a copy of an original",
    )
    op.create_index(
        "ix_duplicate_original_id", "duplicate", ["original_id"], unique=False
    )
    op.create_table(
        "enrich_work",
        sa.Column("article_id", BIG_ID, nullable=False, comment="The article"),
        sa.Column(
            "revision", sa.Integer(), nullable=False, comment="The revision to enrich"
        ),
        sa.Column("lane", sa.String(length=8), nullable=False, comment="live or bulk"),
        sa.Column(
            "stages",
            JSON,
            nullable=True,
            comment="Stages asked for; NULL for all that are stale",
        ),
        sa.Column(
            "attempts", sa.Integer(), nullable=False, comment="Times it was claimed"
        ),
        sa.Column(
            "leased",
            sa.Boolean(),
            nullable=False,
            comment="A worker has it until due_at",
        ),
        sa.Column(
            "due_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it may be dispatched",
        ),
        sa.Column(
            "error", sa.Text(), nullable=True, comment="How the last attempt failed"
        ),
        sa.Column("run_id", BIG_ID, nullable=True, comment="Run it belongs to"),
        sa.Column("job_id", BIG_ID, nullable=True, comment="Job it belongs to"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was written down",
        ),
        sa.CheckConstraint(
            "lane IN ('live', 'bulk')", name=op.f("ck_enrich_work_lane")
        ),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["article.id"],
            name=op.f("fk_enrich_work_article_id_article"),
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["job.id"], name=op.f("fk_enrich_work_job_id_job")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_enrich_work_run_id_run")
        ),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_enrich_work")),
        comment="An article that is not enriched yet; the row goes when it is",
    )
    op.create_index("ix_enrich_work_job_id", "enrich_work", ["job_id"], unique=False)
    op.create_index(
        "ix_enrich_work_lane_due_at", "enrich_work", ["lane", "due_at"], unique=False
    )
    op.create_index("ix_enrich_work_run_id", "enrich_work", ["run_id"], unique=False)
    op.create_table(
        "entry",
        sa.Column("id", BIG_ID, nullable=False, comment="Surrogate key"),
        sa.Column("feed_id", BIG_ID, nullable=False, comment="The feed"),
        sa.Column("key", sa.Text(), nullable=False, comment="Identity within the feed"),
        sa.Column(
            "key_mode",
            sa.String(length=16),
            nullable=False,
            comment="What the key is made of",
        ),
        sa.Column("link", sa.Text(), nullable=True, comment="Its link, verbatim"),
        sa.Column(
            "outcome",
            sa.String(length=16),
            nullable=False,
            comment="Its single named end",
        ),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why it has no article"),
        sa.Column(
            "article_id",
            BIG_ID,
            nullable=True,
            comment="The article it is an appearance of",
        ),
        sa.Column(
            "content_hash",
            sa.String(length=64),
            nullable=True,
            comment="Hash of title and text when last changed",
        ),
        sa.Column(
            "document_sha256",
            sa.String(length=64),
            nullable=True,
            comment="Raw document it was first seen in",
        ),
        sa.Column(
            "first_seen_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When first seen",
        ),
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it last changed",
        ),
        sa.CheckConstraint(
            "(article_id IS NOT NULL) = (outcome IN ('stored', 'duplicate'))",
            name=op.f("ck_entry_article_or_reason"),
        ),
        sa.CheckConstraint(
            "outcome IN ('stored', 'duplicate', 'rejected', 'quarantined')",
            name=op.f("ck_entry_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_entry_article_id_article")
        ),
        sa.ForeignKeyConstraint(
            ["document_sha256"],
            ["document.sha256"],
            name=op.f("fk_entry_document_sha256_document"),
        ),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feed.id"], name=op.f("fk_entry_feed_id_feed")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
        sa.UniqueConstraint("feed_id", "key", name=op.f("uq_entry_feed_id_key")),
        comment="One item as a feed or file gave it; it has one outcome",
    )
    op.create_index("ix_entry_article_id", "entry", ["article_id"], unique=False)
    op.create_index(
        "ix_entry_document_sha256",
        "entry",
        ["document_sha256"],
        unique=False,
        postgresql_using="hash",
    )
    op.create_table(
        "fingerprint",
        sa.Column("article_id", BIG_ID, nullable=False, comment="The article"),
        sa.Column("pipeline_id", BIG_ID, nullable=False, comment="What made it"),
        sa.Column(
            "revision",
            sa.Integer(),
            nullable=False,
            comment="Revision it was made from",
        ),
        sa.Column(
            "text_hash",
            sa.LargeBinary(length=16),
            nullable=False,
            comment="Of the normalised text",
        ),
        sa.Column(
            "title_hash",
            sa.LargeBinary(length=16),
            nullable=False,
            comment="Of the normalised title",
        ),
        sa.Column(
            "n_tokens",
            sa.Integer(),
            nullable=False,
            comment="Length of the text in tokens",
        ),
        sa.Column(
            "marks",
            sa.LargeBinary(),
            nullable=False,
            comment="Sorted 64-bit marks, packed",
        ),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["article.id"],
            name=op.f("fk_fingerprint_article_id_article"),
        ),
        sa.ForeignKeyConstraint(
            ["pipeline_id"],
            ["pipeline.id"],
            name=op.f("fk_fingerprint_pipeline_id_pipeline"),
        ),
        sa.PrimaryKeyConstraint(
            "article_id", "pipeline_id", name=op.f("pk_fingerprint")
        ),
        comment="Numbers by which copies are found",
    )
    op.create_index(
        "ix_fingerprint_text_hash", "fingerprint", ["text_hash"], unique=False
    )
    op.create_table(
        "fingerprint_key",
        sa.Column("pipeline_id", BIG_ID, nullable=False, comment="What made it"),
        sa.Column(
            "key",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="A thinned mark",
        ),
        sa.Column(
            "article_id", BIG_ID, nullable=False, comment="An article that has it"
        ),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["article.id"],
            name=op.f("fk_fingerprint_key_article_id_article"),
        ),
        sa.ForeignKeyConstraint(
            ["pipeline_id"],
            ["pipeline.id"],
            name=op.f("fk_fingerprint_key_pipeline_id_pipeline"),
        ),
        sa.PrimaryKeyConstraint(
            "pipeline_id", "key", "article_id", name=op.f("pk_fingerprint_key")
        ),
        comment="The index of thinned marks, to find candidates",
    )
    op.create_index(
        "ix_fingerprint_key_article_id", "fingerprint_key", ["article_id"], unique=False
    )
    op.create_table(
        "quarantine",
        sa.Column("id", BIG_ID, nullable=False, comment="Surrogate key"),
        sa.Column(
            "kind",
            sa.String(length=16),
            nullable=False,
            comment="feed, file, entry, article, message",
        ),
        sa.Column("item", sa.Text(), nullable=False, comment="Its key among its kind"),
        sa.Column(
            "state",
            sa.String(length=16),
            nullable=False,
            comment="open, replayed or discarded",
        ),
        sa.Column("error", sa.Text(), nullable=False, comment="Class of the failure"),
        sa.Column(
            "detail",
            sa.Text(),
            nullable=False,
            comment="Message and place of the failure",
        ),
        sa.Column(
            "attempts", sa.Integer(), nullable=False, comment="Attempts when it gave up"
        ),
        sa.Column(
            "n_times", sa.Integer(), nullable=False, comment="Times it came here"
        ),
        sa.Column("feed_id", BIG_ID, nullable=True, comment="Its feed"),
        sa.Column("article_id", BIG_ID, nullable=True, comment="Its article"),
        sa.Column("file_id", BIG_ID, nullable=True, comment="Its file"),
        sa.Column(
            "payload",
            sa.Text(),
            nullable=True,
            comment="The message, where nothing else holds it",
        ),
        sa.Column(
            "first_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it first came here",
        ),
        sa.Column(
            "last_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it last came here",
        ),
        sa.CheckConstraint(
            "kind IN ('feed', 'file', 'entry', 'article', 'message')",
            name=op.f("ck_quarantine_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('open', 'replayed', 'discarded')",
            name=op.f("ck_quarantine_state"),
        ),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["article.id"],
            name=op.f("fk_quarantine_article_id_article"),
        ),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feed.id"], name=op.f("fk_quarantine_feed_id_feed")
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["run_file.id"], name=op.f("fk_quarantine_file_id_run_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
        sa.UniqueConstraint("kind", "item", name=op.f("uq_quarantine_kind_item")),
        comment="Work that keeps failing, until an operator decides",
    )
    op.create_index(
        op.f("ix_quarantine_article_id"), "quarantine", ["article_id"], unique=False
    )
    op.create_index("ix_quarantine_state", "quarantine", ["state"], unique=False)
    op.create_table(
        "revision",
        sa.Column("article_id", BIG_ID, nullable=False, comment="The article"),
        sa.Column(
            "number",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="1 is the first",
        ),
        sa.Column(
            "content_hash",
            sa.String(length=64),
            nullable=False,
            comment="Hash of title and text",
        ),
        sa.Column("title", sa.Text(), nullable=False, comment="Clean title"),
        sa.Column("text", sa.Text(), nullable=False, comment="Clean text"),
        sa.Column(
            "byline", sa.Text(), nullable=True, comment="Who wrote it, as printed"
        ),
        sa.Column(
            "declared_language",
            sa.String(length=16),
            nullable=True,
            comment="Language the document declares",
        ),
        sa.Column(
            "extractor",
            sa.String(length=64),
            nullable=False,
            comment="What cleaned it, with version",
        ),
        sa.Column(
            "confidence",
            sa.Float(),
            nullable=False,
            comment="Trust in title and text, 0 to 1",
        ),
        sa.Column(
            "document_sha256",
            sa.String(length=64),
            nullable=True,
            comment="Raw document it came from",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was stored",
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_revision_article_id_article")
        ),
        sa.ForeignKeyConstraint(
            ["document_sha256"],
            ["document.sha256"],
            name=op.f("fk_revision_document_sha256_document"),
        ),
        sa.PrimaryKeyConstraint("article_id", "number", name=op.f("pk_revision")),
        comment="One text of an article; numbers start at 1",
    )
    op.create_index(
        "ix_revision_document_sha256",
        "revision",
        ["document_sha256"],
        unique=False,
        postgresql_using="hash",
    )
    op.create_table(
        "story_member",
        sa.Column("article_id", BIG_ID, nullable=False, comment="The article"),
        sa.Column("pipeline_id", BIG_ID, nullable=False, comment="Clusterer"),
        sa.Column("story_id", BIG_ID, nullable=False, comment="The story"),
        sa.Column(
            "role",
            sa.String(length=16),
            nullable=False,
            comment="opener, member or copy",
        ),
        sa.Column(
            "score",
            sa.Float(),
            nullable=False,
            comment="Similarity when it joined, 0 to 1",
        ),
        sa.Column(
            "joined_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it joined",
        ),
        sa.CheckConstraint(
            "role IN ('opener', 'member', 'copy')", name=op.f("ck_story_member_role")
        ),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["article.id"],
            name=op.f("fk_story_member_article_id_article"),
        ),
        sa.ForeignKeyConstraint(
            ["pipeline_id"],
            ["pipeline.id"],
            name=op.f("fk_story_member_pipeline_id_pipeline"),
        ),
        sa.ForeignKeyConstraint(
            ["story_id"], ["story.id"], name=op.f("fk_story_member_story_id_story")
        ),
        sa.PrimaryKeyConstraint(
            "article_id", "pipeline_id", name=op.f("pk_story_member")
        ),
        comment="An article in a story; one story per article and clusterer",
    )
    op.create_index(
        "ix_story_member_story_id", "story_member", ["story_id"], unique=False
    )
    op.create_table(
        "enrichment",
        sa.Column(
            "article_id",
            BIG_ID,
            autoincrement=False,
            nullable=False,
            comment="The article",
        ),
        sa.Column(
            "revision",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="The revision",
        ),
        sa.Column("pipeline_id", BIG_ID, nullable=False, comment="The pipeline"),
        sa.Column(
            "status", sa.String(length=16), nullable=False, comment="How it ended"
        ),
        sa.Column(
            "enriched_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was computed",
        ),
        sa.CheckConstraint(
            "status IN ('done', 'names_only')", name=op.f("ck_enrichment_status")
        ),
        sa.ForeignKeyConstraint(
            ["article_id", "revision"],
            ["revision.article_id", "revision.number"],
            name=op.f("fk_enrichment_article_id_revision"),
        ),
        sa.ForeignKeyConstraint(
            ["pipeline_id"],
            ["pipeline.id"],
            name=op.f("fk_enrichment_pipeline_id_pipeline"),
        ),
        sa.PrimaryKeyConstraint(
            "article_id", "revision", "pipeline_id", name=op.f("pk_enrichment")
        ),
        comment="The ledger: which revision has been through which pipeline",
    )
    op.create_index(
        "ix_enrichment_pipeline_id_article_id",
        "enrichment",
        ["pipeline_id", "article_id"],
        unique=False,
    )
    op.create_table(
        "entry_alias",
        sa.Column("feed_id", BIG_ID, nullable=False, comment="The feed"),
        sa.Column("alias", sa.Text(), nullable=False, comment="kind:value"),
        sa.Column(
            "entry_id", BIG_ID, nullable=False, comment="The entry it stands for"
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name=op.f("fk_entry_alias_entry_id_entry")
        ),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feed.id"], name=op.f("fk_entry_alias_feed_id_feed")
        ),
        sa.PrimaryKeyConstraint("feed_id", "alias", name=op.f("pk_entry_alias")),
        comment="Another key by which an entry may come back",
    )
    op.create_index(
        op.f("ix_entry_alias_entry_id"), "entry_alias", ["entry_id"], unique=False
    )
    op.create_table(
        "mention",
        sa.Column(
            "article_id",
            BIG_ID,
            autoincrement=False,
            nullable=False,
            comment="The article",
        ),
        sa.Column(
            "revision",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="The revision",
        ),
        sa.Column(
            "pipeline_id",
            BIG_ID,
            autoincrement=False,
            nullable=False,
            comment="What found it",
        ),
        sa.Column(
            "position",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Order, from 0",
        ),
        sa.Column("entity_id", BIG_ID, nullable=False, comment="What it names"),
        sa.Column(
            "field", sa.String(length=8), nullable=False, comment="title or text"
        ),
        sa.Column(
            "start_char",
            sa.Integer(),
            nullable=False,
            comment="First character of the span",
        ),
        sa.Column(
            "end_char",
            sa.Integer(),
            nullable=False,
            comment="One past the last character",
        ),
        sa.Column("surface", sa.Text(), nullable=False, comment="The span itself"),
        sa.Column(
            "kind", sa.String(length=8), nullable=False, comment="PER, ORG, LOC or MISC"
        ),
        sa.Column(
            "score", sa.Float(), nullable=True, comment="Trust, where the engine says"
        ),
        sa.Column(
            "sort_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="sort_at of the article",
        ),
        sa.CheckConstraint("field IN ('title', 'text')", name=op.f("ck_mention_field")),
        sa.CheckConstraint(
            "kind IN ('PER', 'ORG', 'LOC', 'MISC')", name=op.f("ck_mention_kind")
        ),
        sa.CheckConstraint("start_char < end_char", name=op.f("ck_mention_span")),
        sa.ForeignKeyConstraint(
            ["article_id", "revision"],
            ["revision.article_id", "revision.number"],
            name=op.f("fk_mention_article_id_revision"),
        ),
        sa.PrimaryKeyConstraint(
            *partitioned_key(
                "article_id", "revision", "pipeline_id", "position", "sort_at"
            ),
            name=op.f("pk_mention"),
        ),
        comment="A span of an article that names something",
        postgresql_partition_by="RANGE (sort_at)",
        sqlite_with_rowid=False,
    )

    if on_postgresql():
        # Where rows go that no partition was made for: no write ever fails.
        for table in PARTITIONED:
            op.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")


def downgrade() -> None:
    op.drop_table("mention")
    op.drop_index(op.f("ix_entry_alias_entry_id"), table_name="entry_alias")
    op.drop_table("entry_alias")
    op.drop_index("ix_enrichment_pipeline_id_article_id", table_name="enrichment")
    op.drop_table("enrichment")
    op.drop_index("ix_story_member_story_id", table_name="story_member")
    op.drop_table("story_member")
    op.drop_index(
        "ix_revision_document_sha256", table_name="revision", postgresql_using="hash"
    )
    op.drop_table("revision")
    op.drop_index("ix_quarantine_state", table_name="quarantine")
    op.drop_index(op.f("ix_quarantine_article_id"), table_name="quarantine")
    op.drop_table("quarantine")
    op.drop_index("ix_fingerprint_key_article_id", table_name="fingerprint_key")
    op.drop_table("fingerprint_key")
    op.drop_index("ix_fingerprint_text_hash", table_name="fingerprint")
    op.drop_table("fingerprint")
    op.drop_index(
        "ix_entry_document_sha256", table_name="entry", postgresql_using="hash"
    )
    op.drop_index("ix_entry_article_id", table_name="entry")
    op.drop_table("entry")
    op.drop_index("ix_enrich_work_run_id", table_name="enrich_work")
    op.drop_index("ix_enrich_work_lane_due_at", table_name="enrich_work")
    op.drop_index("ix_enrich_work_job_id", table_name="enrich_work")
    op.drop_table("enrich_work")
    op.drop_index("ix_duplicate_original_id", table_name="duplicate")
    op.drop_table("duplicate")
    op.drop_index("ix_copy_pair_high_id", table_name="copy_pair")
    op.drop_table("copy_pair")
    op.drop_index("ix_article_entity_sort_at", table_name="article_entity")
    op.drop_index("ix_article_entity_entity_id_sort_at", table_name="article_entity")
    op.drop_table("article_entity")
    op.drop_index("ix_alert_article_id", table_name="alert")
    op.drop_table("alert")
    op.drop_index(op.f("ix_tombstone_uid"), table_name="tombstone")
    op.drop_table("tombstone")
    op.drop_index("ix_story_key_story_id", table_name="story_key")
    op.drop_table("story_key")
    op.drop_index("ix_story_event_story_id", table_name="story_event")
    op.drop_table("story_event")
    op.drop_table("retention_policy")
    op.drop_index("ix_poll_run_id", table_name="poll")
    op.drop_index("ix_poll_feed_id_started_at", table_name="poll")
    op.drop_index("ix_poll_document_sha256", table_name="poll", postgresql_using="hash")
    op.drop_table("poll")
    op.drop_index("ix_article_source_sort_at", table_name="article")
    op.drop_index("ix_article_sort_at_id", table_name="article")
    op.drop_index("ix_article_feed_id_sort_at", table_name="article")
    op.drop_table("article")
    op.drop_index("ix_webhook_delivery_state_next_at", table_name="webhook_delivery")
    op.drop_index("ix_webhook_delivery_endpoint_id", table_name="webhook_delivery")
    op.drop_table("webhook_delivery")
    op.drop_index("ix_story_last_at", table_name="story")
    op.drop_table("story")
    op.drop_index("ix_run_file_state_due_at", table_name="run_file")
    op.drop_index(
        "ix_run_file_document_sha256", table_name="run_file", postgresql_using="hash"
    )
    op.drop_table("run_file")
    op.drop_index("ix_job_range_state", table_name="job_range")
    op.drop_table("job_range")
    op.drop_index(
        "ix_feed_next_poll_at",
        table_name="feed",
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )
    op.drop_table("feed")
    op.drop_index("ix_entity_hour_entity_id_hour", table_name="entity_hour")
    op.drop_table("entity_hour")
    op.drop_index("ix_entity_alias_alias", table_name="entity_alias")
    op.drop_table("entity_alias")
    op.drop_table("active_pipeline")
    op.drop_table("webhook_endpoint")
    op.drop_table("watch_rule")
    op.drop_table("run")
    op.drop_index(op.f("ix_poll_part_stored_at"), table_name="poll_part")
    op.drop_table("poll_part")
    op.drop_table("poll_month")
    op.drop_table("pipeline")
    op.drop_index(
        "ix_outbox_unsent",
        table_name="outbox",
        sqlite_where=sa.text("sent_at IS NULL"),
        postgresql_where=sa.text("sent_at IS NULL"),
    )
    op.drop_table("outbox")
    op.drop_table("job")
    op.drop_table("ingest_hour")
    op.drop_table("entity")
    op.drop_table("document")
    op.drop_index("ix_audit_log_subject_at", table_name="audit_log")
    op.drop_table("audit_log")
    op.drop_table("api_key")
