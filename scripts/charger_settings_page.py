"""The page on what each make of charger calls its settings, from the file that the console's wizard reads."""

import json
from pathlib import Path

__all__ = ["charger_settings_page"]

FACTS = Path(__file__).resolve().parents[1] / "console" / "src" / "screens" / "onboarding" / "brands.json"
INTRODUCTION = """\
# Settings of chargers

What each make calls the settings that bring a charger onto the server, as its maker or people who run it say (the link). The
console's wizard, *Stations, Add station*, shows the same with the values to type. A dash means that the page names no
field. Where the charger has none either, the identity is the serial number or part of the address, and the password
is the OCPP key `AuthorizationKey`. Add a make in `console/src/screens/onboarding/brands.json`, with its source.

"""
FORMS = {
    "base": "without the identity",
    "whole": "with the identity at its end",
    "parts": "host, port and path apart",
}


def charger_settings_page() -> str:
    """The whole page."""
    lines = [
        "| charger | where | address | identity | password | remarks |",
        "|---|---|---|---|---|---|",
    ]
    for brand in json.loads(FACTS.read_text(encoding="utf-8")):
        if not brand["source"]:
            continue
        fields = {key: value or "-" for key, value in brand["fields"].items()}
        address = FORMS[brand["url"]]
        if brand["fields"]["url"]:
            address = f"{fields['url']}: {address}"
        lines.append(
            f"| [{brand['name']}]({brand['source']})<br>{brand['models']} | {' > '.join(brand['menu'])} "
            f"| {address} | {fields['identity']} | {fields['password']} "
            f"| {brand['note']['en']} |"
        )
    return INTRODUCTION + "\n".join(lines) + "\n"
