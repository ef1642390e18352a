"""Secrets that are kept sealed."""

from pathlib import Path

import pytest

from pilotwire.core.errors import Unavailable
from pilotwire.db.sealing import Seal, open_seal


def test_what_is_sealed_is_opened_by_the_same_key_for_the_same_purpose_alone() -> None:
    seal = Seal(b"key")
    sealed = seal.close(b"secret", "a")
    assert b"secret" not in sealed
    assert sealed != seal.close(b"secret", "a")
    assert Seal(b"key").open(sealed, "a") == b"secret"
    with pytest.raises(Unavailable, match="another key"):
        seal.open(sealed, "b")
    with pytest.raises(Unavailable, match="PILOTWIRE_SECRET_KEY"):
        Seal(b"other").open(sealed, "a")
    with pytest.raises(Unavailable):
        seal.open(sealed[:-1] + bytes([sealed[-1] ^ 1]), "a")


def test_the_key_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "deeper" / "secret.key"
    sealed = open_seal("", file).close(b"secret", "a")
    assert file.stat().st_mode & 0o777 == 0o600
    assert open_seal("", file).open(sealed, "a") == b"secret"
    assert [each.name for each in file.parent.iterdir()] == ["secret.key"]


def test_a_key_that_is_given_wins(tmp_path: Path) -> None:
    file = tmp_path / "secret.key"
    sealed = open_seal("given", file).close(b"secret", "a")
    assert not file.exists()
    assert Seal(b"given").open(sealed, "a") == b"secret"
