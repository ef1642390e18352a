"""Hypothesis strategies made from the official OCPP schemas: documents that fit and documents that do not."""

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import jsonschema_rs
from hypothesis import strategies as st

Schema = dict[str, Any]
FOLDERS = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}

# PostgreSQL has no NUL in text and UTF-8 no lone surrogates.
_TEXT = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
_ZONES = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(_TEXT, max_size=8),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(_TEXT, max_size=5), inner, max_size=2)
    ),
    max_leaves=4,
)
_ADDRESSES = (
    "https://example.org/a?b=c",
    "ftp://user:secret@192.0.2.1:21/f%20w.bin",
    "ftps://[2001:db8::1]/x",
)


class Message(NamedTuple):
    """One schema of the wheel, with the action that it belongs to."""

    version: str
    action: str
    kind: str
    name: str


class Mutant(NamedTuple):
    """A document that its schema refuses, and what is wrong with it."""

    fault: str
    document: Any


@cache
def schemas(version: str) -> dict[str, Schema]:
    """The official schemas by file name, read from the `ocpp` package."""
    folder = files("ocpp").joinpath(FOLDERS[version], "schemas")
    return {
        each.name.removesuffix(".json"): json.loads(each.read_text(encoding="utf-8-sig"))
        for each in folder.iterdir()
        if each.name.endswith(".json")
    }


def messages(*versions: str) -> list[Message]:
    """Every request and response of the versions."""
    return [
        Message(
            version,
            name.removesuffix("Request").removesuffix("Response"),
            "response" if name.endswith("Response") else "request",
            name,
        )
        for version in versions
        for name in sorted(schemas(version))
    ]


@cache
def validator(version: str, name: str) -> Any:
    """The oracle."""
    return jsonschema_rs.validator_for(schemas(version)[name], validate_formats=True)


@cache
def documents(version: str, name: str) -> st.SearchStrategy[Any]:
    """Documents that the schema accepts."""
    schema = schemas(version)[name]
    return _strategy(schema, schema)


def _resolve(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    return root["definitions"][reference.removeprefix("#/definitions/")] if reference else schema


def _strategy(schema: Schema, root: Schema) -> st.SearchStrategy[Any]:
    schema = _resolve(schema, root)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "object":
            return _objects(schema, root)
        case "array":
            low = schema.get("minItems", 0)
            items = _strategy(schema["items"], root)
            return st.lists(items, min_size=low, max_size=min(low + 1, schema.get("maxItems", low + 1)))
        case "string":
            return _strings(schema)
        case "integer":
            low, high = schema.get("minimum", -(2**31)), schema.get("maximum", 2**31)
            return st.integers(int(low), int(high))
        case "number":
            return _numbers(schema)
        case "boolean":
            return st.booleans()
    return _JSON


def _objects(schema: Schema, root: Schema) -> st.SearchStrategy[Any]:
    required = schema.get("required", [])
    fields = {name: _strategy(each, root) for name, each in schema.get("properties", {}).items()}
    fixed = {name: each for name, each in fields.items() if name in required}
    rest = {name: each for name, each in fields.items() if name not in required}
    if schema.get("additionalProperties") is not False:
        rest["furtherField"] = _JSON
    return st.fixed_dictionaries(fixed, optional=rest)


def _strings(schema: Schema) -> st.SearchStrategy[str]:
    if schema.get("format") == "date-time":
        return _times()
    if schema.get("format") == "uri":
        return st.sampled_from(_ADDRESSES)
    limit = schema.get("maxLength", 40)
    return st.text(_TEXT, max_size=min(limit, 12)) | st.just("é" * limit)


@st.composite
def _times(draw: st.DrawFn) -> str:
    moment = draw(st.datetimes(datetime(1970, 1, 2), datetime(9998, 12, 30)))  # noqa: DTZ001
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=draw(st.just(UTC) | _ZONES))
    text = moment.isoformat(timespec=draw(st.sampled_from(["seconds", "milliseconds"])))
    return text.replace("+00:00", "Z")


def _numbers(schema: Schema) -> st.SearchStrategy[float]:
    if schema.get("multipleOf") == 0.1:
        return st.integers(-(10**6), 10**6).map(lambda tenths: tenths / 10)
    low, high = schema.get("minimum", -1e12), schema.get("maximum", 1e12)
    return st.floats(low, high, allow_subnormal=False) | st.integers(math.ceil(low), math.floor(high))


def mutants(version: str, name: str, document: Any) -> list[Mutant]:
    """All documents with one fault that can be made of a valid one."""
    root = schemas(version)[name]
    return list(_mutants(root, root, document))


def _mutants(schema: Schema, root: Schema, value: Any) -> Iterator[Mutant]:
    schema = _resolve(schema, root)
    if schema.get("type") == "object":
        yield from _object_mutants(schema, root, value)
    elif schema.get("type") == "array":
        yield from _array_mutants(schema, root, value)
    elif "enum" in schema:
        yield Mutant("enum", "NotInTheList")
        yield Mutant("type", 12)
    elif "type" in schema:
        yield from _scalar_mutants(schema)


