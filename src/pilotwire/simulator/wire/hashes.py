"""The name of a certificate on the wire, the same in all versions."""

from __future__ import annotations

from pilotwire.simulator.certificates import CertificateHash
from pilotwire.simulator.rpc import Payload


def hash_data(known: CertificateHash) -> Payload:
    """The wire form of a certificate's name."""
    return {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": known.issuer_name_hash,
        "issuerKeyHash": known.issuer_key_hash,
        "serialNumber": known.serial_number,
    }


def hash_from(data: Payload) -> CertificateHash:
    """A certificate's name from its wire form."""
    return CertificateHash(
        data["issuerNameHash"].lower(),
        data["issuerKeyHash"].lower(),
        data["serialNumber"].lower().lstrip("0"),
    )
