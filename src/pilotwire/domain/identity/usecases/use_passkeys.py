"""Passkeys: signing in with a device instead of a password. Spec: WebAuthn level 3."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import webauthn
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from pilotwire.core.errors import Conflict, Invalid, NotFound
from pilotwire.core.ids import new_uuid
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.identity import repository, sign_in_queries
from pilotwire.domain.identity.attempts import LoginAttempts
from pilotwire.domain.identity.credentials import digest_of, new_login_token
from pilotwire.domain.identity.errors import SignInStepExpired, WrongCredentials
from pilotwire.domain.identity.model import Principal
from pilotwire.domain.identity.usecases.second_factor import require_person
from pilotwire.domain.identity.usecases.sign_in import Visitor, open_login

__all__ = [
    "Site",
    "add_passkey",
    "begin_adding",
    "begin_sign_in",
    "list_passkeys",
    "remove_passkey",
    "sign_in",
]

_STEP_LASTS = timedelta(minutes=5)
_MOST_PASSKEYS = 20
_ADDING = "passkey_adding"
_SIGNING_IN = "passkey_sign_in"


@dataclass(frozen=True, slots=True)
class Site:
    """The web site as browsers know it: a passkey is good for its host only."""

    host: str
    origin: str


async def begin_adding(
    db: Database, principal: Principal, site: Site, now: datetime
) -> tuple[str, dict[str, Any]]:
    """Give the secret of the step, and what the browser asks the device for."""
    user_id = require_person(principal)
    async with db.tenant(principal.scope) as connection:
        known = await sign_in_queries.list_passkeys(connection, user_id)
    if len(known) >= _MOST_PASSKEYS:
        raise Conflict(
            say("passkeys_enough", "{most} passkeys are enough: remove one first", most=_MOST_PASSKEYS)
        )
    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name="Pilotwire",
        user_id=user_id.bytes,
        user_name=principal.name,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=row.credential_id) for row in known],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
    )
    secret = await _keep_step(db, _ADDING, user_id, options.challenge, now)
    return secret, msgspec.json.decode(webauthn.options_to_json(options))


async def add_passkey(
    db: Database,
    principal: Principal,
    site: Site,
    now: datetime,
    *,
    step: str,
    name: str,
    credential: Mapping[str, Any],
) -> Row[Any]:
    """Add the passkey that the device made.

    Raises: SignInStepExpired; Invalid when the device's answer does not hold; Conflict when it is known.
    """
    user_id = require_person(principal)
    taken = await _take_step(db, _ADDING, step, now)
    if taken.user_id != user_id:
        raise SignInStepExpired
    try:
        verified = webauthn.verify_registration_response(
            credential=dict(credential),
            expected_challenge=base64url_to_bytes(taken.content),
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError) as error:
        raise Invalid(f"the passkey cannot be added: {error}") from error
    async with db.system() as connection:  # a device may have been given to somebody of another tenant
        if await sign_in_queries.find_passkey(connection, verified.credential_id) is not None:
            raise Conflict(say("passkey_there", "this passkey has been added already"))
    async with db.tenant(principal.scope) as connection:
        row = await sign_in_queries.insert_passkey(
            connection,
            {
                "id": new_uuid(),
                "tenant_id": principal.tenant_id,
                "user_id": user_id,
                "name": name,
                "credential_id": verified.credential_id,
                "public_key": verified.credential_public_key,
                "sign_count": verified.sign_count,
                "backed_up": verified.credential_backed_up,
                "created_at": now,
            },
        )
        await repository.keep_audit(
            connection, principal, "user.passkey_added", str(user_id), after={"name": name}
        )
    return row


async def list_passkeys(db: Database, principal: Principal) -> Sequence[Row[Any]]:
    """List one's own passkeys."""
    user_id = require_person(principal)
    async with db.tenant(principal.scope) as connection:
        return await sign_in_queries.list_passkeys(connection, user_id)


