"""A VEN of OpenADR 2.0b that pulls by HTTP: registers, offers its report, asks for events, answers them, sends reports.

Spec: OpenADR 2.0b Profile Specification 1.1, simple HTTP transport, VEN pull. Transport security is TLS, with the VEN's
certificate where it has one; messages are not signed (XML signatures belong to the optional high security level).
"""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4
from xml.etree.ElementTree import Element

import httpx

from pilotwire.domain.energy.demand_ports import EventResult, Used, Vtn, VtnFailed
from pilotwire.integrations.client_certificate import client_context
from pilotwire.integrations.egress import EgressPolicy, EgressRefused
from pilotwire.integrations.openadr2_events import read_events
from pilotwire.integrations.openadr2_reports import Wanted, metadata_report, read_wanted, usage_report
from pilotwire.integrations.openadr2_xml import (
    all_of,
    at,
    element,
    in_envelope,
    name_of,
    read_envelope,
    text_at,
)
from pilotwire.integrations.pinned import PinnedClient

__all__ = ["OpenAdr2Desk"]

_PATIENCE_S = 15.0
_MOST_BYTES = 4 * 1024 * 1024
_MOST_POLLS = 20
_OVER = ("cancelled",)


@dataclass(slots=True)
class _Membership:
    """What we are at a VTN, and what was said since this process started."""

    http: PinnedClient
    secret: str
    ven_id: str = ""
    registration_id: str = ""
    asked: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By event: its modification number and the id of the request that told of it."""
    answered: dict[str, tuple[str, bool]] = field(default_factory=dict)
    wanted: dict[str, Wanted] = field(default_factory=dict)


class OpenAdr2Desk:
    """Speaks to VTNs of 2.0b; keeps what it is registered as."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy
        self._members: dict[UUID, _Membership] = {}

    async def close(self) -> None:
        """Close what is open."""
        for member in self._members.values():
            await member.http.close()

    async def events(self, vtn: Vtn) -> list[Mapping[str, Any]]:
        """Give the events of our program (all programs where none is named) that are for us.

        Raises: VtnFailed.
        """
        member = await self._member(vtn)
        if not member.registration_id:
            await self._register(vtn, member)
        member.asked.clear()
        # What comes with a poll may come only once, such as an event that is over.
        found = {each["id"]: each for each in await self._poll(vtn, member)}
        request_id = uuid4().hex
        request = element(
            "oadr:oadrRequestEvent",
            element(
                "pyld:eiRequestEvent",
                element("pyld:requestID", request_id),
                element("ei:venID", member.ven_id),
            ),
        )
        answer = await self._say(vtn, member, "EiEvent", request)
        if name_of(answer) == "oadrDistributeEvent":
            found |= {each["id"]: each for each in await self._take(vtn, member, answer)}
        member.answered = {key: value for key, value in member.answered.items() if key in member.asked}
        return list(found.values())

    async def answer(self, vtn: Vtn, takes_part: Mapping[str, bool]) -> None:
        """Opt in or out of events; what was answered is not answered again. Raises: VtnFailed."""
        member = await self._member(vtn)
        fresh = {
            event_id: opt
            for event_id, opt in takes_part.items()
            if event_id in member.asked and member.answered.get(event_id) != (member.asked[event_id][0], opt)
        }
        if fresh:
            await self._opt(vtn, member, {event_id: (opt, "200", "OK") for event_id, opt in fresh.items()})

    async def report(self, vtn: Vtn, result: EventResult) -> None:
        """Send what came of an event to who has asked for our report. Raises: VtnFailed."""
        await self.tell_usage(vtn, [result.used])

    def wanted_spans(self, vtn: Vtn, now: datetime) -> Sequence[tuple[datetime, datetime]]:
        """Give the spans that have ended and are wanted."""
        member = self._members.get(vtn.id)
        found = {span for each in (member.wanted.values() if member else ()) for span in each.due(now)}
        return sorted(found)

    async def tell_usage(self, vtn: Vtn, used: Sequence[Used]) -> None:
        """Send what was used to who has asked for our report. Raises: VtnFailed."""
        member = await self._member(vtn)
        for wanted in member.wanted.values():
            now = datetime.now(UTC)
            report = usage_report(wanted, used, now)
            if report is not None:
                message = element(
                    "oadr:oadrUpdateReport",
                    element("pyld:requestID", uuid4().hex),
                    report,
                    element("ei:venID", member.ven_id),
                )
                await self._say(vtn, member, "EiReport", message)
            wanted.told(used, now)

    async def _member(self, vtn: Vtn) -> _Membership:
        member = self._members.get(vtn.id)
        if member is not None and member.secret == vtn.client_secret:
            return member
        if member is not None:
            await member.http.close()
        try:
            trusted = client_context(vtn.client_secret) if vtn.client_secret else None
        except (ssl.SSLError, ValueError) as error:
            raise VtnFailed(f"the VEN's key and certificate cannot be used: {error}") from error
        http = PinnedClient(self._policy, patience_s=_PATIENCE_S, connections=4, headers={}, trusted=trusted)
        self._members[vtn.id] = made = _Membership(http, vtn.client_secret)
        return made

    # Registration and reports

    async def _register(self, vtn: Vtn, member: _Membership) -> None:
        known = vtn.client_id or member.ven_id
        request = element(
            "oadr:oadrCreatePartyRegistration",
            element("pyld:requestID", uuid4().hex),
            element("ei:venID", known) if known else None,
            element("oadr:oadrProfileName", "2.0b"),
            element("oadr:oadrTransportName", "simpleHttp"),
            element("oadr:oadrReportOnly", "false"),
            element("oadr:oadrXmlSignature", "false"),
            element("oadr:oadrVenName", vtn.ven_name),
            element("oadr:oadrHttpPullModel", "true"),
        )
        answer = await self._say(vtn, member, "EiRegisterParty", request)
        ven_id, registration_id = text_at(answer, "venID"), text_at(answer, "registrationID")
        if not registration_id or not (ven_id or known):
            raise VtnFailed(f"the VTN does not accept the registration of '{vtn.ven_name}'")
        member.ven_id, member.registration_id = ven_id or known, registration_id
        member.wanted.clear()
        member.answered.clear()
        offer = element(
            "oadr:oadrRegisterReport",
            element("pyld:requestID", uuid4().hex),
            metadata_report(datetime.now(UTC)),
            element("ei:venID", member.ven_id),
        )
        await self._want(vtn, member, await self._say(vtn, member, "EiReport", offer))

    async def _want(self, vtn: Vtn, member: _Membership, message: Element) -> None:
        """Take the requests of reports in a message, and say which ones will be followed."""
        requests = list(all_of(message, "oadrReportRequest"))
        if not requests:
            return
        now = datetime.now(UTC)
        for each in requests:
            try:
                wanted = read_wanted(each, now)
            except ValueError as error:
                raise VtnFailed(f"a request of a report cannot be read: {error}") from error
            member.wanted[wanted.request_id] = wanted
        pending = [element("ei:reportRequestID", request_id) for request_id in member.wanted]
        created = element(
            "oadr:oadrCreatedReport",
            _ok(text_at(message, "requestID") or text_at(message, "eiResponse", "requestID")),
            element("oadr:oadrPendingReports", *pending),
            element("ei:venID", member.ven_id),
        )
        await self._say(vtn, member, "EiReport", created)

    # Polling

    async def _poll(self, vtn: Vtn, member: _Membership) -> list[Mapping[str, Any]]:
        """Take what waits at the VTN, and give the events among it; they are asked for as a whole afterwards."""
        found: list[Mapping[str, Any]] = []
        for _ in range(_MOST_POLLS):
            poll = element("oadr:oadrPoll", element("ei:venID", member.ven_id))
            message = await self._say(vtn, member, "OadrPoll", poll)
            request_id = text_at(message, "requestID")
            match name_of(message):
                case "oadrResponse":
                    break
                case "oadrDistributeEvent":
                    found += await self._take(vtn, member, message)
                case "oadrCreateReport":
                    await self._want(vtn, member, message)
                case "oadrCancelReport":
                    for each in all_of(message, "reportRequestID"):
                        member.wanted.pop(each.text or "", None)
                    pending = [element("ei:reportRequestID", name) for name in member.wanted]
                    parts = (element("oadr:oadrPendingReports", *pending),)
                    await self._reply(vtn, member, "EiReport", "oadrCanceledReport", request_id, *parts)
                case "oadrRegisterReport":
                    await self._reply(vtn, member, "EiReport", "oadrRegisteredReport", request_id)
                case "oadrUpdateReport":
                    await self._reply(vtn, member, "EiReport", "oadrUpdatedReport", request_id)
                case "oadrCancelPartyRegistration":
                    gone = element("ei:registrationID", member.registration_id)
                    member.registration_id = ""
                    service, name = "EiRegisterParty", "oadrCanceledPartyRegistration"
                    await self._reply(vtn, member, service, name, request_id, gone)
                    raise VtnFailed("the VTN has cancelled the registration; it is tried anew")
                case other:
                    raise VtnFailed(f"the VTN said {other} to a poll")
        return found

    async def _reply(
        self, vtn: Vtn, member: _Membership, service: str, name: str, request_id: str, *parts: Element
    ) -> None:
        message = element(f"oadr:{name}", _ok(request_id), *parts, element("ei:venID", member.ven_id))
        await self._say(vtn, member, service, message)

    # Events

    async def _take(self, vtn: Vtn, member: _Membership, message: Element) -> list[Mapping[str, Any]]:
        request_id = text_at(message, "requestID")
        kept: list[Mapping[str, Any]] = []
        at_once: dict[str, tuple[bool, str, str]] = {}
        for event in read_events(message):
            event_id = event["id"]
            others = [name for name in event["vens"] if name]
            if others and member.ven_id not in others:
                continue
            if event["responseRequired"] != "never":
                member.asked[event_id] = (event["modificationNumber"], request_id)
            if vtn.program and event["programID"] != vtn.program:
                at_once[event_id] = (False, "200", "not of the program that is followed")
            elif "unreadable" in event:
                at_once[event_id] = (False, "454", event["unreadable"])
                kept.append(event)
            elif event["status"] in _OVER:
                at_once[event_id] = (True, "200", "OK")
            else:
                kept.append(_without_effect(event) if event["testEvent"] else event)
        fresh = {
            event_id: answer
            for event_id, answer in at_once.items()
            if event_id in member.asked
            and member.answered.get(event_id) != (member.asked[event_id][0], answer[0])
        }
        if fresh:
            await self._opt(vtn, member, fresh)
        return kept

    async def _opt(self, vtn: Vtn, member: _Membership, answers: Mapping[str, tuple[bool, str, str]]) -> None:
        responses = [
            element(
                "ei:eventResponse",
                element("ei:responseCode", code),
                element("ei:responseDescription", words[:200]),
                element("pyld:requestID", member.asked[event_id][1]),
                element(
                    "ei:qualifiedEventID",
                    element("ei:eventID", event_id),
                    element("ei:modificationNumber", member.asked[event_id][0]),
                ),
                element("ei:optType", "optIn" if opt else "optOut"),
            )
            for event_id, (opt, code, words) in answers.items()
        ]
        created = element(
            "oadr:oadrCreatedEvent",
            element(
                "pyld:eiCreatedEvent",
                _ok(""),
                element("ei:eventResponses", *responses),
                element("ei:venID", member.ven_id),
            ),
        )
        await self._say(vtn, member, "EiEvent", created)
        for event_id, (opt, _, _) in answers.items():
            member.answered[event_id] = (member.asked[event_id][0], opt)

    # Transport

    async def _say(self, vtn: Vtn, member: _Membership, service: str, message: Element) -> Element:
        """Send a message and give the answer, an oadrResponse where there is none.

        Raises: VtnFailed, also for an answer that says that something is wrong.
        """
        url = f"{vtn.url.rstrip('/')}/{service}"
        try:
            async with asyncio.timeout(_PATIENCE_S):
                status, content = await _post(member.http, url, in_envelope(message))
        except EgressRefused as error:
            raise VtnFailed(f"not allowed: {error}") from error
        except TimeoutError as error:
            raise VtnFailed(f"no answer within {_PATIENCE_S:g} s") from error
        except (OSError, httpx.HTTPError, UnicodeError) as error:
            raise VtnFailed(f"{type(error).__name__}: {error}"[:300]) from error
        if not 200 <= status < 300:
            text = content[:200].decode("utf-8", "replace")
            raise VtnFailed(f"POST {url} was answered with {status}: {text}")
        if not content.strip():
            return element("oadr:oadrResponse")
        try:
            answer = read_envelope(content)
        except ValueError as error:
            raise VtnFailed(f"POST {url}: {error}") from error
        if name_of(answer) == "oadrRequestReregistration":
            member.registration_id = ""
            raise VtnFailed("the VTN wants us to register anew; that is done at the next look")
        response = at(answer, "eiResponse")
        code = text_at(response, "responseCode")
        if response is not None and not code.startswith("2"):
            words = text_at(response, "responseDescription")
            if code == "463":
                # It does not know us any more, nor the id that it gave us.
                member.registration_id = member.ven_id = ""
            raise VtnFailed(f"the VTN answered {name_of(message)} with {code}: {words}"[:300])
        return answer


async def _post(http: PinnedClient, url: str, content: bytes) -> tuple[int, bytes]:
    headers = {"content-type": "application/xml", "accept": "application/xml"}
    async with http.send("POST", url, content, headers) as response:
        answer = b""
        async for chunk in response.aiter_bytes():
            answer += chunk
            if len(answer) > _MOST_BYTES:
                raise VtnFailed(f"the answer is longer than {_MOST_BYTES} bytes")
    return response.status_code, answer


def _ok(request_id: str) -> Element:
    return element(
        "ei:eiResponse",
        element("ei:responseCode", "200"),
        element("ei:responseDescription", "OK"),
        element("pyld:requestID", request_id),
    )


def _without_effect(event: Mapping[str, Any]) -> dict[str, Any]:
    """A test event is answered and shown, and asks nothing."""
    intervals = [
        {**each, "payloads": [{**payload, "type": f"TEST/{payload['type']}"} for payload in each["payloads"]]}
        for each in event["intervals"]
    ]
    return {**event, "intervals": intervals}
