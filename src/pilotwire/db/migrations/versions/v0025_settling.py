"""A download whose last part is on its way is not over before it is known to have arrived, whoever dies meanwhile."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE file_grant ADD COLUMN settling_since timestamptz")
