"""What the clock and the sun say of an hour: local hour, day of the week, the same hour of a day before, the sun's height.

Hours are those of UTC; a local day of 23 or 25 of them is nothing special.
"""

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pilotwire.domain.energy.forecasts.shapes import STEP_S, Place

__all__ = ["days_before_s", "is_weekend", "local_time", "sun_height"]


def local_time(at_s: float, zone: ZoneInfo) -> datetime:
    """Give a moment as the clocks of a place show it."""
    return datetime.fromtimestamp(at_s, zone)


def is_weekend(local: datetime) -> bool:
    """Tell Saturdays and Sundays."""
    return local.weekday() >= 5


def days_before_s(at_s: float, days: int, zone: ZoneInfo) -> float:
    """Give the hour at which clocks showed the same some days before; an hour that was left out is the one after it.

    Clocks that were set in between are allowed for: eight in the morning stays eight in the morning.
    """
    local = local_time(at_s, zone)
    wall = local.replace(tzinfo=None) - timedelta(days=days)
    found = wall.replace(tzinfo=zone, fold=local.fold).timestamp()
    return math.floor(found / STEP_S) * STEP_S


def sun_height(at_s: float, place: Place) -> float:
    """Give the sine of the sun's height over the horizon, NaN where the place is not known.

    Source: declination and hour angle by the low-precision formulas of the Astronomical Almanac; good to half a degree.
    """
    if place.latitude is None or place.longitude is None:
        return math.nan
    days = (datetime.fromtimestamp(at_s, UTC) - datetime(2000, 1, 1, 12, tzinfo=UTC)) / timedelta(days=1)
    anomaly = math.radians((357.528 + 0.9856003 * days) % 360)
    mean = 280.460 + 0.9856474 * days
    longitude = math.radians(mean + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly))
    tilt = math.radians(23.439)
    declination = math.asin(math.sin(tilt) * math.sin(longitude))
    ascension = math.degrees(math.atan2(math.cos(tilt) * math.sin(longitude), math.cos(longitude)))
    sidereal = 280.46062 + 360.98564737 * days
    hour_angle = math.radians((sidereal + place.longitude - ascension) % 360)
    latitude = math.radians(place.latitude)
    return math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(declination) * math.cos(
        hour_angle
    )
