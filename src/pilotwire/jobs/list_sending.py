"""Sends a station the messages that bring its list of tokens to what it should be."""

from pilotwire.core.errors import Invalid
from pilotwire.domain.local_lists import repository as rows
from pilotwire.domain.local_lists.decide import ListMessage, messages_to
from pilotwire.domain.local_lists.model import Abilities, ListEntry, ListPlace, ListState, Wanted
from pilotwire.domain.operations.commands import Command, GetLocalListVersion, SendLocalList
from pilotwire.domain.operations.model import CommandState, KnownToken, Order, Reply
from pilotwire.domain.operations.usecases.give_commands import Means
from pilotwire.domain.stations.ports import ConnectionLost, NoAnswer, NotConnected

__all__ = ["Broken", "ListSender"]

_MOST_VERSION = 2**31 - 2


class Broken(Exception):
    """The list could not be brought to what it should be."""

    def __init__(self, why: str, *, away: bool = False, unsupported: bool = False) -> None:
        super().__init__(why)
        self.away = away
        self.unsupported = unsupported


class ListSender:
    """Knows versions; every one that a station has taken is kept before the next message."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def bring(self, place: ListPlace, able: Abilities, wanted: Wanted, *, told: bool) -> int | None:
        """Bring a station's list in step, and give its version then; None when that is no news.

        `told`: the station has said in this connection that it holds what is known of it. A station that takes no
        differences gets the list whole. Raises: Broken.
        """
        version, digest = place.version, place.digest
        if not told:
            theirs = await self._version(place)
            if theirs != version:
                version, digest = max(theirs, version), None
        held: tuple[ListEntry, ...] | None = None
        if digest is not None:
            async with self._means.db.service.acquire() as connection:
                held = await rows.find_content(connection, place.tenant_id, digest)
        messages = messages_to(held, wanted.entries, able.items_per_message)
        refused = await self._send_all(place, messages, version)
        if isinstance(refused, Reply):
            if held is None and refused.outcome != "version_mismatch":
                raise Broken(_words(refused))
            # Somebody else wrote the list, or the station takes it whole only.
            version = max(await self._version(place), version)
            whole = messages_to(None, wanted.entries, able.items_per_message)
            refused = await self._send_all(place, whole, version)
        if isinstance(refused, Reply):
            raise Broken(_words(refused))
        async with self._means.db.service.acquire() as connection, connection.transaction():
            await rows.keep_content(connection, place.tenant_id, wanted)
            before = await rows.note_held(connection, place.station_id, refused, wanted, self._means.clock())
        news = refused != place.version or before is not ListState.IN_STEP
        return refused if news else None

    async def _version(self, place: ListPlace) -> int:
        """Ask for the version. Spec: OCPP 1.6 5.10: -1 says that there are no lists, 0 that it is empty."""
        reply = await self._ask(place, 1, GetLocalListVersion(), ())
        if reply.state is not CommandState.DONE:
            raise Broken(_words(reply), unsupported=reply.outcome == "not_supported")
        version = reply.result.get("version")
        if not isinstance(version, int) or version < 0:
            raise Broken("it says that its lists are switched off", unsupported=True)
        return version

    async def _send_all(self, place: ListPlace, messages: list[ListMessage], version: int) -> int | Reply:
        """Send messages one after the other; give the version afterwards, or the refusal."""
        for number, message in enumerate(messages):
            # A list that is whole may begin to count anew.
            version = version + 1 if version < _MOST_VERSION or message.mode == "differential" else 1
            reply = await self._ask(
                place, version, _command_of(message), tuple(_known(each) for each in message.entries) + tuple(
                    KnownToken(each.uid, each.kind) for each in message.removed
                ),
            )  # fmt: skip
            if reply.state is not CommandState.DONE or reply.outcome != "accepted":
                if reply.outcome in ("not_supported", "not_implemented"):
                    raise Broken(_words(reply), unsupported=True)
                return reply
            if number < len(messages) - 1:
                async with self._means.db.service.acquire() as connection:
                    await rows.note_held(connection, place.station_id, version, None, self._means.clock())
        return version

    async def _ask(
        self, place: ListPlace, number: int, command: Command, tokens: tuple[KnownToken, ...]
    ) -> Reply:
        try:
            return await self._means.desk.send(
                place.station_id, Order(number, command, self._means.clock(), tokens)
            )
        except (ConnectionLost, NotConnected) as error:
            raise Broken(str(error), away=True) from error
        except (NoAnswer, Invalid) as error:
            raise Broken(str(error)) from error


def _command_of(message: ListMessage) -> SendLocalList:
    if message.mode == "full":
        return SendLocalList()
    uids = tuple(each.uid for each in (*message.entries, *message.removed))
    return SendLocalList(mode="differential", token_uids=uids)


def _known(entry: ListEntry) -> KnownToken:
    return KnownToken(entry.uid, entry.kind, entry.status, entry.group_id, entry.valid_until)


def _words(reply: Reply) -> str:
    return f"the station answered {reply.outcome}" + (f": {reply.detail}" if reply.detail else "")
