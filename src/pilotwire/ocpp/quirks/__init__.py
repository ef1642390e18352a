"""What real chargers do otherwise than the specification: data, and small pure functions.

Repairs of single fields and of broken JSON are in `codec.lenient`; units, phases and registers in
`domain.sessions`; identities and subprotocols in `gateway`. Here is what depends on the vendor, the model or the
firmware, and the catalogue that names every quirk for people; docs/reference/quirks.md is made from it, and every
entry has the frames that need it in the replay corpus of the tests.
"""

from pilotwire.ocpp.quirks.catalog import CATALOG
from pilotwire.ocpp.quirks.model import NO_QUIRKS, Behaviour, Quirk, Section
from pilotwire.ocpp.quirks.resolve import behaviour_of, quirks_for

__all__ = ["CATALOG", "NO_QUIRKS", "Behaviour", "Quirk", "Section", "behaviour_of", "quirks_for"]
