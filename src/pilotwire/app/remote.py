"""What the command line asks of a running server, over its REST API."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

import msgspec

from pilotwire.core.errors import Invalid, PilotwireError
from pilotwire.domain.operations.usecases.give_commands import read_command

__all__ = ["Remote", "command_of", "result_lines", "task_line"]

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
        request = Request(  # noqa: S310 - the scheme is checked above
            self._base + path,
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urlopen(request, timeout=_PATIENCE_S) as answer:  # noqa: S310
                found: dict[str, Any] = json.load(answer)
        except HTTPError as error:
            raise PilotwireError(_words(error)) from error
        except URLError as error:
            raise PilotwireError(f"no answer from {self._base}: {error.reason}") from error
        return found

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
