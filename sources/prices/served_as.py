"""How and where a route is served, by its id: a region in the path, a way to be served behind the name."""

import polars as pl

_REGION_OF = (
    (r"(^|/)us-gov[./-]|gov-(east|west)-\d/", "gov"),
    (r"(^|/)(us|us-(east|west)-\d)[./]", "us"),
    (r"(^|/)(eu|eu-(central|west|north|south)-\d)[./]", "eu"),
    (r"(^|/)(jp|ap-northeast-[13])[./]", "jp"),
    (r"(^|/)(au|ap-southeast-[24])[./]", "au"),
    (r"(^|/)(in|ap-south-\d)[./]", "in"),
    (r"(^|/)(apac|ap-(north|south|east|southeast|northeast)+-\d)[./]", "apac"),
    (r"(^|/)(ca|ca-(central|west)-\d)[./]", "ca"),
    (r"(^|/)(sa|sa-east-\d)[./]", "sa"),
    (r"(^|/)(me|me-(central|south)-\d)[./]", "me"),
    (r"(^|/)regional[./]", "regional"),
)
"""Regions in ids: a folder of the path or a prefix with a dot; the first that fits counts."""
_STATED_GLOBAL = r"(^|/)global(-standard)?[./]"
_VARIANT_OF = (
    (r"[:-]batch$", "batch"),
    (r"[:-]flex$", "flex"),
    (r"[:-]priority$", "priority"),
    (r"(^|/)fast/|[:-](fast|highspeed)$", "fast"),
)
"""Ways to be served that stand in an id."""
STATED_VARIANT = r":(batch|flex|priority|fast)$|(^|/)fast/"
SUFFIX = r"[-:](batch|flex|priority|fast|highspeed|us|eu)$"


def region_of(source_model: pl.Expr) -> pl.Expr:
    """Where a route answers, by its id: us, eu, gov, ...; NULL where the id names no region."""
    return _first_fit(source_model.str.to_lowercase(), _REGION_OF)


def states_global(source_model: pl.Expr) -> pl.Expr:
    """Whether the id itself says that the route answers anywhere."""
    return source_model.str.to_lowercase().str.contains(_STATED_GLOBAL)


def variant_of(source_model: pl.Expr) -> pl.Expr:
    """How a route is served, by its id: batch, fast, ...; NULL where the id names no way."""
    return _first_fit(source_model.str.to_lowercase(), _VARIANT_OF)


def _first_fit(text: pl.Expr, patterns: tuple[tuple[str, str], ...]) -> pl.Expr:
    """What the first pattern found in a text means, NULL where none is."""
    found: pl.Expr = pl.lit(None, pl.String)
    for pattern, meaning in reversed(patterns):
        found = pl.when(text.str.contains(pattern)).then(pl.lit(meaning)).otherwise(found)
    return found
