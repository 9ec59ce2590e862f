"""The claims ledger: every claim beside what comes out today, as a table and on one scale."""

import polars as pl

from figures.exhibit import Control, Exhibit, Told, day, rounded, rows
from figures.style import GREEN, GREY, ORANGE, PALE, SKY, VERMILLION, at, interval, known, looks, named_rows, number

VERDICTS = {
    "not_reproduced": VERMILLION,
    "reproduced_in_part": ORANGE,
    "inconclusive": SKY,
    "reproduced": GREEN,
    "not_testable": GREY,
}
LEAST, MOST = 0.01, 100.0
"""Ends of the scale; what lies beyond stands at the end, and whole in the table."""


def draw(*, claims: pl.DataFrame) -> Exhibit:
    """A row per claim: what it allows as a band, what comes out as a mark with its interval, both over the published value."""
    ledger = rows(claims, of="claim in the ledger").sort(
        pl.col("verdict").replace_strict(list(VERDICTS), range(len(VERDICTS)), default=9, return_dtype=pl.Int64), "document"
    )
    verdicts = dict(ledger["verdict"].value_counts().iter_rows())
    counted = ", ".join(f"{verdicts[name]} {name.replace('_', ' ')}" for name in VERDICTS if name in verdicts)
    return Exhibit(
        finding=f"Of {ledger.height} claims of papers, notes and definitions: {counted}.",
        as_of=f"Recomputed on {day(ledger['refreshed_at'].max())}.",
        uncertainty=(
            "Marks: the recomputed value over the published one, with its interval: a range over the points of the claim, a "
            "95 % interval or what rounding allows, as `interval_basis` says. Grey bands: what the claim allows. A verdict "
            "follows from the two alone; in part means that they overlap, or that some points hold and others fail. Claims of "
            "always, never and 0, and those that cannot be tested, have no place on the scale; they stand in the table."
        ),
        rows=rounded(_beside(ledger)),
        chart={
            "height": {"step": 13},
            "transform": [{"filter": known("claim")}],
            "encoding": {"y": named_rows("claim")},
            "layer": [
                interval("allowed_low", "allowed_high") | {"mark": {"type": "rule", "strokeWidth": 7, "color": PALE}},
                at(1),
                interval("low", "high", color=looks("verdict", VERDICTS)["color"]),
                {
                    "mark": {"type": "point", "size": 40},
                    "encoding": {
                        "x": number("recomputed_over_published", "recomputed over published value", log=True),
                        **looks("verdict", VERDICTS),
                    },
                },
            ],
        },
        told=Told(
            name=("statement",),
            value="recomputed",
            source="document",
            on="recomputed_on",
            low="interval_low",
            high="interval_high",
            more=("published", "unit", "verdict", "where", "rests_on", "note"),
        ),
        sql=(
            "SELECT claim_id, verdict, document, statement, published_low, published_high, recomputed_value, interval_low, "
            "interval_high, unit, note FROM meta.claims"
        ),
        rests_on=("published_claims",),
        controls=(
            Control(column="verdict", label="Verdict", every="all verdicts"),
            Control(column="document", label="Document", every="all documents"),
        ),
        log=("x",),
    )


def _beside(ledger: pl.DataFrame) -> pl.DataFrame:
    """The columns of the table, and both values over the middle of what was published where that is above 0."""
    published = pl.coalesce(
        "published_value", pl.mean_horizontal("published_low", "published_high"), "published_low", "published_high"
    )
    scaled = pl.when(published > 0, ~pl.col("relation").is_in(["always", "never"]))

    def over(name: str) -> pl.Expr:
        return scaled.then((pl.col(name) / published).clip(LEAST, MOST))

    has_place = scaled.then(pl.col("recomputed_value") > 0).fill_null(False)
    return ledger.select(
        "verdict",
        "statement",
        published=_allowed(),
        recomputed="recomputed_value",
        interval_low="interval_low",
        interval_high="interval_high",
        n="n",
        unit="unit",
        document="document",
        where="locator",
        rests_on=pl.coalesce(pl.format("missing: {}", "missing_datum"), pl.format("{} ({})", "inputs", "basis"), "basis"),
        note="note",
        recomputed_on=pl.col("refreshed_at").dt.date(),
        claim=pl.when(has_place).then(pl.col("claim_id").str.replace_all("_", " ")),
        recomputed_over_published=pl.when(has_place).then(over("recomputed_value")),
        low=pl.when(has_place).then(over("interval_low")),
        high=pl.when(has_place).then(over("interval_high")),
        allowed_low=pl.when(has_place).then(over("published_low")),
        allowed_high=pl.when(has_place).then(pl.coalesce(over("published_high"), over("published_low"))),
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
