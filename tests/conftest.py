"""Fixtures for all tests."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.support.postgres import create_database, drop_database, shared_server


@pytest.fixture(scope="session")
def postgres_server(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The DSN of the run's one server, shared by all workers of pytest-xdist; make databases in it."""
    base = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        # The workers' directories lie side by side in the run's.
        base = base.parent
    with shared_server(base / "postgres") as dsn:
        yield dsn


@pytest.fixture
def empty_database(postgres_server: str) -> Iterator[str]:
    """The DSN of an empty database that is this test's alone."""
    name = f"test_{uuid4().hex[:12]}"
    dsn = create_database(postgres_server, name)
    yield dsn
    drop_database(postgres_server, name)
