"""What people can get wrong with configuration."""

from pilotwire.core.errors import Conflict

__all__ = ["TemplateExists"]


class TemplateExists(Conflict):
    """There is a configuration template for these stations."""

    code = "template_exists"
