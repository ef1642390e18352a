"""A small VTN of OpenADR 3: tokens, programs, VENs, events and reports over real HTTP, in memory."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.receiver import Received, Receiver, Reply, receiver

__all__ = ["CLIENT", "SECRET", "SmallVtn", "small_vtn"]

CLIENT, SECRET = "depot", "a secret & more"


@dataclass
class SmallVtn:
    """What it has, and what it was told. A token is good for `uses` requests."""

    http: Receiver
    version: str = "3.1"
    programs: list[dict[str, Any]] = field(default_factory=lambda: [{"id": "p1", "programName": "Shed"}])
    events: list[dict[str, Any]] = field(default_factory=list)
    vens: list[dict[str, Any]] = field(default_factory=list)
    reports: list[dict[str, Any]] = field(default_factory=list)
    tokens: int = 0
    uses: int = 1_000_000
    away: bool = False
    _left: dict[str, int] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.port}/openadr3"

    def answer(self, request: Received) -> Reply:
        if self.away:
            return 503, {}, b"tea"
        status, body = self._answer(request)
        return status, {"content-type": "application/json"}, json.dumps(body).encode()

    def _answer(self, request: Received) -> tuple[int, Any]:
        parts = urlsplit(request.path)
        path, query = parts.path.removeprefix("/openadr3"), parse_qs(parts.query)
        if path == "/auth/token":
            form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
            good = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET}
            if any(form.get(name) != value for name, value in good.items()):
                return 401, {"error": "invalid_client"}
            self.tokens += 1
            self._left[f"T{self.tokens}"] = self.uses
            return 200, {"access_token": f"T{self.tokens}", "token_type": "bearer", "expires_in": 3600}
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._left.get(token, 0) <= 0:
            return 401, {"title": "no token"}
        self._left[token] -= 1
        return self._resource(path, query, request.body)

    def _resource(self, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, Any]:
        skip, limit = int(query.get("skip", ["0"])[0]), int(query.get("limit", ["50"])[0])
        if path == "/programs":
            return 200, self.programs[skip : skip + limit]
        if path == "/events":
            wanted = query.get("programID", [None])[0]
            found = [each for each in self.events if wanted in (None, each["programID"])]
            return 200, found[skip : skip + limit]
        if path == "/vens" and not body:
            return 200, [each for each in self.vens if each["venName"] == query["venName"][0]]
        given = json.loads(body)
        expected = {"/vens": "VEN_VEN_REQUEST" if self.version == "3.1" else "VEN", "/reports": "REPORT"}
        if given.get("objectType") != expected.get(path):
            return 400, {"title": "wrong objectType"}
        if path == "/reports" and ("programID" in given) != (self.version == "3.0"):
            return 400, {"title": "programID is of 3.0"}
        kept = self.vens if path == "/vens" else self.reports
        kept.append(given)
        return 201, given


@asynccontextmanager
async def small_vtn(version: str = "3.1") -> AsyncIterator[SmallVtn]:
    """Run a VTN on any port of this machine."""
    async with receiver() as http:
        vtn = SmallVtn(http, version)
        http.reply = vtn.answer
        yield vtn
