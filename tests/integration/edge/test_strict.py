"""Strict mode refuses what lenient mode repairs."""

import pytest

from tests.support.edge import migrated_database, running_edge
from tests.support.stations import Refused, station

BOOTS = {
    "1.6": '{"chargePointVendor":"Acme","chargePointModel":"One","colour":"red"}',
    "2.0.1": '{"reason":"PowerUp","chargingStation":{"vendorName":"Acme","model":"One"},"colour":"red"}',
}
CODES = {"1.6": "FormationViolation", "2.0.1": "ProtocolError"}


@pytest.mark.parametrize("version", BOOTS)
async def test_a_field_that_the_schema_does_not_have(postgres_server: str, version: str) -> None:
    frame = f'[2,"b","BootNotification",{BOOTS[version]}]'
    async with running_edge(migrated_database(postgres_server), "strict", ocpp_strict=True) as edge:
        await edge.add_stations("CP-1")
        async with station(edge.url, "CP-1", version) as cp:
            with pytest.raises(Refused) as refused:
                await cp.exchange(frame, "b")
            assert refused.value.code == CODES[version]
            assert (await cp.boot())["status"] == "Accepted"
    async with running_edge(migrated_database(postgres_server), "lenient") as edge:
        await edge.add_stations("CP-1")
        async with station(edge.url, "CP-1", version) as cp:
            assert (await cp.exchange(frame, "b"))["status"] == "Accepted"
        assert await edge.value("SELECT deviations FROM frame") == "unknown_field"


async def test_text_that_is_no_utf_8_closes_the_socket(postgres_server: str) -> None:
    async with running_edge(migrated_database(postgres_server), "strict", ocpp_strict=True) as edge:
        await edge.add_stations("CP-1")
        async with station(edge.url, "CP-1", "1.6") as cp:
            with pytest.raises(ConnectionResetError):
                await cp.exchange(b'[2,"g","DataTransfer",{"vendorId":"\xff"}]', "g")
