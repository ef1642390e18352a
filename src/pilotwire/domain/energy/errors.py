"""What people can get wrong with energy management."""

from collections.abc import Sequence

from pilotwire.core.errors import Conflict, Invalid
from pilotwire.domain.energy.validation import Problem

__all__ = ["EnergyOff", "InvalidTree", "TreeChanged"]


class InvalidTree(Invalid):
    """The energy tree has faults."""

    code = "invalid_energy_tree"

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{first.where}: {first.message}{more}")
        self.problems = tuple(problems)


class TreeChanged(Conflict):
    """Somebody else has changed the tree meanwhile."""

    code = "energy_tree_changed"


class EnergyOff(Conflict):
    """Energy management does not run at this site."""

    code = "energy_off"
