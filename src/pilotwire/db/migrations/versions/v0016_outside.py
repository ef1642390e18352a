"""What comes to a site from outside: limits of grid operators, VTNs and their events, series of prices and intensities."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE energy_grid_limit (
    site_id uuid NOT NULL REFERENCES site ON DELETE CASCADE,
    source text NOT NULL,
    tenant_id integer NOT NULL REFERENCES tenant,
    node_id text NOT NULL,
    limit_w double precision,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz,
    silent_after_s double precision,
    failsafe_w double precision,
    failsafe_for_s double precision,
    reason text NOT NULL DEFAULT '',
    heard_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, source)
);
CREATE TABLE energy_vtn (
    id uuid PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    site_id uuid NOT NULL REFERENCES site ON DELETE CASCADE,
    node_id text NOT NULL,
    version text NOT NULL,
    url text NOT NULL,
    token_url text NOT NULL,
    client_id text NOT NULL,
    client_secret bytea NOT NULL,
    scope text NOT NULL DEFAULT '',
    program text NOT NULL DEFAULT '',
    ven_name text NOT NULL,
    levels_w jsonb NOT NULL,
    poll_s integer NOT NULL,
    opted_in boolean NOT NULL DEFAULT true,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    polled_at timestamptz,
    error text NOT NULL DEFAULT ''
);
CREATE INDEX energy_vtn_site_id_idx ON energy_vtn (site_id);
CREATE TABLE energy_dr_event (
    vtn_id uuid NOT NULL REFERENCES energy_vtn ON DELETE CASCADE,
    event_id text NOT NULL,
    site_id uuid NOT NULL REFERENCES site ON DELETE CASCADE,
    tenant_id integer NOT NULL REFERENCES tenant,
    name text NOT NULL,
    program_id text NOT NULL,
    content jsonb NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz,
    opted_in boolean,
    withdrawn_at timestamptz,
    received_at timestamptz NOT NULL,
    used_wh double precision,
    baseline_wh double precision,
    reported_at timestamptz,
    PRIMARY KEY (vtn_id, event_id)
);
CREATE INDEX energy_dr_event_site_id_idx ON energy_dr_event (site_id, starts_at);
CREATE TABLE energy_series (
    site_id uuid NOT NULL REFERENCES site ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('price', 'average_intensity', 'marginal_intensity')),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    source text NOT NULL,
    tenant_id integer NOT NULL REFERENCES tenant,
    value double precision NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, kind, starts_at),
    CHECK (starts_at < ends_at)
);
"""


def _run(script: str) -> None:
    connection = op.get_bind()
    connection.connection.run_async(lambda driver: driver.execute(script))


def upgrade() -> None:
    _run(TABLES)
    for table in ("energy_grid_limit", "energy_vtn", "energy_dr_event", "energy_series"):
        _run(
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
            f"CREATE POLICY tenant ON {table} TO pilotwire_app"
            f" USING (tenant_id = current_setting('pilotwire.tenant_id')::integer)"
            f" WITH CHECK (tenant_id = current_setting('pilotwire.tenant_id')::integer);"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO pilotwire_app"
        )
        _run(f"SELECT limit_to_sites('{table}')")
