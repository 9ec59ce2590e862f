"""Contracts of model capability: Epoch's index and benchmark scores, figures shipped as a seed, and all of them by model."""

import pandera.polars as pa
import polars as pl

from schemas.base import Table, carried_from, column

SCALES = (
    "eci",
    "eci_linked",
    "aa_intelligence",
    "aa_coding",
    "aa_agentic",
    "gpqa_diamond",
    "mmlu",
    "human_eval",
    "math_500",
    "math_level_5",
    "lmarena_elo",
    "metr_horizon_p50_min",
    "metr_horizon_p80_min",
)
SCALE_MEANING = (
    "eci: Epoch Capabilities Index, Claude 3.5 Sonnet is 130 and GPT-5 is 150; eci_linked: the same, and for models that Epoch "
    "has not rated chained from the scale that foretells it best, see core.capability_link; aa_intelligence, aa_coding, "
    "aa_agentic: indices of Artificial Analysis; lmarena_elo: rating; metr_horizon_*: minutes of human work done with that "
    "chance; else percent right"
)
CAPABILITY_BASES = ("publisher", "secondary", "linked")
CAPABILITY_BASIS_MEANING = (
    "publisher: from the publisher's own file; secondary: collected by another party, which is named; linked: foretold from "
    "another scale, with the 95 % interval of the link"
)


LINK_SHAPES = ("log_odds", "logarithm", "as_it_is")


