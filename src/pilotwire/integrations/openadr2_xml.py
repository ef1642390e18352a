"""Messages of OpenADR 2.0b as XML: a tree of what is sent, and plain ways to look at what comes.

Spec: OpenADR 2.0b Profile Specification 1.1, payloads of the services EiRegisterParty, EiEvent, EiReport and OadrPoll.
"""

from collections.abc import Iterator
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

__all__ = ["all_of", "at", "element", "in_envelope", "name_of", "read_envelope", "text_at"]

_NAMESPACES = {
    "oadr": "http://openadr.org/oadr-2.0b/2012/07",
    "ei": "http://docs.oasis-open.org/ns/energyinterop/201110",
    "pyld": "http://docs.oasis-open.org/ns/energyinterop/201110/payloads",
    "emix": "http://docs.oasis-open.org/ns/emix/2011/06",
    "power": "http://docs.oasis-open.org/ns/emix/2011/06/power",
    "scale": "http://docs.oasis-open.org/ns/emix/2011/06/siscale",
    "xcal": "urn:ietf:params:xml:ns:icalendar-2.0",
    "strm": "urn:ietf:params:xml:ns:icalendar-2.0:stream",
}
for _prefix, _uri in _NAMESPACES.items():
    ET.register_namespace(_prefix, _uri)
_DEEPEST = 40


def element(name: str, *content: Element | str | None) -> Element:
    """Make an element such as `ei:venID`; what is None is left out."""
    made = Element(_qualified(name))
    for each in content:
        if isinstance(each, str):
            made.text = each
        elif each is not None:
            made.append(each)
    return made


def in_envelope(message: Element) -> bytes:
    """Wrap a message as it is sent."""
    message.set(_qualified("ei:schemaVersion"), "2.0b")
    signed = element("oadr:oadrSignedObject", message)
    content: bytes = ET.tostring(element("oadr:oadrPayload", signed), encoding="utf-8", xml_declaration=True)
    return content


def read_envelope(content: bytes) -> Element:
    """Give the message in an answer.

    Raises: ValueError that says what is wrong with it.
    """
    # No message of OpenADR has a document type; with none, there is no entity that could be blown up or fetched.
    if b"<!" in content.replace(b"<!--", b"").replace(b"<![CDATA[", b""):
        raise ValueError("the answer has a document type, which no message of OpenADR has")
    try:
        whole = ET.fromstring(content)  # noqa: S314 - see above
    except ET.ParseError as error:
        raise ValueError(f"the answer is no XML: {error}") from error
    if _depth(whole) > _DEEPEST:
        raise ValueError("the answer is nested too deeply")
    signed = at(whole, "oadrSignedObject")
    message = None if signed is None else next(iter(signed), None)
    if name_of(whole) != "oadrPayload" or message is None:
        raise ValueError("the answer is no message of OpenADR 2.0b")
    return message


def name_of(found: Element) -> str:
    """Give the name of an element without its namespace."""
    return found.tag.rpartition("}")[2]


def at(found: Element | None, *path: str) -> Element | None:
    """Give the first element at a path of names, whatever their namespaces."""
    for name in path:
        found = None if found is None else next((each for each in found if name_of(each) == name), None)
    return found


def text_at(found: Element | None, *path: str) -> str:
    """Give the text at a path; empty where there is none."""
    there = at(found, *path)
    return "" if there is None or there.text is None else there.text.strip()


def all_of(found: Element | None, name: str) -> Iterator[Element]:
    """Give all children of a name."""
    return iter(()) if found is None else (each for each in found if name_of(each) == name)


def _qualified(name: str) -> str:
    prefix, _, local = name.rpartition(":")
    return f"{{{_NAMESPACES[prefix]}}}{local}" if prefix else local


def _depth(found: Element) -> int:
    deepest, level = 0, [found]
    while level and deepest <= _DEEPEST:
        deepest, level = deepest + 1, [child for each in level for child in each]
    return deepest
