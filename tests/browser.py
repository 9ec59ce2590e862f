"""A real browser, and the real UI to look at with it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.refreshed import ROOT

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def chromium(*arguments: str) -> Iterator[Any]:
    """A real Chromium, driven over its own protocol; skips the test where none is installed."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"no browser here: none of {', '.join(BROWSERS)} is installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=path, args=["--no-sandbox", *arguments])
        yield started
        started.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """A browser for the tests of one module."""
    with chromium() as started:
        yield started


@contextmanager
def serving(folder: Path, *options: str, module: str = "pipelines.cli") -> Iterator[str]:
    """`iecon ui` over a data folder, as a user starts it; yields its address. Another `module` is run as it is."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"DAGSTER_HOME": str(folder / "dagster"), "ECONOMICS_DATA": str(folder)}
    command = ["ui"] if module == "pipelines.cli" else ["-m", "pipelines.definitions"]
    server = subprocess.Popen(
        [sys.executable, "-m", module, *command, "--host", "127.0.0.1", "--port", str(port), *options],
        cwd=ROOT,
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(480):
            try:
                urllib.request.urlopen(f"{address}/server_info", timeout=2).read()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.25)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)


@pytest.fixture
def webserver(refreshed: Path) -> Iterator[str]:
    """The UI over the refreshed folder, in which it changes nothing."""
    with serving(refreshed, "--read-only") as address:
        yield address
