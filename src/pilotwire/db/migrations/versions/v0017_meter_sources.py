"""Where readings of sites' meters are fetched: MQTT brokers, Modbus devices."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE energy_meter_source (
    id uuid PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    site_id uuid NOT NULL REFERENCES site ON DELETE CASCADE,
    meter text NOT NULL,
    source jsonb NOT NULL,
    password bytea,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    read_at timestamptz,
    error text NOT NULL DEFAULT '',
    UNIQUE (site_id, meter)
);
ALTER TABLE energy_meter_source ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON energy_meter_source TO pilotwire_app
    USING (tenant_id = current_setting('pilotwire.tenant_id')::integer)
    WITH CHECK (tenant_id = current_setting('pilotwire.tenant_id')::integer);
GRANT SELECT, INSERT, UPDATE, DELETE ON energy_meter_source TO pilotwire_app;
SELECT limit_to_sites('energy_meter_source');
"""


def upgrade() -> None:
    connection = op.get_bind()
    connection.connection.run_async(lambda driver: driver.execute(TABLE))
