"""Cases of the certification programme that operators meet by sending an OCPP message of their own."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.operations import Operations, operations
from tests.support.schema_strategies import validator
from tests.support.stations import station

HASHES = {"hashAlgorithm": "SHA256", "issuerNameHash": "a1", "issuerKeyHash": "b2", "serialNumber": "c3"}
CHAIN = {"certificateType": "CSMSRootCertificate", "certificateHashData": HASHES}
PROFILE = {
    "id": 9,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxProfile",
    "chargingProfileKind": "Relative",
    "transactionId": "T-1",
    "chargingSchedule": [
        {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 8.0}]}
    ],
}
CASES: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("TC_K_02", "SetChargingProfile", {"evseId": 1, "chargingProfile": PROFILE}, {"status": "Rejected"}),
    (
        "TC_K_34",
        "GetChargingProfiles",
        {"requestId": 3, "chargingProfile": {"chargingLimitSource": ["EMS"]}},
        {"status": "NoProfiles"},
    ),
    (
        "TC_M_17",
        "GetInstalledCertificateIds",
        {"certificateType": ["CSMSRootCertificate", "ManufacturerRootCertificate"]},
        {"status": "Accepted", "certificateHashDataChain": [CHAIN]},
    ),
    (
        "TC_M_18",
        "GetInstalledCertificateIds",
        {},
        {"status": "Accepted", "certificateHashDataChain": [CHAIN]},
    ),
    (
        "TC_N_63",
        "CustomerInformation",
        {"requestId": 4, "report": True, "clear": False, "customerCertificate": HASHES},
        {"status": "Accepted"},
    ),
]


@pytest.fixture
async def system(postgres_server: str) -> AsyncIterator[Operations]:
    async with operations(postgres_server) as made:
        await made.edge.add_stations("CP-1")
        yield made


@pytest.mark.covers(*(case[0] for case in CASES))
async def test_a_message_of_ones_own_is_sent_as_it_is_and_its_answer_given(system: Operations) -> None:
    answers = {(action, str(sorted(payload))): answer for _, action, payload, answer in CASES}

    def answer(action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        return answers.get((action, str(sorted(payload))))

    async with station(system.edge.url, "CP-1", "2.0.1", answer=answer) as cp:
        await cp.boot()
        for name, action, payload, said in CASES:
            validator("2.0.1", f"{action}Request").validate(payload)
            sent = await system.http.post(f"/api/v1/stations/CP-1/call/{action}", json=payload)
            assert sent.json() == {"outcome": "result", "payload": said}, name
            assert cp.calls[-1] == (action, payload), name


@pytest.mark.covers("TC_C_47", "TC_C_48", "TC_C_49")
async def test_a_master_pass_is_a_token_of_the_group_that_the_station_is_told(system: Operations) -> None:
    written: list[dict[str, Any]] = []

    def answer(action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        if action == "SetVariables":
            (data,) = payload["setVariableData"]
            written.append(data)
            place = {"component": data["component"], "variable": data["variable"]}
            return {"setVariableResult": [{"attributeStatus": "Accepted", **place}]}
        if action == "GetVariables":
            (data,) = payload["getVariableData"]
            return {
                "getVariableResult": [{"attributeStatus": "Accepted", "attributeValue": "MASTERS", **data}]
            }
        return None

    made = await system.http.post("/api/v1/tokens", json={"uid": "MASTER-1", "group_id": "MASTERS"})
    assert made.status_code == 201
    async with station(system.edge.url, "CP-1", "2.0.1", answer=answer) as cp:
        await cp.boot()
        done = await system.run(
            "CP-1", "write_settings", settings=[{"name": "AuthCtrlr/MasterPassGroupId", "value": "MASTERS"}]
        )
        assert (done["state"], done["outcome"]) == ("done", "accepted"), done
        assert written[0]["variable"]["name"] == "MasterPassGroupId"
        token = {"idToken": {"idToken": "MASTER-1", "type": "ISO14443"}}
        verdict = (await cp.call("Authorize", token))["idTokenInfo"]
        assert verdict["status"] == "Accepted"
        assert verdict["groupIdToken"]["idToken"] == "MASTERS", (
            "the station sees by it that this ends every session"
        )
