"""Quirks of single messages: times, broken JSON, unlisted words, tokens, message ids."""

from functools import partial

from pilotwire.ocpp.quirks.model import Quirk, Section

__all__ = ["QUIRKS"]

_quirk = partial(Quirk, section=Section.MESSAGES)
_repair = partial(_quirk, always=True, where="ocpp.codec.lenient")
_json = partial(_quirk, always=True, where="ocpp.codec.json_repair")

QUIRKS: tuple[Quirk, ...] = (
    _repair(
        name="timestamp_without_zone",
        summary="Writes times without a zone (Growatt): they are taken as UTC.",
        reported="evcc#10399, monta ocpp-emulator#5, lbbrhzn/ocpp#512",
        deviation="timestamp_without_zone",
    ),
    _repair(
        name="timestamp_format",
        summary="Writes times otherwise: `+02` without minutes, blanks, slashes, single digits.",
        reported="evcc#10399, monta ocpp-emulator#5, lbbrhzn/ocpp#512",
        deviation="timestamp_format",
    ),
    _repair(
        name="timestamp_epoch",
        summary="Gives times as seconds or milliseconds since 1970.",
        deviation="timestamp_epoch",
    ),
    _repair(
        name="timestamp_implausible",
        summary="Gives a time that no calendar has: the time of receipt stands for it, or it is left out.",
        deviation="timestamp_implausible",
    ),
    _repair(
        name="timestamp_missing",
        summary="Leaves out a required time: the time of receipt stands for it.",
        deviation="timestamp_missing",
    ),
    _quirk(
        name="local_time_as_utc",
        summary="Marks its local time as UTC, or its clock is off: both its time and the time of receipt are kept, a "
        "state from the future does not outlast the clock's setting, and energy is told by the registers.",
        reported="evcc#10399, monta ocpp-emulator#5, lbbrhzn/ocpp#512",
        always=True,
        where="domain.stations.decide",
    ),
    _quirk(
        name="answer_time_format",
        summary="Reads only times of the form `...Z` with whole seconds or milliseconds: it is sent no others.",
        reported="evcc#10399, monta ocpp-emulator#5, lbbrhzn/ocpp#512",
        always=True,
        where="ocpp.codec.wire",
    ),
    _json(
        name="value_missing",
        summary='Leaves out a value: `"transactionId":,` (AEFA).',
        reported="lbbrhzn/ocpp#2032, lbbrhzn/ocpp#1078",
        deviation="value_missing",
    ),
    _json(
        name="stray_comma",
        summary='Begins a list with a comma: `"sampledValue":[,{` (ZJ Beny).',
        reported="lbbrhzn/ocpp#2032, lbbrhzn/ocpp#1078",
        deviation="stray_comma",
    ),
    _json(
        name="trailing_comma",
        summary="Ends a list or an object with a comma.",
        deviation="trailing_comma",
    ),
    _json(
        name="not_utf8",
        summary="Sends bytes that are no UTF-8: they become the replacement character.",
        reported="lbbrhzn/ocpp#2032, lbbrhzn/ocpp#1078",
        deviation="invalid_utf8",
    ),
    _json(
        name="raw_control_character",
        summary="Puts control characters unescaped into texts.",
        deviation="raw_control_character",
    ),
    _repair(
        name="error_code_unlisted",
        summary="Reports an error code that OCPP 1.6 does not list (`Error` of Legrand): it is another error.",
        reported="lbbrhzn/ocpp#1248, lbbrhzn/ocpp#1576",
        deviation="enum_fallback",
    ),
    _repair(
        name="error_code_missing",
        summary="Leaves out the error code of a StatusNotification: there is no error.",
        deviation="missing_defaulted",
    ),
    _repair(
        name="status_occupied",
        summary="Reports `Occupied`, a status of OCPP 1.5, in 1.6: the cable is plugged.",
        reported="lbbrhzn/ocpp#1248, lbbrhzn/ocpp#1576",
        deviation="enum_alias",
    ),
    _repair(
        name="status_of_1_6_in_2x",
        summary="Reports a status of OCPP 1.6 in 2.x (`Charging`): the connector is occupied.",
        deviation="enum_alias",
    ),
    _repair(
        name="unit_words",
        summary="Uses words of its own for units: `Hz`, `%`, `°C`; both spellings of Celsius are listed.",
        reported="lbbrhzn/ocpp#1248, lbbrhzn/ocpp#1576",
        deviation="enum_alias",
    ),
    _repair(
        name="letter_case",
        summary="Writes listed values in another letter case or with blanks.",
        deviation="enum_spelling",
    ),
    _repair(
        name="stop_reason_free_text",
        summary="Gives a reason for the stop in words of its own: it is another reason.",
        reported="lbbrhzn/ocpp#1248, lbbrhzn/ocpp#1576",
        deviation="enum_fallback",
    ),
    _repair(
        name="unknown_fields",
        summary="Adds fields that the message does not have: they are left out.",
        deviation="unknown_field",
    ),
    _repair(
        name="token_uid_padded",
        summary="Sends a token of 20 characters as 22 with control characters (Ocular): they are trimmed.",
        reported="lbbrhzn/ocpp#2030",
        deviation="text_cleaned",
    ),
    _quirk(
        name="token_uid_noise",
        summary="Puts blanks or control characters of its reader into a short token: they are trimmed.",
        reported="lbbrhzn/ocpp#2030",
        always=True,
        where="ocpp.codec.inbound",
        deviation="token_uid_cleaned",
    ),
    _quirk(
        name="remote_tag_length",
        summary="Adds characters to the token of a remote start: those have 16 characters at most.",
        reported="lbbrhzn/ocpp#2030",
        always=True,
        where="ocpp.quirks.answers",
    ),
    _quirk(
        name="token_uid_with_serial",
        summary="Appends an underscore and a serial number to the uid of a token, and blocks the card when that is "
        "not known: it is taken off.",
        reported="lbbrhzn/ocpp#2030",
        vendor=r"KEBA.*",
        changes={"token_suffix": r"_[0-9A-Za-z]{4,}$"},
        deviation="token_uid_suffix",
    ),
    _quirk(
        name="error_code_spelling",
        summary="Knows only the error codes of its version: 1.6 has `FormationViolation`, 2.x `FormatViolation`; some "
        "take any error for fatal, so whatever can be read is answered with a result.",
        reported="citrineos-core#1050, citrineos#216",
        always=True,
        where="ocpp.codec.errors",
    ),
    _quirk(
        name="message_id_reused",
        summary="Uses message ids again after a restart, or for a retry: what a message says makes it a repetition.",
        reported="libocpp#298, MicroOcpp#237, mobilityhouse/ocpp#297",
        always=True,
        where="domain.sessions.decide",
    ),
    _quirk(
        name="message_id_form",
        summary="Gives message ids as numbers, or of more than 36 characters.",
        always=True,
        where="ocpp.codec.envelope",
        deviation="message_id_number",
    ),
    _quirk(
        name="repeated_under_new_id",
        summary="Repeats a StartTransaction under a new message id: it gets the same transaction.",
        reported="libocpp#298, MicroOcpp#237, mobilityhouse/ocpp#297",
        always=True,
        where="domain.sessions.decide",
    ),
    _quirk(
        name="answer_with_other_id",
        summary="Answers our calls with another message id: the answer is taken for the one call that is open.",
        reported="libocpp#298, MicroOcpp#237, mobilityhouse/ocpp#297",
        changes={"answers_with_other_id": True},
    ),
)
