"""Errors as problem details (RFC 9457): one table from code to HTTP status."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from pilotwire.core.errors import PilotwireError
from pilotwire.core.texts import Text, say
from pilotwire.db.writer import is_transient

__all__ = ["PROBLEM_SCHEMA", "STATUS_BY_CODE", "TITLES", "VALIDATION_TEXTS", "install_problems", "problem"]

log = structlog.get_logger(__name__)

STATUS_BY_CODE: Mapping[str, int] = {
    "invalid": 422,
    "unauthenticated": 401,
    "wrong_credentials": 401,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "name_taken": 409,
    "energy_off": 409,
    "energy_tree_changed": 409,
    "code_needed": 401,
    "link_expired": 401,
    "no_account": 401,
    "sign_in_step_expired": 401,
    "provider_failed": 502,
    "account_exists": 409,
    "address_used": 410,
    "checksum_mismatch": 422,
    "file_too_large": 413,
    "firmware_exists": 409,
    "firmware_in_use": 409,
    "firmware_incomplete": 409,
    "firmware_uploaded": 409,
    "unknown_address": 404,
    "wrong_signature": 422,
    "connection_lost": 409,
    "group_exists": 409,
    "nothing_to_do": 409,
    "reservation_conflict": 409,
    "reservation_over": 409,
    "session_over": 409,
    "site_exists": 409,
    "site_in_use": 409,
    "station_exists": 409,
    "secret_refused": 409,
    "station_has_sessions": 409,
    "station_not_connected": 409,
    "station_not_ready": 409,
    "task_over": 409,
    "template_exists": 409,
    "token_exists": 409,
    "too_large": 413,
    "invalid_energy_tree": 422,
    "invalid_payload": 422,
    "not_in_version": 422,
    "too_many_attempts": 429,
    "error": 500,
    "unavailable": 503,
    "station_no_answer": 504,
    "receiver_failed": 502,
}

TITLES = {
    "forbidden": "This needs a right that the caller does not have.",
    "invalid": "The request cannot be understood or has impossible values.",
    "not_found": "What was asked for does not exist.",
    "method_not_allowed": "This address does not know this method.",
    "too_large": "The request is too large.",
    "error": "Something went wrong here; it has been logged.",
    "unavailable": "A part of the system that this needs does not answer now.",
}
_RETRY_AFTER_S = 5

REASON_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "description": "A text by its code, to say it in another language; a text that has no code is told in English only.",
    "required": ["code", "values"],
    "properties": {
        "code": {"type": "string", "examples": ["station_unknown"]},
        "values": {
            "type": "object",
            "additionalProperties": {"type": ["string", "number"]},
            "examples": [{"station": "CP-1"}],
        },
    },
}
PROBLEM_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong (RFC 9457). `code` is stable; `detail` is for people.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "examples": ["urn:pilotwire:problem:not_found"],
        },
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "enum": sorted(STATUS_BY_CODE)},
        "detail": {"type": "string"},
        "reason": REASON_SCHEMA,
        "errors": {
            "type": "array",
            "description": "What is wrong with which part of the request.",
            "items": {
                "type": "object",
                "required": ["in", "field", "message"],
                "properties": {
                    "in": {"type": "string", "enum": ["body", "query", "path", "header", "cookie"]},
                    "field": {"type": "string"},
                    "message": {"type": "string"},
                    "reason": REASON_SCHEMA,
                },
            },
        },
    },
}


def problem(
    code: str,
    detail: str | Text = "",
    *,
    title: str | None = None,
    errors: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Make the response that tells of an error."""
    status = STATUS_BY_CODE[code]
    content: dict[str, Any] = {
        "type": f"urn:pilotwire:problem:{code}",
        "title": title or TITLES[code],
        "status": status,
        "code": code,
    }
    if detail:
        content["detail"] = str(detail)
    if isinstance(detail, Text):
        content["reason"] = detail.reason()
    if errors:
        content["errors"] = errors
    more = dict(headers or {})
    if status == 401:
        more.setdefault("WWW-Authenticate", "Bearer")
    if status == 503:
        more.setdefault("Retry-After", str(_RETRY_AFTER_S))
    return JSONResponse(content, status, more, media_type="application/problem+json")


_OF_THE_DATABASE: tuple[type[Exception], ...] = (
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # none of several hosts takes writes
    OSError,
)


