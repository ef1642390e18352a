"""URLs of databases that name several hosts."""

import pytest

from pilotwire.db.connection import name_each_host
from pilotwire.db.engine import asyncpg_dsn


@pytest.mark.parametrize(
    ("dsn", "each"),
    [
        ("postgresql://u:p@db/x?sslmode=require", ["postgresql://u:p@db/x?sslmode=require"]),
        ("postgresql://u@/x?host=/run/pg&port=5432", ["postgresql://u@/x?host=/run/pg&port=5432"]),
        ("postgresql://a:1,b:2/x", ["postgresql://a:1/x", "postgresql://b:2/x"]),
        (
            "postgresql://u:p%2C%40@a,[::1]:5433/x?sslmode=require&target_session_attrs=read-write",
            [
                "postgresql://u:p%2C%40@a/x?sslmode=require&target_session_attrs=read-write",
                "postgresql://u:p%2C%40@[::1]:5433/x?sslmode=require&target_session_attrs=read-write",
            ],
        ),
        (
            "postgresql://u@/x?host=/run/a,/run/b&port=5432",
            ["postgresql://u@/x?host=%2Frun%2Fa&port=5432", "postgresql://u@/x?host=%2Frun%2Fb&port=5432"],
        ),
        (
            "postgresql:///x?host=a,b&port=1,2",
            ["postgresql:///x?host=a&port=1", "postgresql:///x?host=b&port=2"],
        ),
        ("postgresql:///x?host=a,b", ["postgresql:///x?host=a", "postgresql:///x?host=b"]),
    ],
)
def test_each_host_has_a_url(dsn: str, each: list[str]) -> None:
    assert name_each_host(dsn) == each


def test_ports_that_fit_no_hosts_are_refused() -> None:
    with pytest.raises(ValueError, match="3 hosts and 2 ports"):
        name_each_host("postgresql:///x?host=a,b,c&port=1,2")


@pytest.mark.parametrize(
    ("url", "dsn"),
    [
        ("postgres://a/x", "postgresql://a/x"),
        ("postgresql+asyncpg://a,b/x", "postgresql://a,b/x?target_session_attrs=read-write"),
        ("postgres://a,b/x?ssl=on", "postgresql://a,b/x?ssl=on&target_session_attrs=read-write"),
        ("postgresql://a,b/x?target_session_attrs=any", "postgresql://a,b/x?target_session_attrs=any"),
    ],
)
def test_of_several_hosts_the_one_that_takes_writes_is_meant(url: str, dsn: str) -> None:
    assert asyncpg_dsn(url) == dsn
