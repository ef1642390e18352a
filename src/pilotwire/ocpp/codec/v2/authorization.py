"""OCPP 2.x, blocks C and E: who may charge."""

from typing import Any

from msgspec import UNSET

from pilotwire.domain.access.model import TokenAnswer, TokenPresented, TokenVerdict
from pilotwire.ocpp.codec.inbound import Inbound, clean_uid
from pilotwire.ocpp.codec.v2.wire.authorization import AuthorizeRequest, AuthorizeResponse
from pilotwire.ocpp.codec.v2.wire.types import IdTokenInfoType, IdTokenType

__all__ = ["INBOUND", "token_info", "token_uid"]

_STATUS = {
    TokenVerdict.ACCEPTED: "Accepted",
    TokenVerdict.BLOCKED: "Blocked",
    TokenVerdict.EXPIRED: "Expired",
    TokenVerdict.INVALID: "Invalid",
    TokenVerdict.UNKNOWN: "Unknown",
    TokenVerdict.CONCURRENT: "ConcurrentTx",
}
_LONGEST_GROUP = 36  # 2.0.1's limit of an idToken; 2.1 allows 255


def token_info(answer: TokenAnswer) -> IdTokenInfoType:
    """Spell a verdict."""
    group = answer.group_id
    return IdTokenInfoType(
        status=_STATUS[answer.verdict],  # type: ignore[arg-type]
        groupIdToken=IdTokenType(idToken=group, type="Central")
        if group and len(group) <= _LONGEST_GROUP
        else UNSET,
        cacheExpiryDateTime=UNSET if answer.valid_until is None else answer.valid_until,
    )


def token_uid(token: Any, notes: list[str]) -> str | None:
    """Give the uid of a token, None for a start without authorisation (C01.FR.11, a start button)."""
    if token is UNSET or token.type == "NoAuthorization":
        return None
    return clean_uid(token.idToken, notes)


def _presented(request: AuthorizeRequest, notes: list[str]) -> TokenPresented:
    certified = request.certificate is not UNSET or request.iso15118CertificateHashData is not UNSET
    return TokenPresented(
        clean_uid(request.idToken.idToken, notes), request.idToken.type, certified=certified
    )


def _answer(answer: TokenAnswer, request: AuthorizeRequest) -> AuthorizeResponse:
    certified = request.certificate is not UNSET or request.iso15118CertificateHashData is not UNSET
    return AuthorizeResponse(
        idTokenInfo=token_info(answer),
        # Contract certificates are not checked yet, so none is called good. Spec: C07.FR.02.
        certificateStatus="NoCertificateAvailable" if certified else UNSET,
    )


INBOUND = {"Authorize": Inbound(_presented, _answer)}
