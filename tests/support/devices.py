"""The settings of stations for tests: what they answer to reads and writes, and how they misbehave."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from tests.support.stations import Station

__all__ = ["Keys", "Variables", "report_item"]


@dataclass
class Keys:
    """The configuration keys of a 1.6 station: key -> (value, read-only)."""

    values: dict[str, tuple[str | None, bool]]
    statuses: dict[str, str] = field(default_factory=dict)
    """What is answered to writing a key, where it is not Accepted."""
    ignored: set[str] = field(default_factory=set)
    """Keys whose change is accepted and not done."""
    silent: bool = False
    """Give nothing when all keys are asked for."""
    written: list[tuple[str, str]] = field(default_factory=list)
    asked: list[list[str]] = field(default_factory=list)

    def answer(self, action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        """Answer a call of the server."""
        match action:
            case "GetConfiguration":
                return self._get(payload.get("key") or [])
            case "ChangeConfiguration":
                return {"status": self._set(payload["key"], payload["value"])}
            case "Reset":
                return {"status": "Accepted"}
        return None

    def _get(self, keys: list[str]) -> dict[str, Any]:
        self.asked.append(keys)
        folded = {key.casefold(): key for key in self.values}
        if not keys:
            chosen = [] if self.silent else list(self.values)
        else:
            chosen = [folded[key.casefold()] for key in keys if key.casefold() in folded]
        found = []
        for key in chosen:
            value, read_only = self.values[key]
            found.append({"key": key, "readonly": read_only} | ({} if value is None else {"value": value}))
        return {
            "configurationKey": found,
            "unknownKey": [key for key in keys if key.casefold() not in folded],
        }

    def _set(self, key: str, value: str) -> str:
        self.written.append((key, value))
        known = {name.casefold(): name for name in self.values}.get(key.casefold())
        if known is None:
            return "NotSupported"
        status = self.statuses.get(known, "Accepted")
        if status == "Accepted" and known not in self.ignored:
            self.values[known] = (value, self.values[known][1])
        return status


def report_item(
    component: str, variable: str, value: str | None, mutability: str = "ReadWrite", **traits: Any
) -> dict[str, Any]:
    """An entry of NotifyReport."""
    attribute: dict[str, Any] = {"type": "Actual", "mutability": mutability}
    if value is not None:
        attribute["value"] = value
    return {
        "component": {"name": component},
        "variable": {"name": variable},
        "variableAttribute": [attribute],
        "variableCharacteristics": {"dataType": "string", "supportsMonitoring": False, **traits},
    }


@dataclass
class Variables:
    """The variables of a 2.x station: pages of a report, values, and what is answered to a write."""

    pages: list[list[dict[str, Any]]]
    bases: tuple[str, ...] = ("FullInventory", "ConfigurationInventory")
    withheld: set[int] = field(default_factory=set)
    """Pages that are never sent."""
    statuses: dict[str, str] = field(default_factory=dict)
    link: Station | None = None
    asked: list[str] = field(default_factory=list)
    written: list[tuple[str, str]] = field(default_factory=list)
    together: int = 0
    _tasks: list[Any] = field(default_factory=list)

    def answer(self, action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        """Answer a call of the server."""
        match action:
            case "GetBaseReport":
                self.asked.append(payload["reportBase"])
                if payload["reportBase"] not in self.bases:
                    return {"status": "NotSupported"}
                self._tasks.append(asyncio.get_running_loop().create_task(self._report(payload["requestId"])))
                return {"status": "Accepted"}
            case "SetVariables":
                self.together = max(self.together, len(payload["setVariableData"]))
                return {"setVariableResult": [self._set(each) for each in payload["setVariableData"]]}
            case "GetVariables":
                return {"getVariableResult": [self._get(each) for each in payload["getVariableData"]]}
            case "Reset":
                return {"status": "Accepted"}
        return None

    async def _report(self, number: int) -> None:
        assert self.link is not None
        for seq_no, page in enumerate(self.pages):
            if seq_no in self.withheld:
                continue
            await self.link.call(
                "NotifyReport",
                {
                    "requestId": number,
                    "generatedAt": "2026-03-01T12:00:00Z",
                    "seqNo": seq_no,
                    "tbc": seq_no < len(self.pages) - 1,
                    "reportData": page,
                },
            )

    def _find(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        for page in self.pages:
            for item in page:
                same = all(item[part]["name"] == asked[part]["name"] for part in ("component", "variable"))
                if same and item["component"].get("evse") == asked["component"].get("evse"):
                    return item
        return None

    def _set(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["variable"]["name"]
        place = {"component": asked["component"], "variable": asked["variable"]}
        self.written.append((name, asked["attributeValue"]))
        item = self._find(asked)
        if item is None:
            return {"attributeStatus": "UnknownVariable", **place}
        status = self.statuses.get(name, "Accepted")
        if status == "Accepted":
            item["variableAttribute"][0]["value"] = asked["attributeValue"]
        return {"attributeStatus": status, **place}

    def _get(self, asked: dict[str, Any]) -> dict[str, Any]:
        place = {"component": asked["component"], "variable": asked["variable"]}
        item = self._find(asked)
        if item is None:
            return {"attributeStatus": "UnknownVariable", **place}
        attribute = item["variableAttribute"][0]
        if attribute["mutability"] == "WriteOnly":
            return {"attributeStatus": "Rejected", **place}
        return {"attributeStatus": "Accepted", "attributeValue": attribute.get("value", ""), **place}
