"""From priced records to what each model costs per correct answer on each benchmark."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from answers.correct.record import CurvePoint, Interval, LogRead, RunCost, Spend
from economics.numeric.statistics import wilson_interval
from economics.test_time.cost_interval import cost_per_correct_interval, least_share, ratio_interval
from economics.test_time.sample_curve import coverage_by_item, selected_by_item, vote_by_item
from economics.units import Array
from sources.test_time.evaluation_logs import Log, Total
from sources.test_time.evaluation_logs.record import COPY, RETRY, ROLES, SUBJECT, TOKENS

WRONG, LEFT_OUT, RETRIED = "wrong", "left-out", "retried"
ERRORS = (WRONG, LEFT_OUT, RETRIED)
UNKNOWN_AT_MOST = 0.5
"""Where more of the attempts have no known bill, the cost of a run is not known either."""
SEED = 20_261_130
KEY = ["benchmark", "model"]
EMPTY = Interval(value=None, low=None, high=None)


@dataclass(frozen=True, kw_only=True, eq=False)
class Items:
    """One run by item, or by group of items: $ of all attempts, right and graded ones; with samples where each has several."""

    names: tuple[str, ...]
    cost_usd: Array
    attempts: Array
    correct: Array
    graded: Array
    samples: Array | None
    answers: NDArray[np.int64] | None
    selector: Array | None

    @property
    def cost_per_attempt(self) -> Array:
        """Mean $ of an attempt, per item."""
        return np.asarray(self.cost_usd / np.maximum(self.attempts, 1.0))

    @property
    def mean_correct(self) -> Array:
        """Share of right answers, per item."""
        return np.asarray(self.correct / np.maximum(self.graded, 1.0))


def runs_of(log: Log, records: pl.DataFrame, *, errors: str) -> list[tuple[RunCost, Items | None]]:
    """Every model and benchmark of a log, with its items where the log has outcomes. `records`: from `prices.price`."""
    found: list[tuple[RunCost, Items | None]] = []
    for key, part in records.group_by(KEY, maintain_order=True):
        found.append(_run(log, part, benchmark=str(key[0]), model=str(key[1]), errors=errors))
    found.extend((_of_total(log, total, errors=errors), None) for total in log.totals)
    return found


def counted(attempts: pl.DataFrame, errors: str) -> pl.DataFrame:
    """The subject's attempts with `right` and `is_graded`, errors counted as asked.

    wrong: an attempt that broke is a wrong answer. left-out: it is none, and what it cost stays. retried: it is asked again, at
    the mean cost and with the mean outcome of the attempts that did not break.
    """
    broke = pl.col("error").is_not_null() & pl.col("made")
    fine = attempts.filter(~broke & pl.col("correct").is_not_null())
    mean_right = fine["correct"].mean() if fine.height else None
    again = attempts.filter(~broke)["bill"].mean()
    if errors == WRONG:
        right = pl.when(broke & pl.col("correct").is_null()).then(0.0).otherwise(pl.col("correct"))
        return attempts.with_columns(right=right, is_graded=right.is_not_null())
    if errors == LEFT_OUT:
        right = pl.when(~broke).then("correct")
        return attempts.with_columns(
            right=right,
            is_graded=right.is_not_null(),
            bill=pl.when(broke).then(pl.col("bill").fill_null(0.0)).otherwise("bill"),
        )
    own = pl.col("correct").filter(~broke).mean().over("item")
    right = pl.when(broke).then(pl.coalesce(own, pl.lit(mean_right))).otherwise(pl.col("correct"))
    bill = pl.when(broke).then(pl.col("bill").fill_null(0.0) + pl.lit(again)).otherwise(pl.col("bill"))
    return attempts.with_columns(right=right, is_graded=right.is_not_null(), bill=bill)


def log_read(log: Log, records: pl.DataFrame, *, notes: Sequence[str]) -> LogRead:
    """The sums of all records of a log, of all its models and benchmarks."""
    subject, made = records.filter(pl.col("role") == SUBJECT), records.filter("made")
    has_outcomes = log.kind == "attempts" and records.height > 0
    return LogRead(
        format=log.format,
        files=log.files,
        items=subject.select("benchmark", "item").n_unique() if log.kind != "bill" and records.height else None,
        attempts=int(_sum(made["requests"])) if made["requests"].null_count() < made.height else None,
        correct=_sum(subject["correct"]) if has_outcomes else None,
        errors=records["error"].drop_nulls().len(),
        spend=_by_role(records),
        spend_of_all_roles=_spend(records.filter(pl.col("role") != COPY)) if records.height else None,
        usd_covers=log.usd_covers,
        notes=(*log.notes, *notes),
    )


def _by_role(records: pl.DataFrame) -> dict[str, Spend]:
    return {role: _spend(rows) for role in ROLES if (rows := records.filter(pl.col("role") == role)).height}


def _run(log: Log, part: pl.DataFrame, *, benchmark: str, model: str, errors: str) -> tuple[RunCost, Items | None]:
    is_outcome = log.kind == "attempts"
    subject, retried = (part.filter(pl.col("role") == role) for role in (SUBJECT, RETRY))
    beside = part.filter(pl.col("role") != SUBJECT, pl.col("role") != COPY)
    attempts = counted(subject.with_columns(bill=pl.col("priced_usd")), errors)
    items = _items(attempts, retried) if is_outcome and attempts.height else None
    has_bill = items is not None and bool(np.isfinite(items.cost_usd).all())
    made = part.filter("made")
    correct = _sum(attempts.filter("is_graded")["right"]) if is_outcome else None
    bill = float(items.cost_usd.sum()) if items is not None and has_bill else None
    known_bill = _sum(attempts["bill"]) + _sum(retried["priced_usd"])
    unknown = subject.filter("made")["priced_usd"].null_count()
    other = beside.filter(pl.col("role") != RETRY)
    everything = None
    if bill is not None and correct and other["priced_usd"].null_count() == 0:
        everything = (bill + _sum(other["priced_usd"])) / correct
    return RunCost(
        format=log.format,
        kind=log.kind,
        benchmark=benchmark,
        model=model,
        canonical_model=_first(subject["canonical_model"]),
        run_from=_day(part["run_on"].min()),
        run_to=_day(part["run_on"].max()),
        items=subject["item"].n_unique() if log.kind != "bill" else None,
        attempts=int(_sum(made["requests"])) if made["requests"].null_count() < made.height else None,
        samples_per_item=_most_per_item(subject) if is_outcome else None,
        graded=attempts.filter("is_graded").height if is_outcome else None,
        correct=correct,
        errors=part["error"].drop_nulls().len(),
        errors_counted=errors,
        accuracy=EMPTY if items is None else share_of(items.correct, items.graded),
        mean_score=_mean(subject["score"]) if is_outcome else None,
        input_includes_cached=_same(subject["input_includes_cached"]),
        output_includes_reasoning=_same(subject["output_includes_reasoning"]),
        spend=_by_role(part),
        spend_of_all_roles=_spend(part.filter(pl.col("role") != COPY)),
        usd_basis=" and ".join(sorted(part["usd_basis"].drop_nulls().unique())) or None,
        usd_per_attempt=bill / max(float(items.attempts.sum()), 1.0) if items is not None and bill is not None else None,
        usd_per_item=bill / len(items.names) if items is not None and bill is not None else None,
        usd_per_correct=interval_of(items.cost_usd, items.correct) if items is not None and has_bill else EMPTY,
        usd_per_correct_all_roles=everything,
        usd_per_correct_if_unknown_is_free=known_bill / correct if unknown and bill is not None and correct else None,
        output_tokens_per_attempt=_billed_output(subject),
        reasoning_multiplier=_reasoning(subject),
        curve=_curve(items) if items is not None else (),
        notes=_unknown_bill(unknown, subject.filter("made").height) if is_outcome else (),
    ), items


def _unknown_bill(unknown: int, made: int) -> tuple[str, ...]:
    if not unknown:
        return ()
    if unknown > UNKNOWN_AT_MOST * made:
        return (
            f"{unknown:,} of {made:,} attempts have neither dollars nor tokens with a known price: the cost is not known; "
            "bring the bill of the requests, or tokens and the model's name",
        )
    return (f"{unknown:,} of {made:,} attempts have no known bill: they stand at the mean of the others",)


def _of_total(log: Log, total: Total, *, errors: str) -> RunCost:
    """A run that its file states in sums: the accuracy has an interval, the bill has none of its own."""
    usd = None if total.usd_unknown else total.usd
    spend = Spend(
        input_tokens=total.input_tokens,
        output_tokens=total.output_tokens,
        reasoning_tokens=None,
        cache_read_tokens=None,
        cache_write_tokens=None,
        usd=usd,
        usd_stated=total.usd,
        records=1,
        records_without_usd=int(usd is None),
    )
    accuracy = EMPTY
    if total.items and total.correct is not None:
        low, high = wilson_interval(successes=total.correct, trials=total.items)
        accuracy = Interval(value=total.correct / total.items, low=float(low), high=float(high))
    return RunCost(
        format=log.format,
        kind="total",
        benchmark=total.benchmark,
        model=total.model,
        canonical_model=None,
        run_from=total.run_on,
        run_to=total.run_on,
        items=total.items,
        attempts=total.attempts,
        samples_per_item=total.samples,
        graded=total.items,
        correct=total.correct,
        errors=total.errors,
        errors_counted=errors,
        accuracy=accuracy,
        mean_score=None,
        input_includes_cached=None,
        output_includes_reasoning=None,
        spend={SUBJECT: spend},
        spend_of_all_roles=spend,
        usd_basis="stated" if usd is not None else None,
        usd_per_attempt=usd / total.attempts if usd is not None and total.attempts else None,
        usd_per_item=usd / total.items if usd is not None and total.items else None,
        usd_per_correct=Interval(value=usd / total.correct if usd is not None and total.correct else None, low=None, high=None),
        usd_per_correct_all_roles=None,
        usd_per_correct_if_unknown_is_free=None,
        output_tokens_per_attempt=total.output_tokens / total.attempts if total.output_tokens and total.attempts else None,
        reasoning_multiplier=None,
        curve=(),
        notes=("sums of a whole run: without its items the cost of a correct answer has no interval",),
    )


def _spend(rows: pl.DataFrame) -> Spend:
    def summed(name: str) -> Any:
        return None if rows[name].null_count() == rows.height else rows[name].sum()

    # An attempt that was planned and never made has no bill to be known.
    billed = rows.filter(pl.col("made") | (pl.col("role") != SUBJECT))
    return Spend(
        **{name: summed(name) for name in TOKENS},
        usd=summed("priced_usd"),
        usd_stated=summed("usd"),
        records=rows.height,
        records_without_usd=billed["priced_usd"].null_count(),
    )


def _items(attempts: pl.DataFrame, retried: pl.DataFrame) -> Items:
    """Items, or groups of them where the log names groups, in the order of the log."""
    made = attempts.filter("made")
    known = made["bill"].drop_nulls()
    enough = made.height > 0 and known.len() >= (1.0 - UNKNOWN_AT_MOST) * made.height and known.len() > 0
    mean = _sum(known) / known.len() if enough else np.nan
    thrown = _sum(retried["priced_usd"]) / max(made.height, 1)
    bill = pl.when(pl.col("made")).then(pl.col("bill").fill_null(mean) + thrown).otherwise(0.0)
    unit = pl.coalesce("group", "item")
    wide = (
        attempts.with_columns(unit=unit, bill=bill if enough else pl.lit(np.nan))
        .group_by("unit", maintain_order=True)
        .agg(
            cost=pl.col("bill").sum(),
            attempts=pl.col("made").sum(),
            correct=pl.col("right").sum(),
            graded=pl.col("is_graded").sum(),
            right=pl.col("right").filter("is_graded"),
            answer=pl.col("answer").filter("is_graded"),
            selector=pl.col("selector").filter("is_graded"),
        )
    )
    samples, answers, selector = _samples(wide, has_groups=attempts["group"].null_count() < attempts.height)
    return Items(
        names=tuple(wide["unit"]),
        cost_usd=wide["cost"].to_numpy().astype(np.float64),
        attempts=wide["attempts"].to_numpy().astype(np.float64),
        correct=wide["correct"].to_numpy().astype(np.float64),
        graded=wide["graded"].to_numpy().astype(np.float64),
        samples=samples,
        answers=answers,
        selector=selector,
    )


def _samples(wide: pl.DataFrame, *, has_groups: bool) -> tuple[Array | None, NDArray[np.int64] | None, Array | None]:
    """Grades, numbered answers and selector as (items, samples), as many samples as every item has; None for fewer than two."""
    fewest = int(wide["graded"].to_numpy().min(initial=0 if wide.is_empty() else 1 << 30))
    if has_groups or fewest < 2 or (wide["attempts"] != wide["graded"]).any():
        return None, None, None
    flat = (
        wide.with_row_index("at")
        .select("at", *(pl.col(name).list.head(fewest) for name in ("right", "answer", "selector")))
        .explode("right", "answer", "selector")
    )
    shape = (wide.height, fewest)
    right = flat["right"].to_numpy().reshape(shape).astype(np.float64)
    if not np.isin(right, (0.0, 1.0)).all():
        return None, None, None
    answers = selector = None
    if flat["answer"].null_count() < flat.height:
        codes = flat.select(pl.col("answer").rank("dense").over("at").cast(pl.Int64).fill_null(0) - 1).to_series()
        answers = codes.to_numpy().reshape(shape)
    if flat["selector"].null_count() == 0:
        selector = flat["selector"].to_numpy().reshape(shape)
    return right, answers, selector


def interval_of(cost: Array, correct: Array) -> Interval:
    """$ per correct answer with its interval; None for what is not known or has no bound."""
    if not np.isfinite(cost).all():
        return EMPTY
    found = cost_per_correct_interval(cost_usd=cost, correct=correct)
    return Interval(value=finite(found.value), low=finite(found.low), high=finite(found.high))


def share_of(correct: Array, graded: Array) -> Interval:
    """Share of right answers with its interval: Wilson's for one grade per item, else over items."""
    if graded.sum() == 0:
        return EMPTY
    value = float(correct.sum() / graded.sum())
    if np.all(graded == 1.0) and np.isin(correct, (0.0, 1.0)).all():
        low, high = wilson_interval(successes=correct.sum(), trials=graded.sum())
        return Interval(value=value, low=float(low), high=float(high))
    found = ratio_interval(numerator=correct, denominator=graded)
    ends = [finite(np.clip(end, 0.0, 1.0)) for end in (found.low, found.high)]
    least = least_share(items=correct.size)
    if value == 1.0:
        ends[0] = least
    elif value == 0.0:
        ends[1] = 1.0 - least
    return Interval(value=value, low=ends[0], high=ends[1])


