"""Options that several commands share."""

from typing import Annotated

import typer

__all__ = ["Key", "Url"]

Url = Annotated[str, typer.Option(envvar="PILOTWIRE_URL", help="A running server.")]
Key = Annotated[str, typer.Option(envvar="PILOTWIRE_API_KEY", help="An API key of the role operator.")]