def _scalar_mutants(schema: Schema) -> Iterator[Mutant]:
    yield Mutant("type", {"string": 12, "integer": "12", "number": "12", "boolean": "true"}[schema["type"]])
    if "maxLength" in schema:
        yield Mutant("too long", "x" * (schema["maxLength"] + 1))
    if "format" in schema:
        yield Mutant("format", "next tuesday")
    if "multipleOf" in schema:
        yield Mutant("step", 0.05)
    if "minimum" in schema:
        yield Mutant("range", schema["minimum"] - 1)
    if "maximum" in schema:
        yield Mutant("range", schema["maximum"] + 1)


def _object_mutants(schema: Schema, root: Schema, value: dict[str, Any]) -> Iterator[Mutant]:
    for name in schema.get("required", []):
        yield Mutant("missing", {key: each for key, each in value.items() if key != name})
    if schema.get("additionalProperties") is False:
        yield Mutant("unknown", {**value, "notInTheSchema": 1})
    for name, each in schema.get("properties", {}).items():
        if name in value:
            for mutant in _mutants(each, root, value[name]):
                yield Mutant(mutant.fault, {**value, name: mutant.document})
            if _resolve(each, root).get("type") == "object":
                yield Mutant("type", {**value, name: "not an object"})


def _array_mutants(schema: Schema, root: Schema, value: list[Any]) -> Iterator[Mutant]:
    yield Mutant("type", {})
    if schema.get("minItems"):
        yield Mutant("too few", value[: schema["minItems"] - 1])
    if "maxItems" in schema and value:
        yield Mutant("too many", [value[0]] * (schema["maxItems"] + 1))
    for index, each in enumerate(value):
        for mutant in _mutants(schema["items"], root, each):
            yield Mutant(mutant.fault, [*value[:index], mutant.document, *value[index + 1 :]])


def later_fields(older: str, newer: str, name: str, document: Any) -> list[Any]:
    """The document with one field of the newer version added, at each object that may have one there."""
    roots = schemas(older)[name], schemas(newer)[name]
    return list(_later_fields(roots[0], roots[1], roots, document))


def _later_fields(old: Schema, new: Schema, roots: tuple[Schema, Schema], value: Any) -> Iterator[Any]:
    old, new = _resolve(old, roots[0]), _resolve(new, roots[1])
    if isinstance(value, list):
        for index, each in enumerate(value):
            for changed in _later_fields(old["items"], new["items"], roots, each):
                yield [*value[:index], changed, *value[index + 1 :]]
    if not isinstance(value, dict):
        return
    old_fields, new_fields = old.get("properties", {}), new.get("properties", {})
    for name in new_fields.keys() - old_fields.keys():
        yield {**value, name: example(new_fields[name], roots[1])}
    for name in value.keys() & old_fields.keys():
        for changed in _later_fields(old_fields[name], new_fields[name], roots, value[name]):
            yield {**value, name: changed}


def later_values(older: str, newer: str, name: str, document: Any) -> list[Any]:
    """The document with one value of a list that only the newer version has, at each place for one."""
    roots = schemas(older)[name], schemas(newer)[name]
    return list(_later_values(roots[0], roots[1], roots, document))


def _later_values(old: Schema, new: Schema, roots: tuple[Schema, Schema], value: Any) -> Iterator[Any]:
    old, new = _resolve(old, roots[0]), _resolve(new, roots[1])
    if "enum" in old:
        yield from sorted(set(new.get("enum", ["AnythingNow"])) - set(old["enum"]))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            for changed in _later_values(old["items"], new["items"], roots, each):
                yield [*value[:index], changed, *value[index + 1 :]]
    elif isinstance(value, dict):
        for name in value.keys() & old.get("properties", {}).keys():
            for changed in _later_values(
                old["properties"][name], new["properties"][name], roots, value[name]
            ):
                yield {**value, name: changed}


def example(schema: Schema, root: Schema) -> Any:
    """The plainest document that a schema accepts."""
    schema = _resolve(schema, root)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {})
            return {name: example(fields[name], root) for name in schema.get("required", [])}
        case "array":
            return [example(schema["items"], root) for _ in range(schema.get("minItems", 0))]
        case "string":
            return "2026-01-01T00:00:00Z" if schema.get("format") == "date-time" else "x"
        case "integer" | "number":
            return max(0, int(schema.get("minimum", 0)))
        case "boolean":
            return True
    return {}


def full_example(version: str, name: str) -> Any:
    """A document with every field, and every list with one item."""
    root = schemas(version)[name]
    return _full(root, root)


def _full(schema: Schema, root: Schema) -> Any:
    schema = _resolve(schema, root)
    if schema.get("type") == "object":
        return {name: _full(each, root) for name, each in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        return [_full(schema["items"], root) for _ in range(max(1, schema.get("minItems", 0)))]
    return example(schema, root)


def same(left: Any, right: Any) -> bool:
    """Whether two JSON documents mean the same: times are compared as points in time."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, str) and isinstance(right, str) and left != right:
        try:
            return datetime.fromisoformat(left) == datetime.fromisoformat(right)
        except ValueError:
            return False
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)
