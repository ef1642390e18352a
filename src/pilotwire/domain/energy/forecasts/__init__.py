"""Forecasts of a site: base load, sun and wind, arrivals, and how long and how much cars charge. Pure.

Every target has two models that are fitted on the same past: gradient-boosted trees for quantiles, and a plain one of
quantiles by hour. The later part of the past says which of them is used.
"""
