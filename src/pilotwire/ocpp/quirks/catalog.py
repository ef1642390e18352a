"""The quirks by name. Facts are from the public issue trackers that each entry's comment names."""

from pilotwire.ocpp.quirks.model import Quirk

__all__ = ["CATALOG"]

CATALOG: tuple[Quirk, ...] = (
    # lbbrhzn/ocpp#211
    Quirk(
        "no_pong",
        "Never answers a WebSocket ping; it is alive as long as its TCP connection is.",
        vendor=r"EN\+|EN-?plus.*",
        changes={"answers_ping": False},
    ),
    # lbbrhzn/ocpp#389
    Quirk(
        "boot_trigger_reboots",
        "Being asked for a BootNotification makes it reboot, so it is not asked.",
        changes={"boot_trigger": False},
    ),
    # lbbrhzn/ocpp#1503, evcc#25069
    Quirk(
        "call_before_boot_loops",
        "A call before its boot is answered puts it into an endless loop: nothing is sent before.",
        vendor=r"EN\+|EN-?plus.*|Wall ?Box.*",
        changes={"boot_trigger": False},
    ),
    # lbbrhzn/ocpp#2080
    Quirk(
        "start_answer_too_soon",
        "Hangs up when the answer to StartTransaction comes within some 20 ms.",
        vendor=r"Free2move.*",
        changes={"reply_delay_s": {"StartTransaction": 0.1}},
    ),
    # lbbrhzn/ocpp#2030 (and KEBA's habit reported there)
    Quirk(
        "token_uid_with_serial",
        "Appends an underscore and a serial number to the uid of a token.",
        vendor=r"KEBA.*",
        changes={"token_suffix": r"_[0-9A-Za-z]{4,}$"},
    ),
    # mobilityhouse/ocpp#297
    Quirk(
        "answer_with_other_id",
        "Answers our calls with another message id: the answer is taken for the one call that is open.",
        changes={"answers_with_other_id": True},
    ),
)