def finite(value: Any) -> float | None:
    """A finite number, else None."""
    number = float(value)
    return number if np.isfinite(number) else None


def numbers_of_samples(most: int) -> list[int]:
    """1, 2, 4, ... and the most itself."""
    powers = [1 << at for at in range(most.bit_length()) if 1 << at < most]
    return [*powers, most]


def _curve(items: Items) -> tuple[CurvePoint, ...]:
    if items.samples is None:
        return ()
    points = []
    each = items.cost_per_attempt
    for count in numbers_of_samples(items.samples.shape[1]):
        for selection, right in by_selection(items, count).items():
            cost = each * count
            points.append(
                CurvePoint(
                    selection=selection,
                    samples=count,
                    accuracy=share_of(right, np.ones_like(right)),
                    usd_per_item=finite(cost.mean()),
                    usd_per_correct=interval_of(cost, right),
                )
            )
    return tuple(points)


def by_selection(items: Items, count: int) -> dict[str, Array]:
    """Chance per item of a right answer from so many samples, by each way of choosing that the log allows."""
    if items.samples is None:
        return {}
    found = {"coverage": coverage_by_item(correct=items.samples, samples=count)}
    if items.answers is not None:
        rng = np.random.default_rng(SEED)
        found["vote"] = vote_by_item(correct=items.samples, answers=items.answers, samples=count, rng=rng)
    if items.selector is not None:
        found["selector"] = selected_by_item(correct=items.samples, selector=items.selector, samples=count)
    return found


