"""Commands to a station, free of any OCPP version.

Each is data; its tag is the name by which people give it. What cannot be in any version is refused here, what cannot
be in the station's version by the codec's `outbound` modules, before anything is sent.

`REPEATABLE` commands may be sent again when nobody knows whether the station got them: they ask only, or set a state
that is the same after the second time. All others end as `unknown` instead.
"""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

__all__ = ["Command", "Given"]

Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Seconds = Annotated[int, Meta(ge=1, le=10 * 366 * 86400)]
Moment = Annotated[datetime, Meta(tz=True)]
Uid = Annotated[str, Meta(min_length=1, max_length=255)]
Text = Annotated[str, Meta(min_length=1, max_length=255)]
Location = Annotated[str, Meta(min_length=8, max_length=2000, description="An absolute address.")]
Pem = Annotated[str, Meta(min_length=1, max_length=10000, description="PEM text.")]


class Given(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="command"):
    """A command with its parameters."""

    REPEATABLE: ClassVar[bool] = False
    FOLLOW_S: ClassVar[int] = 0
    """How long the outcome is waited for after the station has accepted; 0: its answer is the outcome."""

    @property
    def name(self) -> str:
        """The command's name."""
        return str(self.__struct_config__.tag)

    @property
    def follow_s(self) -> int:
        """How long this command's end is waited for after its answer."""
        return self.FOLLOW_S


class StartCharging(Given, frozen=True, kw_only=True, tag="start_charging"):
    """Start a session for a token. Spec: 1.6 5.11; 2.0.1 F01, F02."""

    FOLLOW_S = 180
    token_uid: Uid
    evse_id: Number | None = None


class StopCharging(Given, frozen=True, kw_only=True, tag="stop_charging"):
    """Stop a session: the one named, or the open one of an EVSE. Spec: 1.6 5.12; 2.0.1 F03."""

    FOLLOW_S = 180
    session_id: str | None = None
    transaction_id: Annotated[str, Meta(min_length=1, max_length=36)] | None = None
    evse_id: Number | None = None

    def __post_init__(self) -> None:
        if sum(each is not None for each in (self.session_id, self.transaction_id, self.evse_id)) != 1:
            raise ValueError("give exactly one of session_id, transaction_id and evse_id")


class Reset(Given, frozen=True, kw_only=True, tag="reset"):
    """Restart the station or an EVSE. Spec: 1.6 5.14; 2.0.1 B11, B12."""

    FOLLOW_S = 600
    mode: Literal["soft", "hard", "on_idle", "immediate_and_resume"] = "soft"
    evse_id: Number | None = None

    @property
    def follow_s(self) -> int:
        """How long the boot is waited for; the reset of an EVSE has none."""
        return self.FOLLOW_S if self.evse_id is None else 0


class Unlock(Given, frozen=True, kw_only=True, tag="unlock"):
    """Open a connector's lock. Spec: 1.6 5.18; 2.0.1 F05."""

    evse_id: Number
    connector_id: Number = 1


class SetAvailability(Given, frozen=True, kw_only=True, tag="set_availability"):
    """Take the station, an EVSE or a connector in or out of service. Spec: 1.6 5.2; 2.0.1 G03, G04."""

    REPEATABLE = True
    available: bool
    evse_id: Number | None = None
    connector_id: Number | None = None

    def __post_init__(self) -> None:
        if self.connector_id is not None and self.evse_id is None:
            raise ValueError("a connector_id needs the evse_id of its EVSE")


Message = Literal[
    "boot_notification", "heartbeat", "status_notification", "meter_values", "firmware_status", "log_status",
    "diagnostics_status", "transaction_event", "sign_certificate", "sign_v2g_certificate",
]  # fmt: skip


class Trigger(Given, frozen=True, kw_only=True, tag="trigger"):
    """Ask the station for a message. Spec: 1.6 5.17; 2.0.1 F06."""

    REPEATABLE = True
    message: Message
    evse_id: Number | None = None
    connector_id: Number | None = None

    def __post_init__(self) -> None:
        if self.connector_id is not None and self.evse_id is None:
            raise ValueError("a connector_id needs the evse_id of its EVSE")


class ClearCache(Given, frozen=True, kw_only=True, tag="clear_cache"):
    """Forget the tokens remembered in the station's cache. Spec: 1.6 5.4; 2.0.1 C11."""

    REPEATABLE = True


