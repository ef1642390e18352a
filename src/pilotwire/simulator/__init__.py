"""Charging stations and cars in software: for the demo, for training and for tests.

The simulator speaks OCPP 1.6, 2.0.1 and 2.1 to any server and shares no code with Pilotwire's own OCPP
edge, so that a mistake in one is seen by the other. `run.simulate` is the way in; `demo.demo_network` and
`history.past_sessions` make the demo's sites and their past.
"""
