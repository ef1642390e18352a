"""Device model: variables of stations, their history, templates with inheritance, drift.

Nothing of before is taken away: a server of before runs on this schema.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE device_variable (
    tenant_id integer NOT NULL REFERENCES tenant,
    station_id integer NOT NULL REFERENCES station ON DELETE CASCADE,
    path text NOT NULL,
    attribute text NOT NULL DEFAULT 'actual' CHECK (attribute IN ('actual', 'target', 'min_set', 'max_set')),
    key text NOT NULL DEFAULT '',
    component text NOT NULL DEFAULT '',
    component_instance text NOT NULL DEFAULT '',
    evse_no integer NOT NULL DEFAULT 0,
    connector_no integer NOT NULL DEFAULT 0,
    variable text NOT NULL,
    variable_instance text NOT NULL DEFAULT '',
    value text,
    secret boolean NOT NULL DEFAULT false,
    mutability text NOT NULL DEFAULT '',
    data_type text NOT NULL DEFAULT '',
    unit text NOT NULL DEFAULT '',
    min_limit double precision,
    max_limit double precision,
    values_list text,
    persistent boolean,
    constant boolean,
    source text NOT NULL,
    changed_by text NOT NULL DEFAULT '',
    changed_at timestamptz NOT NULL,
    reported_at timestamptz NOT NULL,
    PRIMARY KEY (station_id, path, attribute)
) WITH (fillfactor = 80);
CREATE TABLE device_value (
    tenant_id integer NOT NULL,
    station_id integer NOT NULL,
    path text NOT NULL,
    attribute text NOT NULL,
    name text NOT NULL,
    received_at timestamptz NOT NULL,
    value text,
    source text NOT NULL,
    changed_by text NOT NULL
) PARTITION BY RANGE (received_at);
CREATE TABLE device_value_rest PARTITION OF device_value DEFAULT;
CREATE INDEX device_value_station_id_received_at_idx ON device_value (station_id, received_at DESC);
CREATE TABLE device_model (
    station_id integer PRIMARY KEY REFERENCES station ON DELETE CASCADE,
    tenant_id integer NOT NULL REFERENCES tenant,
    state text NOT NULL DEFAULT 'never',
    detail text NOT NULL DEFAULT '',
    ocpp_version text NOT NULL DEFAULT '',
    firmware_version text NOT NULL DEFAULT '',
    pages integer NOT NULL DEFAULT 0,
    attempts integer NOT NULL DEFAULT 0,
    asked_at timestamptz,
    read_at timestamptz,
    drifting integer NOT NULL DEFAULT 0,
    compared_at timestamptz,
    reboot_pending boolean NOT NULL DEFAULT false,
    reset_on_idle boolean NOT NULL DEFAULT false
) WITH (fillfactor = 70);
CREATE INDEX device_model_tenant_id_idx ON device_model (tenant_id, station_id) WHERE drifting > 0;
CREATE INDEX device_model_reset_on_idle_idx ON device_model (station_id) WHERE reset_on_idle;
CREATE TABLE device_drift (
    tenant_id integer NOT NULL REFERENCES tenant,
    station_id integer NOT NULL REFERENCES station ON DELETE CASCADE,
    path text NOT NULL,
    attribute text NOT NULL,
    name text NOT NULL,
    key text NOT NULL DEFAULT '',
    state text NOT NULL,
    wanted text NOT NULL,
    actual text,
    outcome text NOT NULL DEFAULT '',
    template_id uuid NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (station_id, path, attribute)
);
ALTER TABLE configuration_template ADD COLUMN name text NOT NULL DEFAULT '';
ALTER TABLE configuration_template ADD COLUMN firmware_version text NOT NULL DEFAULT '';
ALTER TABLE configuration_template ADD COLUMN site_id uuid REFERENCES site ON DELETE CASCADE;
ALTER TABLE configuration_template ADD COLUMN station_id integer REFERENCES station ON DELETE CASCADE;
ALTER TABLE configuration_template ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE configuration_template ADD CHECK (site_id IS NULL OR station_id IS NULL);
ALTER TABLE configuration_template DROP CONSTRAINT configuration_template_tenant_id_vendor_model_key;
CREATE UNIQUE INDEX configuration_template_place_idx ON configuration_template (tenant_id, vendor, model,
    firmware_version, coalesce(site_id, '00000000-0000-0000-0000-000000000000'), coalesce(station_id, 0));
"""


def _run(script: str) -> None:
    connection = op.get_bind()
    connection.connection.run_async(lambda driver: driver.execute(script))


def upgrade() -> None:
    _run(TABLES)
    for table in ("device_variable", "device_value", "device_model", "device_drift"):
        _run(
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
            f"CREATE POLICY tenant ON {table} TO pilotwire_app"
            f" USING (tenant_id = current_setting('pilotwire.tenant_id')::integer)"
            f" WITH CHECK (tenant_id = current_setting('pilotwire.tenant_id')::integer);"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO pilotwire_app"
        )
