"""Secrets are taken out of frames before they are stored.

Spec: OCPP 1.6 security 2.4.1; 2.0.1 A01: AuthorizationKey and BasicAuthPassword are never to be read back.
Vendors have more settings of the kind, and addresses for uploads carry credentials.
"""

import re
from typing import Any

import msgspec

__all__ = ["redacted", "stored_text"]

_HIDDEN = "***"
_NAME = r"authorizationkey|password|passwd|passphrase|secret"
_SECRET_NAME = re.compile(rf"(?i)(?:{_NAME})\W*$")
_ANY_NAME = re.compile(rf"(?i){_NAME}")
# In JSON that cannot be read: whatever value may belong to a secret, quoted or not, whole or cut off.
_BROKEN_VALUE = re.compile(
    rb"""(?ix)
    ( \\*" (?: [a-z]*value | key | [^"\\]* (?: password | passwd | passphrase | secret ) ) \\*" \s* : \s* )
    (?: "(?!(?:[^"\\]|\\.)*(?:authorizationkey|password|passwd|passphrase|secret)") (?:[^"\\]|\\.)* (?:"|\\?\Z)
      | \\+" [^"\\]* (?:\\+"|\Z)?
      | [^\s",\\\[\]{}]+ )
    """
)
# In a frame that was cut off the name of a variable may be lost, as it can come after the value.
_NAMED_LATER = re.compile(rb"(?i)attributeValue|actualValue|configurationKey")
# The user and password of an address (RFC 3986 3.2.1).
_CREDENTIALS = re.compile(r"(://)[^/?#@\s\"\\]+@")
# The part of our own addresses for files that makes them good for one station.
_GRANTS = re.compile(r"(/files/(?:firmware|logs)/)[\w-]{43}")
# What may be known of a secret setting.
_HARMLESS = frozenset(
    {
        "attributestatus", "attributetype", "cause", "component", "eventid", "eventnotificationtype", "key",
        "mutability", "status", "statusinfo", "attributestatusinfo", "timestamp", "trigger", "type", "variable",
        "variablecharacteristics",
    }
)  # fmt: skip
# Outside of strings JSON has no control character but these blanks; inside none at all.
_BLANKS = dict.fromkeys(range(32), " ")
_TAB, _LINE_FEED, _RETURN = b"\t\n\r"


def stored_text(frame: bytes, *, secrets: bool = True, valid: bool = False) -> str:
    """Give a frame as it is stored: as text on one line, without the values of secret settings.

    `secrets=False` is for actions that have no place for one: they are not searched. `valid=True` is for what is known
    to be JSON, which has no other control characters than three kinds of blanks.
    """
    if secrets:
        # Four searches for parts of the names cost a fifth of one by regular expression.
        found = frame.lower().find
        if (
            found(b"ass") >= 0  # password, passwd, passphrase
            or found(b"onkey") >= 0  # authorizationKey
            or found(b"ecret") >= 0
            or found(b"\\u00") >= 0  # a letter may be escaped
            or not frame.endswith(b"]")
        ):
            frame = redacted(frame)
    text = frame.decode("utf-8", "replace")
    if secrets and "://" in text:
        text = _CREDENTIALS.sub(rf"\1{_HIDDEN}@", text)
        if "/files/" in text:
            text = _GRANTS.sub(rf"\1{_HIDDEN}", text)
    # Single bytes are looked for as numbers: `in` first tries to take bytes for one, and fails by an exception.
    if valid and not (_LINE_FEED in frame or _RETURN in frame or _TAB in frame):
        return text
    return text if text.isprintable() else text.translate(_BLANKS)


def redacted(frame: bytes) -> bytes:
    """Give a frame without the values of secret settings; other frames are returned as they are."""
    try:
        content = msgspec.json.decode(frame)
    except (msgspec.DecodeError, ValueError, RecursionError):
        # Not JSON: where the secret is cannot be told, so every value goes.
        named = _ANY_NAME.search(frame.decode("utf-8", "replace")) or _NAMED_LATER.search(frame)
        if named is None:
            return frame
        return _BROKEN_VALUE.sub(rb'\1"***"', frame)
    clean = _without_secrets(content)
    return frame if clean == content else msgspec.json.encode(clean)


def _without_secrets(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_secrets(each) for each in value]
    if isinstance(value, str):
        return _text_without_secrets(value)
    if not isinstance(value, dict):
        return value
    if _names_a_secret(value):
        return {key: each if key.casefold() in _HARMLESS else _hidden(each) for key, each in value.items()}
    secrets = [key for key in value if _SECRET_NAME.search(key)]
    if secrets:  # a VPN's shared secret is called `key` and stands beside its password
        secrets += [key for key in value if key.casefold() == "key"]
    return {
        key: _HIDDEN if key in secrets and isinstance(each, str | int | float) else _without_secrets(each)
        for key, each in value.items()
    }


def _text_without_secrets(text: str) -> str:
    """Some vendors put JSON into the text of a DataTransfer or an event."""
    if _ANY_NAME.search(text) is None or not text.lstrip().startswith(("{", "[")):
        return text
    return redacted(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")


def _names_a_secret(value: dict[str, Any]) -> bool:
    """1.6 writes {"key": K, "value": V}; 2.x {"attributeValue": V, "variable": {"name": K}}, also in reports."""
    folded = {key.casefold(): each for key, each in value.items()}
    if "password" in folded:  # the settings of a VPN, not a setting by name
        return False
    variable = folded.get("variable")
    names = [folded.get("key")]
    if isinstance(variable, dict):
        names += [each for key, each in variable.items() if key.casefold() == "name"]
    return any(isinstance(name, str) and _SECRET_NAME.search(name) for name in names)


def _hidden(value: Any) -> Any:
    """Hide every value in a secret setting; in the attributes of a report only what is not known to be harmless."""
    if isinstance(value, list):
        return [_hidden(each) for each in value]
    if isinstance(value, dict):
        return {key: each if key.casefold() in _HARMLESS else _hidden(each) for key, each in value.items()}
    return value if value is None or isinstance(value, bool) else _HIDDEN
