"""Commands about what a station is: settings, lists, logs, firmware, display, customers, certificates.

They are like the others: see `commands`.
"""

from datetime import datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from msgspec import Meta

from pilotwire.domain.operations.given import Count, Given, Location, Moment, Number, Pem, Seconds, Uid
from pilotwire.domain.operations.setting_commands import refuse_secret

__all__ = [
    "ClearDisplayMessage",
    "CustomerInformation",
    "DeleteCertificate",
    "GetBaseReport",
    "GetConfiguration",
    "GetDisplayMessages",
    "GetLocalListVersion",
    "GetLogs",
    "GetTransactionStatus",
    "GetVariables",
    "InstallCertificate",
    "ListCertificates",
    "SendCertificate",
    "SendLocalList",
    "SetConfiguration",
    "SetDisplayMessage",
    "SetNetworkProfile",
    "SetVariables",
    "UpdateCost",
    "UpdateFirmware",
    "Variable",
    "VariableValue",
]


class GetConfiguration(Given, frozen=True, kw_only=True, tag="get_configuration"):
    """Read configuration keys of a 1.6 station, all without `keys`. Spec: 1.6 5.8."""

    REPEATABLE = True
    keys: tuple[Annotated[str, Meta(min_length=1, max_length=50)], ...] = ()


class SetConfiguration(Given, frozen=True, kw_only=True, tag="set_configuration"):
    """Write a configuration key of a 1.6 station. Spec: 1.6 5.3."""

    REPEATABLE = True
    key: Annotated[str, Meta(min_length=1, max_length=50)]
    value: Annotated[str, Meta(max_length=500)]

    def __post_init__(self) -> None:
        refuse_secret(self.key)


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
        refuse_secret(self.variable)


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

    location: Location | None = None
    retries: Annotated[int, Meta(ge=0, le=100)] | None = None
    retry_interval_s: Seconds | None = None

    def _check(self, schemes: tuple[str, ...]) -> None:
        if self.location is None:
            return
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
    """Have a log uploaded: to this system, or to a `location` of one's own. Spec: 1.6 5.9; 2.0.1 N01."""

    FOLLOW_S = 3600
    TOLD_LATER = True
    kind: Literal["diagnostics", "security"] = "diagnostics"
    since: Moment | None = None
    until: Moment | None = None

    def __post_init__(self) -> None:
        self._check(_SCHEMES)
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise ValueError("since must be before until")


class UpdateFirmware(_Transfer, frozen=True, kw_only=True, tag="update_firmware"):
    """Have firmware fetched and installed: an image of this system, or from a `location` of one's own.

    Of an image: `signed` false sends it unsigned to a station that knows no signed firmware; a station that has the
    version already is left alone unless `reinstall`, and one of another make is refused unless `any_make`. After
    'Installed' the boot with the new version is waited for, `confirm_within_s` at most, 0 not at all.
    Spec: 1.6 5.19 and security whitepaper L01; 2.0.1 L01, L02.
    """

    FOLLOW_S = 86400
    TOLD_LATER = True
    image_id: UUID | None = None
    signed: bool = True
    reinstall: bool = False
    any_make: bool = False
    confirm_within_s: Annotated[int, Meta(ge=0, le=86400)] = 600
    retrieve_at: Moment | None = None
    install_at: Moment | None = None
    signing_certificate: Annotated[str, Meta(min_length=1, max_length=5500)] | None = None
    signature: Annotated[str, Meta(min_length=1, max_length=800)] | None = None

    def __post_init__(self) -> None:
        self._check(_SCHEMES)
        if (self.signing_certificate is None) != (self.signature is None):
            raise ValueError("signing_certificate and signature come together")
        if self.location is None and self.image_id is None:
            raise ValueError("give an image_id, or a location of your own")

    def follow_until(self, now: datetime) -> datetime:
        """Count from the moment at which it is to be fetched or installed."""
        begin = max(now, self.retrieve_at or now, self.install_at or now)
        return begin + timedelta(seconds=self.follow_s)


class GetBaseReport(Given, frozen=True, kw_only=True, tag="get_base_report"):
    """Ask for a report of the device model. Spec: 2.0.1 B07."""

    REPEATABLE = True
    FOLLOW_S = 300
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
    FOLLOW_S = 60
    message_ids: tuple[Number, ...] = ()
    priority: Literal["always_front", "in_front", "normal_cycle"] | None = None
    state: Literal["charging", "faulted", "idle", "unavailable"] | None = None


class CustomerInformation(Given, frozen=True, kw_only=True, tag="customer_information"):
    """Have the station report or forget what it knows of a customer. Spec: 2.0.1 N09, N10."""

    FOLLOW_S = 60
    report: bool = False
    clear: bool = False
    token_uid: Uid | None = None
    customer_identifier: Annotated[str, Meta(min_length=1, max_length=64)] | None = None

    def __post_init__(self) -> None:
        if not (self.report or self.clear):
            raise ValueError("ask for a report, for clear, or for both")
        if (self.token_uid is None) == (self.customer_identifier is None):
            raise ValueError("give exactly one of token_uid and customer_identifier")

    @property
    def follow_s(self) -> int:
        """How long the report is waited for; without one the answer is the end."""
        return self.FOLLOW_S if self.report else 0


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


class SendCertificate(Given, frozen=True, kw_only=True, tag="send_certificate"):
    """Hand over the certificate that a station asked to have signed. Spec: 1.6 security A02; 2.0.1 A02, A03."""

    REPEATABLE = True
    purpose: Literal["charging_station", "v2g"] = "charging_station"
    chain: Pem
    request_id: Count | None = None
    """The station's own number of its request (2.1)."""

    def __post_init__(self) -> None:
        if "-----BEGIN CERTIFICATE-----" not in self.chain or "PRIVATE KEY" in self.chain:
            raise ValueError("the chain is PEM text with BEGIN CERTIFICATE, and no private key")


class SetNetworkProfile(Given, frozen=True, kw_only=True, tag="set_network_profile"):
    """Tell the station of a way to reach a server, in one of its slots. Spec: 2.0.1 B09."""

    REPEATABLE = True
    slot: Count
    url: Annotated[
        str, Meta(min_length=8, max_length=512, pattern="^wss?://", description="Without the identity.")
    ]
    security_profile: Literal[1, 2, 3]
    message_timeout_s: Annotated[int, Meta(ge=1, le=600)] = 30
    interface: Literal[
        "Wired0", "Wired1", "Wired2", "Wired3", "Wireless0", "Wireless1", "Wireless2", "Wireless3"
    ] = "Wired0"

    def __post_init__(self) -> None:
        if self.security_profile > 1 and not self.url.startswith("wss:"):
            raise ValueError("security profiles 2 and 3 need an address with wss://")


class DeleteCertificate(Given, frozen=True, kw_only=True, tag="delete_certificate"):
    """Remove a certificate, named by the hashes that `list_certificates` gives. Spec: 2.0.1 M04."""

    REPEATABLE = True
    hash_algorithm: Literal["SHA256", "SHA384", "SHA512"] = "SHA256"
    issuer_name_hash: Annotated[str, Meta(min_length=1, max_length=128)]
    issuer_key_hash: Annotated[str, Meta(min_length=1, max_length=128)]
    serial_number: Annotated[str, Meta(min_length=1, max_length=40)]
