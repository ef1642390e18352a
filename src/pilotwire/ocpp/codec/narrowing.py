"""Derive the types of an older protocol version from the newer types and a table of differences.

The derived classes are subclasses: code that reads the newer type reads the older message as well, with the
fields that the older version does not have unset.
"""

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import UNSET, UnsetType

from pilotwire.ocpp.codec.wiretypes import Absent, Difference, WireStruct

Differences = Mapping[type[WireStruct], Difference]


class Narrowing:
    """Builds and remembers the older form of each type."""

    def __init__(self, differences: Differences) -> None:
        self._differences = differences
        self._strict: dict[type[WireStruct], type[WireStruct]] = {}
        self._dropping: dict[type[WireStruct], type[msgspec.Struct]] = {}

    def strict(self, newer: type[WireStruct]) -> type[WireStruct]:
        """The older form, which refuses what the older version does not have; may be the type itself."""
        known = self._strict.get(newer)
        if known is not None:
            return known
        difference = self._differences.get(newer, Difference())
        changed: list[tuple[str, Any] | tuple[str, Any, Any]] = []
        for field in msgspec.structs.fields(newer):
            if field.name in difference.absent:
                changed.append((field.name, Union[Absent, UnsetType], UNSET))  # noqa: UP007
                continue
            wanted = self._older_annotation(field, difference, self.strict)
            required = field.name in difference.required
            if wanted != field.type or required:
                changed.append(
                    (field.name, wanted) if field.required or required else (field.name, wanted, UNSET)
                )
        older = newer
        if changed:
            older = msgspec.defstruct(  # type: ignore[assignment]
                newer.__name__,
                changed,
                bases=(newer,),
                module=newer.__module__,
                frozen=True,
                forbid_unknown_fields=True,
                kw_only=True,
                gc=False,
            )
        self._strict[newer] = older
        return older

    def dropping(self, newer: type[WireStruct]) -> type[msgspec.Struct]:
        """The older form for sending: what the older version does not have is left out."""
        known = self._dropping.get(newer)
        if known is not None:
            return known
        difference = self._differences.get(newer, Difference())
        fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
        for field in msgspec.structs.fields(newer):
            if field.name in difference.absent:
                continue
            wanted = self._older_annotation(field, difference, self.dropping)
            required = field.required or field.name in difference.required
            fields.append((field.name, wanted) if required else (field.name, wanted, UNSET))
        older = msgspec.defstruct(
            newer.__name__, fields, module=newer.__module__, frozen=True, kw_only=True, gc=False
        )
        self._dropping[newer] = older
        return older

    def _older_annotation(self, field: Any, difference: Difference, form: Any) -> Any:
        narrowed = difference.narrowed.get(field.name)
        if narrowed is None:
            wanted = replace_structs(field.type, form)
        else:
            wanted = replace_structs(narrowed, form)
            if not field.required and field.name not in difference.required:
                wanted = Union[wanted, UnsetType]  # noqa: UP007
            return wanted
        if field.name in difference.required:
            wanted = without_unset(wanted)
        return wanted


def replace_structs(annotation: Any, form: Any) -> Any:
    """The annotation with every struct type replaced by its form."""
    if isinstance(annotation, type) and issubclass(annotation, WireStruct):
        return form(annotation)
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return Annotated[(replace_structs(args[0], form), *args[1:])]
    if origin in (Union, UnionType):
        return Union[tuple(replace_structs(arg, form) for arg in args)]  # noqa: UP007
    if origin is tuple:
        return tuple.__class_getitem__((replace_structs(args[0], form), ...))
    return annotation


def without_unset(annotation: Any) -> Any:
    """The annotation of an optional field for the case that it is given."""
    args = tuple(arg for arg in get_args(annotation) if arg is not UnsetType)
    return Union[args]  # noqa: UP007


def struct_types(owner: type[msgspec.Struct]) -> frozenset[type[WireStruct]]:
    """Struct types in the fields of a struct type."""
    found: set[type[WireStruct]] = set()

    def note(each: type[WireStruct]) -> type[WireStruct]:
        found.add(each)
        return each

    for field in msgspec.structs.fields(owner):
        replace_structs(field.type, note)
    return frozenset(found)


def uses_type(owner: type[msgspec.Struct], wanted: type) -> bool:
    """Whether a field of a struct type is directly of a type."""
    return any(_mentions(field.type, wanted) for field in msgspec.structs.fields(owner))


def _mentions(annotation: Any, wanted: type) -> bool:
    return annotation is wanted or any(_mentions(arg, wanted) for arg in get_args(annotation))
