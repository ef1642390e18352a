"""What others are told about onboarding."""

import msgspec

__all__ = ["EnrolmentKeysChanged"]


class EnrolmentKeysChanged(msgspec.Struct, frozen=True):
    """Somebody added or revoked an enrolment key: read the keys of the tenant again."""

    tenant_id: int
