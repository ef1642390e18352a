"""Local lists of stations kept in step with the tokens."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE local_list_content (
    tenant_id integer NOT NULL REFERENCES tenant,
    digest bytea NOT NULL,
    entries text NOT NULL,
    PRIMARY KEY (tenant_id, digest)
);
CREATE TABLE local_list (
    station_id integer PRIMARY KEY REFERENCES station ON DELETE CASCADE,
    tenant_id integer NOT NULL REFERENCES tenant,
    state text NOT NULL DEFAULT 'unknown'
        CHECK (state IN ('unknown', 'in_step', 'behind', 'failed', 'unsupported', 'not_kept')),
    detail text NOT NULL DEFAULT '',
    version integer NOT NULL DEFAULT 0,
    digest bytea,
    entries integer NOT NULL DEFAULT 0,
    wanted_digest bytea,
    wanted_entries integer NOT NULL DEFAULT 0,
    left_out integer NOT NULL DEFAULT 0,
    most_entries integer NOT NULL DEFAULT 0,
    items_per_message integer NOT NULL DEFAULT 0,
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz,
    checked_at timestamptz,
    sent_at timestamptz
) WITH (fillfactor = 70);
CREATE INDEX local_list_tenant_id_digest_idx ON local_list (tenant_id, digest);
CREATE TABLE local_list_rule (
    id uuid PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    site_id uuid REFERENCES site ON DELETE CASCADE,
    station_id integer REFERENCES station ON DELETE CASCADE,
    kept boolean NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    CHECK (site_id IS NULL OR station_id IS NULL)
);
CREATE UNIQUE INDEX local_list_rule_place_idx ON local_list_rule (tenant_id,
    coalesce(site_id, '00000000-0000-0000-0000-000000000000'), coalesce(station_id, 0));
CREATE INDEX local_list_rule_site_id_idx ON local_list_rule (site_id);
CREATE INDEX local_list_rule_station_id_idx ON local_list_rule (station_id);
"""

# Who is limited to sites sees the rules of their sites and stations, and the one for all, which holds there too.
RULES_LIMIT = """
CREATE POLICY sites ON local_list_rule AS RESTRICTIVE TO pilotwire_app
    USING (nullif(current_setting('pilotwire.sites', true), '') IS NULL
        OR (site_id IS NULL AND station_id IS NULL)
        OR site_id = ANY (nullif(current_setting('pilotwire.sites', true), '')::uuid[])
        OR station_id IN (SELECT station.id FROM station));
"""


def _run(script: str) -> None:
    connection = op.get_bind()
    connection.connection.run_async(lambda driver: driver.execute(script))


def upgrade() -> None:
    _run(TABLES)
    for table in ("local_list", "local_list_rule", "local_list_content"):
        _run(
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
            f"CREATE POLICY tenant ON {table} TO pilotwire_app"
            f" USING (tenant_id = current_setting('pilotwire.tenant_id')::integer)"
            f" WITH CHECK (tenant_id = current_setting('pilotwire.tenant_id')::integer);"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO pilotwire_app"
        )
    _run("SELECT limit_to_sites('local_list')")
    _run(RULES_LIMIT)
