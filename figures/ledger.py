"""The claims ledger: every claim beside what comes out today, as a table."""

import polars as pl

from figures.exhibit import Exhibit, day, rows

ORDER = ("not_reproduced", "reproduced_in_part", "inconclusive", "reproduced", "not_testable")


def draw(*, claims: pl.DataFrame) -> Exhibit:
    """The table itself is the figure: verdict, claim, both values, place, basis."""
    ledger = rows(claims, of="claim in the ledger")
    verdicts = dict(ledger["verdict"].value_counts().iter_rows())
    counted = ", ".join(f"{verdicts[name]} {name.replace('_', ' ')}" for name in ORDER if name in verdicts)
    return Exhibit(
        finding=f"Of {ledger.height} claims of papers, notes and definitions: {counted}.",
        alt="A table of claims with their verdicts.",
        as_of=f"Recomputed on {day(ledger['refreshed_at'].max())}.",
        uncertainty=(
            "In brackets: the interval of the recomputed value, a range over the points of the claim, a 95 % interval or what "
            "rounding allows. A verdict follows from the two numbers alone; in part means that they overlap, or that some "
            "points hold and others fail. A claim that cannot be tested names the missing datum."
        ),
        numbers=ledger.select(
            "verdict",
            claim="statement",
            claimed=_allowed(),
            recomputed=_recomputed(),
            where=pl.format("{}: {}", pl.col("document").str.replace_all("_", " "), "locator"),
            rests_on=pl.coalesce(pl.format("missing: {}", "missing_datum"), pl.format("{} ({})", "inputs", "basis"), "basis"),
        ),
    )


def _number(name: str) -> pl.Expr:
    return pl.col(name).round_sig_figs(4).cast(pl.String).str.replace(r"\.0$", "")


def _allowed() -> pl.Expr:
    """What bears the claim out, in words of its relation."""
    low, high, relation = _number("published_low"), _number("published_high"), pl.col("relation")
    both = pl.when(pl.col("published_low") == pl.col("published_high")).then(low).otherwise(pl.format("{} to {}", low, high))
    return (
        pl.when(relation == "at_least")
        .then(pl.format("at least {}", low))
        .when(relation == "at_most")
        .then(pl.format("at most {}", high))
        .when(relation.is_in(["always", "never"]))
        .then(relation)
        .otherwise(both)
    )


def _recomputed() -> pl.Expr:
    value, low, high = (_number(name) for name in ("recomputed_value", "interval_low", "interval_high"))
    n = pl.coalesce(pl.format(", n={}", "n"), pl.lit(""))
    unit = pl.when(pl.col("unit") == "1").then(pl.lit("")).otherwise(pl.format(" {}", pl.col("unit").str.replace_all("_", " ")))
    return pl.coalesce(pl.format("{}{} ({} to {}){}", value, unit, low, high, n), pl.format("{}{}{}", value, unit, n))
