"""The published tables on an object store: an S3 server on this machine, written by a refresh, read by polars and DuckDB."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.refreshed import ROOT, iecon
from warehouse.object_store import copy_release, objects_of

SECRET = "only-of-this-test-4711"


@pytest.mark.parametrize("url", ["bucket/prefix", "s3://key:secret@bucket/prefix", "s3://bucket/prefix?token=1"])
def test_a_url_without_a_bucket_or_with_credentials_is_refused_without_being_shown(tmp_path: Path, url: str):
    with pytest.raises(ValueError, match="credentials belong into the environment") as refused:
        copy_release(tables=tmp_path, releases=tmp_path, url=url)
    assert "secret" not in str(refused.value)


def test_half_written_tables_are_not_copied_and_the_release_comes_last(refreshed: Path, tmp_path: Path):
    tables = Path(shutil.copytree(refreshed / "tables", tmp_path / "tables"))
    (tables / "core" / ".llm_price.0.tmp").touch()
    names = [name for name, _ in objects_of(tables, refreshed / "releases")]
    assert "tables/core/llm_price.parquet" in names
    assert not [name for name in names if "/." in name]
    assert names[-1] == "releases/latest.duckdb"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An S3 server in a process of its own with one bucket, and the environment that every client reads."""
    for needed, extra in (("moto", "the group `s3-server`"), ("obstore", "the extra `s3`")):
        pytest.importorskip(needed, reason=f"{extra} is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    for name, value in {
        "AWS_ACCESS_KEY_ID": "of-this-test",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": address,
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        cwd=ROOT,
        env=os.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(urllib.request.Request(f"{address}/tables", method="PUT"), timeout=5).read()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        yield "s3://tables/evidence"
    finally:
        server.terminate()
        server.wait(timeout=30)


@pytest.mark.slow
def test_a_refresh_copies_its_tables_which_polars_and_duckdb_read(refreshed: Path, tmp_path: Path, bucket: str):
    import obstore
    from obstore.fsspec import FsspecStore
    from obstore.store import from_url

    folder = Path(shutil.copytree(refreshed, tmp_path / "data", symlinks=True))
    (folder / "config.yaml").write_text(json.dumps({"publish_to": bucket}))
    done = iecon(folder, "refresh", "--offline", "--only", "capability")
    assert done.returncode == 0, done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert not [file for file in folder.rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()]

    tables = {path.relative_to(folder).as_posix(): path for path in (folder / "tables").rglob("*.parquet")}
    stored = {entry["path"] for page in obstore.list(from_url(bucket)) for entry in page}
    assert stored == {*tables, "releases/latest.duckdb"}
    for name in ("tables/core/llm_price.parquet", "tables/marts/price_frontier.parquet"):
        assert pl.scan_parquet(f"{bucket}/{name}").collect().equals(pl.read_parquet(tables[name]))

    prices = pl.scan_parquet(f"{bucket}/tables/core/llm_price.parquet")
    rows = pl.read_parquet(tables["tables/core/llm_price.parquet"]).height
    with duckdb.connect() as connection:
        assert connection.sql("SELECT count(*) FROM prices").fetchall() == [(rows,)], "DuckDB over a lazy frame of polars"
        connection.register_filesystem(FsspecStore("s3"))
        question = f"SELECT count(*) FROM read_parquet('{bucket}/tables/core/llm_price.parquet')"
        assert connection.sql(question).fetchall() == [(rows,)], "DuckDB by itself"
    assert prices.collect().height == rows

    copy = tmp_path / "latest.duckdb"
    copy.write_bytes(bytes(obstore.get(from_url(bucket), "releases/latest.duckdb").bytes()))
    with duckdb.connect(str(copy), read_only=True) as connection:
        assert connection.sql("SELECT count(*) FROM core.llm_price").fetchall() == [(rows,)]


@pytest.mark.slow
def test_a_store_that_is_gone_fails_the_copy_and_not_the_release(
    refreshed: Path, tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
):
    folder = Path(shutil.copytree(refreshed, tmp_path / "data", symlinks=True))
    (folder / "config.yaml").write_text(json.dumps({"publish_to": "s3://no-such-bucket/evidence"}))
    before = (folder / "releases" / "latest.duckdb").resolve()
    done = iecon(folder, "refresh", "--offline", "--only", "capability")
    assert done.returncode == 1
    assert "release.object_store" in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert (folder / "releases" / "latest.duckdb").resolve() != before
