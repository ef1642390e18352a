"""Notes that people keep at stations, and a station's commands found quickly."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE station_note (
    id uuid PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    station_id integer NOT NULL REFERENCES station ON DELETE CASCADE,
    text text NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX station_note_station_id_id_idx ON station_note (station_id, id DESC);
ALTER TABLE station_note ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON station_note TO pilotwire_app
    USING (tenant_id = current_setting('pilotwire.tenant_id')::integer)
    WITH CHECK (tenant_id = current_setting('pilotwire.tenant_id')::integer);
GRANT SELECT, INSERT, UPDATE, DELETE ON station_note TO pilotwire_app;
SELECT limit_to_sites('station_note');
CREATE INDEX command_station_id_id_idx ON command (station_id, id DESC);
"""


def upgrade() -> None:
    connection = op.get_bind()
    connection.connection.run_async(lambda driver: driver.execute(SCRIPT))
