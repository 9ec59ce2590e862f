"""Figures that cannot be, or that are most likely in another unit: seconds for milliseconds, nanoseconds for either.

A point that breaks a rule is quarantined with the rule and the reason; nothing is converted back. Three kinds of rules:

- theorems (`invalid`): order of percentiles, Markov's inequality, no first token after the last, no request longer than
  the run, no decode step faster than one read of the weights;
- agreement of a file with itself (`suspect`): E2E against TTFT and TPOT, and Little's law, which ties rate and latency to
  the number in flight. A factor of 1,000 between two of them is far outside the width of these rules;
- limits of today's systems (`suspect`): nothing decodes faster than 5,000 tokens/s or slower than 1 for one user.

All runs of a file are written by one tool in one unit: where a tenth of them breaks a rule, the others are refused too.

What no rule can see: one latency alone off by 1,000 in a file of few runs that has nothing to compare it with, such as a
TTFT of 2 s for 2 ms where E2E, rate and run length are not given.
"""

from itertools import combinations
from typing import NamedTuple

import polars as pl

from schemas.quarantine import Parsed, reject
from schemas.serving.benchmark_outputs import LATENCIES, STATISTICS
from sources.serving.benchmark_outputs.weight_reads import weight_read_floor

DAY_S = 86_400.0
SLOWEST_TOKEN_S = 1.0
"""Mean or median; the slowest of 5,900 measured rows is .56 s."""
FASTEST_TOKEN_S = 2e-4
FASTEST_FIRST_TOKEN_S = 1e-3
SLOWEST_PREFILL_TOKENS_PER_S = 500.0
WIDEST_TAIL = 1_000.0
"""p99 over p50; the widest in 435 InferenceX rows is 300 (TTFT behind a start burst of 10,000 requests)."""
CLOSURE = (0.5, 2.0)
"""Means of one file close within a few per cent; a version of inference-perf counts tokens twice and stands at 0.55."""
IN_FLIGHT = (0.1, 1.5)
"""Requests in flight by Little's law over the number allowed, closed loop; 0.67 to 1.06 in the client's result files."""
MOST_FAILED = 0.01
FIRST_TOKEN_IN_STEPS = 0.5
"""TTFT over TPOT: a first token takes at least one pass of the model; the least in 5,900 measured rows is 1.6."""
GAP_IN_STEPS = (0.2, 600.0)
"""Mean gap between stream events over mean TPOT; events carry up to 290 tokens in InferenceX rows of TensorRT-LLM."""
FASTEST_GPU_TOKENS_PER_S = 1e6
FILE_IN_DOUBT_SHARE, FILE_IN_DOUBT_RUNS = 0.1, 3
"""This share of a file's runs, and no fewer runs, must break a rule before the whole file is doubted."""
ROUNDING = 1e-6


class Rule(NamedTuple):
    """One rule: true in `is_broken` refuses a row."""

    name: str
    column: str
    is_broken: pl.Expr
    reason: str
    severity: str


def split(points: pl.DataFrame) -> Parsed:
    """Divide operating points into plausible ones and refused ones with every rule they break.

    `points`: frame in the contract of core.operating_point. Refused rows have file name and run id as key.
    """
    rules = _rules()
    judged = points.with_columns(
        weight_read_floor(points).alias("_weight_read_s"),
        _in_flight().alias("_in_flight"),
    ).with_columns(rule.is_broken.fill_null(False).alias(f"_{i}") for i, rule in enumerate(rules))
    judged = judged.with_columns(pl.any_horizontal(f"_{i}" for i in range(len(rules))).alias("_is_broken"))
    judged = judged.with_columns((~pl.col("_is_broken") & _shares_a_file_in_doubt()).alias(f"_{len(rules)}"))
    reason = "a tenth or more of the runs in this file breaks a rule, and all of them were written in one unit"
    everything = [*rules, Rule("file_in_doubt", "run_id", pl.lit(True), reason, "suspect")]
    broken = [
        reject(
            judged.filter(f"_{i}"),
            source=pl.col("source"),
            row_key=pl.format("{}: run {}", "file_name", "run_id"),
            rule=rule.name,
            reason=rule.reason,
            severity=rule.severity,
            column_name=rule.column,
            value=pl.col(rule.column).cast(pl.String),
        )
        for i, rule in enumerate(everything)
    ]
    is_plausible = ~pl.any_horizontal(f"_{i}" for i in range(len(everything)))
    return Parsed(judged.filter(is_plausible).select(points.columns), pl.concat(broken))