class _Interval(Table):
    """Rule for contracts with a score and its interval."""

    @pa.dataframe_check(description="the interval's lower end is not above its upper end")
    def interval_is_ordered(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select((pl.col("score_low") <= pl.col("score_high")).fill_null(True))


class EpochEci(_Interval):
    """The Epoch Capabilities Index: one score per model, refitted with every release of the index."""

    source: str = column("source of the scores")
    source_model: str = column("model, as Epoch names it", str_length={"min_value": 1})
    score: float = column("score on Epoch's scale", unit="scale points")
    score_low: float = column("lower end of Epoch's bootstrap interval; NULL for the two anchors", nullable=True)
    score_high: float = column("upper end of Epoch's bootstrap interval; NULL for the two anchors", nullable=True)
    release_date: pl.Date = column("release date of the model", nullable=True)
    organization: str = column("developer, as Epoch names it", nullable=True)
    accessibility: str = column("how the model can be had, such as API access or Open weights (restricted use)", nullable=True)
    as_of: pl.Date = column("day of this version of the index")

    class Config:
        name = "raw.epoch_eci"
        unique = ["source_model"]


class EpochBenchmark(Table):
    """Benchmark scores in Epoch's bundle: its own runs and those of third parties, one row per published run."""

    source: str = column("source of the scores")
    benchmark: str = column("benchmark, as Epoch names it")
    source_file: str = column("file of the bundle; *_external.csv holds results of third parties, under their own terms")
    row: pl.Int64 = column("record number in the file", ge=1)
    source_model: str = column("model version, as Epoch writes it, often with the reasoning effort as a suffix")
    model_group: str = column("name of the model in the index; NULL where the bundle does not tell", nullable=True)
    score_column: str = column("column of the file that holds the score")
    score: float = column("score as published, in the benchmark's own unit")
    score_percent: float = column(
        "score times the scale that Epoch states; NULL where it states none", unit="percent", nullable=True
    )
    standard_error: float = column("standard error as published, in the score's unit", nullable=True, ge=0)
    release_date: pl.Date = column("release date of the model", nullable=True)
    organization: str = column("developer, as Epoch names it", nullable=True)
    as_of: pl.Date = column("day of this version of the bundle")

    class Config:
        name = "raw.epoch_benchmark"
        unique = ["source_file", "row"]


class RouterIndex(Table):
    """Indices of Artificial Analysis as the OpenRouter models endpoint carries them beside a route."""

    source: str = column("source of the scores")
    source_model: str = column("route, as OpenRouter names it", str_length={"min_value": 1})
    scale: str = column(SCALE_MEANING, isin=("aa_intelligence", "aa_coding", "aa_agentic"))
    score: float = column("score as published", unit="scale points", gt=0, lt=100)
    as_of: pl.Date = column("day of the document: published, else first served")
    document_sha256: str = column("hash of the document, key of meta.snapshot")
    locator: str = column("where in the document the score stands, as a JSON pointer")

    class Config:
        name = "raw.router_index"
        unique = ["source_model", "scale"]


class CapabilityLink(Table):
    """How each scale foretells Epoch's index: a straight line between log-odds of a share, a rating or a logarithm of minutes.

    Fitted over the models that both scales rate, and tried on models that took no part: developer by developer, and on the
    newest third from the rest.
    """

    scale: str = column(SCALE_MEANING, isin=SCALES)
    onto: str = column("scale that is foretold", isin=SCALES)
    shape: str = column("how the scale enters the line: log_odds of a percentage, logarithm, or as it is", isin=LINK_SHAPES)
    n: pl.Int64 = column("models that both scales rate", unit="models", ge=3)
    intercept: float = column("index where the scale, in its shape, is 0", unit="scale points")
    slope: float = column("points of the index per unit of the scale in its shape")
    middle: float = column("mean of the scale in its shape, from which the error grows")
    spread: float = column("sum of squared distances from that mean", gt=0)
    residual_points: float = column("residual standard deviation of the line", unit="scale points", ge=0)
    error_points: float = column(
        "root mean square error on models of developers that took no part in the fit", unit="scale points", ge=0
    )
    interval_holds: float = column("share of those whose own score lies within the link's 95 % interval", ge=0, le=1)
    newest_error_points: float = column(
        "root mean square error on the newest third, from a fit on the older models; NULL where dates are not known",
        unit="scale points",
        ge=0,
        nullable=True,
    )
    newest_n: pl.Int64 = column("models of that newest third", unit="models", ge=0)
    newest_interval_holds: float = column(
        "share of them whose own score lies within the interval of that fit", ge=0, le=1, nullable=True
    )

    class Config:
        name = "core.capability_link"
        unique = ["scale"]


class CapabilitySeed(_Interval):
    """Dated capability figures transcribed from documents, each with its citation."""

    source: str = column("source of the figures")
    scale: str = column(SCALE_MEANING, isin=SCALES)
    source_model: str = column("model, as the document names it")
    model: str = column("canonical model, key of core.model")
    score: float = column("figure on that scale", unit="scale points")
    score_low: float = column("lower end of the interval, where stated", unit="scale points", nullable=True)
    score_high: float = column("upper end of the interval, where stated", unit="scale points", nullable=True)
    as_of: pl.Date = column("day of the figure, or the last day it can be from")
    source_title: str = column("document the figure was taken from")
    source_url: str = column("where the document is published")
    locator: str = column("place in the document")
    note: str = column("what else the reader has to know", nullable=True)

    class Config:
        name = "raw.capability_seed"
        unique = ["scale", "source_model", "as_of"]


class Capability(_Interval):
    """How capable each canonical model is, on every scale that rates it; several rows where versions are rated apart."""

    model: str = column("canonical model, key of core.model")
    scale: str = column(SCALE_MEANING, isin=SCALES)
    score: float = column(
        "capability on that scale",
        unit="scale points",
        derived_from=(
            "capability_seed.score",
            "epoch_benchmark.score_percent",
            "epoch_eci.score",
            "router_index.score",
        ),
    )
    score_low: float = column(
        "lower end of the score's interval",
        unit="scale points",
        nullable=True,
        derived_from=(
            "capability_seed.score_low",
            "epoch_eci.score_low",
        ),
    )
    score_high: float = column(
        "upper end of the score's interval",
        unit="scale points",
        nullable=True,
        derived_from=(
            "capability_seed.score_high",
            "epoch_eci.score_high",
        ),
    )
    as_of: pl.Date = column("day of the figure, or the last day it can be from")
    release_date: pl.Date = column(
        "release date of the rated version; NULL where the source does not tell",
        nullable=True,
        derived_from=(
            "epoch_benchmark.release_date",
            "epoch_eci.release_date",
        ),
    )
    source: str = column("source of the figure")
    source_model: str = column("model or version, as the source names it")
    basis: str = column(CAPABILITY_BASIS_MEANING, isin=CAPABILITY_BASES)

    class Config:
        name = "core.capability"
        metadata = carried_from("capability_seed")
        unique = ["model", "scale", "source", "source_model", "as_of"]
