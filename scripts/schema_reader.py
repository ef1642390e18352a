"""Read the OCPP JSON schemas of the installed `ocpp` package into a small model of types."""

import json
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import codec_layout as layout

Schema = dict[str, Any]
CUSTOM_DATA = "CustomDataType"
HANDLED_KEYS = (
    "type format maxLength minimum maximum multipleOf items minItems maxItems enum properties required "
    "definitions additionalProperties additionalItems $ref "
    # without meaning for validation
    "$schema $id title description comment javaType default"
)


@dataclass(frozen=True)
class FieldDef:
    """A field of a struct; `annotation` is Python source and `uses` the names in it."""

    name: str
    annotation: str
    uses: frozenset[str]
    required: bool
    check: str | None = None


@dataclass
class StructDef:
    """A struct to generate."""

    name: str
    doc: str
    fields: dict[str, FieldDef] = field(default_factory=dict)

    def uses(self) -> set[str]:
        """Names that the fields refer to."""
        return {name for each in self.fields.values() for name in each.uses}


@dataclass
class Tree:
    """All types of one OCPP version. `scalars`: alias -> Python source."""

    version: str
    structs: dict[str, StructDef] = field(default_factory=dict)
    enums: dict[str, tuple[str, ...]] = field(default_factory=dict)
    scalars: dict[str, str] = field(default_factory=dict)
    actions: dict[str, tuple[str, str | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class TypeExpr:
    """Python source of a type, the names in it, and the check that msgspec cannot make."""

    source: str
    uses: frozenset[str] = frozenset()
    check: str | None = None


def read_tree(version: str, folder: str) -> Tree:
    """Read the schemas in `ocpp/<folder>/schemas`."""
    documents = {
        each.name.removesuffix(".json"): json.loads(each.read_text(encoding="utf-8-sig"))
        for each in sorted(files("ocpp").joinpath(folder, "schemas").iterdir(), key=lambda each: each.name)
        if each.name.endswith(".json")
    }
    reader = _Reader(Tree(version))
    for name, document in documents.items():
        action = name.removesuffix("Request").removesuffix("Response")
        is_response = name.endswith("Response")
        class_name = f"{action}Response" if is_response else f"{action}Request"
        doc = f"Answer to {action}." if is_response else f"Request {action}."
        reader.definitions = document.get("definitions", {})
        reader.add_struct(class_name, document, doc)
        request, response = reader.tree.actions.get(action, ("", None))
        reader.tree.actions[action] = (request, class_name) if is_response else (class_name, response)
    return reader.tree


class _Reader:
    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.definitions: dict[str, Schema] = {}

    def add_struct(self, name: str, schema: Schema, doc: str) -> None:
        struct = StructDef(name, doc)
        required = schema.get("required", [])
        if schema.get("additionalProperties") is not False:
            raise ValueError(f"{name} is an open object; only {CUSTOM_DATA} may be")
        for field_name, field_schema in schema.get("properties", {}).items():
            expr = self.type_of(field_schema, name, field_name)
            struct.fields[field_name] = FieldDef(
                field_name, expr.source, expr.uses, field_name in required, expr.check
            )
        known = self.tree.structs.setdefault(name, struct)
        if known.fields != struct.fields:
            raise ValueError(f"two different types are called {name}")

    def add_enum(self, name: str, values: list[str]) -> TypeExpr:
        known = self.tree.enums.setdefault(name, tuple(values))
        if set(known) != set(values):
            raise ValueError(f"two different lists of values are called {name}")
        return self.named(name)

    def named(self, name: str) -> TypeExpr:
        return TypeExpr(name, frozenset({name}))

    def scalar(self, alias: str, source: str, check: str | None = None) -> TypeExpr:
        self.tree.scalars[alias] = source
        return TypeExpr(alias, frozenset({alias}), check)

    def type_of(self, schema: Schema, owner: str, field_name: str) -> TypeExpr:
        if unknown := set(schema) - set(HANDLED_KEYS.split()):
            raise ValueError(f"{owner}.{field_name}: keyword(s) {unknown} are not understood")
        if "$ref" in schema:
            return self.reference(schema["$ref"].removeprefix("#/definitions/"))
        if "enum" in schema:
            default = owner.removesuffix("Request").removesuffix("Response")
            default += field_name[0].upper() + field_name[1:]
            return self.add_enum(layout.ENUMS_16.get((owner, field_name), default), schema["enum"])
        match schema.get("type"):
            case "string":
                return self.string(schema)
            case "integer" | "number":
                return self.number(schema)
            case "boolean":
                return TypeExpr("bool")
            case "array":
                return self.array(schema, owner, field_name)
            case "object":
                name = layout.OBJECTS_16_INSIDE.get((owner, field_name)) or layout.OBJECTS_16[field_name]
                self.add_struct(name, schema, "")
                return self.named(name)
            case None:
                return TypeExpr("Any", frozenset({"Any"}), "require_shallow")
        raise ValueError(f"{owner}.{field_name}: type {schema['type']} is not understood")

    def reference(self, name: str) -> TypeExpr:
        if name == CUSTOM_DATA:
            return self.named("CustomData")
        schema = self.definitions[name]
        if "enum" in schema:
            return self.add_enum(name, schema["enum"])
        self.add_struct(name, schema, "")
        return self.named(name)

    def string(self, schema: Schema) -> TypeExpr:
        match schema.get("format"):
            case "date-time":
                return self.scalar("Timestamp", "Annotated[datetime, Meta(tz=True)]", "require_plausible")
            case "uri":
                return TypeExpr("str", check="require_uri")
            case None:
                pass
            case other:
                raise ValueError(f"format {other} is not understood")
        if limit := schema.get("maxLength"):
            return self.scalar(f"Text{limit}", f"Annotated[str, Meta(max_length={limit})]")
        return TypeExpr("str")

    def number(self, schema: Schema) -> TypeExpr:
        low, high = schema.get("minimum"), schema.get("maximum")
        whole = schema["type"] == "integer"
        if step := schema.get("multipleOf"):
            if step != 0.1 or whole:
                raise ValueError(f"multipleOf {step} is not understood")
            return TypeExpr("float", check="require_tenths")
        if not whole and low is None and high is None:
            return TypeExpr("float")
        bounds = {
            (None, None): "",
            (0, None): "NotNegative",
            (1, None): "Positive",
            (None, 0): "NotPositive",
        }.get((low, high), f"{low or 0:.0f}To{high or 0:.0f}")
        if not whole:
            limits = [f"{key}={value:.0f}" for key, value in (("ge", low), ("le", high)) if value is not None]
            return self.scalar(f"Number{bounds}", f"Annotated[float, Meta({', '.join(limits)})]")
        # No integer of OCPP needs more than 64 bits, and neither does the database.
        least = "-(2**63)" if low is None else f"{low:.0f}"
        most = "2**63 - 1" if high is None else f"{high:.0f}"
        return self.scalar(f"Integer{bounds}", f"Annotated[int, Meta(ge={least}, le={most})]")

    def array(self, schema: Schema, owner: str, field_name: str) -> TypeExpr:
        item = self.type_of(schema["items"], owner, field_name)
        if item.check:
            raise ValueError(f"{owner}.{field_name}: a list of checked values is not understood")
        limits = [
            f"{key}={schema[name]}"
            for key, name in (("min_length", "minItems"), ("max_length", "maxItems"))
            if name in schema
        ]
        source = f"tuple[{item.source}, ...]"
        if not limits:
            return TypeExpr(source, item.uses)
        return TypeExpr(f"Annotated[{source}, Meta({', '.join(limits)})]", item.uses | {"Annotated", "Meta"})
