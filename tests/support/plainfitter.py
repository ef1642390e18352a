"""Fits plain models within the test's own process: the library has a test of its own."""

from collections.abc import AsyncGenerator, AsyncIterator

from pilotwire.domain.energy.forecasts.fitting import fit_site
from pilotwire.domain.energy.forecasts.shapes import Model, SitePast

__all__ = ["PlainFitter"]


class PlainFitter:
    """A `ModelFitter` without trees."""

    async def fit(self, pasts: AsyncIterator[SitePast]) -> AsyncGenerator[list[Model], None]:
        """Give the models of one site after the other."""
        async for past in pasts:
            yield fit_site(past, None)
