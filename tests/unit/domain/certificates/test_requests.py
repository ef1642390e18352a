"""What stations want signed: what is taken, what is refused, and what comes of it."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pilotwire.core.ids import new_uuid
from pilotwire.domain.certificates.authority import issue_certificate, make_authority, read_chain
from pilotwire.domain.certificates.model import Purpose
from pilotwire.domain.certificates.request import check_request, read_request

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
STATION, V2G = Purpose.CHARGING_STATION, Purpose.V2G
NAMES = ("CP-1", "SN-77")


def csr(name: str | None = "CP-1", key: object = None) -> str:
    key = key or ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Acme")]
    if name is not None:
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, name))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
    signed = builder.sign(key, hashes.SHA256())  # type: ignore[arg-type]
    return signed.public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize("name", ["CP-1", "cp-1", "SN-77"])
def test_a_station_is_named_by_its_identity_or_serial_number(name: str) -> None:
    assert check_request(csr(name), STATION, NAMES) == ""


@pytest.mark.parametrize("name", ["CP-2", None])
def test_another_name_is_refused(name: str | None) -> None:
    reason = check_request(csr(name), STATION, NAMES)
    assert "it has to be 'CP-1' or 'SN-77'" in reason


def test_an_unknown_serial_number_is_no_name() -> None:
    assert "it has to be 'CP-1'" in check_request(csr("x"), STATION, ("CP-1", ""))


def test_the_name_of_a_v2g_certificate_is_its_operators() -> None:
    assert check_request(csr("DE*ABC*E1"), V2G, NAMES) == ""


def test_weak_keys_are_refused() -> None:
    weak = rsa.generate_private_key(65537, 1024)
    assert "2048" in check_request(csr(key=weak), STATION, NAMES)
    short = ec.generate_private_key(ec.SECP192R1())
    assert "224" in check_request(csr(key=short), STATION, NAMES)
    other = dsa.generate_private_key(2048)
    assert "neither RSA nor" in check_request(csr(key=other), STATION, NAMES)


def test_a_request_of_another_key_is_refused() -> None:
    """Somebody else's public key, signed with one's own: no proof of possession."""
    der = bytearray(x509.load_pem_x509_csr(csr().encode()).public_bytes(serialization.Encoding.DER))
    der[-3] ^= 1
    forged = x509.load_der_x509_csr(bytes(der)).public_bytes(serialization.Encoding.PEM).decode()
    assert "own key" in check_request(forged, STATION, NAMES)


@pytest.mark.parametrize(
    "text", ["", "hello", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END", "A" * 6000]
)
def test_what_is_no_request_is_refused(text: str) -> None:
    assert check_request(text, STATION, NAMES)


def test_a_request_without_its_frame_is_read() -> None:
    """Some stations send the base64 alone, some with the line breaks spelt out."""
    whole = csr()
    bare = "".join(whole.strip().splitlines()[1:-1])
    assert read_request(bare).subject == read_request(whole).subject
    assert read_request(whole.replace("\n", "\\n")).subject == read_request(whole).subject


def test_what_is_issued_leads_to_the_root() -> None:
    keys = make_authority(STATION, "Pilotwire", NOW)
    text = csr()
    issued = issue_certificate(keys, new_uuid(), text, STATION, NOW, 365)
    chain = x509.load_pem_x509_certificates(issued.chain_pem.encode())
    root = x509.load_pem_x509_certificate(keys.root_pem.encode())
    assert len(chain) == 2, "the root is not sent along"
    chain[0].verify_directly_issued_by(chain[1])
    chain[1].verify_directly_issued_by(root)
    assert chain[0].public_key() == read_request(text).public_key()
    usage = chain[0].extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert issued.not_after == NOW + timedelta(days=365)
    assert issued.not_before < NOW, "stations' clocks are behind"


def test_a_certificate_does_not_outlive_its_issuer() -> None:
    keys = make_authority(STATION, "Pilotwire", NOW - timedelta(days=365 * 24))
    issued = issue_certificate(keys, new_uuid(), csr(), STATION, NOW, 3650)
    end = x509.load_pem_x509_certificate(keys.issuing_pem.encode()).not_valid_after_utc
    assert issued.not_after == end


def test_another_authoritys_chain_is_read_and_checked() -> None:
    keys, others = make_authority(V2G, "Other", NOW), make_authority(V2G, "Third", NOW)
    text = csr()
    made = issue_certificate(keys, new_uuid(), text, V2G, NOW, 90)
    taken = read_chain(new_uuid(), made.chain_pem, text)
    assert (taken.serial_number, taken.sha256) == (made.serial_number, made.sha256)
    with pytest.raises(ValueError, match="not of the key"):
        read_chain(new_uuid(), made.chain_pem, csr())
    leaf = made.chain_pem.split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
    with pytest.raises(ValueError, match="is not signed by"):
        read_chain(new_uuid(), leaf + others.issuing_pem, text)
    with pytest.raises(ValueError, match="PEM"):
        read_chain(new_uuid(), "nothing", text)
    with pytest.raises(ValueError, match="private key"):
        read_chain(new_uuid(), made.chain_pem + "-----BEGIN PRIVATE KEY-----", text)
