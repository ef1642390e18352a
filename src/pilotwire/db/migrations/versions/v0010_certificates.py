"""Certificates: authorities, requests, what was issued, roots, and stations on their way to a safer profile."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE certificate_authority (
    id uuid PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    purpose text NOT NULL CHECK (purpose IN ('charging_station', 'v2g')),
    root_pem text NOT NULL,
    issuing_pem text NOT NULL,
    sealed_key bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz
);
CREATE UNIQUE INDEX certificate_authority_active_key ON certificate_authority (tenant_id, purpose)
    WHERE retired_at IS NULL;
CREATE TABLE station_certificate (
    id uuid PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    station_id integer NOT NULL REFERENCES station ON DELETE CASCADE,
    purpose text NOT NULL,
    serial_number text NOT NULL,
    subject text NOT NULL,
    sha256 text NOT NULL UNIQUE,
    chain_pem text NOT NULL,
    issuer text NOT NULL CHECK (issuer IN ('own', 'external')),
    state text NOT NULL DEFAULT 'issued' CHECK (state IN ('issued', 'delivered', 'refused', 'revoked')),
    not_before timestamptz NOT NULL,
    not_after timestamptz NOT NULL,
    issued_at timestamptz NOT NULL,
    delivered_at timestamptz,
    first_used_at timestamptz,
    renewal_asked_at timestamptz,
    revoked_at timestamptz,
    revocation_reason text NOT NULL DEFAULT ''
);
CREATE INDEX station_certificate_station_id_idx ON station_certificate (station_id, purpose, issued_at DESC);
CREATE INDEX station_certificate_not_after_idx ON station_certificate (tenant_id, not_after);
CREATE TABLE certificate_request (
    id uuid PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    station_id integer NOT NULL REFERENCES station ON DELETE CASCADE,
    purpose text NOT NULL,
    csr_pem text NOT NULL,
    request_id integer,
    state text NOT NULL CHECK (state IN ('waiting', 'sending', 'delivered', 'refused', 'replaced')),
    reason text NOT NULL DEFAULT '',
    received_at timestamptz NOT NULL,
    certificate_id uuid REFERENCES station_certificate,
    task_id uuid,
    finished_at timestamptz
);
CREATE INDEX certificate_request_open_idx ON certificate_request (id) WHERE state IN ('waiting', 'sending');
CREATE INDEX certificate_request_station_id_idx ON certificate_request (station_id, received_at DESC);
CREATE TABLE trusted_root (
    id uuid PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    use text NOT NULL,
    pem text NOT NULL,
    subject text NOT NULL,
    sha256 text NOT NULL,
    not_after timestamptz NOT NULL,
    note text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, use, sha256)
);
CREATE TABLE security_upgrade (
    station_id integer PRIMARY KEY REFERENCES station ON DELETE CASCADE,
    tenant_id integer NOT NULL REFERENCES tenant,
    profile smallint NOT NULL CHECK (profile IN (2, 3)),
    step text NOT NULL,
    detail text NOT NULL DEFAULT '',
    url text NOT NULL,
    slot smallint NOT NULL,
    task_id uuid,
    created_by text NOT NULL,
    started_at timestamptz NOT NULL,
    step_at timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE INDEX security_upgrade_open_idx ON security_upgrade (station_id) WHERE finished_at IS NULL;
ALTER TABLE station_presence ADD COLUMN security_profile smallint NOT NULL DEFAULT 0;
"""


def _run(script: str) -> None:
    connection = op.get_bind()
    connection.connection.run_async(lambda driver: driver.execute(script))


def upgrade() -> None:
    _run(TABLES)
    for table in (
        "certificate_authority", "station_certificate", "certificate_request", "trusted_root", "security_upgrade",
    ):  # fmt: skip
        _run(
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
            f"CREATE POLICY tenant ON {table} TO pilotwire_app"
            f" USING (tenant_id = current_setting('pilotwire.tenant_id')::integer)"
            f" WITH CHECK (tenant_id = current_setting('pilotwire.tenant_id')::integer);"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO pilotwire_app"
        )
