"""Our own calls to a station: one at a time, with a time-out, found again by message id.

Spec: OCPP-J 1.6 4.1.1; 2.0.1 part 4, 4.1.1: no second CALL before the first is answered or has timed out.
"""

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from pilotwire.core.texts import say
from pilotwire.domain.stations.ports import CallAnswer, ConnectionLost, NoAnswer, NotConnected
from pilotwire.ocpp.codec.envelope import CallError, CallResult, build_call

__all__ = ["Caller", "Exchange"]


class Exchange(msgspec.Struct, frozen=True):
    """One call of ours that is over: what was sent, and what came back (None: nothing in time)."""

    message_id: str
    action: str
    request: bytes
    response: bytes | None


class Caller:
    """Sends calls over one connection."""

    __slots__ = ("_closed", "_lock", "_next", "_open_id", "_over", "_prefix", "_send", "_waiter")

    def __init__(self, prefix: str, send: Callable[[bytes], None], over: Callable[[Exchange], None]) -> None:
        self._prefix = prefix
        self._send = send
        self._over = over
        self._lock: asyncio.Lock | None = None
        self._next = 0
        self._open_id: str | None = None
        self._waiter: asyncio.Future[tuple[CallResult | CallError, bytes, tuple[str, ...]]] | None = None
        self._closed = False

    async def call(self, action: str, payload: bytes, timeout_s: float) -> CallAnswer:
        """Send a CALL when those before it are done, and wait for its answer.

        Raises: NotConnected when the connection has ended, ConnectionLost when it ends before the answer; NoAnswer
        after `timeout_s`, waiting in line included.
        """
        if self._lock is None:  # made when first needed: most connections never carry a call of ours
            self._lock = asyncio.Lock()
        try:
            async with asyncio.timeout(timeout_s), self._lock:
                return await self._exchange(action, payload)
        except TimeoutError:
            raise NoAnswer(
                say(
                    "no_answer",
                    "no answer to {action} within {seconds} s",
                    action=action,
                    seconds=format(timeout_s, "g"),
                )
            ) from None

    async def _exchange(self, action: str, payload: bytes) -> CallAnswer:
        if self._closed:
            raise NotConnected(say("disconnected", "the station has disconnected"))
        self._next += 1
        message_id = f"{self._prefix}-{self._next}"
        frame = build_call(message_id, action, payload)
        self._open_id = message_id
        self._waiter = asyncio.get_running_loop().create_future()
        raw: bytes | None = None
        try:
            self._send(frame)
            answer, raw, repairs = await self._waiter
        finally:
            self._open_id = self._waiter = None
            self._over(Exchange(message_id, action, frame, raw))
        if isinstance(answer, CallResult):
            return CallAnswer(bytes(answer.payload), repairs=repairs)
        return CallAnswer(None, answer.code, answer.description, repairs)

    def answered(
        self,
        answer: CallResult | CallError,
        raw: bytes,
        *,
        any_id: bool = False,
        repairs: Sequence[str] = (),
    ) -> bool:
        """Take an answer from the station; False when no call of ours waits for it (it came too late)."""
        if self._waiter is None or self._waiter.done() or (answer.message_id != self._open_id and not any_id):
            return False
        self._waiter.set_result((answer, raw, tuple(repairs)))
        return True

    def close(self) -> None:
        """End: the call that waits will not be answered any more."""
        self._closed = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(ConnectionLost("the station disconnected before it answered"))
