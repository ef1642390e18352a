"""Settled sessions, and a way to a station's newest start. Nothing of before is changed."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SESSIONS = """
ALTER TABLE session ADD COLUMN settled_at timestamptz, ADD COLUMN settled_by text, ADD COLUMN settled_reason text;
CREATE INDEX session_settled_idx ON session (station_id, id DESC) WHERE settled_at IS NOT NULL;
CREATE INDEX session_station_id_started_at_idx ON session (station_id, started_at DESC);
"""


def _run(script: str) -> None:
    connection = op.get_bind()
    connection.connection.run_async(lambda driver: driver.execute(script))


def upgrade() -> None:
    _run(SESSIONS)
