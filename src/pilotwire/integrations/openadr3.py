"""A VEN of OpenADR 3: signs in, makes itself known, asks for events, sends reports.

Spec: OpenADR 3.0.1 and 3.1 (REST, OAuth 2 client credentials). Events are polled; there are no subscriptions.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from pilotwire.domain.energy.demand_ports import EventResult, Used, Vtn, VtnFailed
from pilotwire.integrations.asking import AskFailed, HttpAsker

__all__ = ["OpenAdrDesk"]

_PAGE = 50
_MOST_PAGES = 40
_EARLY_S = 30.0
_SHORTEST_S = 300.0


class OpenAdrDesk:
    """Speaks to VTNs; keeps their tokens and what it is registered as."""

    def __init__(self, asker: HttpAsker) -> None:
        self._asker = asker
        self._tokens: dict[tuple[UUID, str, str], tuple[str, float]] = {}
        self._registered: set[UUID] = set()

    async def events(self, vtn: Vtn) -> list[Mapping[str, Any]]:
        """Give the events of the VTN's program (all programs where none is named) that are for us.

        Raises: VtnFailed.
        """
        try:
            if vtn.id not in self._registered:
                await self._register(vtn)
                self._registered.add(vtn.id)
            wanted = {}
            if vtn.program:
                wanted["programID"] = await self._program(vtn)
            found = await self._all(vtn, "events", wanted)
        except AskFailed as error:
            raise VtnFailed(str(error)) from error
        return [each for each in found if _is_for(vtn, each)]

    async def answer(self, vtn: Vtn, takes_part: Mapping[str, bool]) -> None:
        """Nothing is answered: in OpenADR 3 the report says whether a site took part."""

    async def report(self, vtn: Vtn, result: EventResult) -> None:
        """Send a report. Raises: VtnFailed."""
        given = {"objectType": "REPORT", "clientName": vtn.ven_name, **_report_of(result)}
        if vtn.version != "3.0":
            given.pop("programID", None)
        try:
            await self._ask(vtn, "POST", "reports", given)
        except AskFailed as error:
            raise VtnFailed(str(error)) from error

    def wanted_spans(self, vtn: Vtn, now: datetime) -> Sequence[tuple[datetime, datetime]]:  # noqa: ARG002 - the desk's shape
        """Only results of events are reported."""
        return ()

    async def tell_usage(self, vtn: Vtn, used: Sequence[Used]) -> None:
        """Nothing is wanted."""

    async def _register(self, vtn: Vtn) -> None:
        """Make ourselves known. A VTN that makes its VENs itself forbids it, or has us already."""
        try:
            known = await self._ask(vtn, "GET", "vens?" + urlencode({"venName": vtn.ven_name}))
            if known:
                return
            kind = "VEN" if vtn.version == "3.0" else "VEN_VEN_REQUEST"
            await self._ask(vtn, "POST", "vens", {"objectType": kind, "venName": vtn.ven_name})
        except AskFailed as error:
            if error.status not in (403, 404, 405, 409, 501):
                raise

    async def _program(self, vtn: Vtn) -> str:
        for each in await self._all(vtn, "programs", {}):
            if vtn.program in (each.get("programName"), each.get("id")):
                return str(each["id"])
        raise AskFailed(f"the VTN has no program '{vtn.program}' for us")

    async def _all(self, vtn: Vtn, what: str, wanted: Mapping[str, str]) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        for page in range(_MOST_PAGES):
            query = urlencode({**wanted, "skip": page * _PAGE, "limit": _PAGE})
            answer = await self._ask(vtn, "GET", f"{what}?{query}")
            if not isinstance(answer, list) or not all(isinstance(each, dict) for each in answer):
                raise AskFailed(f"the VTN's answer to /{what} is no list of objects")
            seen = {each.get("id") for each in found}
            fresh = [each for each in answer if each.get("id") not in seen]
            found += fresh
            # A VTN that knows no pages gives the same list again.
            if len(answer) < _PAGE or not fresh:
                break
        return found

    async def _ask(self, vtn: Vtn, method: str, path: str, body: Any = None) -> Any:
        url = f"{vtn.url.rstrip('/')}/{path}"
        try:
            return await self._asker.ask(method, url, token=await self._token(vtn), body=body)
        except AskFailed as error:
            if error.status != 401:
                raise
        self._tokens.pop(_key(vtn), None)
        return await self._asker.ask(method, url, token=await self._token(vtn), body=body)

    async def _token(self, vtn: Vtn) -> str:
        kept = self._tokens.get(_key(vtn))
        if kept is not None and time.monotonic() < kept[1]:
            return kept[0]
        form = {"grant_type": "client_credentials", "client_id": vtn.client_id}
        form["client_secret"] = vtn.client_secret
        if vtn.scope:
            form["scope"] = vtn.scope
        answer = await self._asker.ask("POST", vtn.token_url, form=form)
        if not isinstance(answer, dict) or not isinstance(answer.get("access_token"), str):
            raise AskFailed("the answer to the sign-in has no access_token")
        lasts = answer.get("expires_in")
        lasts_s = float(lasts) if isinstance(lasts, int | float) else _SHORTEST_S
        token: str = answer["access_token"]
        self._tokens[_key(vtn)] = (token, time.monotonic() + max(0.0, lasts_s - _EARLY_S))
        return token


def _key(vtn: Vtn) -> tuple[UUID, str, str]:
    return vtn.id, vtn.token_url, vtn.client_id


def _is_for(vtn: Vtn, event: Mapping[str, Any]) -> bool:
    """In 3.0 the VEN finds out itself whether an event names others; from 3.1 on the VTN does."""
    targets = event.get("targets") or []
    named = [each for each in targets if isinstance(each, dict) and each.get("type") == "VEN_NAME"]
    return not named or any(vtn.ven_name in (each.get("values") or ()) for each in named)


def _report_of(result: EventResult) -> dict[str, Any]:
    used = result.used
    length_s = round((used.ends_at - used.starts_at).total_seconds())
    measured = {"USAGE": used.used_wh, "BASELINE": used.baseline_wh}
    payloads: list[dict[str, Any]] = [
        {"type": kind, "values": [round(value / 1e3, 3)]}
        for kind, value in measured.items()
        if value is not None
    ]
    state = "RUNNING_CURTAILED" if result.taken_part else "RUNNING_OPTED_OUT"
    payloads.append({"type": "OPERATING_STATE", "values": [state]})
    return {
        "programID": result.program_id,
        "eventID": result.event_id,
        "reportName": f"result of {result.name or result.event_id}"[:128],
        "payloadDescriptors": [
            {"objectType": "REPORT_PAYLOAD_DESCRIPTOR", "payloadType": kind, "units": "KWH"}
            for kind in measured
        ],
        "resources": [
            {
                "resourceName": "AGGREGATED_REPORT",
                "intervalPeriod": {"start": used.starts_at.isoformat(), "duration": f"PT{length_s}S"},
                "intervals": [{"id": 0, "payloads": payloads}],
            }
        ],
    }
