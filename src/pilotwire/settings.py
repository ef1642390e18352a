"""Every setting, with its unit and default. Each is also an environment variable `PILOTWIRE_<NAME>`."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["Settings", "host_and_port"]


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
    database_url: SecretStr = Field(
        SecretStr(""), description="URL of a PostgreSQL of your own; empty: the embedded one."
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
    frame_retention_days: int = Field(30, ge=1, description="How long OCPP frames are kept. Unit: days.")
    sample_retention_days: int = Field(400, ge=1, description="How long meter samples are kept. Unit: days.")
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

    @field_validator("log_level")
    @classmethod
    def _check_level(cls, value: str) -> str:
        if value.lower() not in ("debug", "info", "warning", "error"):
            raise ValueError("choose debug, info, warning or error")
        return value.lower()


def host_and_port(address: str) -> tuple[str, int]:
    """Take HOST:PORT apart; IPv6 hosts stand in brackets.

    Raises: ValueError that says what is wrong.
    """
    host, separator, port = address.rpartition(":")
    if not separator or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"'{address}' is not HOST:PORT, for example 0.0.0.0:9000")
    return host.strip("[]") or "0.0.0.0", int(port)
