"""The table from code to HTTP status."""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, ValidationError

import pilotwire.core
import pilotwire.domain
from pilotwire.core.errors import PilotwireError
from pilotwire.core.texts import say
from pilotwire.web.problems import STATUS_BY_CODE, _words, problem


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


def _invalid(model: type[BaseModel], given: dict[str, object]) -> dict[str, Any]:
    try:
        model.model_validate(given)
    except ValidationError as error:
        return _words({**error.errors()[0], "loc": ("body", *error.errors()[0]["loc"])})
    raise AssertionError("the body was taken")


class Body(BaseModel):
    name: Annotated[str, Field(min_length=2)] = "xx"
    mode: Literal["a", "b"] = "a"
    even: Annotated[int, AfterValidator(lambda value: value if value % 2 == 0 else _odd())] = 0


def _odd() -> int:
    raise ValueError("an even number")


def test_a_problem_gives_the_code_of_its_detail() -> None:
    answer = problem("not_found", say("station_unknown", "there is no station '{station}'", station="CP-1"))
    body = json.loads(bytes(answer.body))
    assert body["detail"] == "there is no station 'CP-1'"
    assert body["reason"] == {"code": "station_unknown", "values": {"station": "CP-1"}}
    assert "reason" not in json.loads(bytes(problem("not_found", "something").body))


def test_what_validation_finds_has_a_code_where_it_is_a_common_one() -> None:
    short = _invalid(Body, {"name": "x"})
    assert short["reason"] == {"code": "invalid.string_too_short", "values": {"min_length": 2}}
    other = _invalid(Body, {"mode": "c"})
    assert other["reason"] == {"code": "invalid.literal_error", "values": {"expected": "'a' or 'b'"}}
    assert "reason" not in _invalid(Body, {"even": 3})
