"""Contracts of the claims ledger: what was claimed, what comes out today, and how verdicts moved."""

import pandera.polars as pa
import polars as pl

from schemas.base import Table, Timestamp, carried_from, column

RELATIONS = ("equals", "within", "at_least", "at_most", "always", "never")
RELATION_MEANING = (
    "what would bear it out: equals: the value within published_low to published_high, or all of these within its interval; "
    "within: the whole interval within them; at_least, at_most: on one side; always, never: a share of 1 or 0 of the points; "
    "with exceptions it holds in part at half and more of them"
)
VERDICTS = ("reproduced", "reproduced_in_part", "not_reproduced", "not_testable", "inconclusive")
VERDICT_MEANING = (
    "reproduced: the interval is inside what the claim allows; not_reproduced: the two do not meet; reproduced_in_part: they "
    "overlap, or some points hold and others fail; "
    "inconclusive: the data seen allow the claim and its opposite; not_testable: a datum is missing"
)
INTERVAL_BASES = ("range", "confidence", "rounding", "floor", "ceiling", "none")
INTERVAL_MEANING = (
    "range: least and greatest over the points or groups the claim is about; confidence: 95 %; "
    "rounding: what printed digits allow; floor, ceiling: an extreme over a part of the data, so that the "
    "whole has this or more, or less; "
    "none: the value stands alone"
)
BASES = ("stated", "primary", "derived", "assumed", "derivation")
BASIS_MEANING = (
    "stated: by the document's own formula or figures; primary: from data of the work it cites; derived: by a formula or data "
    "of ours; assumed: hangs on a scenario or a default; derivation: follows from a definition, so it has no n"
)
STATUSES = ("printed", "quoted", "ours")
STATUS_MEANING = (
    "printed: read in the document; quoted: as a third party quotes it; ours: our extension of what the document says, a claim "
    "that nobody else made"
)


class _Claimed(Table):
    claim_id: str = column("name of the claim", str_matches=r"^[a-z0-9_]+$")
    document: str = column("document that makes the claim", str_matches=r"^[a-z0-9_]+$")
    locator: str = column("place in the document", str_length={"min_value": 1})
    statement: str = column("the claim in our own words", str_length={"min_value": 10})
    metric: str = column("the number that is recomputed to judge it", str_length={"min_value": 3})
    unit: str = column("unit of published and recomputed values")
    relation: str = column(RELATION_MEANING, isin=RELATIONS)
    published_value: float = column("value as published; NULL where only a range or a rule is stated", nullable=True)
    published_low: float = column("least value that bears the claim out; NULL: no lower end", nullable=True)
    published_high: float = column("greatest value that bears the claim out; NULL: no upper end", nullable=True)
    interval_basis: str = column(INTERVAL_MEANING, isin=INTERVAL_BASES)
    basis: str = column(BASIS_MEANING, isin=BASES)
    status: str = column(STATUS_MEANING, isin=STATUSES)


class Claim(_Claimed):
    """Claims of papers, notes and definitions, in our own words, with the rule that would bear each out."""

    missing_datum: str = column("what is missing to test it; NULL where it is recomputed", nullable=True)
    note: str = column(
        "what to know first; names in braces are filled with the numbers of the claim's own query", nullable=True
    )
    source: str = column("source of the transcription")

    @pa.dataframe_check(
        description="published ends are those the relation needs (none need be known of an untested claim), in order"
    )
    def ends_fit_the_relation(cls, data: pa.PolarsData) -> pl.LazyFrame:
        relation, low, high, value = (
            pl.col(name) for name in ("relation", "published_low", "published_high", "published_value")
        )
        wants_low, wants_high = (
            relation.is_in(["equals", "within", "at_least"]),
            relation.is_in(["equals", "within", "at_most"]),
        )
        fits = (low.is_not_null() == wants_low) & (high.is_not_null() == wants_high)
        untested = pl.col("missing_datum").is_not_null() & low.is_null() & high.is_null()
        in_order = (low <= high).fill_null(True) & (low <= value).fill_null(True) & (value <= high).fill_null(True)
        return data.lazyframe.select((fits | untested) & in_order)

    class Config:
        name = "raw.claim"
        unique = ["claim_id"]


class Claims(_Claimed):
    """The ledger: every claim beside what comes out today, and the verdict the two numbers give."""

    recomputed_value: float = column("what comes out today; NULL where it cannot be tested", nullable=True)
    interval_low: float = column("lower end of its interval, see interval_basis", nullable=True)
    interval_high: float = column("upper end of its interval, see interval_basis", nullable=True)
    n: pl.Int64 = column("points, questions or systems it rests on", nullable=True, ge=0)
    verdict: str = column(VERDICT_MEANING, isin=VERDICTS)
    margin: float = column(
        "distance of the recomputed value from the nearest end of what the claim allows, in its unit; below 0: outside",
        nullable=True,
        derived_from=("claim.published_low", "claim.published_high"),
    )
    inputs: str = column("tables the value is computed from", nullable=True)
    recomputation: str = column("the SQL that computes it; runs on this warehouse", nullable=True)
    missing_datum: str = column("what is missing to test it", nullable=True)
    note: str = column("what to know first", nullable=True)
    refreshed_at: Timestamp = column("refresh that computed the row")

    @pa.dataframe_check(description="a claim that is not testable names the missing datum, and no other does")
    def names_missing_datum(cls, data: pa.PolarsData) -> pl.LazyFrame:
        untested = pl.col("verdict") == "not_testable"
        named, valued = pl.col("missing_datum").is_not_null(), pl.col("recomputed_value").is_not_null()
        return data.lazyframe.select((untested == named) & (untested != valued))

    @pa.dataframe_check(description="a derivation rests on no data, so it counts no points")
    def derivation_has_no_n(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select((pl.col("basis") != "derivation") | pl.col("n").is_null())

    class Config:
        name = "meta.claims"
        metadata = carried_from("claim")
        unique = ["claim_id"]


class ClaimsHistory(Table):
    """Every state a claim has been in: a row only where its verdict, its value or what it allows has changed."""

    claim_id: str = column("name of the claim", derived_from=("claims.claim_id",))
    refreshed_at: Timestamp = column("refresh that saw the change first", derived_from=("claims.refreshed_at",))
    published_low: float = column("least value that bore the claim out", nullable=True)
    published_high: float = column("greatest value that bore the claim out", nullable=True)
    recomputed_value: float = column("what came out", nullable=True)
    interval_low: float = column("lower end of its interval", nullable=True)
    interval_high: float = column("upper end of its interval", nullable=True)
    verdict: str = column(VERDICT_MEANING, isin=VERDICTS)
    verdict_before: str = column("verdict of the row before; NULL for the first", isin=VERDICTS, nullable=True)
    margin: float = column("distance from the nearest end of what the claim allowed", nullable=True)

    class Config:
        name = "meta.claims_history"
        metadata = carried_from("claims")
        unique = ["claim_id", "refreshed_at"]
