"""A practitioner's question: the cheapest way to serve a model within a contract, by the closed forms.

Light on purpose: NumPy, the closed forms, and a few rows of the published warehouse.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np

from answers.decide.calibrated import calibration_of, evidence, group_for, share_of
from answers.decide.record import Decision, ReplicaSize, ServingQuestion, Share
from answers.decide.weighing import (
    GBPS,
    at_the_rate,
    cheapest,
    designs_of,
    flips_of,
    known,
    margins_of,
    nearest_contracts,
    paid_usd_per_mtok,
    with_draws,
)
from answers.names import UnknownNameError, gpu_meant, model_meant
from answers.rents import rent_on
from economics.serving.scenarios import (
    ACHIEVED_LINK_SHARES,
    PRECISIONS,
    SETTINGS,
    Facts,
    hardware_symbols,
    in_words,
    link_bytes_per_s,
    model_symbols,
    scale_up_gpus,
    scenario_of,
    smallest_replica,
    with_setting,
)
from economics.serving.symbols import TPOT_DEFINITIONS, Contract, Efficiency, RequestShape, Scenario
from economics.units import require_positive
from warehouse.folder import data_root

SETTING = "realistic"
PERCENTILE = 0.99
MOST_GPUS = 4096


class QuestionError(ValueError):
    """A question that has no answer as it is asked; the command exits with 2."""

    code = 2


def decide(question: ServingQuestion, *, warehouse: Path | None = None) -> Decision:
    """The cheapest design for a question, from the latest published warehouse.

    Raises QuestionError for a question that is absurd or names an unknown GPU or model, FileNotFoundError before the first
    refresh. A contract that cannot be met is no error: `answer` is None and `nearest` says what can.
    """
    file = warehouse or data_root() / "releases" / "latest.duckdb"
    if not file.exists():
        raise FileNotFoundError(f"no warehouse at {file} yet: run `iecon refresh` first")
    with duckdb.connect(str(file.resolve()), read_only=True) as connection:
        question, taken = _in_known_names(connection, question)
        gpu = _row(connection, "core.gpu", "gpu", question.gpu)
        shape = _row(connection, "core.model_shape", "model", question.model)
        price: Facts = {}
        if question.rent_day or question.rent_term or question.rent_statistic:
            price = _rent_of_a_day(connection, question)
        elif question.usd_per_gpu_hour is None:
            price = _row(connection, "core.gpu_price", "gpu", question.gpu)
        elif not question.usd_per_gpu_hour > 0:  # the refusal names the rent there is
            price = next(iter(_rows(connection, "SELECT * FROM core.gpu_price WHERE gpu = ?", question.gpu)), {})
        fits = _rows(connection, "SELECT * FROM marts.calibration WHERE gpu = ?", question.gpu)
        against_runs = _against_runs(connection)
    decision = answer(question, gpu=gpu, shape=shape, price=price, fits=fits)
    assumed = against_runs if decision.calibration != "fitted" else ()
    return replace(decision, evidence=(*taken, *decision.evidence, *assumed))


def _against_runs(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """In words, how far assumed shares of the peak are from measured runs, and the fit that has not seen their group."""
    found = _rows(
        connection,
        "SELECT runs, default_error, median_error FROM marts.engine_validation WHERE left_out = ? AND gpu IS NULL "
        "AND kind = 'closed' AND NOT drafts AND quantity = 'output_tokens_per_s_per_gpu'",
        "group",
    )
    return tuple(
        f"how right: on {row['runs']:,} measured runs in closed loops, assumed MFU and MBU miss the output rate by "
        f"{row['default_error']:.0%} in the median; the fit behind `iecon predict`, without the group of the run, by "
        f"{row['median_error']:.0%}"
        for row in found
    )


def _rent_of_a_day(connection: duckdb.DuckDBPyConnection, q: ServingQuestion) -> Facts:
    """Rent of the day, term and statistic asked for, in the columns of core.gpu_price."""
    if q.usd_per_gpu_hour is not None:
        raise QuestionError("--price states the rent and --rent-day looks it up: give one of both")
    if q.rent_day is None:
        raise QuestionError("--rent-term and --rent-statistic are of a day: give --rent-day")
    try:
        return rent_on(connection, q.gpu, day=date.fromisoformat(q.rent_day), term=q.rent_term, statistic=q.rent_statistic)
    except ValueError as error:
        raise QuestionError(f"--rent-day: {error}") from None


class Sized(NamedTuple):
    """The question for replicas of one size."""

    scenario: Scenario
    shares: tuple[Share, ...]


def answer(question: ServingQuestion, *, gpu: Facts, shape: Facts, price: Facts, fits: Sequence[Facts] = ()) -> Decision:
    """The cheapest design, from rows of core.gpu, core.model_shape and core.gpu_price (empty where the price is stated), and
    the rows of marts.calibration of that GPU.

    All designs get the replica size, of those within a node, at which the cheapest of them is cheapest. Raises QuestionError
    for an absurd question.
    """
    _refuse_absurd(question, gpu=gpu, price=price)
    rent = question.usd_per_gpu_hour or float(price["usd_per_gpu_hour"])
    kv_gbps = _kv_gbps(question, gpu)
    try:
        group = group_for(fits, model=question.model, precision=question.precision, engine=question.engine)
    except ValueError as error:
        raise QuestionError(f"--engine: {error}") from None
    by_size: dict[float, Sized] = {}
    for gpus in _replica_sizes(question, gpu=gpu, shape=shape):
        shares = tuple(share_of(name, group, gpus=gpus) for name in ("mfu", "mbu"))
        scenario = scenario_for(
            question, gpu=gpu, shape=shape, gpus=gpus, usd_per_gpu_hour=rent, kv_gbps=kv_gbps, shares=shares
        )
        by_size[gpus] = Sized(scenario, shares)
    paid = {gpus: paid_usd_per_mtok(sized.scenario) for gpus, sized in by_size.items()}
    size = min(paid, key=lambda gpus: (min(paid[gpus].values()), gpus))
    scenarios = {gpus: sized.scenario for gpus, sized in by_size.items()}
    nearest = () if cheapest(paid[size]) else nearest_contracts(scenarios)
    if nearest:
        size = float(nearest[0].gpus_per_replica)
    scenario, shares = by_size[size]
    drawn = with_draws(scenario, price=price, shares=shares)
    designs, margins = designs_of(scenario, drawn), margins_of(scenario, drawn)
    by_setting = {
        name: cheapest(paid_usd_per_mtok(with_setting(scenario, name, links_in_mfu=_links_in_mfu(shares)))) for name in SETTINGS
    }
    winner = by_setting[SETTING]
    flips: tuple[str, ...] = ()
    if winner is not None:
        flips = flips_of(scenario, winner=winner, margins=margins, designs=designs, by_setting=by_setting)
    return Decision(
        question=question,
        answer=winner,
        gpus_per_replica=int(size),
        designs=designs,
        margins=margins,
        flips=flips,
        cheapest_by_setting=by_setting,
        sizes=tuple(
            ReplicaSize(gpus=int(gpus), cheapest=cheapest(usd), usd_per_mtok=known(min(usd.values())))
            for gpus, usd in paid.items()
        ),
        nearest=nearest,
        usd_per_gpu_hour=rent,
        kv_gbps=kv_gbps,
        setting=SETTING,
        switches=in_words(at_the_rate(scenario).refinements),
        calibration=calibration_of(shares),
        shares=shares,
        evidence=(
            evidence(shares, fits=fits, model=question.model, gpu=question.gpu),
            *_evidence(gpu=gpu, shape=shape, price=price),
        ),
    )


def scenario_for(
    q: ServingQuestion,
    *,
    gpu: Facts,
    shape: Facts,
    gpus: float,
    usd_per_gpu_hour: float,
    kv_gbps: float,
    shares: tuple[Share, ...],
) -> Scenario:
    """The question as symbols, for replicas of so many GPUs that reach such shares of their peaks."""
    return scenario_of(
        hardware=hardware_symbols(gpu, gpus=gpus, usd_per_gpu_hour=usd_per_gpu_hour, precision=q.precision),
        model=model_symbols(shape, precision=q.precision),
        workload=RequestShape(
            input_tokens=q.input_tokens,
            input_per_output=q.input_tokens / q.output_tokens,
            context_tokens=_context_tokens(q),
            arrival_rate_per_s=q.requests_per_s,
        ),
        contract=Contract(ttft_s=q.ttft_p99_s, tpot_s=q.tpot_p99_s, percentile=PERCENTILE, tpot_definition=q.tpot_definition),
        kv_bytes_per_s_per_gpu=kv_gbps * GBPS,
        setting=SETTING,
        efficiency=Efficiency(**{share.name: share.value for share in shares}),
        links_in_mfu=_links_in_mfu(shares),
    )


def _links_in_mfu(shares: tuple[Share, ...]) -> bool:
    """Whether the time on a replica's links is in its MFU already: a fit is to steps of whole replicas."""
    return any(share.name == "mfu" and share.basis == "fitted" for share in shares)


