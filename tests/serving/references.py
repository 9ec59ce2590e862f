"""The documents that serving is checked against, as a refresh reads them."""

from sources.source import Seed, Snapshot, Source, content_hash


def snapshot(source: Source) -> Snapshot:
    """The shipped document of a source."""
    (seed,) = source.floor
    assert isinstance(seed, Seed)
    body = seed.path.read_bytes()
    return Snapshot(source.name, body, content_hash(body), "seed", seed.path.name, seed.as_of)
