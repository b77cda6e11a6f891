"""How far a large file has been stored, portion by portion."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# SQLite gives automatic row ids to INTEGER keys only.
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "run_file",
        sa.Column(
            "place_member",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="Members of it that are stored, where it is read in portions",
        ),
    )
    op.add_column(
        "run_file",
        sa.Column(
            "place_piece",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="Articles of the next member that are stored",
        ),
    )
    op.add_column(
        "run_file",
        sa.Column(
            "place_offset",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="Bytes of it before that member; 0: reading cannot begin there",
        ),
    )
    op.create_table(
        "file_portion",
        sa.Column(
            "file_id", BIG_ID, autoincrement=False, nullable=False, comment="The file"
        ),
        sa.Column(
            "start_member",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="Members before it",
        ),
        sa.Column(
            "start_piece",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Articles of that member before it",
        ),
        sa.Column(
            "end_member",
            sa.BigInteger(),
            nullable=True,
            comment="Where the next one begins; NULL when there is none",
        ),
        sa.Column(
            "end_piece",
            sa.Integer(),
            nullable=True,
            comment="Likewise, in that member",
        ),
        sa.Column(
            "end_offset",
            sa.BigInteger(),
            nullable=True,
            comment="Bytes of the file before that member, where they are told",
        ),
        sa.Column(
            "goes_on",
            sa.Boolean(),
            nullable=False,
            comment="The same worker sends the next one as well",
        ),
        sa.Column(
            "error", sa.Text(), nullable=True, comment="What could not be read of it"
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["run_file.id"], name=op.f("fk_file_portion_file_id_run_file")
        ),
        sa.PrimaryKeyConstraint(
            "file_id", "start_member", "start_piece", name=op.f("pk_file_portion")
        ),
        comment="A stored portion of a file; goes when all of the file is stored",
    )


def downgrade() -> None:
    op.drop_table("file_portion")
    op.drop_column("run_file", "place_offset")
    op.drop_column("run_file", "place_piece")
    op.drop_column("run_file", "place_member")
