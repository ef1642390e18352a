"""Every setting, with its unit and default. Each is also an environment variable `PILOTWIRE_<NAME>`."""

from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["Settings", "host_and_port", "roles_by_value"]


class Settings(BaseSettings):
    """What an operator can set. Command line options win over the environment, the environment over the defaults."""

    model_config = SettingsConfigDict(env_prefix="PILOTWIRE_", frozen=True, extra="ignore")

    data_dir: Path = Field(
        Path("data"), description="Directory of the embedded database and of what is kept in files."
    )
    http: str = Field(
        "127.0.0.1:8080", description="HOST:PORT of the web console and the REST API; port 0 takes any."
    )
    ocpp: str = Field(
        "127.0.0.1:9000", description="HOST:PORT for stations; 0.0.0.0 listens on all addresses."
    )
    stations_url: str = Field(
        "",
        description="What people are told to type into stations, for example wss://cpms.example.com/ocpp; empty: a guess.",
    )
    public_url: str = Field(
        "",
        description="Where stations reach this HTTP server to fetch firmware and deliver logs, for example "
        "https://cpms.example.com; empty: the host of stations_url, else this machine's own address.",
    )
    console_url: str = Field(
        "",
        description="Where browsers find the console, such as https://cpms.example.com; empty: as they name it.",
    )
    oidc_issuer: str = Field(
        "", description="Address of an OpenID Connect provider, for single sign-on; empty: none."
    )
    oidc_client_id: str = Field("", description="What the provider calls this server.")
    oidc_client_secret: SecretStr = Field(
        SecretStr(""), description="The client's secret; empty for a public client."
    )
    oidc_name: str = Field("Single sign-on", description="What the button says.")
    oidc_scopes: str = Field("openid email profile", description="What is asked of the provider.")
    oidc_role_claim: str = Field(
        "",
        description="The claim that gives roles, for example groups or realm_access.roles; empty: none does.",
    )
    oidc_roles: str = Field(
        "",
        description="Values of that claim and their roles, for example cpms-admins=owner,cpms-desk=support.",
    )
    oidc_default_role: str = Field(
        "",
        description="Role of people whom the provider knows and no claim gives one; empty: no access until added.",
    )
    trusted_proxies: str = Field(
        "",
        description="Networks of reverse proxies, separated by commas, that are believed when they say by"
        " X-Forwarded-For and X-Forwarded-Proto who asks and how; empty: none for stations, this machine's own"
        " (127.0.0.1) for people.",
    )
    ocpp_tls: str = Field(
        "", description="HOST:PORT for stations over TLS (security profiles 2 and 3); empty: none."
    )
    tls_cert: Path | None = Field(
        None, description="PEM file with the server's certificate chain, for --ocpp-tls."
    )
    tls_key: Path | None = Field(None, description="PEM file with the certificate's private key.")
    client_ca: Path | None = Field(
        None, description="PEM file with the authorities of station certificates (profile 3)."
    )
    tls_names: str = Field(
        "",
        description="Names and addresses under which stations reach --ocpp-tls, separated by commas, for the certificate"
        " that Pilotwire makes itself when --tls-cert is left out; empty: this machine's name and localhost.",
    )
    stations_tls_url: str = Field(
        "",
        description="What stations are told when they are moved to security profile 2 or 3, for example"
        " wss://cpms.example.com/ocpp; empty: a guess.",
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="Seals the secrets that are kept (keys of authorities). Empty: a key in the file secret.key of the"
        " data directory. All processes on one database need the same.",
    )
    certificate_issuer: Literal["own", "external"] = Field(
        "own",
        description="Who signs stations' certificates: Pilotwire's own authority, or another, whose chains are handed in"
        " over the API.",
    )
    station_certificate_days: int = Field(
        365, ge=1, le=3650, description="How long a station's certificate is good. Unit: days."
    )
    v2g_certificate_days: int = Field(
        90, ge=1, le=3650, description="How long a V2G certificate is good. Unit: days."
    )
    certificate_renewal_days: int = Field(
        30,
        ge=1,
        description="How long before its end a station is asked to renew its certificate. Unit: days.",
    )
    database_url: SecretStr = Field(
        SecretStr(""),
        description="URL of a PostgreSQL of your own; empty: the embedded one. Several hosts, separated by commas: the one"
        " that takes writes.",
    )
    bootstrap_api_key: SecretStr = Field(
        SecretStr(""), description="An administrator's API key, made at the start."
    )
    gateway_name: str = Field(
        "gateway-1", description="Name of this process among those that share a database."
    )
    ocpp_strict: bool = Field(
        False,
        description="Refuse what does not fit the official schemas instead of repairing it; for conformance runs.",
    )
    heartbeat_interval_s: int = Field(300, ge=1, description="Heartbeat interval given to stations. Unit: s.")
    pending_retry_interval_s: int = Field(
        30, ge=1, description="When a station that waits for admission asks again. Unit: s."
    )
    maximum_session_power_w: float = Field(
        4_000_000,
        gt=0,
        description="No session delivers more; energy above it in its time is disputed. Unit: W.",
    )
    supervision_interval_s: float = Field(
        60, gt=0, description="How often open sessions are looked at. Unit: s."
    )
    session_settle: bool = Field(
        True,
        description="Whether rules end sessions that never got their stop; without it they only tell of them.",
    )
    session_silent_after_s: int = Field(
        1_800,
        ge=60,
        description="A station is asked for a session of which nothing was heard for so long. Unit: s.",
    )
    session_free_after_s: int = Field(
        300,
        ge=1,
        description="A station is asked for a session whose connector has been free for so long. Unit: s.",
    )
    session_patience_s: int = Field(
        3_600,
        ge=1,
        description="How long a missing stop is waited for before a rule ends the session. Unit: s.",
    )
    session_gone_after_s: int = Field(
        86_400,
        ge=60,
        description="A station away for so long is not waited for: its sessions are ended. Unit: s.",
    )
    session_longest_s: int = Field(
        259_200, ge=600, description="Sessions that go on for longer are told of. Unit: s."
    )
    car_full_after_s: int = Field(
        600, ge=30, description="A car that takes nothing for so long, though it could, is full. Unit: s."
    )
    start_missing_after_s: int = Field(
        300, ge=10, description="A connector that charges for so long without a session is told of. Unit: s."
    )
    device_read: bool = Field(
        True,
        description="Read what a station is set to when it first boots, and again after a change of firmware.",
    )
    device_read_delay_s: float = Field(
        10, ge=0, description="How long after its boot a station is read; some are busy then. Unit: s."
    )
    local_lists: bool = Field(
        True,
        description="Keep the lists of tokens in stations in step with ours, where no rule says otherwise.",
    )
    local_list_debounce_s: float = Field(
        10, ge=0, description="How long no token may have changed before stations are told. Unit: s."
    )
    local_list_stations_per_s: float = Field(
        20, gt=0, description="How many stations a second are brought in step, in the mean."
    )
    reservation_lead_s: int = Field(
        120,
        ge=0,
        le=86_400,
        description="A station is told of a reservation so long before it begins. Unit: s.",
    )
    reservation_grace_s: int = Field(
        900,
        ge=0,
        le=86_400,
        description="A driver with a reservation is waited for so long after its begin. Unit: s.",
    )
    frame_retention_days: int = Field(30, ge=1, description="How long OCPP frames are kept. Unit: days.")
    sample_retention_days: int = Field(400, ge=1, description="How long meter samples are kept. Unit: days.")
    maximum_firmware_mb: int = Field(512, ge=1, description="Largest firmware file. Unit: MiB.")
    maximum_log_mb: int = Field(256, ge=1, description="Largest log that a station may deliver. Unit: MiB.")
    log_retention_days: int = Field(90, ge=1, description="How long logs of stations are kept. Unit: days.")
    s3_bucket: str = Field(
        "",
        description="Bucket of an S3-compatible store for firmware and logs; empty: the data directory keeps them.",
    )
    s3_endpoint: str = Field(
        "", description="Address of the store, such as https://minio.example.com:9000; empty: Amazon's."
    )
    s3_region: str = Field("", description="Region of the bucket, such as eu-central-1.")
    s3_prefix: str = Field("pilotwire", description="What every key in the bucket begins with.")
    s3_access_key_id: str = Field(
        "", description="Key for the bucket; empty: of the environment (AWS_...) or of the machine's role."
    )
    s3_secret_access_key: SecretStr = Field(SecretStr(""), description="The key's secret.")
    s3_path_style: bool = Field(
        True, description="Name the bucket in the path, not in the host; what most stores but Amazon's want."
    )
    egress_hosts: str = Field(
        "",
        description="Hosts that webhooks may go to, with those below them, separated by commas; empty: all.",
    )
    egress_private_networks: str = Field(
        "",
        description="Networks that are not public and may be asked nevertheless, such as 10.1.0.0/16, separated by"
        " commas; plain http is for these alone.",
    )
    webhook_disable_after_h: float = Field(
        72, gt=0, description="A webhook to which nothing has come through for so long is disabled. Unit: h."
    )
    webhook_retention_days: int = Field(
        30, ge=1, description="How long events for webhooks and the log of deliveries are kept. Unit: days."
    )
    energy_balance_interval_s: float = Field(
        5, ge=0.05, le=60, description="How often the fuses of sites are looked after. Unit: s."
    )
    energy_plan_interval_s: float = Field(
        120, ge=0.05, description="How often sites are planned ahead. Unit: s."
    )
    energy_forecast_fit_every_h: float = Field(
        24, ge=0.01, description="How often the models that forecast sites are fitted anew. Unit: h."
    )
    energy_forecast_retention_days: int = Field(
        30, ge=1, description="How long forecasts, and the errors of models, are kept. Unit: days."
    )
    drain_timeout_s: float = Field(
        10, ge=0, description="How long a stopping server waits for stations to leave. Unit: s."
    )
    log_level: str = Field("info", description="debug, info, warning or error.")
    log_json: bool = Field(
        False, description="Log lines as JSON, for collectors, instead of text for people."
    )

    @field_validator("http", "ocpp", "ocpp_tls")
    @classmethod
    def _check_address(cls, value: str) -> str:
        if value:
            host_and_port(value)
        return value

    @field_validator("public_url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://")):
            raise ValueError("an address such as https://cpms.example.com")
        return value.rstrip("/")

    @field_validator("egress_private_networks", "trusted_proxies")
    @classmethod
    def _check_networks(cls, value: str) -> str:
        for network in filter(None, (part.strip() for part in value.split(","))):
            ip_network(network)
        return value

    @field_validator("log_level")
    @classmethod
    def _check_level(cls, value: str) -> str:
        if value.lower() not in ("debug", "info", "warning", "error"):
            raise ValueError("choose debug, info, warning or error")
        return value.lower()


def roles_by_value(text: str) -> dict[str, str]:
    """Take VALUE=ROLE,... apart.

    Raises: ValueError that says what is wrong.
    """
    found = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        value, separator, role = part.rpartition("=")
        if not separator or not value.strip():
            raise ValueError(f"'{part}' is not VALUE=ROLE")
        found[value.strip()] = role.strip()
    return found


def host_and_port(address: str) -> tuple[str, int]:
    """Take HOST:PORT apart; IPv6 hosts stand in brackets.

    Raises: ValueError that says what is wrong.
    """
    host, separator, port = address.rpartition(":")
    if not separator or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"'{address}' is not HOST:PORT, for example 0.0.0.0:9000")
    return host.strip("[]") or "0.0.0.0", int(port)
