"""What real chargers do otherwise than the specification: data, and small pure functions.

Repairs of single fields and of broken JSON are in `codec.lenient`; units, phases and registers in
`domain.sessions.metering` and `decide`; identities and subprotocols in `gateway`. Here is what depends on the
vendor, the model or the firmware, and the catalogue that names every quirk for people.
"""

from pilotwire.ocpp.quirks.catalog import CATALOG
from pilotwire.ocpp.quirks.model import NO_QUIRKS, Behaviour, Quirk
from pilotwire.ocpp.quirks.resolve import behaviour_of, quirks_for

__all__ = ["CATALOG", "NO_QUIRKS", "Behaviour", "Quirk", "behaviour_of", "quirks_for"]