def install_problems(app: FastAPI) -> None:
    """Have every error of the application answered as a problem."""
    app.add_exception_handler(PilotwireError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for kind in _OF_THE_DATABASE:
        app.add_exception_handler(kind, _database)


async def _known(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, PilotwireError)  # noqa: S101 - registered for this class alone
    retry_after_s = getattr(error, "retry_after_s", None)
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    if STATUS_BY_CODE[error.code] >= 500:
        log.warning("a request failed", path=request.url.path, code=error.code, detail=error.detail)
    errors = [
        {"in": "body", "field": each.where, "message": each.message}
        for each in getattr(error, "problems", ())
    ]
    return problem(
        error.code, error.text or error.detail, title=error.title(), errors=errors, headers=headers
    )


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
    errors = [_words(found) for found in error.errors()]
    first = errors[0]
    where = f"{first['in']} {first['field']}".strip()
    return problem("invalid", f"{where}: {first['message']}", errors=errors)


# What validation finds wrong, by its kind: these are said in the reader's language too.
VALIDATION_TEXTS: Mapping[str, str] = {
    "missing": "field required",
    "extra_forbidden": "extra inputs are not permitted",
    "string_type": "input should be a valid string",
    "string_too_short": "string should have at least {min_length} characters",
    "string_too_long": "string should have at most {max_length} characters",
    "string_pattern_mismatch": "string should match pattern {pattern}",
    "too_short": "there should be at least {min_length} items",
    "too_long": "there should be at most {max_length} items",
    "bool_parsing": "input should be a valid boolean",
    "bool_type": "input should be a valid boolean",
    "int_parsing": "input should be a valid integer",
    "int_type": "input should be a valid integer",
    "int_from_float": "input should be a valid integer",
    "float_parsing": "input should be a valid number",
    "float_type": "input should be a valid number",
    "decimal_parsing": "input should be a valid decimal",
    "finite_number": "input should be a finite number",
    "greater_than": "input should be greater than {gt}",
    "greater_than_equal": "input should be greater than or equal to {ge}",
    "less_than": "input should be less than {lt}",
    "less_than_equal": "input should be less than or equal to {le}",
    "literal_error": "input should be {expected}",
    "enum": "input should be {expected}",
    "uuid_parsing": "input should be a valid UUID",
    "datetime_from_date_parsing": "input should be a valid moment",
    "datetime_parsing": "input should be a valid moment",
    "timezone_aware": "input should have a time zone",
    "date_from_datetime_parsing": "input should be a valid date",
    "date_parsing": "input should be a valid date",
    "json_invalid": "the body is not valid JSON",
}
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def _reason(found: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give the code of what validation found; None when it is known in English only."""
    template, about = VALIDATION_TEXTS.get(found["type"]), found.get("ctx") or {}
    if template is None or not set(names := _PLACEHOLDER.findall(template)) <= about.keys():
        return None
    values = {name: about[name] if type(about[name]) in (int, float) else str(about[name]) for name in names}
    return {"code": f"invalid.{found['type']}", "values": values}


def _words(found: Mapping[str, Any]) -> dict[str, Any]:
    """Say an error of validation in words; what was sent is not repeated, it may be a secret."""
    place, *path = [str(part) for part in found["loc"]] or ["body"]
    message = str(found["msg"]).removeprefix("Value error, ")
    if found["type"] == "json_invalid":
        path, message = [], "the body is not valid JSON"
    elif not path and place == "body":
        message = "a JSON object is needed, with Content-Type: application/json"
    words = {"in": place, "field": ".".join(path), "message": message[:1].lower() + message[1:]}
    reason = _reason(found)
    return words if reason is None else {**words, "reason": reason}


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    code = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(error.status_code, "invalid")
    return problem(code, headers=error.headers)


async def _database(request: Request, error: Exception) -> JSONResponse:
    cause: BaseException = error
    if isinstance(error, DBAPIError):
        cause = (error.orig and error.orig.__cause__) or error.orig or error
    if is_transient(cause) or isinstance(error, PoolTimeout):
        log.warning("the database did not answer a request", path=request.url.path, error=repr(cause)[:300])
        return problem("unavailable", say("database_away", "the database does not answer; try again shortly"))
    if isinstance(cause, asyncpg.InsufficientPrivilegeError) and "row-level security" in str(cause):
        return problem("forbidden", say("beyond_sites", "this is beyond the sites to which you are limited"))
    log.error("a request failed", path=request.url.path, exc_info=error)
    return problem("error")
