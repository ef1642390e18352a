"""Energy management: trees, wishes, overrides, limits of others, meters, what stations were told, history."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE energy_site (
    site_id uuid PRIMARY KEY REFERENCES site ON DELETE CASCADE,
    tenant_id integer NOT NULL REFERENCES tenant,
    enabled boolean NOT NULL DEFAULT false,
    tree jsonb NOT NULL,
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL DEFAULT '',
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE energy_wish (
    session_id uuid NOT NULL,
    source text NOT NULL CHECK (source IN ('operator', 'driver', 'car')),
    tenant_id integer NOT NULL REFERENCES tenant,
    energy_wh double precision,
    departure_at timestamptz,
    priority smallint,
    details jsonb NOT NULL DEFAULT '{}',
    changed_by text NOT NULL DEFAULT '',
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (session_id, source)
);
CREATE TABLE energy_override (
    id uuid PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    site_id uuid NOT NULL REFERENCES site ON DELETE CASCADE,
    node_id text,
    station_id integer REFERENCES station ON DELETE CASCADE,
    evse_no integer,
    limit_a double precision,
    limit_w double precision,
    reason text NOT NULL DEFAULT '',
    created_by text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    CHECK (num_nonnulls(node_id, station_id) <= 1),
    CHECK (num_nonnulls(limit_a, limit_w) <= 1)
);
CREATE INDEX energy_override_site_id_expires_at_idx ON energy_override (site_id, expires_at) WHERE ended_at IS NULL;
CREATE TABLE energy_external_limit (
    station_id integer NOT NULL REFERENCES station ON DELETE CASCADE,
    evse_no integer NOT NULL,
    source text NOT NULL,
    tenant_id integer NOT NULL REFERENCES tenant,
    grid_critical boolean NOT NULL DEFAULT false,
    schedules jsonb NOT NULL DEFAULT '[]',
    received_at timestamptz NOT NULL,
    PRIMARY KEY (station_id, evse_no, source)
);
CREATE TABLE energy_meter (
    site_id uuid NOT NULL REFERENCES site ON DELETE CASCADE,
    name text NOT NULL,
    tenant_id integer NOT NULL REFERENCES tenant,
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    current_l1_a real,
    current_l2_a real,
    current_l3_a real,
    power_w real,
    soc_percent real,
    PRIMARY KEY (site_id, name)
) WITH (fillfactor = 50);
CREATE TABLE energy_drive (
    station_id integer NOT NULL REFERENCES station ON DELETE CASCADE,
    evse_no integer NOT NULL,
    tenant_id integer NOT NULL REFERENCES tenant,
    state jsonb NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (station_id, evse_no)
) WITH (fillfactor = 50);
CREATE TABLE energy_peak (
    site_id uuid NOT NULL REFERENCES site ON DELETE CASCADE,
    month date NOT NULL,
    tenant_id integer NOT NULL REFERENCES tenant,
    peak_w double precision NOT NULL,
    peak_at timestamptz NOT NULL,
    PRIMARY KEY (site_id, month)
);
CREATE TABLE energy_history (
    tenant_id integer NOT NULL,
    site_id uuid NOT NULL,
    received_at timestamptz NOT NULL,
    interval_s real NOT NULL,
    grid_w real,
    solar_w real,
    wind_w real,
    battery_w real,
    chargers_w real,
    base_w real,
    battery_soc_percent real,
    price_per_kwh real,
    nodes jsonb NOT NULL DEFAULT '{}'
) PARTITION BY RANGE (received_at);
CREATE INDEX energy_history_site_id_received_at_idx ON energy_history (site_id, received_at);
CREATE TABLE energy_history_rest PARTITION OF energy_history DEFAULT;
"""
OWNED = (
    "energy_site",
    "energy_wish",
    "energy_override",
    "energy_external_limit",
    "energy_meter",
    "energy_drive",
    "energy_peak",
    "energy_history",
)


def _run(script: str) -> None:
    connection = op.get_bind()
    connection.connection.run_async(lambda driver: driver.execute(script))


def upgrade() -> None:
    _run(TABLES)
    for table in OWNED:
        _run(
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
            f"CREATE POLICY tenant ON {table} TO pilotwire_app"
            f" USING (tenant_id = current_setting('pilotwire.tenant_id')::integer)"
            f" WITH CHECK (tenant_id = current_setting('pilotwire.tenant_id')::integer);"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO pilotwire_app"
        )
