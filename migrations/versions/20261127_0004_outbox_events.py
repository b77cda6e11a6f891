"""Events of the outbox by kind and subject: what is on is found among all that was.

The index is made under a lock of the table: so far only alarms write there.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_outbox_kind_key_id", "outbox", ["kind", "key", "id"])


def downgrade() -> None:
    """Take the index away."""
    op.drop_index("ix_outbox_kind_key_id", table_name="outbox")
