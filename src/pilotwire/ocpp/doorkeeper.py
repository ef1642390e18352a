"""Who may connect: stations with their secrets or certificates, and newcomers with an enrolment key."""

import hmac
from collections.abc import Iterable
from datetime import datetime

import msgspec

from pilotwire.core.clock import Clock
from pilotwire.domain.certificates.events import CertificateHeld
from pilotwire.domain.stations.credentials import digest_secret, matches
from pilotwire.domain.stations.model import StationRecord
from pilotwire.domain.stations.ports import StationChanged, StationRemoved
from pilotwire.domain.stations.repository import EnrolmentKey
from pilotwire.ocpp.gateway import (
    Admit,
    ClientCertificate,
    Credentials,
    Handshake,
    HandshakeProblem,
    Refuse,
    Utf8Policy,
    choose_subprotocol,
)
from pilotwire.ocpp.quirks import NO_QUIRKS, quirks_for

__all__ = ["Entrant", "StationDirectory", "StationDoorkeeper"]

_REVOKED = HandshakeProblem.CLIENT_CERTIFICATE_REVOKED
_LONGEST_IDENTITY = 48  # OCPP 2.0.1 part 4, 2.2; 1.6 has 20


class Entrant(msgspec.Struct, frozen=True):
    """Who came through the door: a known station, or a newcomer with an enrolment key."""

    identity: str
    record: StationRecord | None
    key: EnrolmentKey | None
    used_next_secret: bool
    secret_digest: bytes
    security_profile: int
    """1 plain, 2 over TLS, 3 with a certificate of its own. Spec: OCPP 2.0.1 A00."""
    certificate_sha256: str = ""


class StationDirectory:
    """Every station's credentials in memory, so that a handshake waits for nothing."""

    def __init__(self) -> None:
        self._by_identity: dict[str, StationRecord] = {}
        self._by_folded: dict[str, str] = {}
        self._by_id: dict[int, str] = {}
        self._keys: dict[bytes, EnrolmentKey] = {}
        self._certificates: dict[str, CertificateHeld] = {}

    def fill(self, records: Iterable[StationRecord], keys: Iterable[EnrolmentKey]) -> None:
        """Take over what the database holds."""
        self._by_identity = {record.identity: record for record in records}
        self._by_folded = {identity.casefold(): identity for identity in self._by_identity}
        self._by_id = {record.id: identity for identity, record in self._by_identity.items()}
        self.set_keys(keys)

    def set_keys(self, keys: Iterable[EnrolmentKey]) -> None:
        """Take over the enrolment keys that are good."""
        self._keys = {key.digest: key for key in keys}

    def set_certificates(self, held: Iterable[CertificateHeld]) -> None:
        """Take over which certificates were issued here."""
        self._certificates = {each.sha256: each for each in held}

    def certificate_held(self, notice: CertificateHeld) -> None:
        """Take over what became of one certificate."""
        self._certificates[notice.sha256] = notice

    def certificate(self, sha256: str) -> CertificateHeld | None:
        """Find a certificate that was issued here, None for another authority's."""
        return self._certificates.get(sha256)

    def changed(self, notice: StationChanged) -> None:
        """Take over one station's new record."""
        self._by_identity[notice.record.identity] = notice.record
        self._by_folded[notice.record.identity.casefold()] = notice.record.identity
        self._by_id[notice.record.id] = notice.record.identity

    def removed(self, notice: StationRemoved) -> None:
        """Forget a station."""
        self._by_identity.pop(notice.identity, None)
        self._by_folded.pop(notice.identity.casefold(), None)
        self._by_id.pop(notice.station_id, None)

    def by_id(self, station_id: int) -> StationRecord | None:
        """Find a station by its number in the database."""
        return self._by_identity.get(self._by_id.get(station_id, ""))

    def records(self) -> list[StationRecord]:
        """Give every station."""
        return list(self._by_identity.values())

    def find(self, candidates: Iterable[str]) -> StationRecord | None:
        """Find a station by the spellings of its identity: exact ones first, then any letter case."""
        candidates = tuple(candidates)
        for candidate in candidates:
            record = self._by_identity.get(candidate)
            if record is not None:
                return record
        for candidate in candidates:
            identity = self._by_folded.get(candidate.casefold())
            if identity is not None:
                return self._by_identity[identity]
        return None

    def key_of(self, digest: bytes, now: datetime) -> EnrolmentKey | None:
        """Find the enrolment key with this digest, if it is still good."""
        key = self._keys.get(digest)
        if (
            key is None
            or key.uses >= key.maximum_uses
            or (key.expires_at is not None and key.expires_at <= now)
        ):
            return None
        return key

    def __len__(self) -> int:
        return len(self._by_identity)