def _shares_a_file_in_doubt() -> pl.Expr:
    broken, file = pl.col("_is_broken"), pl.col("run_id").str.head(16)
    return (broken.mean().over(file) >= FILE_IN_DOUBT_SHARE) & (broken.sum().over(file) >= FILE_IN_DOUBT_RUNS)


def _rules() -> list[Rule]:
    return [*_order(), *_limits(), *_agreement()]


def _order() -> list[Rule]:
    """What holds for any sample of non-negative numbers, and for any request."""
    rules = []
    for name in LATENCIES:
        mean, p50, p90, p95, p99, p999 = (pl.col(f"{name}_{q}_s") for q in STATISTICS)
        falls = pl.any_horizontal(
            (low > high * (1 + ROUNDING)).fill_null(False) for low, high in combinations((p50, p90, p95, p99, p999), 2)
        )
        rules.append(Rule("percentiles_fall", f"{name}_p50_s", falls, "a higher percentile is lower", "invalid"))
        # Markov: a share 1 - q of the sample is at or above its q-quantile, so quantile <= mean / (1 - q).
        above = pl.any_horizontal(
            (quantile * (1 - q) > mean * (1 + ROUNDING)).fill_null(False)
            for quantile, q in ((p50, 0.5), (p90, 0.9), (p95, 0.95), (p99, 0.99), (p999, 0.999))
        )
        reason = "a percentile is too far above the mean for any sample (Markov's inequality)"
        rules.append(Rule("percentile_above_what_mean_allows", f"{name}_mean_s", above, reason, "invalid"))
        if name != "itl":
            wide = (p99 > WIDEST_TAIL * p50) | (mean > WIDEST_TAIL * p50)
            reason = f"the tail is more than {WIDEST_TAIL:g} times the median: the two may be in different units"
            rules.append(Rule("tail_out_of_proportion", f"{name}_p50_s", wide, reason, "suspect"))
    for q in STATISTICS:
        late = pl.col(f"ttft_{q}_s") > pl.col(f"e2e_{q}_s") * (1 + ROUNDING)
        rules.append(Rule("first_token_after_last", f"ttft_{q}_s", late, "TTFT is longer than the whole request", "invalid"))
    for name in ("ttft", "e2e"):
        for q in ("mean", "p50", "p99"):
            longer = pl.col(f"{name}_{q}_s") > pl.col("duration_s") * 1.01
            reason = "the latency is longer than the run in which it was measured"
            rules.append(Rule("longer_than_the_run", f"{name}_{q}_s", longer, reason, "invalid"))
    return rules


def _limits() -> list[Rule]:
    """What no system does."""
    rules = [
        Rule("above_a_day", f"{name}_{q}_s", pl.col(f"{name}_{q}_s") > DAY_S, "no request takes a day", "invalid")
        for name in LATENCIES
        for q in STATISTICS
    ]
    for q in ("mean", "p50"):
        ttft, tpot = pl.col(f"ttft_{q}_s"), pl.col(f"tpot_{q}_s")
        slow = "no served model needs a second per token: the figure may be in milliseconds"
        rules.append(Rule("token_too_slow", f"tpot_{q}_s", tpot > SLOWEST_TOKEN_S, slow, "suspect"))
        fast = "no engine gives one user 5,000 tokens/s: the figure may be in seconds under a name in milliseconds"
        rules.append(Rule("token_too_fast", f"tpot_{q}_s", tpot < FASTEST_TOKEN_S, fast, "suspect"))
        reason = "no first token comes within 1 ms: the figure may be in seconds under a name in milliseconds"
        rules.append(Rule("first_token_too_fast", f"ttft_{q}_s", ttft < FASTEST_FIRST_TOKEN_S, reason, "suspect"))
        reason = "a first token takes a pass of the model, and so cannot be far below TPOT: one may be in another unit"
        rules.append(Rule("first_token_below_a_step", f"ttft_{q}_s", ttft < FIRST_TOKEN_IN_STEPS * tpot, reason, "suspect"))
        reason = "faster than one read of the model's active weights by these GPUs"
        below = tpot < pl.col("_weight_read_s")
        rules.append(Rule("faster_than_weight_read", f"tpot_{q}_s", below, reason, "invalid"))
    for kind in ("input", "output", "total"):
        name = f"{kind}_tokens_per_s_per_gpu"
        reason = "no GPU handles a million tokens per second"
        rules.append(Rule("throughput_too_high", name, pl.col(name) > FASTEST_GPU_TOKENS_PER_S, reason, "suspect"))
    return rules


