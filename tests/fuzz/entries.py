"""Every place where bytes from outside come in, each as a function of bytes that fails on anything but rows or a refusal.

`kept(name)` are the inputs of each in `tests/fuzz/seeds`: `whole`, a small document that is read, and any that once broke it.
"""

import importlib
import inspect
import pkgutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import polars as pl

import sources
from answers.route.table import BadUsageError, RefusedTableError, read_outcomes
from pipelines.notify import FAILURES, failures
from schemas.quarantine import Parsed, Rejected
from schemas.serving.benchmark_outputs import OperatingPoint
from sources.publishers import CATALOGUE
from sources.serving.benchmark_outputs import FORMATS, parse, read_meta
from sources.serving.user_files import read_trace
from sources.source import Snapshot, Source, content_hash
from sources.transports import bronze
from sources.transports.http import FetchError
from sources.transports.package_registry import read_member
from warehouse.resources import read_settings

SEEDS = Path(__file__).parent / "seeds"
DAY = datetime(2026, 12, 1, 12, tzinfo=UTC)
MEMBER, MEMBER_BYTES = "prices.json", 1_000_000
Read = Callable[[bytes], bool]
"""Whether anything was read; False for a body that was refused whole."""


def kept(name: str) -> dict[str, bytes]:
    """The kept inputs of an entry by name; `whole` is one that is read."""
    return {file.name: file.read_bytes() for file in sorted((SEEDS / name).iterdir())}


def refused(error: Exception, source: str = "") -> bool:
    """False, for a refusal in one line, which names the source."""
    assert len(str(error).splitlines()) == 1, str(error)
    assert source in str(error)
    return False


def parsers() -> Iterator[tuple[str, Read]]:
    """Each function of `sources` that makes rows of a snapshot, with the source that its kept document is of."""
    published = {source.name: source for group in CATALOGUE.values() for source in group}
    for module in pkgutil.walk_packages(sources.__path__, "sources."):
        loaded = importlib.import_module(module.name)
        values = [each for value in vars(loaded).values() for each in (value if isinstance(value, tuple) else [value])]
        own = [each for each in values if isinstance(each, Source) and each.name in published]
        for name, function in inspect.getmembers(loaded, inspect.isfunction):
            if name.startswith("parse") and function.__module__ == module.name and own:
                source = SOURCE_OF.get(f"{module.name.removeprefix('sources.')}.{name}", own[0].name)
                yield f"{module.name.removeprefix('sources.')}.{name}", partial(_parser, function, source)


SOURCE_OF = {
    "prices.gpu_markets.parse_runpod_days": "runpod_daily_seed",
    "prices.gpu_markets.parse_vast": "vast_bid_h100_sxm",
    "prices.gpu_markets.parse_vast_days": "vast_daily_seed",
    "prices.price_trends.parse_points": "price_trend_points",
    "prices.router_live.parse_endpoints": "router_endpoint_openai_gpt_oss_120b",
    "prices.router_live.parse_paid": "router_price_paid_openai_gpt_oss_120b",
    "prices.router_live.parse_use": "router_use",
    "routing.figures.parse_curves": "routing_replay_curves",
    "serving.references.parse_grid": "aiconfigurator_grid",
    "test_time.figures.parse_surface": "test_time_pythia_surface",
}
"""Where a module has several sources, and the parser is not of the first."""


def _parser(function: Callable[[Snapshot], Parsed], source: str, body: bytes) -> bool:
    snapshot = Snapshot(source, body, content_hash(body), "http", "https://example.org/p", DAY, last_checked_at=DAY)
    try:
        parsed = function(snapshot)
    except ValueError as error:
        return refused(error, source)
    Rejected.validate(parsed.rejected)
    assert isinstance(parsed.accepted, pl.DataFrame)
    return parsed.accepted.height > 0


def _benchmark(body: bytes) -> bool:
    try:
        parsed = parse(body, file_name="run", meta=None)
    except ValueError as error:
        return refused(error)
    OperatingPoint.validate(parsed.accepted)
    Rejected.validate(parsed.rejected)
    return parsed.accepted.height > 0


def _trace(body: bytes) -> bool:
    try:
        return read_trace("trace", body).requests.height > 0
    except ValueError:
        return False


def _meta(body: bytes) -> bool:
    try:
        return read_meta(body) is not None
    except ValueError as error:
        return refused(error)


def _file(name: str, read: Callable[[Path], bool]) -> Read:
    def of_body(body: bytes) -> bool:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / name
            file.write_bytes(body)
            return read(file)

    return of_body


def _settings(file: Path) -> bool:
    try:
        return read_settings(file) is not None
    except ValueError as error:
        return refused(error)


def _wheel(file: Path) -> bool:
    try:
        return len(read_member(file, MEMBER, MEMBER_BYTES)) <= MEMBER_BYTES
    except FetchError as error:
        return refused(error)


def _outcomes(file: Path) -> bool:
    try:
        return read_outcomes([file]).quality.size > 0
    except (RefusedTableError, BadUsageError):
        return False


def _stored(body: bytes) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        root, name = Path(folder), content_hash(b"")
        (root / "x").mkdir()
        (root / "x" / f"{name}.zst").write_bytes(body)
        try:
            return bronze.get(root, "x", name) == b""
        except bronze.DamagedBodyError as error:
            return refused(error)


def _log(body: bytes) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "x").mkdir()
        (Path(folder) / "x" / "log.jsonl").write_bytes(body)
        return bronze.snapshot_frame(Path(folder)).height > 0


ENTRIES: dict[str, Read] = {
    **dict(parsers()),
    **{f"benchmark_outputs.{each.name}": _benchmark for each in FORMATS if each.point is not None},
    **dict.fromkeys(
        (
            "user_files.azure_trace",
            "user_files.burstgpt_trace",
            "user_files.burstgpt_6_trace",
            "user_files.mooncake_trace",
            "user_files.mooncake_session_trace",
            "user_files.bailian_trace",
            "user_files.lmcache_session_trace",
        ),
        _trace,
    ),
    "run_meta.read_meta": _meta,
    "resources.read_settings": _file("config.yaml", _settings),
    "registry.read_member": _file("x-1.0-py3-none-any.whl", _wheel),
    "route_table.csv": _file("items.csv", _outcomes),
    "route_table.parquet": _file("items.parquet", _outcomes),
    "bronze.get": _stored,
    "bronze.attempts": _log,
    "notify.failures": _file(FAILURES, lambda file: len(failures(file.parent)) > 0),
}