class DataTransfer(Given, frozen=True, kw_only=True, tag="data_transfer"):
    """Send a vendor's own message. Spec: 1.6 5.6; 2.0.1 P01."""

    vendor_id: Text
    message_id: Annotated[str, Meta(min_length=1, max_length=50)] | None = None
    data: Annotated[str, Meta(max_length=100_000)] | None = None


class Reserve(Given, frozen=True, kw_only=True, tag="reserve"):
    """Keep an EVSE for a token. Spec: 1.6 5.13; 2.0.1 H01."""

    token_uid: Uid
    until: Moment
    evse_id: Number | None = None
    connector_type: Annotated[str, Meta(min_length=1, max_length=20)] | None = None


class CancelReservation(Given, frozen=True, kw_only=True, tag="cancel_reservation"):
    """Give a reservation up. Spec: 1.6 5.1; 2.0.1 H02."""

    REPEATABLE = True
    reservation_id: Number


Scope = Literal["station", "default", "session"]


class SetLimit(Given, frozen=True, kw_only=True, tag="set_limit"):
    """Limit current or power until further notice or for a time. Spec: 1.6 5.16; 2.0.1 K01.

    `station` limits the whole station, `default` every session of an EVSE (or of all), `session` the one that runs.
    """

    REPEATABLE = True
    limit_a: Annotated[float, Meta(ge=0, le=10_000)] | None = None
    limit_w: Annotated[float, Meta(ge=0, le=100_000_000)] | None = None
    scope: Scope = "default"
    evse_id: Number | None = None
    number_phases: Literal[1, 2, 3] | None = None
    duration_s: Seconds | None = None
    stack_level: Annotated[int, Meta(ge=0, le=1000)] = 0

    def __post_init__(self) -> None:
        if (self.limit_a is None) == (self.limit_w is None):
            raise ValueError("give exactly one of limit_a and limit_w")
        if self.scope == "session" and self.evse_id is None:
            raise ValueError("the limit of a session needs the evse_id on which it runs")
        if self.scope == "station" and self.evse_id is not None:
            raise ValueError("the limit of the station has no evse_id; use the scope 'default' for an EVSE")


class ClearLimit(Given, frozen=True, kw_only=True, tag="clear_limit"):
    """Take limits away; without a scope all of them. Spec: 1.6 5.5; 2.0.1 K10."""

    REPEATABLE = True
    scope: Scope | None = None
    evse_id: Number | None = None


class GetCompositeSchedule(Given, frozen=True, kw_only=True, tag="get_composite_schedule"):
    """Ask for the limits that hold, all profiles taken together. Spec: 1.6 5.7; 2.0.1 K08."""

    REPEATABLE = True
    evse_id: Count = 0
    duration_s: Seconds = 3600
    unit: Literal["a", "w"] | None = None


class GetConfiguration(Given, frozen=True, kw_only=True, tag="get_configuration"):
    """Read configuration keys of a 1.6 station, all without `keys`. Spec: 1.6 5.8."""

    REPEATABLE = True
    keys: tuple[Annotated[str, Meta(min_length=1, max_length=50)], ...] = ()


_SECRETS = ("authorizationkey", "basicauthpassword", "password", "secret", "passphrase")


def _refuse_secret(name: str) -> None:
    if any(word in name.casefold() for word in _SECRETS):
        raise ValueError(
            f"'{name}' is a secret, and commands are kept: set it by POST /stations/ID/call/ACTION, which keeps none"
        )


class SetConfiguration(Given, frozen=True, kw_only=True, tag="set_configuration"):
    """Write a configuration key of a 1.6 station. Spec: 1.6 5.3."""

    REPEATABLE = True
    key: Annotated[str, Meta(min_length=1, max_length=50)]
    value: Annotated[str, Meta(max_length=500)]

    def __post_init__(self) -> None:
        _refuse_secret(self.key)