class StationDoorkeeper:
    """Decides on handshakes. An unknown identity and a wrong password cost and answer the same."""

    def __init__(
        self, directory: StationDirectory, pepper: bytes, clock: Clock, *, strict: bool = False
    ) -> None:
        self._utf8: Utf8Policy = "strict" if strict else "pass"
        self._directory = directory
        self._pepper = pepper
        self._clock = clock
        self._nobody = digest_secret(pepper, b"nobody")

    def decide(self, handshake: Handshake) -> Admit | Refuse:
        """Let a station in, or say why not. Spec: OCPP 2.0.1 A00 (security profiles)."""
        choice = choose_subprotocol(handshake.offered)
        if choice is None:
            return Refuse(
                400,
                HandshakeProblem.SUBPROTOCOL_UNKNOWN,
                detail=f"it offered {', '.join(handshake.offered)[:200]}",
            )
        entrant = self._identify(handshake)
        if isinstance(entrant, Refuse):
            return entrant
        record = entrant.record
        quirks = NO_QUIRKS if record is None else quirks_for(record)
        return Admit(
            station=entrant,
            identity=entrant.identity,
            subprotocol=choice.header,
            ping=quirks.answers_ping,
            utf8=self._utf8,
        )

    def _identify(self, handshake: Handshake) -> Entrant | Refuse:
        record = self._directory.find(handshake.identity_candidates)
        credentials = handshake.authorization
        certificate = handshake.client_certificate
        if record is not None and certificate is not None:
            by_certificate = self._by_certificate(record, certificate)
            if (
                isinstance(by_certificate, Entrant)
                or by_certificate.reason is _REVOKED
                or credentials is None
            ):
                return by_certificate
        if credentials is None:
            problem = HandshakeProblem.CREDENTIALS_MISSING
            if handshake.credentials_malformed:
                problem = HandshakeProblem.CREDENTIALS_MALFORMED
            elif record is not None and record.minimum_security_profile == 3:
                problem = HandshakeProblem.CLIENT_CERTIFICATE_MISSING
            return Refuse(401, problem)
        if record is None:
            return self._enrol(handshake, credentials)
        place = matches(self._pepper, credentials.password, record.secret_digest, record.next_secret_digest)
        if place is None or not _same_user(credentials.user, handshake, record.identity):
            return Refuse(401, HandshakeProblem.WRONG_PASSWORD)
        profile = 2 if handshake.secure else 1
        if profile < record.minimum_security_profile:
            return Refuse(
                401,
                HandshakeProblem.PROFILE_TOO_LOW,
                detail=f"it came with profile {profile}, the least allowed is {record.minimum_security_profile}",
            )
        digest = record.secret_digest if place == 0 else (record.next_secret_digest or b"")
        return Entrant(record.identity, record, None, place == 1, digest, profile)

    def _by_certificate(self, record: StationRecord, certificate: ClientCertificate) -> Entrant | Refuse:
        """Let a station in by its certificate, whose chain the TLS handshake has verified.

        One that was issued here opens for its own station alone, whatever name is in it; another authority's is good
        for the station of its common name.
        """
        held = self._directory.certificate(certificate.sha256)
        if held is None:
            fits = certificate.common_name.casefold() == record.identity.casefold()
        else:
            fits = held.station_id == record.id
            if held.revoked:
                return Refuse(401, _REVOKED)
        if not fits:
            return Refuse(401, HandshakeProblem.CLIENT_CERTIFICATE_MISMATCH)
        return Entrant(record.identity, record, None, False, b"", 3, certificate.sha256)

    def _enrol(self, handshake: Handshake, credentials: Credentials) -> Entrant | Refuse:
        # The same work as for a known station, so that the time does not tell which identities exist.
        matches(self._pepper, credentials.password, self._nobody, None)
        digest = digest_secret(self._pepper, credentials.password)
        key = self._directory.key_of(digest, self._clock())
        identity = handshake.identity_candidates[0]
        if key is None:
            return Refuse(401, HandshakeProblem.UNKNOWN_IDENTITY)
        if len(identity) > _LONGEST_IDENTITY or not identity.isprintable():
            return Refuse(
                400, HandshakeProblem.WRONG_PATH, detail="the identity is too long or not printable"
            )
        return Entrant(identity, None, key, False, digest, 2 if handshake.secure else 1)


def _same_user(user: bytes, handshake: Handshake, identity: str) -> bool:
    """The user name is the identity (A00.FR.204); stations that mis-spell it do so as in their path."""
    known = {identity.casefold().encode(), *(c.casefold().encode() for c in handshake.identity_candidates)}
    presented = user.lower()
    return any(hmac.compare_digest(presented, each) for each in known)
