"""What the other back end of a relay is still to be told outlives a restart and a new connection of the station."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE relay_message (
    id uuid PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    station_id integer NOT NULL REFERENCES station ON DELETE CASCADE,
    tenant_id integer NOT NULL REFERENCES tenant,
    message_id text NOT NULL,
    action text NOT NULL,
    frame text NOT NULL,
    received_at timestamptz NOT NULL
);
CREATE INDEX relay_message_station_id_seq_idx ON relay_message (station_id, seq);
ALTER TABLE relay_message ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON relay_message TO pilotwire_app
    USING (tenant_id = current_setting('pilotwire.tenant_id')::integer)
    WITH CHECK (tenant_id = current_setting('pilotwire.tenant_id')::integer);
GRANT SELECT, INSERT, UPDATE, DELETE ON relay_message TO pilotwire_app;
SELECT limit_to_sites('relay_message');
"""


def upgrade() -> None:
    connection = op.get_bind()
    connection.connection.run_async(lambda driver: driver.execute(TABLE))
