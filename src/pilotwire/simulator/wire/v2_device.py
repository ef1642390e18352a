"""OCPP 2.0.1 and 2.1: the device model: variables read, written and reported. Spec: OCPP 2.0.1 B05-B08."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pilotwire.simulator import commands
from pilotwire.simulator.device import BY_VARIABLE, COMPONENTS, SETTINGS, DataType, Setting
from pilotwire.simulator.rpc import Call, Payload
from pilotwire.simulator.states import Status
from pilotwire.simulator.wire.format import stamp

if TYPE_CHECKING:
    from pilotwire.simulator.station import Station

MUTABILITY = {"ro": "ReadOnly", "rw": "ReadWrite", "wo": "WriteOnly"}
CONNECTOR_TYPES = {"type2_socket": "sType2", "type2_cable": "cType2", "ccs2": "cCCS2", "chademo": "cG105"}
NAMED_AT_PLACES = {"ChargingStation", "EVSE", "Connector"}


@dataclass(frozen=True, slots=True)
class Item:
    """One variable of one component as it is now."""

    component: Payload
    variable: Payload
    value: str | None
    access: str
    type: DataType
    unit: str | None = None
    greatest: float | None = None
    values: tuple[str, ...] = ()

    def report(self) -> Payload:
        """Its entry in NotifyReport."""
        attribute: dict[str, Any] = {
            "type": "Actual",
            "mutability": MUTABILITY[self.access],
            "persistent": True,
        }
        if self.value is not None:
            attribute["value"] = self.value
        characteristics: dict[str, Any] = {"dataType": self.type, "supportsMonitoring": False}
        if self.unit:
            characteristics["unit"] = self.unit
        if self.greatest is not None:
            characteristics["maxLimit"] = self.greatest
        if self.values:
            characteristics["valuesList"] = ",".join(self.values)
        return {
            "component": self.component,
            "variable": self.variable,
            "variableAttribute": [attribute],
            "variableCharacteristics": characteristics,
        }


def inventory(station: Station) -> Iterator[Item]:
    """Everything that the station knows of itself."""
    for setting in SETTINGS:
        if setting.variable:
            yield _setting_item(station, setting)
    yield from _station_items(station)
    for evse in station.evses:
        place: Payload = {"name": "EVSE", "evse": {"id": evse.id}}
        yield _read(place, "AvailabilityState", _availability(evse.status), "OptionList")
        yield _read(place, "Available", "true", "boolean")
        yield _read(place, "SupplyPhases", str(evse.spec.phases), "integer")
        yield Item(
            place,
            {"name": "Power"},
            f"{evse.flow.power_w:.0f}",
            "ro",
            "decimal",
            "W",
            float(evse.spec.max_power_w),
        )
        for connector in evse.spec.connectors:
            at = {"name": "Connector", "evse": {"id": evse.id, "connectorId": connector.id}}
            yield _read(at, "AvailabilityState", _availability(evse.status), "OptionList")
            yield _read(at, "Available", "true", "boolean")
            yield _read(at, "ConnectorType", CONNECTOR_TYPES[connector.type], "string")
            yield _read(at, "SupplyPhases", str(evse.spec.phases), "integer")


def base_report(station: Station, request_id: int, base: str) -> str:
    """Answer GetBaseReport and send the report: `Accepted` or `NotSupported`."""
    if base == "FullInventory":
        items = list(inventory(station))
    elif base == "ConfigurationInventory":
        items = [item for item in inventory(station) if item.access != "ro"]
    elif base == "SummaryInventory":
        items = [
            item for item in inventory(station) if item.variable["name"] in ("AvailabilityState", "Problem")
        ]
    else:
        return "NotSupported"
    send_report(station, request_id, items)
    return "Accepted"


def custom_report(station: Station, payload: Payload) -> str:
    """Answer GetReport.

    By component and variable, or by a criterion that the simulator's components all meet.
    """
    wanted = payload.get("componentVariable")
    criteria = payload.get("componentCriteria")
    items = list(inventory(station))
    if wanted:
        items = [item for item in items if any(_asked_for(item, one) for one in wanted)]
    if criteria and "Problem" in criteria and not any(evse.fault for evse in station.evses):
        items = [item for item in items if set(criteria) - {"Problem"}]
    if not items:
        return "EmptyResultSet"
    send_report(station, payload["requestId"], items)
    return "Accepted"


def send_report(station: Station, request_id: int, items: list[Item]) -> None:
    """NotifyReport in parts."""
    size = station.device.number("items_per_report")
    parts = [items[start : start + size] for start in range(0, len(items), size)]
    for number, part in enumerate(parts):
        payload: Payload = {
            "requestId": request_id,
            "generatedAt": stamp(station.now()),
            "seqNo": number,
            "tbc": number < len(parts) - 1,
            "reportData": [item.report() for item in part],
        }
        station.say(Call("NotifyReport", payload))


def get_variable(station: Station, asked: Payload) -> Payload:
    """One result of GetVariables."""
    component, variable = asked["component"], asked["variable"]
    kind = asked.get("attributeType", "Actual")
    result: dict[str, Any] = {"component": component, "variable": variable, "attributeType": kind}
    item = next((one for one in inventory(station) if _same(one, component, variable)), None)
    if item is None:
        known = _component_known(station, component)
        return result | {"attributeStatus": "UnknownVariable" if known else "UnknownComponent"}
    if kind != "Actual":
        return result | {"attributeStatus": "NotSupportedAttributeType"}
    if item.access == "wo":
        return result | {"attributeStatus": "Rejected"}
    return result | {"attributeStatus": "Accepted", "attributeValue": item.value or ""}


def set_variable(station: Station, asked: Payload) -> Payload:
    """One result of SetVariables."""
    component, variable = asked["component"], asked["variable"]
    kind = asked.get("attributeType", "Actual")
    value = asked["attributeValue"]
    result: dict[str, Any] = {"component": component, "variable": variable, "attributeType": kind}
    setting = BY_VARIABLE.get((component["name"], variable["name"], variable.get("instance")))
    if setting is None:
        if any(_same(one, component, variable) for one in inventory(station)):
            return result | {"attributeStatus": "Rejected"}
        known = _component_known(station, component)
        return result | {"attributeStatus": "UnknownVariable" if known else "UnknownComponent"}
    if kind != "Actual":
        return result | {"attributeStatus": "NotSupportedAttributeType"}
    if station.device.write(setting, value) != "accepted":
        return result | {"attributeStatus": "Rejected"}
    commands.setting_changed(station, setting)
    return result | {"attributeStatus": "Accepted"}


def _setting_item(station: Station, setting: Setting) -> Item:
    variable: Payload = {"name": setting.variable}
    if setting.instance:
        variable["instance"] = setting.instance
    value: str | None = station.device.text(setting.name)
    greatest: float | None = setting.greatest
    if setting.access == "wo":
        value = None
    elif setting.name == "date_time":
        value = stamp(station.now())
    elif setting.name == "local_list_entries":  # how many there are; what it takes at most is the limit
        value, greatest = str(len(station.known.local_list)), float(station.device.number(setting.name))
    return Item(
        {"name": setting.component},
        variable,
        value,
        setting.access,
        setting.type,
        setting.unit,
        greatest,
        setting.values,
    )


def _station_items(station: Station) -> Iterator[Item]:
    place: Payload = {"name": "ChargingStation"}
    spec = station.spec
    yield _read(place, "AvailabilityState", station.status.value, "OptionList")
    yield _read(place, "Available", "true", "boolean")
    yield _read(place, "Problem", str(any(evse.fault for evse in station.evses)).lower(), "boolean")
    yield _read(place, "SupplyPhases", str(max(evse.phases for evse in spec.evses)), "integer")
    yield _read(place, "VendorName", spec.vendor, "string")
    yield _read(place, "Model", spec.model, "string")
    yield _read(place, "SerialNumber", spec.serial_number, "string")
    yield _read(place, "FirmwareVersion", station.firmware_version, "string")


def _read(place: Payload, variable: str, value: str, kind: DataType) -> Item:
    return Item(place, {"name": variable}, value, "ro", kind)


def _availability(status: Status) -> str:
    folded = (Status.AVAILABLE, Status.RESERVED, Status.UNAVAILABLE, Status.FAULTED)
    return status.value if status in folded else "Occupied"


def _same(item: Item, component: Payload, variable: Payload) -> bool:
    return (
        item.component["name"] == component["name"]
        and item.component.get("evse") == component.get("evse")
        and item.variable["name"] == variable["name"]
        and item.variable.get("instance") == variable.get("instance")
    )


def _asked_for(item: Item, asked: Payload) -> bool:
    component, variable = asked["component"], asked.get("variable")
    if item.component["name"] != component["name"]:
        return False
    if "evse" in component and item.component.get("evse") != component["evse"]:
        return False
    return variable is None or item.variable["name"] == variable["name"]


def _component_known(station: Station, component: Payload) -> bool:
    name, evse = component["name"], component.get("evse")
    if evse is not None:
        return name in NAMED_AT_PLACES and station.evse(evse["id"]) is not None
    return name in COMPONENTS or name == "ChargingStation"
