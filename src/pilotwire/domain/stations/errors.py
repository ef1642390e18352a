"""What people can get wrong with stations and sites."""

from pilotwire.core.errors import Conflict

__all__ = ["GroupExists", "SecretRefused", "SiteExists", "SiteInUse", "StationExists", "StationHasSessions"]


class SecretRefused(Conflict):
    """The station did not take the new secret; the present one stays good."""

    code = "secret_refused"


class StationExists(Conflict):
    """A station of this identity exists."""

    code = "station_exists"


class StationHasSessions(Conflict):
    """The station has charging sessions, which are kept; set its admission to rejected instead."""

    code = "station_has_sessions"


class SiteExists(Conflict):
    """A site of this name exists."""

    code = "site_exists"


class SiteInUse(Conflict):
    """Stations or enrolment keys belong to the site."""

    code = "site_in_use"


class GroupExists(Conflict):
    """A group of this name exists."""

    code = "group_exists"
