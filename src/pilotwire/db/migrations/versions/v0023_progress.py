"""What nearly every message changes of a session's facts has a column of its own: the rest is not written again with it."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE session ADD COLUMN progress text")
