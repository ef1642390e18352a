"""How the batteries of sites are told their set points."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE energy_battery_control (
    id uuid PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    site_id uuid NOT NULL REFERENCES site ON DELETE CASCADE,
    battery text NOT NULL,
    control jsonb NOT NULL,
    password bytea,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    told_at timestamptz,
    error text NOT NULL DEFAULT '',
    UNIQUE (site_id, battery)
);
ALTER TABLE energy_battery_control ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON energy_battery_control TO pilotwire_app
    USING (tenant_id = current_setting('pilotwire.tenant_id')::integer)
    WITH CHECK (tenant_id = current_setting('pilotwire.tenant_id')::integer);
GRANT SELECT, INSERT, UPDATE, DELETE ON energy_battery_control TO pilotwire_app;
SELECT limit_to_sites('energy_battery_control');
"""


def upgrade() -> None:
    connection = op.get_bind()
    connection.connection.run_async(lambda driver: driver.execute(TABLE))