def _refuse_absurd(q: ServingQuestion, *, gpu: Facts, price: Facts) -> None:
    """Raise QuestionError for a number that is not positive, with the nearest that is answered, or an unknown word."""
    numbers = {
        "in": q.input_tokens,
        "out": q.output_tokens,
        "rate": q.requests_per_s,
        "ttft-p99": q.ttft_p99_s,
        "tpot-p99": q.tpot_p99_s,
        "kv-gbps": q.kv_gbps,
        "price": q.usd_per_gpu_hour,
    }
    bound = "any bound above 0 is answered, where no design meets it with the nearest that can be met"
    rent = f"today's rent of {q.gpu} is ${price['usd_per_gpu_hour']:.4g} per GPU-hour" if price else "what you pay per GPU-hour"
    link = f"the network of {q.gpu} has {gpu['nic_bytes_per_s'] / GBPS:g}" if gpu["nic_bytes_per_s"] else "what each GPU has"
    nearest = {
        "in": "the shortest prompt is 1 token",
        "out": "the shortest answer is 1 token",
        "rate": "where nothing arrives no token bears the cost; any rate above 0 is answered, with whole replicas",
        "ttft-p99": bound,
        "tpot-p99": bound,
        "kv-gbps": link,
        "price": rent,
    }
    for name, number in numbers.items():
        try:
            require_positive(**{name: number})
        except ValueError as error:
            raise QuestionError(f"--{error}: {nearest[name]}") from None
    for option, word, choices in (
        ("precision", q.precision, PRECISIONS),
        ("tpot-definition", q.tpot_definition, TPOT_DEFINITIONS),
    ):
        if word not in choices:
            raise QuestionError(f"--{option} must be one of {', '.join(choices)}, got {word}")


