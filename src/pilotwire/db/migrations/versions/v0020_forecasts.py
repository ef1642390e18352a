"""Forecasts of sites and the models they are made by; where the energy of sessions came from; intensities of tenants."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE energy_model (
    site_id uuid NOT NULL REFERENCES site ON DELETE CASCADE,
    target text NOT NULL,
    fitted_at timestamptz NOT NULL,
    tenant_id integer NOT NULL REFERENCES tenant,
    method text NOT NULL CHECK (method IN ('boosted', 'plain', 'none')),
    samples integer NOT NULL,
    needed integer NOT NULL,
    since timestamptz,
    until timestamptz,
    errors jsonb NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (site_id, target, fitted_at)
);
CREATE TABLE energy_forecast (
    site_id uuid NOT NULL REFERENCES site ON DELETE CASCADE,
    made_at timestamptz NOT NULL,
    tenant_id integer NOT NULL REFERENCES tenant,
    content jsonb NOT NULL,
    PRIMARY KEY (site_id, made_at)
);
CREATE TABLE energy_tenant_series (
    tenant_id integer NOT NULL REFERENCES tenant,
    kind text NOT NULL CHECK (kind IN ('average_intensity', 'marginal_intensity')),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    source text NOT NULL,
    value double precision NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, kind, starts_at),
    CHECK (starts_at < ends_at)
);
CREATE TABLE energy_mix (
    site_id uuid NOT NULL REFERENCES site ON DELETE CASCADE,
    starts_at timestamptz NOT NULL,
    tenant_id integer NOT NULL REFERENCES tenant,
    used_wh double precision NOT NULL,
    solar_share double precision NOT NULL,
    wind_share double precision NOT NULL,
    battery_share double precision NOT NULL,
    grid_share double precision NOT NULL,
    renewable_share double precision NOT NULL,
    average_g_per_kwh double precision,
    marginal_g_per_kwh double precision,
    store jsonb NOT NULL,
    PRIMARY KEY (site_id, starts_at)
);
CREATE TABLE energy_session_step (
    session_id uuid NOT NULL,
    starts_at timestamptz NOT NULL,
    site_id uuid NOT NULL REFERENCES site ON DELETE CASCADE,
    tenant_id integer NOT NULL REFERENCES tenant,
    energy_wh double precision NOT NULL,
    PRIMARY KEY (session_id, starts_at)
);
CREATE INDEX energy_session_step_site_id_idx ON energy_session_step (site_id, starts_at);
"""
OF_SITES = ("energy_model", "energy_forecast", "energy_mix", "energy_session_step")


def _run(script: str) -> None:
    connection = op.get_bind()
    connection.connection.run_async(lambda driver: driver.execute(script))


def upgrade() -> None:
    _run(TABLES)
    for table in (*OF_SITES, "energy_tenant_series"):
        _run(
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
            f"CREATE POLICY tenant ON {table} TO pilotwire_app"
            f" USING (tenant_id = current_setting('pilotwire.tenant_id')::integer)"
            f" WITH CHECK (tenant_id = current_setting('pilotwire.tenant_id')::integer);"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO pilotwire_app"
        )
    for table in OF_SITES:
        _run(f"SELECT limit_to_sites('{table}')")
