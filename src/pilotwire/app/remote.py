"""What the command line asks of a running server, over its REST API."""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import Request, urlopen

import msgspec

from pilotwire.core.errors import Invalid, PilotwireError
from pilotwire.domain.operations.usecases.give_commands import read_command

__all__ = ["Remote", "command_of", "reservation_line", "result_lines", "task_line"]

_PATIENCE_S = 30
_LOOK_EVERY_S = 1.0


class Remote:
    """A running server, and the API key with which it is asked."""

    def __init__(self, url: str, key: str) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise Invalid(f"'{url}' is not the address of a server: http://HOST:PORT or https://...")
        if not key:
            raise Invalid("an API key is needed: --key, or PILOTWIRE_API_KEY")
        self._base = url.rstrip("/") + "/api/v1"
        self._key = key

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Send a request and return the JSON of its answer.

        Raises: PilotwireError with the server's own words, or when it does not answer.
        """
        data = None if body is None else json.dumps(body).encode()
        with self._open(method, path, data, "application/json") as answer:
            found: dict[str, Any] = {} if answer.status == 204 else json.load(answer)
        return found

    @contextmanager
    def _open(
        self,
        method: str,
        path: str,
        data: bytes | BinaryIO | None,
        kind: str,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Any]:
        request = Request(  # noqa: S310 - the scheme is checked at the start
            self._base + path,
            data,
            {"Authorization": f"Bearer {self._key}", "Content-Type": kind, **(headers or {})},
            method=method,
        )
        try:
            with urlopen(request, timeout=_PATIENCE_S) as answer:  # noqa: S310
                yield answer
        except HTTPError as error:
            raise PilotwireError(_words(error)) from error
        except URLError as error:
            raise PilotwireError(f"no answer from {self._base}: {error.reason}") from error

    def send(self, method: str, path: str, body: Any = None) -> None:
        """Send a request whose answer has no content.

        Raises: PilotwireError as `ask` does.
        """
        data = None if body is None else json.dumps(body).encode()
        with self._open(method, path, data, "application/json"):
            return

    def upload(self, path: str, file: Path, headers: Mapping[str, str]) -> None:
        """Send a file as the body of a PUT.

        Raises: PilotwireError as `ask` does.
        """
        size = {"Content-Length": str(file.stat().st_size)}
        with (
            file.open("rb") as content,
            self._open("PUT", path, content, "application/octet-stream", {**size, **headers}),
        ):
            return

    def download(self, path: str, target: Path) -> None:
        """Write an answer to a file.

        Raises: PilotwireError as `ask` does.
        """
        with self._open("GET", path, None, "application/octet-stream") as answer, target.open("wb") as file:
            shutil.copyfileobj(answer, file)

    def text(self, path: str) -> str:
        """Get a text.

        Raises: PilotwireError as `ask` does.
        """
        with self._open("GET", path, None, "text/plain") as answer:
            content: bytes = answer.read()
            return content.decode()

    def import_table(self, kind: str, data: bytes, *, dry_run: bool, skip_bad_rows: bool) -> dict[str, Any]:
        """Import a table; return the report."""
        query = f"dry_run={str(dry_run).lower()}&on_error={'skip' if skip_bad_rows else 'abort'}"
        with self._open("POST", f"/imports/{kind}?{query}", data, "text/csv") as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def health_report(self, by: str, first: str, last: str) -> Iterator[dict[str, Any]]:
        """Give uptime and success of all groups."""
        cursor = ""
        while True:
            query = urlencode({"by": by, "limit": 1000, **_given(cursor=cursor, to=last, **{"from": first})})
            page = self.ask("GET", f"/health-report?{query}")
            yield from page["items"]
            cursor = page["next"]
            if not cursor:
                return

    def station_health(self, station_id: str, first: str, last: str) -> dict[str, Any]:
        """Get the health of a station."""
        query = urlencode(_given(to=last, **{"from": first}))
        return self.ask("GET", f"/stations/{quote(station_id, safe='')}/health?{query}")

    def export_table(self, kind: str) -> Iterator[bytes]:
        """Give all of a kind as a table, in parts."""
        with self._open("GET", f"/exports/{kind}.csv", None, "text/csv") as answer:
            while part := answer.read(64 * 1024):
                yield part

    def give(self, station_id: str, body: dict[str, Any]) -> str:
        """Give a command to a station; return the id of its task."""
        found = self.ask("POST", f"/stations/{quote(station_id, safe='')}/commands", body)
        return str(found["task_id"])

    def tasks(self, limit: int) -> list[dict[str, Any]]:
        """List the newest tasks."""
        found: list[dict[str, Any]] = self.ask("GET", f"/tasks?limit={limit}")["items"]
        return found

    def task(self, task_id: str) -> dict[str, Any]:
        """Get a task with the first of its results."""
        return self.ask("GET", f"/tasks/{quote(task_id, safe='')}?limit=1000")

    def cancel(self, task_id: str) -> dict[str, Any]:
        """Cancel what a task has not sent."""
        return self.ask("POST", f"/tasks/{quote(task_id, safe='')}/cancel")

    def follow(
        self, task_id: str, wait_s: float, sleep: Callable[[float], None] = time.sleep
    ) -> Iterator[dict[str, Any]]:
        """Give a task again and again until it is over, or for `wait_s` seconds."""
        until = time.monotonic() + wait_s
        while True:
            task = self.task(task_id)
            yield task
            if task["finished_at"] is not None or time.monotonic() >= until:
                return
            sleep(_LOOK_EVERY_S)


def command_of(name: str, parameters: Sequence[str]) -> dict[str, Any]:
    """Make a command of `key=value` texts; lists and objects are written as JSON.

    Raises: Invalid when it is no command, before any server is asked.
    """
    given: dict[str, Any] = {"command": name}
    for text in parameters:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise Invalid(f"'{text}' is not of the form key=value")
        given[key] = value
        if value[:1] in ("[", "{"):
            try:
                given[key] = json.loads(value)
            except ValueError as error:
                raise Invalid(f"{key}: not valid JSON: {error}") from error
    # Texts become numbers and switches where the command wants some.
    plain = msgspec.to_builtins(read_command(given, strict=False))
    return {key: value for key, value in plain.items() if value is not None}


def reservation_line(reservation: dict[str, Any]) -> str:
    """Show a reservation in one line."""
    place = reservation["evse_id"] or reservation["placed_evse_id"]
    where = f"{reservation['station_id']} EVSE {place or reservation['connector_type'] or 'any'}"
    who = reservation["token_uid"] or f"group {reservation['group_id']}"
    line = f"{reservation['id']}  {reservation['state']:9}  {where}  {reservation['from_at']} - {reservation['until_at']}"
    return f"{line}  {who}  {reservation['detail']}".rstrip()


def _given(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def task_line(task: dict[str, Any]) -> str:
    """Put a task on one line."""
    done = f"{task['succeeded']} of {task['total']} done, {task['failed']} failed"
    return f"{task['id']}  {task['created_at'][:19]}  {task['command']}  {task['state']}  {done}"


def result_lines(task: dict[str, Any]) -> list[str]:
    """Put what became of a task at each station on a line each."""
    lines = []
    for each in task["results"]["items"]:
        words = [each["station_id"], each["state"], each["outcome"], each["detail"]]
        lines.append("  ".join(filter(None, [*words, json.dumps(each["result"]) if each["result"] else ""])))
    return lines


def _words(error: HTTPError) -> str:
    try:
        problem = json.load(error)
        return str(problem.get("detail") or problem["title"])
    except (ValueError, KeyError, AttributeError, OSError):
        return f"the server answered {error.code}"
