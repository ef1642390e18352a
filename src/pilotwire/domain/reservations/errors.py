"""What people can get wrong with reservations."""

from pilotwire.core.errors import Conflict

__all__ = ["ReservationConflict", "ReservationOver"]


class ReservationConflict(Conflict):
    """The place is reserved or in use at that time."""

    code = "reservation_conflict"


class ReservationOver(Conflict):
    """The reservation is over."""

    code = "reservation_over"
