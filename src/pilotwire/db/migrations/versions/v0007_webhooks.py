"""Webhooks: who wants to be told of what, the events told, and every delivery."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE webhook (
    id uuid PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    name text NOT NULL DEFAULT '',
    url text NOT NULL,
    events text[] NOT NULL,
    generation integer NOT NULL DEFAULT 1,
    previous_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz,
    disabled_reason text NOT NULL DEFAULT '',
    failures integer NOT NULL DEFAULT 0,
    failing_since timestamptz,
    resting_until timestamptz,
    delivered_at timestamptz
);
CREATE INDEX webhook_tenant_id_idx ON webhook (tenant_id);
-- The outbox: written in the transaction of what happened.
CREATE TABLE webhook_event (
    id uuid PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    type text NOT NULL,
    at timestamptz NOT NULL,
    data text NOT NULL
);
CREATE TABLE webhook_delivery (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    webhook_id uuid NOT NULL REFERENCES webhook ON DELETE CASCADE,
    event_id uuid NOT NULL REFERENCES webhook_event ON DELETE CASCADE,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL,
    last_at timestamptz,
    status_code integer,
    latency_ms integer,
    response text NOT NULL DEFAULT '',
    error text NOT NULL DEFAULT '',
    replay_of bigint,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX webhook_delivery_waiting_idx ON webhook_delivery (webhook_id, next_at, id) WHERE state = 'waiting';
CREATE INDEX webhook_delivery_webhook_id_idx ON webhook_delivery (webhook_id, id DESC);
CREATE INDEX webhook_delivery_event_id_idx ON webhook_delivery (event_id);
"""


def _run(script: str) -> None:
    connection = op.get_bind()
    connection.connection.run_async(lambda driver: driver.execute(script))


def upgrade() -> None:
    _run(TABLES)
    for table in ("webhook", "webhook_event", "webhook_delivery"):
        _run(
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
            f"CREATE POLICY tenant ON {table} TO pilotwire_app"
            f" USING (tenant_id = current_setting('pilotwire.tenant_id')::integer)"
            f" WITH CHECK (tenant_id = current_setting('pilotwire.tenant_id')::integer);"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO pilotwire_app"
        )
