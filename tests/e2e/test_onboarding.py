"""A charger is led in by the wizard: settings, a wrong password explained, admission, a test session."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Site
from tests.e2e.pages import PATIENCE_MS, ask, knocks, signed_in
from tests.support.stations import Station, moment, station

pytestmark = pytest.mark.xdist_group("e2e")


@pytest.fixture
def desk(browser: Browser, site: Site) -> Iterator[Page]:
    """A wide page of somebody who has signed in."""
    with signed_in(browser, site, "/stations") as page:
        yield page


async def _lives(site: Site, identity: str, password: str) -> list[str]:
    """Be a charger: boot, boot again when asked, charge when told to. Ends with its session; gives what it was asked."""
    asked: list[str] = []
    heard: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def answer(action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        asked.append(action)
        heard[action].set()
        if action in ("TriggerMessage", "RemoteStartTransaction"):
            return {"status": "Accepted"}
        return None

    async with station(site.stations_url, identity, "1.6", password=password, answer=answer) as charger:
        assert (await charger.boot())["status"] == "Pending"
        await asyncio.wait_for(heard["TriggerMessage"].wait(), 120)
        assert (await charger.boot())["status"] == "Accepted"
        await _status(charger, "Available")
        await asyncio.wait_for(heard["RemoteStartTransaction"].wait(), 120)
        tag = next(payload for action, payload in charger.calls if action == "RemoteStartTransaction")[
            "idTag"
        ]
        start = {"connectorId": 1, "idTag": tag, "meterStart": 1000, "timestamp": moment()}
        started = await charger.call("StartTransaction", start)
        await _status(charger, "Charging")
        sampled = {"value": "7400", "measurand": "Power.Active.Import", "unit": "W"}
        values = [{"timestamp": moment(10), "sampledValue": [sampled]}]
        number = started["transactionId"]
        await charger.call("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": values})
        await asyncio.wait_for(heard["RemoteStopTransaction"].wait(), 120)
    return asked


async def _status(charger: Station, status: str) -> None:
    await charger.call(
        "StatusNotification",
        {"connectorId": 1, "status": status, "errorCode": "NoError", "timestamp": moment()},
    )


def test_a_charger_is_led_from_its_make_to_its_first_session(desk: Page, site: Site) -> None:
    desk.get_by_role("button", name="Add station").first.click()
    desk.get_by_label("Search make or model").fill("wallbox")
    desk.get_by_role("radio", name=re.compile("^Wallbox")).focus()
    desk.keyboard.press("Space")
    desk.keyboard.press("Enter")
    desk.get_by_label("Identity", exact=True).fill("no blanks allowed")
    desk.get_by_role("button", name="Add and show the settings").click()
    expect(desk.get_by_role("alert")).to_contain_text("letters, digits")
    desk.get_by_label("Identity", exact=True).fill("NEW-1")
    desk.get_by_role("button", name="Add and show the settings").click()

    # What to type, in the maker's words.
    expect(desk.get_by_role("heading", name="Type this into the Wallbox")).to_be_visible()
    expect(desk.get_by_text(site.stations_url, exact=True)).to_be_visible()
    expect(desk.get_by_text("Charge Point Identity")).to_be_visible()
    desk.get_by_role("button", name="Show Password as QR code").click()
    code = desk.get_by_role("img", name=re.compile("^Password: "))
    password = (code.get_attribute("aria-label") or "").removeprefix("Password: ")
    assert len(password) == 20
    expect(desk.get_by_text("Waiting for NEW-1")).to_be_visible()

    # Two that fail, each explained.
    assert site.start(knocks(site, "NEW-1", "not the right password")).result(60) == 401
    expect(desk.get_by_text("The password is wrong.")).to_be_visible(timeout=PATIENCE_MS)
    assert site.start(knocks(site, "NEW-ONE", password)).result(60) == 401
    expect(desk.get_by_text("No station of this identity exists.")).to_be_visible(timeout=PATIENCE_MS)
    expect(desk.get_by_role("button", name="Add a station of this identity")).to_be_visible()

    charger = site.start(_lives(site, "NEW-1", password))
    expect(desk.get_by_text("Is this your charger?")).to_be_visible(timeout=PATIENCE_MS)
    expect(desk.get_by_text("Acme One")).to_be_visible(timeout=PATIENCE_MS)
    desk.get_by_text("What it said first: BootNotification").click()
    expect(desk.get_by_text('"chargePointVendor": "Acme"')).to_be_visible()
    desk.get_by_role("button", name="Admit", exact=True).click()

    test = desk.get_by_role("button", name="Start a test session")
    expect(test).to_be_enabled(timeout=PATIENCE_MS)
    test.click()
    dialog = desk.get_by_role("alertdialog")
    dialog.get_by_label("Token").fill(ask(desk, "/tokens?limit=1")["items"][0]["uid"])
    dialog.get_by_role("button", name="Start charging").click()
    expect(desk.get_by_text("It charges. The station is in.")).to_be_visible(timeout=PATIENCE_MS)
    desk.get_by_label("Stop charging at EVSE 1").click()
    dialog.get_by_role("button", name="Stop charging").click()
    assert charger.result(120)[:1] == ["TriggerMessage"]


def test_a_charger_with_an_enrolment_key_is_shown_and_admitted(browser: Browser, site: Site) -> None:
    phone = {"width": 390, "height": 844}
    with signed_in(browser, site, "/onboarding?step=identity&brand=other", viewport=phone) as page:
        page.get_by_role("radio", name=re.compile("^With an enrolment key")).check()
        page.get_by_label("Name of the key").fill("Harbour")
        page.get_by_role("button", name="Make key and show the settings").click()
        page.get_by_role("button", name="Show Password as QR code").click()
        label = page.get_by_role("img", name=re.compile("^Password: ")).get_attribute("aria-label") or ""
        # Nothing is wider than the screen.
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        key = label.removeprefix("Password: ")
        charger = site.start(_lives(site, "FIELD-7", key))
        page.get_by_role("link", name="FIELD-7").click()
        expect(page.get_by_text("Is this your charger?")).to_be_visible()
        page.get_by_role("button", name="Admit", exact=True).click()
        expect(page.get_by_role("button", name="Start a test session")).to_be_enabled(timeout=PATIENCE_MS)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        charger.cancel()


def test_the_wizard_speaks_german(browser: Browser, site: Site) -> None:
    with signed_in(browser, site, "/onboarding", locale="de-DE") as page:
        expect(page.get_by_text("Welche Ladestation ist es?").first).to_be_visible()
        page.get_by_role("radio", name=re.compile("^Zaptec")).check()
        page.get_by_role("button", name="Weiter").click()
        page.get_by_label("Kennung", exact=True).fill("ZAP-1")
        page.get_by_role("button", name="Anlegen und Einstellungen zeigen").click()
        # Zaptec wants the identity in the address.
        expect(page.get_by_text(f"{site.stations_url}/ZAP-1", exact=True)).to_be_visible()
        expect(page.get_by_text("Warten auf ZAP-1")).to_be_visible()
        assert site.start(knocks(site, "ZAP-1", "falsch ist dieses Wort")).result(60) == 401
        expect(page.get_by_text("Das Passwort ist falsch.")).to_be_visible(timeout=PATIENCE_MS)
