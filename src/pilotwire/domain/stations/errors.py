"""What people can get wrong with stations and sites."""

from pilotwire.core.errors import Conflict

__all__ = ["SiteExists", "SiteInUse", "StationExists", "StationHasSessions", "TemplateExists"]


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


class TemplateExists(Conflict):
    """This vendor and model have a configuration template."""

    code = "template_exists"