def _billed_output(subject: pl.DataFrame) -> float | None:
    """Mean output tokens of an attempt as billed, thought ones included."""
    beside = ~pl.col("output_includes_reasoning").fill_null(value=True)
    billed = subject.filter("made").select(
        pl.col("output_tokens") + pl.when(beside).then(pl.col("reasoning_tokens").fill_null(0)).otherwise(0)
    )
    return _mean(billed.to_series())


def _reasoning(subject: pl.DataFrame) -> float | None:
    """R: billed output over what is left of it without reasoning; None where reasoning is not told."""
    known = subject.filter(pl.col("reasoning_tokens").is_not_null(), pl.col("output_tokens").is_not_null())
    if known.is_empty():
        return None
    inside = pl.col("output_includes_reasoning").fill_null(value=True)
    billed = pl.when(inside).then("output_tokens").otherwise(pl.col("output_tokens") + pl.col("reasoning_tokens"))
    whole, thought = known.select(billed.sum(), pl.col("reasoning_tokens").sum()).row(0)
    return whole / (whole - thought) if whole > thought else None


def _first(values: pl.Series) -> str | None:
    found = values.drop_nulls()
    return str(found[0]) if found.len() else None


def _same(values: pl.Series) -> bool | None:
    found = values.drop_nulls().unique()
    return bool(found[0]) if found.len() == 1 else None


def _mean(values: pl.Series) -> float | None:
    mean = values.mean()
    return float(mean) if isinstance(mean, (int, float)) else None


def _sum(values: pl.Series) -> float:
    return float(values.drop_nulls().to_numpy().astype(np.float64).sum())


def _most_per_item(subject: pl.DataFrame) -> int | None:
    counts = subject.filter("made").group_by("item").len()["len"].to_numpy()
    return int(counts.max()) if counts.size else None


def _day(value: Any) -> date | None:
    return value if isinstance(value, date) else None
