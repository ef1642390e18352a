"""OCPP 2.x: variables as reports and events tell of them. Spec: 2.0.1 B07, B08, N07."""

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from pilotwire.domain.configuration.model import Reported, Variable
from pilotwire.ocpp.codec.inbound import or_blank, or_none, trimmed
from pilotwire.ocpp.codec.outbound import words
from pilotwire.ocpp.codec.v2.wire.diagnostics import EventDataType
from pilotwire.ocpp.codec.v2.wire.provisioning import ReportDataType
from pilotwire.ocpp.codec.v2.wire.types import ComponentType, VariableType

__all__ = ["reported_by", "told_by"]

# Spec: 2.0.1 3.49: the list types of their own for values lists.
_TYPES = {
    "OptionList": "option_list",
    "SequenceList": "sequence_list",
    "MemberList": "member_list",
    "dateTime": "date_time",
}
_LARGEST = 2**31 - 1


def reported_by(entry: ReportDataType) -> Iterator[Reported]:
    """Give the attributes of a variable in a report."""
    variable = _variable(entry.component, entry.variable)
    traits = entry.variableCharacteristics
    known: dict[str, Any] = {}
    if traits is not UNSET:
        known = {
            "data_type": _TYPES.get(traits.dataType, traits.dataType),
            "unit": or_blank(traits.unit),
            "min_limit": or_none(traits.minLimit),
            "max_limit": or_none(traits.maxLimit),
            "values_list": or_none(traits.valuesList),
        }
    for attribute in entry.variableAttribute:
        yield Reported(
            variable=variable,
            attribute="actual" if attribute.type is UNSET else words(attribute.type),
            value=or_none(attribute.value),
            # Spec: 2.0.1 2.51: left out, it is ReadWrite.
            mutability="read_write" if attribute.mutability is UNSET else words(attribute.mutability),
            persistent=or_none(attribute.persistent),
            constant=or_none(attribute.constant),
            **known,
        )


def told_by(event: EventDataType) -> Reported:
    """Give the value of which an event tells."""
    return Reported(variable=_variable(event.component, event.variable), value=event.actualValue)


def _variable(component: ComponentType, variable: VariableType) -> Variable:
    evse = component.evse
    number, connector = (
        (0, 0) if evse is UNSET else (evse.id, 0 if evse.connectorId is UNSET else evse.connectorId)
    )
    return Variable(
        trimmed(variable.name),
        trimmed(component.name),
        trimmed(component.instance),
        trimmed(variable.instance),
        min(number, _LARGEST),
        min(connector, _LARGEST),
    )
