"""Quirks of the boot and the configuration."""

from functools import partial

from pilotwire.ocpp.quirks.model import Quirk, Section

__all__ = ["QUIRKS"]

_quirk = partial(Quirk, section=Section.BOOT)

QUIRKS: tuple[Quirk, ...] = (
    _quirk(
        name="no_boot_after_reconnect",
        summary="Sends no BootNotification after it reconnects (Wallbox, Webasto, Ocular): it may go on, and is "
        "asked for one only while its make is not known.",
        reported="evcc#31192",
        always=True,
        where="ocpp.switchboard",
    ),
    _quirk(
        name="call_before_boot_loops",
        summary="A call before its boot is answered puts it into an endless loop: nothing is sent before.",
        reported="lbbrhzn/ocpp#1503, evcc#25069",
        vendor=r"EN\+|EN-?plus.*|Wall ?Box.*",
        changes={"boot_trigger": False},
    ),
    _quirk(
        name="boot_trigger_reboots",
        summary="Being asked for a BootNotification makes it reboot: it is not asked.",
        reported="lbbrhzn/ocpp#389, lbbrhzn/ocpp#1096",
        changes={"boot_trigger": False},
    ),
    _quirk(
        name="trigger_connector_zero",
        summary="Dies of a TriggerMessage with connector 0 (StarCharge): no connector is named.",
        reported="lbbrhzn/ocpp#389, lbbrhzn/ocpp#1096",
        always=True,
        where="ocpp.onboarding",
    ),
    _quirk(
        name="vendor_empty",
        summary="Boots with an empty vendor (Huawei).",
        reported="evcc#32170, mobilityhouse/ocpp#122",
        always=True,
        where="ocpp.codec.v16.core",
        deviation="vendor_empty",
    ),
    _quirk(
        name="serial_number_long",
        summary="Has serial numbers of 26 and 34 characters where 25 are allowed (Schneider): they are cut.",
        reported="evcc#32170, mobilityhouse/ocpp#122",
        always=True,
        where="ocpp.codec.lenient",
        deviation="text_cut",
    ),
    _quirk(
        name="boot_null_fields",
        summary="Sends null for what it does not know: such fields count as missing.",
        always=True,
        where="ocpp.codec.lenient",
        deviation="null_dropped",
    ),
    _quirk(
        name="configuration_truncated",
        summary="Cuts off a long GetConfiguration answer: the keys before the cut are read.",
        reported="lbbrhzn/ocpp#176, ev-server#3954",
        always=True,
        where="ocpp.codec.json_repair",
        deviation="truncated_configuration",
    ),
    _quirk(
        name="configuration_without_lists",
        summary="Leaves out `unknownKey`, `configurationKey` or `readonly` in a GetConfiguration answer.",
        reported="lbbrhzn/ocpp#176, ev-server#3954",
        always=True,
        where="ocpp.quirks.answers",
    ),
    _quirk(
        name="configuration_letter_case",
        summary="Writes the names of settings in another letter case: they are found in any.",
        reported="lbbrhzn/ocpp#176, ev-server#3954",
        always=True,
        where="ocpp.quirks.answers",
    ),
    _quirk(
        name="configuration_blanks",
        summary="Puts blanks between the items of a comma-separated setting.",
        reported="lbbrhzn/ocpp#176, ev-server#3954",
        always=True,
        where="ocpp.quirks.answers",
    ),
    _quirk(
        name="measurands_reboot",
        summary="Accepts every list of measurands and then reboots for ever of one that it does not know (ABB Terra AC"
        " up to 1.8.21): a list with more than one new measurand is held back.",
        reported="lbbrhzn/ocpp#1275",
        vendor=r"ABB.*",
        model=r".*Terra AC.*",
        firmware=r"(?:v?0\..*|v?1\.[0-7](?:\..*)?|v?1\.8(?:\.(?:1?\d|20|21))?)",
        changes={"measurands_one_by_one": True},
    ),
    _quirk(
        name="availability_scheduled",
        summary="Answers ChangeAvailability with `Scheduled` while it charges, which is no refusal.",
        reported="lbbrhzn/ocpp#1525",
        always=True,
        where="ocpp.codec.v16.wire",
    ),
)
