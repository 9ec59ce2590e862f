"""Fixtures that every test module may ask for, and how property tests run."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.live_server", "tests.refreshed", "tests.browser"]

# A busy machine is no failure: no test here is about time.
settings.register_profile("patient", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


PUBLISHED = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Public files that transcriptions are compared with."""
MOST_SKIPS = 20
"""A whole run that skips more tests has lost some: it fails."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs the published files where they are not; put tests of the refreshed folder last but for one.

    That one begins to build the folder while others run.
    """
    if not PUBLISHED.exists():
        absent = [item for item in items if item.get_closest_marker("published")]
        config.hook.pytest_deselected(items=absent)
        items[:] = [item for item in items if item not in set(absent)]
    waiting = [item for item in items if "refreshed" in getattr(item, "fixturenames", ())]
    others = [item for item in items if item not in set(waiting)]
    items[:] = waiting[:1] + others + waiting[1:]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run of all default tests that skipped more than MOST_SKIPS of them."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = len(reporter.stats.get("skipped", [])) if reporter else 0
    is_whole = list(session.config.args) == ["tests"] and not session.config.getoption("keyword")
    if skipped > MOST_SKIPS and is_whole and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"{skipped} tests were skipped, and at most {MOST_SKIPS} may be")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
