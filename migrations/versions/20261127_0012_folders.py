"""Watched folders: their files, what their polls find, and a fixed pace for feeds."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# SQLite gives automatic row ids to INTEGER keys only.
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
# Table -> the check on its kind, before and after.
KINDS = {
    "feed": ("kind IN ('web', 'files')", "kind IN ('web', 'files', 'folder')"),
    "run": ("kind IN ('ingest', 'poll')", "kind IN ('ingest', 'poll', 'folder')"),
}


# Column of feed -> its comment, before and after; SQLite keeps none.
COMMENTS = {
    "kind": (
        "web, or files for handed-over files",
        "web, folder, or files for handed-over",
    ),
    "host": (
        "Server of url; limits and pauses hold for all its feeds",
        "Server of url, with limits for all its feeds; of a folder its url",
    ),
}


def upgrade() -> None:
    for table, (before, after) in KINDS.items():
        change_check(table, before, after)
    for column, (_, after) in COMMENTS.items():
        comment(column, after)
    op.add_column(
        "feed",
        sa.Column(
            "every_seconds",
            sa.Integer(),
            nullable=True,
            comment="Fixed distance between polls; NULL: by the pace of its news",
        ),
    )
    op.add_column(
        "run_file",
        sa.Column(
            "feed_id",
            sa.BigInteger(),
            nullable=True,
            comment="Folder that it was found in; NULL: it was handed over",
        ),
    )
    make_files()
    make_polls()


def make_files() -> None:
    op.create_table(
        "folder_file",
        sa.Column(
            "feed_id", BIG_ID, autoincrement=False, nullable=False, comment="The folder"
        ),
        sa.Column(
            "path",
            sa.Text(),
            nullable=False,
            comment="Absolute path on the worker's host",
        ),
        sa.Column(
            "spot",
            sa.Integer(),
            nullable=False,
            comment="Where listings tell it (ingest/foldermarks.py)",
        ),
        sa.Column(
            "n_bytes",
            sa.BigInteger(),
            nullable=False,
            comment="Its size when last listed",
        ),
        sa.Column(
            "mtime_ns",
            sa.BigInteger(),
            nullable=False,
            comment="When it was last written, in nanoseconds since 1970",
        ),
        sa.Column(
            "run_id",
            BIG_ID,
            nullable=False,
            comment="Run that read it, or will, as it now is",
        ),
        sa.Column("listed_at", MOMENT, nullable=False, comment="When first listed"),
        sa.Column(
            "gone_at",
            MOMENT,
            nullable=True,
            comment="When a poll no longer found it; NULL while it is there",
        ),
        sa.Column(
            "moved_to",
            sa.Text(),
            nullable=True,
            comment="Path under which its articles go on, if it was moved",
        ),
        sa.Column(
            "is_unread",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="It was away when it was to be read: read it where it is listed "
            "again",
        ),
        sa.Column(
            "n_away",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="Times it was away when it was to be read, as it now is",
        ),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feed.id"], name=op.f("fk_folder_file_feed_id_feed")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_folder_file_run_id_run")
        ),
        sa.PrimaryKeyConstraint("feed_id", "path", name=op.f("pk_folder_file")),
        comment="One file of a watched folder, as polls have seen it",
    )
    op.create_index("ix_folder_file_feed_id_spot", "folder_file", ["feed_id", "spot"])
    op.create_index(
        "ix_folder_file_unread",
        "folder_file",
        ["feed_id"],
        sqlite_where=sa.text("is_unread"),
        postgresql_where=sa.text("is_unread"),
    )


def make_polls() -> None:
    op.create_table(
        "folder_poll",
        sa.Column(
            "poll_id", BIG_ID, autoincrement=False, nullable=False, comment="The poll"
        ),
        sa.Column("feed_id", BIG_ID, nullable=False, comment="The folder"),
        sa.Column("at", MOMENT, nullable=False, comment="When stored"),
        sa.Column(
            "run_id",
            BIG_ID,
            nullable=True,
            comment="Run that reads what is new or changed",
        ),
        *(
            sa.Column(name, sa.Integer(), nullable=False, comment=comment)
            for name, comment in (
                ("n_files", "Files in the folder"),
                ("n_settling", "Of those, written just then"),
                ("n_new", "Files that were not known"),
                ("n_changed", "Files with another size or time"),
                ("n_back", "Files that were gone, as they had been"),
                ("n_gone", "Files that were no longer there"),
            )
        ),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feed.id"], name=op.f("fk_folder_poll_feed_id_feed")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_folder_poll_run_id_run")
        ),
        sa.PrimaryKeyConstraint("poll_id", name=op.f("pk_folder_poll")),
        comment="What one poll of a folder has found, where that was news",
    )
    op.create_index("ix_folder_poll_at", "folder_poll", ["at"])
    op.create_index("ix_folder_poll_feed_id_at", "folder_poll", ["feed_id", "at"])


def change_check(table: str, before: str, after: str) -> None:
    """Change what kinds a table takes; both tables are short."""
    if op.get_context().dialect.name == "sqlite":
        change_text(table, before, after)
        return
    name = f"ck_{table}_kind"
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({after})")


def comment(column: str, words: str) -> None:
    """Say what a column of feed holds, where that is kept."""
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"COMMENT ON COLUMN feed.{column} IS '{words}'")


def change_text(table: str, before: str, after: str) -> None:
    """Change the text of a table's definition, as the manual of SQLite has it.

    A new copy in its place would break the foreign keys that point to it.
    """
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    changed = connection.exec_driver_sql(
        "UPDATE sqlite_schema SET sql = replace(sql, ?, ?)"
        " WHERE type = 'table' AND name = ?",
        (before, after, table),
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
    if changed.rowcount != 1:
        raise RuntimeError(f"the definition of {table} is not where it should be")


def downgrade() -> None:
    op.drop_table("folder_poll")
    op.drop_table("folder_file")
    op.drop_column("run_file", "feed_id")
    op.drop_column("feed", "every_seconds")
    # What folders have brought stays, as if it had been handed over.
    op.execute(
        "UPDATE feed SET kind = 'files', state = 'manual', lease_until = NULL"
        " WHERE kind = 'folder'"
    )
    op.execute("UPDATE run SET kind = 'ingest' WHERE kind = 'folder'")
    for table, (before, after) in KINDS.items():
        change_check(table, after, before)
    for column, (before, _) in COMMENTS.items():
        comment(column, before)