class Variable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A variable of a component of a 2.x station."""

    component: Annotated[str, Meta(min_length=1, max_length=50)]
    variable: Annotated[str, Meta(min_length=1, max_length=50)]
    component_instance: Annotated[str, Meta(min_length=1, max_length=50)] | None = None
    variable_instance: Annotated[str, Meta(min_length=1, max_length=50)] | None = None
    evse_id: Number | None = None
    connector_id: Number | None = None
    attribute: Literal["actual", "target", "min_set", "max_set"] | None = None


class VariableValue(Variable, frozen=True, kw_only=True):
    """A variable and the value that it is to have."""

    value: Annotated[str, Meta(max_length=2500)]

    def __post_init__(self) -> None:
        _refuse_secret(self.variable)


class GetVariables(Given, frozen=True, kw_only=True, tag="get_variables"):
    """Read variables of a 2.x station. Spec: 2.0.1 B06."""

    REPEATABLE = True
    variables: Annotated[tuple[Variable, ...], Meta(min_length=1, max_length=100)]


class SetVariables(Given, frozen=True, kw_only=True, tag="set_variables"):
    """Write variables of a 2.x station. Spec: 2.0.1 B05."""

    REPEATABLE = True
    variables: Annotated[tuple[VariableValue, ...], Meta(min_length=1, max_length=100)]


class GetLocalListVersion(Given, frozen=True, kw_only=True, tag="get_local_list_version"):
    """Ask which version of the local list the station has. Spec: 1.6 5.10; 2.0.1 D02."""

    REPEATABLE = True


class SendLocalList(Given, frozen=True, kw_only=True, tag="send_local_list"):
    """Send tokens as the station's local list. Spec: 1.6 5.15; 2.0.1 D01.

    `full` replaces the list by the tokens named, or by all that may charge; `differential` changes the tokens named:
    one that is unknown here is taken off the list. The list's version is the number of the command.
    """

    REPEATABLE = True
    mode: Literal["full", "differential"] = "full"
    token_uids: Annotated[tuple[Uid, ...], Meta(max_length=500)] | None = None

    def __post_init__(self) -> None:
        if self.mode == "differential" and not self.token_uids:
            raise ValueError("a differential list needs the token_uids that are to change")


class _Transfer(Given, frozen=True, kw_only=True):
    """A file over the network."""

    location: Location
    retries: Annotated[int, Meta(ge=0, le=100)] | None = None
    retry_interval_s: Seconds | None = None

    def _check(self, schemes: tuple[str, ...]) -> None:
        try:
            address = urlsplit(self.location)
        except ValueError as error:
            raise ValueError(f"the location is not an address: {error}") from error
        if address.scheme.casefold() not in schemes or not address.netloc:
            raise ValueError(f"the location is an absolute address with {', '.join(schemes)}")
        if address.username or address.password:
            raise ValueError("the location has a password, and commands are kept: use an address without")


_SCHEMES = ("https", "http", "ftp", "ftps", "sftp")


class GetLogs(_Transfer, frozen=True, kw_only=True, tag="get_logs"):
    """Have a log uploaded to an address. Spec: 1.6 5.9; 2.0.1 N01."""

    FOLLOW_S = 3600
    kind: Literal["diagnostics", "security"] = "diagnostics"
    since: Moment | None = None
    until: Moment | None = None

    def __post_init__(self) -> None:
        self._check(_SCHEMES)
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise ValueError("since must be before until")


class UpdateFirmware(_Transfer, frozen=True, kw_only=True, tag="update_firmware"):
    """Have firmware fetched and installed. Spec: 1.6 5.19; 2.0.1 L01, L02."""

    FOLLOW_S = 86400
    retrieve_at: Moment | None = None
    install_at: Moment | None = None
    signing_certificate: Annotated[str, Meta(min_length=1, max_length=5500)] | None = None
    signature: Annotated[str, Meta(min_length=1, max_length=800)] | None = None

    def __post_init__(self) -> None:
        self._check(_SCHEMES)
        if (self.signing_certificate is None) != (self.signature is None):
            raise ValueError("signing_certificate and signature come together")


class GetBaseReport(Given, frozen=True, kw_only=True, tag="get_base_report"):
    """Ask for a report of the device model. Spec: 2.0.1 B07."""

    REPEATABLE = True
    kind: Literal["configuration", "full", "summary"] = "full"


class UpdateCost(Given, frozen=True, kw_only=True, tag="update_cost"):
    """Show a session's cost so far at the station. Spec: 2.0.1 I02."""

    REPEATABLE = True
    transaction_id: Annotated[str, Meta(min_length=1, max_length=36)]
    total_cost: Annotated[
        str, Meta(pattern=r"^\d{1,9}(\.\d{1,4})?$", description="Decimal, in the station's currency.")
    ]


