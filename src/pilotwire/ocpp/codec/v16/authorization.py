"""OCPP 1.6: who may charge."""

from typing import Any

from msgspec import UNSET

from pilotwire.domain.access.model import TokenAnswer, TokenPresented, TokenVerdict
from pilotwire.ocpp.codec.inbound import Inbound, clean_uid
from pilotwire.ocpp.codec.v16.wire import core as wire
from pilotwire.ocpp.codec.v16.wire.types import IdTagInfo

__all__ = ["INBOUND", "token_info"]

_LONGEST_ID_TAG = 20

_STATUS = {
    TokenVerdict.ACCEPTED: "Accepted",
    TokenVerdict.BLOCKED: "Blocked",
    TokenVerdict.EXPIRED: "Expired",
    TokenVerdict.INVALID: "Invalid",
    TokenVerdict.UNKNOWN: "Invalid",
    TokenVerdict.CONCURRENT: "ConcurrentTx",
}


def token_info(answer: TokenAnswer | None) -> IdTagInfo:
    """Spell a verdict. A group whose name does not fit the version's 20 characters is left out."""
    if answer is None:
        return IdTagInfo(status="Accepted")
    group = answer.group_id
    return IdTagInfo(
        status=_STATUS[answer.verdict],  # type: ignore[arg-type]
        parentIdTag=group if group and len(group) <= _LONGEST_ID_TAG else UNSET,
        expiryDate=UNSET if answer.valid_until is None else answer.valid_until,
    )


def _presented(request: wire.AuthorizeRequest, notes: list[str]) -> TokenPresented:
    return TokenPresented(clean_uid(request.idTag, notes))


def _answer(answer: TokenAnswer, request: Any) -> wire.AuthorizeResponse:
    del request
    return wire.AuthorizeResponse(idTagInfo=token_info(answer))


INBOUND = {"Authorize": Inbound(_presented, _answer)}
