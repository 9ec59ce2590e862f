"""Fixtures that every test module may ask for, and how property tests run."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.live_server", "tests.refreshed", "tests.browser"]

# A busy machine is no failure: no test here is about time.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