async def remove_passkey(db: Database, principal: Principal, passkey_id: UUID) -> None:
    """Remove one of one's own passkeys.

    Raises: NotFound.
    """
    user_id = require_person(principal)
    async with db.tenant(principal.scope) as connection:
        removed = await sign_in_queries.delete_passkeys(connection, user_id, only=passkey_id)
        if not removed:
            raise NotFound(f"there is no passkey {passkey_id}")
        await repository.keep_audit(
            connection, principal, "user.passkey_removed", str(user_id), before={"name": removed[0].name}
        )


async def begin_sign_in(
    db: Database, attempts: LoginAttempts, site: Site, visitor: Visitor, now: datetime
) -> tuple[str, dict[str, Any]]:
    """Give the secret of the step, and what the browser asks the device for; whoever it is picks their passkey.

    Raises: TooManyAttempts.
    """
    attempts.begin_step(visitor.address)
    options = webauthn.generate_authentication_options(
        rp_id=site.host, user_verification=UserVerificationRequirement.REQUIRED
    )
    secret = await _keep_step(db, _SIGNING_IN, None, options.challenge, now)
    return secret, msgspec.json.decode(webauthn.options_to_json(options))


async def sign_in(
    db: Database,
    attempts: LoginAttempts,
    site: Site,
    visitor: Visitor,
    now: datetime,
    *,
    step: str,
    credential: Mapping[str, Any],
) -> tuple[Principal, str]:
    """Sign a person in with a passkey; return who it is and the token of the login.

    Raises: SignInStepExpired; WrongCredentials; TooManyAttempts.
    """
    account = f"a passkey from {visitor.address}"  # guessers elsewhere must not shut anybody out
    attempts.begin(account, visitor.address)
    taken = await _take_step(db, _SIGNING_IN, step, now)
    try:
        credential_id = base64url_to_bytes(str(credential.get("id", "")))
    except ValueError as error:
        raise WrongCredentials(say("passkey_unknown", "the passkey is not known")) from error
    async with db.system() as connection:
        passkey = await sign_in_queries.find_passkey(connection, credential_id)
        if passkey is None:
            raise WrongCredentials(say("passkey_unknown", "the passkey is not known"))
        person = await repository.find_account_by_id(connection, passkey.user_id)
        if person is None or person.disabled_at is not None:
            raise WrongCredentials(say("passkey_unknown", "the passkey is not known"))
        try:
            verified = webauthn.verify_authentication_response(
                credential=dict(credential),
                expected_challenge=base64url_to_bytes(taken.content),
                expected_rp_id=site.host,
                expected_origin=site.origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, TypeError, KeyError) as error:
            raise WrongCredentials(say("passkey_wrong", "the passkey does not fit")) from error
        await sign_in_queries.use_passkey(connection, passkey.id, verified.new_sign_count, now)
        opened = await open_login(connection, person, "passkey", visitor, now)
    attempts.succeeded(account, visitor.address)
    return opened


async def _keep_step(db: Database, kind: str, user_id: UUID | None, challenge: bytes, now: datetime) -> str:
    secret = new_login_token()
    async with db.system() as connection:
        await sign_in_queries.delete_old(connection, now)
        await keep_step(connection, kind, secret, bytes_to_base64url(challenge), now, user_id)
    return secret


async def keep_step(
    connection: AsyncConnection,
    kind: str,
    secret: str,
    content: str,
    now: datetime,
    user_id: UUID | None = None,
) -> None:
    """Remember something between two steps of signing in."""
    await sign_in_queries.insert_step(
        connection,
        {
            "digest": digest_of(secret),
            "kind": kind,
            "user_id": user_id,
            "content": content,
            "expires_at": now + _STEP_LASTS,
        },
    )


async def _take_step(db: Database, kind: str, secret: str, now: datetime) -> Row[Any]:
    async with db.system() as connection:
        row = await sign_in_queries.take_step(connection, kind, digest_of(secret), now)
    if row is None:
        raise SignInStepExpired
    return row
