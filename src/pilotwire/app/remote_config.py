"""What `pilotwire config` asks of a running server, and how it is shown."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from pilotwire.app.remote import Remote
from pilotwire.core.errors import Invalid

__all__ = ["RemoteConfig", "drift_line", "entries_of", "template_lines", "variable_line"]


class RemoteConfig:
    """The configuration of the stations of a running server."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def variables(self, station_id: str, search: str | None) -> dict[str, Any]:
        """Give all variables of a station, and how far their reading has come."""
        path = f"{_station(station_id)}/variables"
        pages = [*self._pages(path, q=search)]
        return {"items": [item for page in pages for item in page["items"]], "reading": pages[-1]["reading"]}

    def write(self, station_id: str, settings: Sequence[dict[str, str]], reset: str) -> str:
        """Write settings; return the id of the task."""
        body = {"settings": list(settings), "reset": reset}
        return str(self._remote.ask("PATCH", f"{_station(station_id)}/variables", body)["task_id"])

    def read(self, station_id: str, names: Sequence[str]) -> str:
        """Have a station say what it is set to; return the id of the task."""
        found = self._remote.ask("POST", f"{_station(station_id)}/variables/read", {"names": list(names)})
        return str(found["task_id"])

    def drifting(self) -> list[dict[str, Any]]:
        """List the stations that differ from their templates."""
        return [item for page in self._pages("/drift") for item in page["items"]]

    def drift(self, station_id: str) -> list[dict[str, Any]]:
        """List where a station differs from its templates."""
        found: list[dict[str, Any]] = self._remote.ask("GET", f"{_station(station_id)}/drift")["items"]
        return found

    def repair(self, stations: Sequence[str], reset: str) -> str:
        """Repair stations, all that drift if none is named; return the id of the task."""
        body = {"reset": reset} | ({"stations": list(stations)} if stations else {})
        return str(self._remote.ask("POST", "/drift/repair", body)["task_id"])

    def templates(self) -> list[dict[str, Any]]:
        """List the templates."""
        return [item for page in self._pages("/configuration-templates") for item in page["items"]]

    def add_template(self, body: dict[str, Any]) -> dict[str, Any]:
        """Add a template."""
        return self._remote.ask("POST", "/configuration-templates", body)

    def change_template(self, template_id: str, entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Replace the settings of a template."""
        return self._remote.ask("PATCH", _template(template_id), {"entries": list(entries)})

    def remove_template(self, template_id: str) -> None:
        """Remove a template."""
        self._remote.ask("DELETE", _template(template_id))

    def _pages(self, path: str, **parameters: str | None) -> Iterator[dict[str, Any]]:
        given = {name: value for name, value in parameters.items() if value}
        cursor = None
        while True:
            asked = urlencode({**given, "limit": "1000"} | ({"cursor": cursor} if cursor else {}))
            page = self._remote.ask("GET", f"{path}?{asked}")
            yield page
            if not (cursor := page["next"]):
                return


def _station(station_id: str) -> str:
    return f"/stations/{quote(station_id, safe='')}"


def _template(template_id: str) -> str:
    return f"/configuration-templates/{quote(template_id, safe='')}"


def entries_of(texts: Sequence[str], file: Path | None = None) -> list[dict[str, Any]]:
    """Make settings of `NAME=VALUE` texts, after those of a JSON file: an object of names and values, or a list.

    Raises: Invalid.
    """
    entries: list[dict[str, Any]] = []
    if file is not None:
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise Invalid(f"{file}: not valid JSON: {error}") from error
        if isinstance(content, dict):
            content = [{"name": name, "value": str(value)} for name, value in content.items()]
        if not isinstance(content, list) or not all(isinstance(each, dict) for each in content):
            raise Invalid(f"{file}: an object of names and values, or a list of settings")
        entries += content
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise Invalid(f"'{text}' is not of the form NAME=VALUE")
        entries.append({"name": name, "value": value})
    return entries


def variable_line(each: dict[str, Any]) -> str:
    """Put a variable on one line."""
    value = "(secret)" if each["secret"] else "" if each["value"] is None else each["value"]
    attribute = "" if each["attribute"] == "actual" else f" ({each['attribute']})"
    words = [f"{each['name']}{attribute} = {value}"]
    if each["unit"]:
        words[0] += f" {each['unit']}"
    if each["key"] and each["key"] != each["name"]:
        words.append(f"[{each['key']}]")
    if each["mutability"] in ("read_only", "write_only"):
        words.append(each["mutability"].replace("_", "-"))
    return "  ".join(words)


def drift_line(each: dict[str, Any]) -> str:
    """Put a setting that differs on one line."""
    actual = "(missing)" if each["actual"] is None else each["actual"]
    tried = f"; last attempt: {each['outcome']}" if each["outcome"] else ""
    return f"{each['name']}  is {actual}, should be {each['wanted']}  ({each['state']}{tried})"


def template_lines(each: dict[str, Any]) -> list[str]:
    """Put a template on a line, and each of its settings on one below."""
    make = " ".join(filter(None, (each["vendor"], each["model"], each["firmware_version"]))) or "all makes"
    place = each["station_id"] or each["site_id"] or ""
    head = "  ".join(filter(None, (each["id"], each["name"], make, each["scope"], place)))
    return [head, *(f"    {entry['name']} = {entry['value']}" for entry in each["entries"])]
