"""Sessions of plain stations in every version, for tests: begun, sampled and ended at moments that the test says."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.stations import Station

__all__ = ["Charging", "ago"]

_TRIGGERS = {"Started": "Authorized", "Updated": "MeterValuePeriodic", "Ended": "EVDeparted"}


def ago(minutes: float) -> datetime:
    """A moment before now."""
    return datetime.now(UTC) - timedelta(minutes=minutes)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Charging:
    """A session on an EVSE of a station."""

    def __init__(self, client: Station, *, evse: int = 1, token: str = "CARD", ref: str = "TX-1") -> None:
        self.client = client
        self.evse = evse
        self.token = token
        self.transaction: Any = ref
        self.old = client.socket.subprotocol == "ocpp1.6"
        self._said = 0

    async def begin(self, at: datetime, register: float = 0, **more: Any) -> dict[str, Any]:
        """Begin; `more` are fields of the start, such as a reservation."""
        if self.old:
            start = {
                "connectorId": self.evse,
                "idTag": self.token,
                "meterStart": register,
                "timestamp": _text(at),
            }
            answer: dict[str, Any] = await self.client.call("StartTransaction", {**start, **more})
            self.transaction = answer["transactionId"]
            return answer
        return await self._event("Started", at, register, **more)

    async def sample(self, at: datetime, register: float, power: float | None = None, **more: Any) -> None:
        """Report register and power."""
        if self.old:
            values = [{"value": str(register)}]
            if power is not None:
                values.append({"value": str(power), "measurand": "Power.Active.Import", "unit": "W"})
            await self.client.call(
                "MeterValues",
                {
                    "connectorId": self.evse,
                    "transactionId": self.transaction,
                    "meterValue": [{"timestamp": _text(at), "sampledValue": values}],
                },
            )
        else:
            await self._event("Updated", at, register, power, **more)

    async def end(self, at: datetime, register: float, reason: str = "Local") -> None:
        """End."""
        if self.old:
            stop = {
                "transactionId": self.transaction,
                "meterStop": register,
                "timestamp": _text(at),
                "reason": reason,
            }
            await self.client.call("StopTransaction", stop)
        else:
            await self._event("Ended", at, register)

    async def status(self, at: datetime, status: str) -> None:
        """Report the connector's status, in the words of the version."""
        if self.old:
            report = {
                "connectorId": self.evse,
                "errorCode": "NoError",
                "status": status,
                "timestamp": _text(at),
            }
        else:
            report = {
                "evseId": self.evse, "connectorId": 1, "connectorStatus": status, "timestamp": _text(at),
            }  # fmt: skip
        await self.client.call("StatusNotification", report)

    async def _event(
        self, kind: str, at: datetime, register: float, power: float | None = None, **more: Any
    ) -> dict[str, Any]:
        values: list[dict[str, Any]] = [{"value": register}]
        if power is not None:
            values.append({"value": power, "measurand": "Power.Active.Import"})
        info = {"transactionId": self.transaction, **more.pop("transactionInfo", {})}
        event = {
            "eventType": kind,
            "timestamp": _text(at),
            "triggerReason": _TRIGGERS[kind],
            "seqNo": self._said,
            "transactionInfo": info,
            "evse": {"id": self.evse, "connectorId": 1},
            "idToken": {"idToken": self.token, "type": "ISO14443"},
            "meterValue": [{"timestamp": _text(at), "sampledValue": values}],
            **more,
        }
        self._said += 1
        answer: dict[str, Any] = await self.client.call("TransactionEvent", event)
        return answer
