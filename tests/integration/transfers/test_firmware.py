"""Firmware: uploaded, served to one station for one command, installed, and seen at the boot."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.operations import Operations, eventually
from tests.support.stations import Station, station
from tests.support.transfers import CONTENT, Updating, add_firmware, sign


def orders(cp: Station) -> list[tuple[str, dict[str, Any]]]:
    """What a station was asked to install; the server reads settings by itself too."""
    return [each for each in cp.calls if each[0] in ("UpdateFirmware", "SignedUpdateFirmware")]


def location_of(cp: Station) -> str:
    """The address in the newest order for firmware."""
    action, payload = orders(cp)[-1]
    found: str = (
        payload["location"]
        if action == "UpdateFirmware" and "location" in payload
        else (payload["firmware"]["location"])
    )
    return found


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
async def test_an_image_is_fetched_installed_and_seen_at_the_boot(system: Operations, version: str) -> None:
    image = await add_firmware(system)
    updating = Updating(lambda: cp)
    async with station(system.edge.url, "CP-1", version, answer=updating.answer) as cp:
        await updating.boot()
        result = await system.run("CP-1", "update_firmware", image_id=image["id"])
        assert updating.installed == [CONTENT]
        action, _ = orders(cp)[0]
        assert action == "UpdateFirmware"
        assert location_of(cp).endswith("/fw-2.1.0.bin")
        assert len(location_of(cp)) <= 512
        async with httpx.AsyncClient(timeout=60) as http:
            again = await http.get(location_of(cp))
        assert (again.status_code, again.json()["code"]) == (410, "address_used")
    assert (result["state"], result["outcome"]) == ("done", "installed")
    assert result["result"]["firmware_version"] == result["result"]["wanted_version"] == "2.1.0"
    assert result["result"]["previous_version"] == "1.0.0"


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
async def test_a_signed_image_is_ordered_as_such(system: Operations, version: str) -> None:
    signature, certificate = sign(CONTENT)
    image = await add_firmware(system, signature=signature, signing_certificate=certificate)
    assert image["signed"]
    updating = Updating(lambda: cp)
    async with station(system.edge.url, "CP-1", version, answer=updating.answer) as cp:
        await updating.boot()
        result = await system.run("CP-1", "update_firmware", image_id=image["id"])
        action, payload = orders(cp)[0]
        assert action == ("SignedUpdateFirmware" if version == "1.6" else "UpdateFirmware")
        firmware = payload["firmware"]
        assert (firmware["signature"], firmware["signingCertificate"]) == (signature, certificate)
    assert (result["state"], result["outcome"]) == ("done", "installed")


async def test_a_signed_image_goes_unsigned_to_an_old_station_if_asked(system: Operations) -> None:
    signature, certificate = sign(CONTENT, "ec")
    image = await add_firmware(system, signature=signature, signing_certificate=certificate)
    updating = Updating(lambda: cp)
    async with station(system.edge.url, "CP-1", "1.6", answer=updating.answer) as cp:
        await updating.boot()
        result = await system.run("CP-1", "update_firmware", image_id=image["id"], signed=False)
        assert orders(cp)[0][0] == "UpdateFirmware"
    assert result["state"] == "done"


async def test_another_version_at_the_boot_is_a_failure(system: Operations) -> None:
    image = await add_firmware(system, version="2.2.0")  # the file's name promises 2.1.0
    updating = Updating(lambda: cp)
    async with station(system.edge.url, "CP-1", answer=updating.answer) as cp:
        await updating.boot()
        result = await system.run("CP-1", "update_firmware", image_id=image["id"])
    assert (result["state"], result["outcome"]) == ("failed", "other_version")
    assert "2.2.0" in result["detail"]
    assert "2.1.0" in result["detail"]


async def test_without_a_boot_installed_counts_after_a_while(system: Operations) -> None:
    image = await add_firmware(system)
    updating = Updating(lambda: cp)
    updating.boots = False
    async with station(system.edge.url, "CP-1", answer=updating.answer) as cp:
        await updating.boot()
        result = await system.run("CP-1", "update_firmware", image_id=image["id"], confirm_within_s=1)
        at_once = await system.run(
            "CP-1", "update_firmware", image_id=image["id"], confirm_within_s=0, reinstall=True
        )
    assert (result["state"], result["outcome"], result["detail"]) == (
        "done", "installed", "the station has not booted since",
    )  # fmt: skip
    assert (at_once["state"], at_once["outcome"]) == ("done", "installed")


async def test_a_station_that_has_it_already_is_left_alone(system: Operations) -> None:
    image = await add_firmware(system)
    updating = Updating(lambda: cp, "2.1.0")
    async with station(system.edge.url, "CP-1", answer=updating.answer) as cp:
        await updating.boot()
        result = await system.run("CP-1", "update_firmware", image_id=image["id"])
        assert (result["state"], result["outcome"]) == ("done", "already_installed")
        assert orders(cp) == []
        again = await system.run("CP-1", "update_firmware", image_id=image["id"], reinstall=True)
        assert again["outcome"] == "installed"


async def test_another_make_is_refused(system: Operations) -> None:
    image = await add_firmware(system, vendor="Other", model="X")
    async with station(system.edge.url, "CP-1") as cp:
        await cp.boot()
    body = {"command": "update_firmware", "image_id": image["id"]}
    answer = await system.http.post("/api/v1/stations/CP-1/commands", json=body)
    assert answer.status_code == 422
    assert "Other X" in answer.json()["detail"]
    anyway = await system.http.post("/api/v1/stations/CP-1/commands", json=body | {"any_make": True})
    assert anyway.status_code == 202


@pytest.fixture
async def ordered(system: Operations) -> AsyncIterator[tuple[Station, str]]:
    """A station that has been told an address, and does nothing by itself."""
    image = await add_firmware(system)
    async with station(system.edge.url, "CP-1", answer=lambda *_: {"status": "Accepted"}) as cp:
        await cp.boot()
        await system.give("CP-1", "update_firmware", image_id=image["id"])
        await eventually(lambda: orders(cp))
        yield cp, location_of(cp)


async def test_a_download_that_broke_off_is_continued(
    system: Operations, ordered: tuple[Station, str]
) -> None:
    _, location = ordered
    digest = hashlib.sha256(CONTENT).hexdigest()
    async with httpx.AsyncClient(timeout=60) as http:
        head = await http.head(location)
        assert (head.status_code, head.headers["content-length"]) == (200, str(len(CONTENT)))
        assert (head.headers["etag"], head.headers["accept-ranges"]) == (f'"{digest}"', "bytes")
        async with http.stream("GET", location) as answer:
            async for part in answer.aiter_raw():
                got = part
                break
        await asyncio.sleep(0.5)  # a station waits too before it tries again
        rest = await http.get(location, headers={"Range": f"bytes={len(got)}-", "If-Range": f'"{digest}"'})
        assert (rest.status_code, got + rest.content) == (206, CONTENT)
        assert rest.headers["content-range"] == f"bytes {len(got)}-{len(CONTENT) - 1}/{len(CONTENT)}"


async def test_parts_are_served_and_the_whole_once(system: Operations, ordered: tuple[Station, str]) -> None:
    _, location = ordered
    size = len(CONTENT)
    async with httpx.AsyncClient(timeout=60) as http:
        for wanted, expected in (
            ("bytes=0-9", CONTENT[:10]),
            ("bytes=-5", CONTENT[-5:]),
            (f"bytes={size - 1}-{size + 100}", CONTENT[-1:]),
        ):
            part = await http.get(location, headers={"Range": wanted})
            assert (part.status_code, part.content) == (206, expected)
        beyond = await http.get(location, headers={"Range": f"bytes={size}-"})
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
        outdated = await http.get(location, headers={"Range": "bytes=5-", "If-Range": '"older"'})
        assert (outdated.status_code, outdated.content) == (200, CONTENT)
        assert (await http.get(location)).status_code == 410
        assert (await http.get(location, headers={"Range": "bytes=5-"})).status_code == 410


async def test_an_address_of_nobody_and_one_past_its_time(
    system: Operations, ordered: tuple[Station, str]
) -> None:
    _, location = ordered
    before, _, name = location.rpartition("/")
    async with httpx.AsyncClient(timeout=60) as http:
        nobody = await http.get(f"{before[:-1]}{'A' if before[-1] != 'A' else 'B'}/{name}")
        assert (nobody.status_code, nobody.json()["code"]) == (404, "unknown_address")
        await system.edge.rows("UPDATE file_grant SET expires_at = now() - interval '1 second'")
        assert (await http.get(location)).status_code == 410


async def test_the_address_ends_with_its_command(system: Operations, ordered: tuple[Station, str]) -> None:
    cp, location = ordered
    number = orders(cp)[-1][1]["requestId"]
    await cp.call("FirmwareStatusNotification", {"status": "DownloadFailed", "requestId": number})
    await asyncio.sleep(0.3)
    async with httpx.AsyncClient(timeout=60) as http:
        assert (await http.get(location)).status_code == 410


async def test_the_secret_of_the_address_is_not_kept(
    system: Operations, ordered: tuple[Station, str]
) -> None:
    _, location = ordered
    secret = location.split("/")[-2]
    await asyncio.sleep(0.2)
    frames = await system.edge.rows("SELECT request FROM frame")
    assert any("UpdateFirmware" in row["request"] for row in frames)
    assert not any(secret in row["request"] for row in frames)
    dumped = await system.edge.rows("SELECT c::text AS c FROM command c UNION ALL SELECT t::text FROM task t")
    assert not any(secret in row["c"] for row in dumped)


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"", {}, 422, "invalid"),
        (b"x", {"X-Checksum-Sha256": "00" * 32}, 422, "checksum_mismatch"),
        (b"x", {"X-Checksum-Sha256": "00"}, 422, "invalid"),
        (b"x" * (4 * 1024 * 1024 + 1), {}, 413, "file_too_large"),
    ],
)
async def test_what_is_wrong_with_a_file_is_said_and_nothing_is_kept(
    system: Operations, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    image = await add_firmware(system, upload=False)
    address = f"/api/v1/firmware/{image['id']}/content"
    refused = await system.http.put(address, content=content, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert (await system.http.get(address)).status_code == 409
    wanted = await system.http.post(
        "/api/v1/stations/CP-1/commands", json={"command": "update_firmware", "image_id": image["id"]}
    )
    assert (wanted.status_code, wanted.json()["code"]) == (409, "firmware_incomplete")
    assert (await system.http.put(address, content=CONTENT)).status_code == 200
    assert (await system.http.get(address)).content == CONTENT
    assert (await system.http.put(address, content=CONTENT)).json()["code"] == "firmware_uploaded"


async def test_too_large_without_a_stated_size(system: Operations) -> None:
    image = await add_firmware(system, upload=False)

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(80):
            yield b"x" * 65536

    answer = await system.http.put(f"/api/v1/firmware/{image['id']}/content", content=parts())
    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")


@pytest.mark.parametrize("kind", ["pss", "pkcs1", "ec"])
async def test_a_wrong_signature_is_refused_at_the_upload(system: Operations, kind: str) -> None:
    signature, certificate = sign(CONTENT, kind)
    image = await add_firmware(system, upload=False, signature=signature, signing_certificate=certificate)
    address = f"/api/v1/firmware/{image['id']}/content"
    refused = await system.http.put(address, content=CONTENT + b"!")
    assert (refused.status_code, refused.json()["code"]) == (422, "wrong_signature")
    assert (await system.http.put(address, content=CONTENT)).status_code == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"signature": "AAAA"},
        {"signature": "AAAA", "signing_certificate": "no certificate"},
        {"version": ""},
        {"vendor": " "},
    ],
)
async def test_impossible_firmware_is_refused(system: Operations, fields: dict[str, Any]) -> None:
    body = {"vendor": "Acme", "version": "1", **fields}
    assert (await system.http.post("/api/v1/firmware", json=body)).status_code == 422


async def test_firmware_in_use_is_not_removed(system: Operations) -> None:
    image = await add_firmware(system)
    twice = await system.http.post("/api/v1/firmware", json={"vendor": "ACME", "version": "2.1.0"})
    assert (twice.status_code, twice.json()["code"]) == (409, "firmware_exists")
    task = await system.give("CP-1", "update_firmware", image_id=image["id"])
    address = f"/api/v1/firmware/{image['id']}"
    kept = await system.http.delete(address)
    assert (kept.status_code, kept.json()["code"]) == (409, "firmware_in_use")
    await system.http.post(f"/api/v1/tasks/{task}/cancel")
    assert (await system.http.delete(address)).status_code == 204
    assert (await system.http.get(address)).status_code == 404


async def test_versions_say_who_is_behind(system: Operations) -> None:
    await system.edge.add_stations("CP-2")
    for identity, version in (("CP-1", "1.0.0"), ("CP-2", "2.1.0")):
        updating = Updating(lambda: cp, version)
        async with station(system.edge.url, identity) as cp:
            await updating.boot()
    before = (await system.http.get("/api/v1/firmware-versions")).json()["items"]
    assert [(each["firmware_version"], each["behind"]) for each in before] == [
        ("1.0.0", False), ("2.1.0", False),
    ]  # fmt: skip
    await add_firmware(system, model="Other", version="9")
    image = await add_firmware(system)
    await add_firmware(system, version="3.0.0", upload=False)
    pages = []
    cursor = ""
    while cursor is not None:
        page = (await system.http.get(f"/api/v1/firmware-versions?limit=1&cursor={cursor}")).json()
        pages += page["items"]
        cursor = page["next"]
    assert [(each["firmware_version"], each["stations"], each["behind"]) for each in pages] == [
        ("1.0.0", 1, True), ("2.1.0", 1, False),
    ]  # fmt: skip
    assert pages[0]["newest_image_id"] == image["id"]
    assert pages[0]["newest_version"] == "2.1.0"
