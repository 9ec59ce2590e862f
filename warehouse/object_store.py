"""A copy of what was published on an object store: every table as Parquet, then the release, each object replaced whole.

Credentials, region and endpoint come from the store's own environment variables (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, ...),
which polars reads too; nothing here sees or writes them.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from warehouse.recovery import LATEST


def copy_release(*, tables: Path, releases: Path, url: str) -> tuple[int, int]:
    """Copy the tables and the newest release under a URL such as `s3://bucket/prefix`. Returns objects and bytes.

    `latest.duckdb` comes last, so whoever reads it finds all its tables there too. Raises ValueError for a URL that carries
    credentials, and where the extra `s3` is not installed; the store's own error where it refuses.
    """
    parts = urlsplit(url)
    if not parts.netloc or parts.username or parts.query:
        raise ValueError("publish_to must be a URL such as s3://bucket/prefix; credentials belong into the environment")
    try:
        import obstore  # noqa: PLC0415  (an extra)
        from obstore.store import from_url  # noqa: PLC0415
    except ModuleNotFoundError:
        raise ValueError("publish_to needs `pip install inference-economics[s3]`") from None
    store = from_url(url)
    objects, size = 0, 0
    for name, file in objects_of(tables, releases):
        obstore.put(store, name, file)
        objects, size = objects + 1, size + file.stat().st_size
    return objects, size


def objects_of(tables: Path, releases: Path) -> Iterator[tuple[str, Path]]:
    """Name of each object and the file it is a copy of."""
    for file in sorted(tables.glob("*/[!.]*.parquet")):
        yield f"tables/{file.parent.name}/{file.name}", file
    yield f"releases/{LATEST}", (releases / LATEST).resolve()
