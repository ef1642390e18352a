"""Secrets are taken out of frames before they are stored.

Spec: OCPP 1.6 security 2.4.1; 2.0.1 A01: AuthorizationKey and BasicAuthPassword are never to be read back.
"""

import re
from typing import Any

import msgspec

__all__ = ["redacted", "stored_text"]

_SECRET_NAMES = frozenset({"authorizationkey", "basicauthpassword"})
_SECRET_FIELD = re.compile(r"(?i)password$")
_ANY = re.compile(rb"(?i)authorizationkey|password")
_STRING_VALUE = re.compile(rb'("(?:value|attributeValue|[A-Za-z]*[Pp]assword)"\s*:\s*)"(?:[^"\\]|\\.)*"?')
_HIDDEN = "***"
# Outside of strings JSON has no control character but these blanks; inside none at all.
_BLANKS = dict.fromkeys(range(32), " ")


def stored_text(frame: bytes) -> str:
    """Give a frame as it is stored: as text on one line, without the values of secret settings."""
    if b"assword" in frame or b"uthorization" in frame or b"ASSWORD" in frame or b"UTHORIZATION" in frame:
        frame = redacted(frame)
    text = frame.decode("utf-8", "replace")
    return text if text.isprintable() else text.translate(_BLANKS)


def redacted(frame: bytes) -> bytes:
    """Give a frame without the values of secret settings; other frames are returned as they are."""
    if _ANY.search(frame) is None:
        return frame
    try:
        content = msgspec.json.decode(frame)
    except (msgspec.DecodeError, ValueError, RecursionError):
        # Not JSON: where the secret is cannot be told, so every value goes.
        return _STRING_VALUE.sub(rb'\1"***"', frame)
    return msgspec.json.encode(_without_secrets(content))


def _without_secrets(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_secrets(each) for each in value]
    if not isinstance(value, dict):
        return value
    if _names_a_secret(value):
        return {
            key: each if key in ("key", "component", "variable") else _hidden(each)
            for key, each in value.items()
        }
    return {
        key: _HIDDEN if isinstance(each, str) and _SECRET_FIELD.search(key) else _without_secrets(each)
        for key, each in value.items()
    }


def _names_a_secret(value: dict[str, Any]) -> bool:
    """1.6 writes {"key": K, "value": V}; 2.x {"attributeValue": V, "variable": {"name": K}}, also in reports."""
    variable = value.get("variable")
    names = (value.get("key"), variable.get("name") if isinstance(variable, dict) else None)
    return any(isinstance(name, str) and name.lower() in _SECRET_NAMES for name in names)


def _hidden(value: Any) -> Any:
    if isinstance(value, list):
        return [_hidden(each) for each in value]
    if isinstance(value, dict):
        return {key: _hidden(each) if key == "value" else each for key, each in value.items()}
    return _HIDDEN if isinstance(value, str) else value