def _context_tokens(q: ServingQuestion) -> float:
    """Mean length of a running sequence: the prompt and half the answer."""
    return q.input_tokens + q.output_tokens / 2.0


def _replica_sizes(q: ServingQuestion, *, gpu: Facts, shape: Facts) -> list[float]:
    """Powers of two from the first on which the weights and one sequence fit, up to what the scale-up link joins."""
    model = model_symbols(shape, precision=q.precision)
    least = smallest_replica(gpu=gpu, model=model, context_tokens=_context_tokens(q), sequences=1.0)
    if least > MOST_GPUS:
        room = Efficiency().memory_share * gpu["hbm_bytes"] * MOST_GPUS - model.weight_bytes
        raise QuestionError(
            f"{q.model} with one sequence of {_context_tokens(q):.4g} tokens does not fit on {MOST_GPUS} {q.gpu}: the longest "
            f"that does has {room / model.kv_bytes_per_token:.3g}"
        )
    most = max(scale_up_gpus(gpu), least)
    sizes = [float(size) for size in 2.0 ** np.arange(np.log2(least), np.log2(most) + 1e-9)]
    linked = [size for size in sizes if size == 1.0 or link_bytes_per_s(gpu, gpus=size) is not None]
    if not linked:
        raise QuestionError(f"{q.model} needs {least:.0f} {q.gpu}, and no document states the link between so many of them")
    return linked


def _kv_gbps(q: ServingQuestion, gpu: Facts) -> float:
    if gpu[f"{q.precision}_flop_per_s"] is None:
        raise QuestionError(f"{q.gpu} has no {q.precision} peak: choose another --precision")
    if q.kv_gbps is None and gpu["nic_bytes_per_s"] is None:
        raise QuestionError(f"no network figure is known for {q.gpu}: give --kv-gbps")
    return q.kv_gbps if q.kv_gbps is not None else float(gpu["nic_bytes_per_s"]) / GBPS


def _evidence(*, gpu: Facts, shape: Facts, price: Facts) -> tuple[str, ...]:
    """Where every other input comes from."""
    rent = "rent: as you stated it, taken as certain"
    if price:
        rent = (
            f"rent: {price['term']}, {price['sellers']} seller(s) from {price['low_usd_per_gpu_hour']:.4g} to "
            f"{price['high_usd_per_gpu_hour']:.4g} $ per GPU-hour, newest offer of {price['valid_from']} ({price['sources']})"
        )
    low, high = ACHIEVED_LINK_SHARES
    return (
        rent,
        f"link: {low:.3f} to {high:.2f} of nominal is achieved (Mooncake, FAST'25, Fig. 12)",
        f"GPU figures: {gpu['status']} ({gpu['locator']})",
        f"model shape: {shape['status']}" + (f" ({shape['note']})" if shape["note"] else ""),
    )


def _in_known_names(connection: duckdb.DuckDBPyConnection, q: ServingQuestion) -> tuple[ServingQuestion, tuple[str, ...]]:
    """The question with the names of the warehouse, and what was taken for what; QuestionError with the nearest for others."""
    gpus, models = (
        [str(key) for (key,) in connection.execute(f"SELECT {key} FROM {table}").fetchall()]
        for key, table in (("gpu", "core.gpu"), ("model", "core.model_shape"))
    )
    try:
        gpu, model = gpu_meant(q.gpu, gpus), model_meant(q.model, models)
    except UnknownNameError as error:
        raise QuestionError(str(error)) from None
    return replace(q, gpu=gpu.key, model=model.key), tuple(note for note in (gpu.note, model.note) if note)


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, name: str) -> list[Facts]:
    found = connection.execute(sql, [name])
    columns = [column[0] for column in found.description or []]
    return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def _row(connection: duckdb.DuckDBPyConnection, table: str, key: str, name: str) -> Facts:
    """The row of a table with that key; for a name it does not hold, a QuestionError with those it does."""
    found = _rows(connection, f"SELECT * FROM {table} WHERE {key} = ?", name)
    if found:
        return found[0]
    listed = ", ".join(sorted(str(other) for (other,) in connection.execute(f"SELECT {key} FROM {table}").fetchall()))
    if table == "core.gpu_price":
        raise QuestionError(f"no rent is known for {name}: give --price (rents are known for {listed})")
    raise QuestionError(f"unknown {key} {name}; known are {listed}")
