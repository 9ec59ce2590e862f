"""What all catalogues share: reading by column name, refusing what is no price of a GPU, and the contract's own rules."""

from datetime import UTC, date, datetime
from typing import Any

import pandera.errors
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.prices.gpu_rents import SERIES, GpuhuntOffer
from sources.prices.gpu_offers import DRAFT, finish, read_table
from sources.source import Snapshot

SNAPSHOT = Snapshot("gpuhunt_aws", b"", "0" * 64, "http", "https://here", datetime(2026, 11, 10, tzinfo=UTC))
OFFER: dict[str, Any] = {
    "provider": "aws",
    "provider_kind": "hyperscaler",
    "instance_type": "p5.48xlarge",
    "instance_hint": "p5.48xlarge",
    "source_gpu": "H100",
    "gpu_count": 8.0,
    "gpu_memory_gb": 80.0,
    "term": "on_demand",
    "region": "us-east-1",
    "usd_per_instance_hour": 32.0,
    "price_basis": "per_instance",
    "basis": "catalogue",
}


def offers(*changes: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([OFFER | change for change in changes], schema=DRAFT, orient="row")


def test_no_rows_give_no_offers_and_no_refusals() -> None:
    parsed = finish(offers(), SNAPSHOT)
    assert parsed.accepted.is_empty()
    assert parsed.rejected.is_empty()


def test_terms_regions_and_counts_stay_apart() -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"term": "spot"},
        {"region": "eu"},
        {"gpu_count": 4.0, "usd_per_instance_hour": 16.5},
    ]
    assert finish(offers(*changes), SNAPSHOT).accepted.select(SERIES).is_unique().all()
    assert finish(offers(*changes), SNAPSHOT).accepted.height == 4


def test_two_unrelated_gpus_may_cost_the_same() -> None:
    other = {"source_gpu": "A100", "gpu_count": 16.0, "instance_type": "x", "instance_hint": "x"}
    assert finish(offers({}, other), SNAPSHOT).accepted.height == 2


def test_two_offers_are_too_few_to_call_one_a_slip() -> None:
    regions: list[dict[str, Any]] = [{"region": "a"}, {"region": "b", "usd_per_instance_hour": 800.0}]
    assert finish(offers(*regions), SNAPSHOT).accepted.height == 2


@given(st.lists(st.floats(0.3, 190), min_size=1, max_size=8))
def test_every_price_is_kept_or_refused_with_a_reason(per_gpu: list[float]) -> None:
    changes = [{"region": f"r{n}", "usd_per_instance_hour": usd * 8} for n, usd in enumerate(per_gpu)]
    parsed = finish(offers(*changes), SNAPSHOT)
    assert parsed.accepted.height + int(parsed.rejected["n_rows"].sum()) == len(per_gpu)
    assert set(parsed.rejected["rule"]) <= {"price_20x_off_median"}


@given(st.permutations([30.0, 31.0, 32.0, 32.0]))
def test_the_lowest_price_of_a_region_stays_whatever_the_order(prices: list[float]) -> None:
    parsed = finish(offers(*[{"usd_per_instance_hour": usd} for usd in prices]), SNAPSHOT)
    assert parsed.accepted["usd_per_instance_hour"].to_list() == [30.0]
    assert parsed.rejected.select("rule", "n_rows").rows() == [("dearer_in_region", 3)]


def valid() -> pl.DataFrame:
    frame = finish(offers({}), SNAPSHOT).accepted
    GpuhuntOffer.validate(frame)
    return frame


@pytest.mark.parametrize(
    "change",
    [
        {"usd_per_gpu_hour": 32.0},
        {"usd_per_gpu_hour": 0.0},
        {"usd_per_gpu_hour": float("nan")},
        {"term": "monthly"},
        {"form_factor": "mezzanine"},
        {"gpu_count": 0},
        {"gpu_family": None},
        {"statistic": "mean"},
        {"valid_from": date(2026, 2, 1), "valid_to": date(2026, 1, 1)},
    ],
)
def test_the_contract_refuses(change: dict[str, Any]) -> None:
    frame = valid()
    broken = frame.with_columns(pl.lit(value, dtype=frame.schema[name]).alias(name) for name, value in change.items())
    with pytest.raises((pandera.errors.SchemaError, pandera.errors.SchemaErrors)):
        GpuhuntOffer.validate(broken)


def test_the_contract_refuses_the_same_offer_twice() -> None:
    with pytest.raises(pandera.errors.SchemaError):
        GpuhuntOffer.validate(pl.concat([valid(), valid()]))


def test_a_table_is_read_by_name_with_empty_cells_unknown() -> None:
    table = read_table(b'b,a,c\n1.5,x,9\n,"",9\n', texts=["a"], numbers=["b"], optional=["d"])
    assert table.to_dicts() == [{"a": "x", "d": None, "b": 1.5}, {"a": None, "d": None, "b": None}]


@pytest.mark.parametrize("body", [b"", b"a\nx\n", b"a,b\nx,many\n", b"a,b\nx,1\nx,1,2,3\n"])
def test_a_table_of_another_shape_is_unreadable(body: bytes) -> None:
    with pytest.raises(ValueError, match="catalogue"):
        read_table(body, texts=["a"], numbers=["b"], optional=[])
