"""Energy management at work: per site the loops of balancing and planning, and the profiles on their way to stations."""

from pilotwire.jobs.energy.runner import EnergyOptions, EnergyRunner

__all__ = ["EnergyOptions", "EnergyRunner"]
