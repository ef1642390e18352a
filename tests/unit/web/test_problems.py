"""The table from code to HTTP status."""

import importlib
import pkgutil
from collections.abc import Iterator

import pilotwire.core
import pilotwire.domain
from pilotwire.core.errors import PilotwireError
from pilotwire.web.problems import STATUS_BY_CODE, problem


def _errors(kind: type[PilotwireError] = PilotwireError) -> Iterator[type[PilotwireError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _errors(below)


def test_every_error_of_the_domain_has_a_status_and_a_code_of_its_own() -> None:
    for package in (pilotwire.core, pilotwire.domain):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            importlib.import_module(module.name)
    kinds = {kind for kind in _errors() if kind.__module__.startswith(("pilotwire.core", "pilotwire.domain"))}
    codes = [kind.code for kind in kinds]
    assert len(codes) == len(set(codes))
    assert set(codes) <= set(STATUS_BY_CODE)
    assert all(kind.title().endswith(".") for kind in kinds)


def test_a_problem_says_what_a_client_must_do() -> None:
    assert problem("unavailable").headers["retry-after"] == "5"
    assert problem("unauthenticated", title="Who?").headers["www-authenticate"] == "Bearer"
    assert problem("not_found").media_type == "application/problem+json"
