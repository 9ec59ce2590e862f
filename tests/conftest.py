"""Fixtures that every test module may ask for, and how property tests run."""

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.live_server", "tests.refreshed", "tests.browser"]

# A busy machine is no failure: no test here is about time.
settings.register_profile("patient", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put tests of the refreshed folder last but for one, which begins to build it while others run."""
    waiting = [item for item in items if "refreshed" in getattr(item, "fixturenames", ())]
    others = [item for item in items if item not in set(waiting)]
    items[:] = waiting[:1] + others + waiting[1:]