class SetDisplayMessage(Given, frozen=True, kw_only=True, tag="set_display_message"):
    """Show a message on the station's display. Spec: 2.0.1 O01, O02, O06."""

    REPEATABLE = True
    message_id: Number
    text: Annotated[str, Meta(min_length=1, max_length=512)]
    priority: Literal["always_front", "in_front", "normal_cycle"] = "normal_cycle"
    format: Literal["utf8", "ascii", "html", "uri"] = "utf8"
    language: Annotated[str, Meta(min_length=2, max_length=8)] | None = None
    state: Literal["charging", "faulted", "idle", "unavailable"] | None = None
    since: Moment | None = None
    until: Moment | None = None
    transaction_id: Annotated[str, Meta(min_length=1, max_length=36)] | None = None


class ClearDisplayMessage(Given, frozen=True, kw_only=True, tag="clear_display_message"):
    """Take a message off the display. Spec: 2.0.1 O05."""

    REPEATABLE = True
    message_id: Number


class GetDisplayMessages(Given, frozen=True, kw_only=True, tag="get_display_messages"):
    """Ask which messages the display shows. Spec: 2.0.1 O03, O04."""

    REPEATABLE = True
    message_ids: tuple[Number, ...] = ()


class CustomerInformation(Given, frozen=True, kw_only=True, tag="customer_information"):
    """Have the station report or forget what it knows of a customer. Spec: 2.0.1 N09, N10."""

    report: bool = False
    clear: bool = False
    token_uid: Uid | None = None
    customer_identifier: Annotated[str, Meta(min_length=1, max_length=64)] | None = None

    def __post_init__(self) -> None:
        if not (self.report or self.clear):
            raise ValueError("ask for a report, for clear, or for both")
        if (self.token_uid is None) == (self.customer_identifier is None):
            raise ValueError("give exactly one of token_uid and customer_identifier")


class GetTransactionStatus(Given, frozen=True, kw_only=True, tag="get_transaction_status"):
    """Ask whether a transaction runs and messages wait. Spec: 2.0.1 E14."""

    REPEATABLE = True
    transaction_id: Annotated[str, Meta(min_length=1, max_length=36)] | None = None


RootUse = Literal["csms_root", "manufacturer_root", "v2g_root", "mo_root"]


class ListCertificates(Given, frozen=True, kw_only=True, tag="list_certificates"):
    """List the certificates of one use. Spec: 1.6 security M03; 2.0.1 M03."""

    REPEATABLE = True
    use: Literal["csms_root", "manufacturer_root", "v2g_root", "mo_root", "v2g_chain"] = "csms_root"


class InstallCertificate(Given, frozen=True, kw_only=True, tag="install_certificate"):
    """Install a root certificate. Spec: 1.6 security M05; 2.0.1 M05."""

    REPEATABLE = True
    use: RootUse
    certificate: Pem

    def __post_init__(self) -> None:
        if "-----BEGIN CERTIFICATE-----" not in self.certificate or "PRIVATE KEY" in self.certificate:
            raise ValueError("the certificate is PEM text with BEGIN CERTIFICATE, and no private key")


class DeleteCertificate(Given, frozen=True, kw_only=True, tag="delete_certificate"):
    """Remove a certificate, named by the hashes that `list_certificates` gives. Spec: 2.0.1 M04."""

    REPEATABLE = True
    hash_algorithm: Literal["SHA256", "SHA384", "SHA512"] = "SHA256"
    issuer_name_hash: Annotated[str, Meta(min_length=1, max_length=128)]
    issuer_key_hash: Annotated[str, Meta(min_length=1, max_length=128)]
    serial_number: Annotated[str, Meta(min_length=1, max_length=40)]


Command = (
    StartCharging | StopCharging | Reset | Unlock | SetAvailability | Trigger | ClearCache | DataTransfer | Reserve
    | CancelReservation | SetLimit | ClearLimit | GetCompositeSchedule | GetConfiguration | SetConfiguration
    | GetVariables | SetVariables | GetLocalListVersion | SendLocalList | GetLogs | UpdateFirmware | GetBaseReport
    | UpdateCost | SetDisplayMessage | ClearDisplayMessage | GetDisplayMessages | CustomerInformation
    | GetTransactionStatus | ListCertificates | InstallCertificate | DeleteCertificate
)  # fmt: skip
