"""Ways to sign in, limits to sites, and an audit trail that says from where and by which login."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

PEOPLE = """
ALTER TABLE user_account
    ADD COLUMN sites uuid[],
    ADD COLUMN subject text,
    ADD COLUMN totp_secret bytea,
    ADD COLUMN totp_confirmed_at timestamptz,
    ADD COLUMN totp_last_step bigint NOT NULL DEFAULT 0,
    ADD COLUMN last_signed_in_at timestamptz;
CREATE UNIQUE INDEX user_account_subject_key ON user_account (subject) WHERE subject IS NOT NULL;
ALTER TABLE api_key ADD COLUMN sites uuid[];
ALTER TABLE login
    ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN method text NOT NULL DEFAULT 'password',
    ADD COLUMN remote_address text NOT NULL DEFAULT '',
    ADD COLUMN user_agent text NOT NULL DEFAULT '',
    ADD COLUMN last_seen_at timestamptz;
CREATE INDEX login_user_id_idx ON login (user_id);
CREATE TABLE passkey (
    id uuid PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    user_id uuid NOT NULL REFERENCES user_account ON DELETE CASCADE,
    name text NOT NULL,
    credential_id bytea NOT NULL UNIQUE,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL,
    backed_up boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz
);
CREATE INDEX passkey_user_id_idx ON passkey (user_id);
CREATE TABLE recovery_code (
    digest bytea PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    user_id uuid NOT NULL REFERENCES user_account ON DELETE CASCADE,
    used_at timestamptz
);
CREATE INDEX recovery_code_user_id_idx ON recovery_code (user_id);
-- A link that lets a person choose a password: an invitation, or a reset.
CREATE TABLE password_link (
    digest bytea PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES tenant,
    user_id uuid NOT NULL REFERENCES user_account ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
-- What has to be remembered between two steps of signing in. Nobody is known yet, so no tenant owns it.
CREATE TABLE sign_in_step (
    digest bytea PRIMARY KEY,
    kind text NOT NULL,
    user_id uuid REFERENCES user_account ON DELETE CASCADE,
    content text NOT NULL,
    expires_at timestamptz NOT NULL
);
"""

AUDIT = """
ALTER TABLE audit_entry
    ADD COLUMN remote_address text NOT NULL DEFAULT '',
    ADD COLUMN via text NOT NULL DEFAULT '';
CREATE INDEX audit_entry_tenant_id_id_idx ON audit_entry (tenant_id, id DESC);
"""

# Whoever is limited to sites sees and changes what stands there and nothing else: the setting `pilotwire.sites` names
# them. Later migrations call the function for tables of their own with a site_id or station_id.
LIMITS = """
CREATE FUNCTION limit_to_sites(target regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    rule text;
BEGIN
    rule := CASE
        WHEN target = 'site'::regclass THEN 'id = ANY (%s)'
        WHEN EXISTS (SELECT FROM pg_attribute WHERE attrelid = target AND attname = 'station_id' AND attnum > 0
            AND NOT attisdropped) THEN 'station_id IN (SELECT station.id FROM station)'
        WHEN EXISTS (SELECT FROM pg_attribute WHERE attrelid = target AND attname = 'site_id' AND attnum > 0
            AND NOT attisdropped) THEN 'site_id = ANY (%s)'
    END;
    IF rule IS NULL THEN
        RAISE EXCEPTION '% has neither site_id nor station_id', target;
    END IF;
    rule := replace(rule, '%s', $s$nullif(current_setting('pilotwire.sites', true), '')::uuid[]$s$);
    EXECUTE format('CREATE POLICY sites ON %s AS RESTRICTIVE TO pilotwire_app'
        || $s$ USING (nullif(current_setting('pilotwire.sites', true), '') IS NULL OR %s)$s$, target, rule);
END $$;
DO $$
DECLARE
    owned regclass;
BEGIN
    FOR owned IN
        SELECT DISTINCT c.oid::regclass FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND c.relrowsecurity AND NOT a.attisdropped
            AND (a.attname IN ('station_id', 'site_id') OR c.relname = 'site')
    LOOP
        PERFORM limit_to_sites(owned);
    END LOOP;
END $$;
CREATE POLICY sites ON task AS RESTRICTIVE TO pilotwire_app
    USING (nullif(current_setting('pilotwire.sites', true), '') IS NULL
        OR created_by = current_setting('pilotwire.actor', true));
"""


def _run(script: str) -> None:
    connection = op.get_bind()
    connection.connection.run_async(lambda driver: driver.execute(script))


def upgrade() -> None:
    for block in (PEOPLE, AUDIT, LIMITS):
        _run(block)
    for table in ("passkey", "recovery_code", "password_link"):
        _run(
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
            f"CREATE POLICY tenant ON {table} TO pilotwire_app"
            f" USING (tenant_id = current_setting('pilotwire.tenant_id')::integer)"
            f" WITH CHECK (tenant_id = current_setting('pilotwire.tenant_id')::integer);"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO pilotwire_app"
        )
