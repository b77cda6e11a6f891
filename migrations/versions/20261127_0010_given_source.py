"""Whether the operator named the publisher of a file, who then overrules the file."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "run_file",
        sa.Column(
            "source_is_given",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="The operator named the publisher, whatever the file says",
        ),
    )


def downgrade() -> None:
    op.drop_column("run_file", "source_is_given")