def _agreement() -> list[Rule]:
    """What ties the figures of one file together."""
    n_out = pl.coalesce("output_tokens_mean", "output_tokens_nominal")
    rebuilt_s = pl.col("ttft_mean_s") + pl.col("tpot_mean_s") * (n_out - 1)
    is_per_request = pl.col("tpot_definition") == "after_first_token"
    closure = pl.coalesce("latency_closure", pl.when(is_per_request).then(rebuilt_s / pl.col("e2e_mean_s")))
    gap = pl.col("itl_mean_s") / pl.col("tpot_mean_s")
    in_flight = pl.col("_in_flight") / pl.min_horizontal("concurrency", "n_requests")
    # Requests that failed were in flight too, unseen: only those that finished are in the rate.
    most_finished = pl.col("failed_share").fill_null(0.0) <= MOST_FAILED
    is_off = (in_flight > IN_FLIGHT[1]) | (most_finished & (in_flight < IN_FLIGHT[0]))
    decode_s = pl.col("tpot_mean_s") * (pl.col("output_tokens_mean") - 1)
    prefill_s = pl.coalesce("input_tokens_mean", "input_tokens_nominal") / SLOWEST_PREFILL_TOKENS_PER_S
    longest_queue_s = pl.col("concurrency") * (prefill_s + pl.col("tpot_mean_s") * n_out)
    return [
        Rule(
            "latencies_do_not_close",
            "latency_closure",
            ~closure.is_between(*CLOSURE),
            "TTFT, TPOT and answer length do not make the end-to-end latency: one may be in another unit",
            "suspect",
        ),
        Rule(
            "gap_longer_than_request",
            "itl_mean_s",
            pl.col("itl_mean_s") > pl.col("e2e_mean_s"),
            "the mean gap between stream events is longer than a whole request",
            "invalid",
        ),
        Rule(
            "first_token_after_all_others",
            "ttft_mean_s",
            (pl.col("arrival") == "closed_loop") & (pl.col("ttft_mean_s") > longest_queue_s),
            "TTFT is longer than serving all requests in flight one after the other: it may be in another unit",
            "suspect",
        ),
        Rule(
            "gap_out_of_proportion",
            "itl_mean_s",
            is_per_request & ~gap.is_between(*GAP_IN_STEPS),
            "the mean gap between stream events does not fit the time per token: one may be in another unit",
            "suspect",
        ),
        Rule(
            "longer_than_the_run",
            "tpot_mean_s",
            decode_s > pl.col("duration_s") * 2,
            "a mean answer takes longer than the run in which it was measured",
            "invalid",
        ),
        Rule(
            "against_littles_law",
            "concurrency",
            (pl.col("arrival") == "closed_loop") & is_off,
            "requests per second times latency is not the number in flight: rate or latency may be in another unit",
            "suspect",
        ),
    ]


def _in_flight() -> pl.Expr:
    """Mean requests in flight by Little's law: requests per second times end-to-end latency.

    The latency is the stated one, or TTFT + TPOT (n - 1); means first, else medians. A rate of tokens stands in for
    requests where only that is stated.
    """
    n_in = pl.coalesce("input_tokens_mean", "input_tokens_nominal")
    n_out = pl.coalesce("output_tokens_mean", "output_tokens_nominal")
    requests_per_s = pl.coalesce(
        pl.col("requests_per_s"),
        pl.col("output_tokens_per_s") / n_out,
        pl.col("total_tokens_per_s") / (n_in + n_out),
    )
    rebuilt = [pl.col(f"ttft_{q}_s") + pl.col(f"tpot_{q}_s") * (n_out - 1) for q in ("mean", "p50")]
    latency_s = pl.coalesce("e2e_mean_s", rebuilt[0], "e2e_p50_s", rebuilt[1])
    return requests_per_s * latency_s
