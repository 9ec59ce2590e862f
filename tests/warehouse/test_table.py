"""What stands between a frame and the disk: bad raw rows are quarantined, a bad result is refused before it is written."""

from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from schemas.base import Table, carried_from, column, empty, origins, polars_schema
from schemas.prices.llm_prices import RAW_PRICES, LlmPriceCurrent
from schemas.quarantine import Parsed, Rejected
from sources.prices.price_keys import refusals
from warehouse.contract import apply_contract
from warehouse.resources import NOW_TAG, DataFolder, read_settings
from warehouse.store import read_rejected, read_table, table_path, write_frame
from warehouse.table import CONTRACT_CHECK, QUARANTINE_CHECK, asset_key, table


def raw(**changes: object) -> dict[str, object]:
    return {
        "source": "litellm",
        "source_provider": "openai",
        "source_model": "gpt-4o",
        "source_key": "input_cost_per_token",
        "leg": "input",
        "tier_min_tokens": 0,
        "variant": "standard",
        "price_window": "always",
        "published_value": "2.5e-06",
        "published_unit": "usd_per_token",
        "usd_per_mtok": 2.5,
        "seen_on": date(2026, 11, 12),
        "evidence_on": date(2026, 11, 12),
        "document_sha256": "0" * 64,
        "locator": "/gpt-4o/input_cost_per_token",
    } | changes


def current(**changes: object) -> dict[str, object]:
    return {
        "provider": "openai",
        "model": "gpt-4o",
        "is_canonical": True,
        "leg": "input",
        "tier_min_tokens": 0,
        "variant": "standard",
        "price_window": "always",
        "usd_per_mtok": 2.5,
        "n_sources": 1,
        "agreement": 1.0,
        "decided_by": "only_source",
        "low_usd_per_mtok": 2.5,
        "high_usd_per_mtok": 2.5,
        "quotes": "{}",
        "region": "global",
        "region_low_usd_per_mtok": 2.5,
        "region_high_usd_per_mtok": 2.5,
        "is_far_from_peers": False,
        "evidence_on": date(2026, 11, 12),
        "age_days": 0,
        "is_stale": False,
        "price_source": "litellm",
    } | changes


def frame(schema, *rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=polars_schema(schema))


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"usd_per_mtok": -1e6}, "greater_than(0)"),
        ({"usd_per_mtok": 3200.0}, "less_than(1000.0)"),
        ({"usd_per_mtok": float("inf")}, "is_finite"),
        ({"usd_per_mtok": None}, "not_nullable"),
        ({"leg": "per_image"}, "isin"),
        ({"source_model": ""}, "str_length(1, None)"),
    ],
)
def test_bad_raw_row_goes_to_quarantine_with_its_rule_and_good_rows_go_on(changes: dict[str, object], rule: str):
    rows = frame(RAW_PRICES["litellm"], raw(), raw(**{"source_model": "bad", **changes}))
    kept, rejected, faults = apply_contract(RAW_PRICES["litellm"], rows, empty(Rejected))
    assert kept["source_model"].to_list() == ["gpt-4o"]
    assert faults.is_empty()
    assert any(name.startswith(rule) for name in rejected["rule"])
    assert set(rejected["source"]) == {"litellm"}
    Rejected.validate(rejected)


def test_bad_row_of_a_mart_refuses_the_table():
    _, _, faults = apply_contract(LlmPriceCurrent, frame(LlmPriceCurrent, current(), current()), empty(Rejected))
    assert set(faults["check"]) == {"multiple_fields_uniqueness"}


def test_missing_and_unexpected_columns_are_named():
    odd = frame(LlmPriceCurrent, current()).rename({"agreement": "agrees"})
    _, _, faults = apply_contract(LlmPriceCurrent, odd, empty(Rejected))
    assert "column_in_dataframe" in set(faults["check"])
    assert "agrees" in set(faults["failure_case"])


def test_empty_table_is_refused_unless_declared():
    *_, faults = apply_contract(LlmPriceCurrent, empty(LlmPriceCurrent), empty(Rejected))
    assert faults["check"].to_list() == ["the table has rows"]
    *_, faults = apply_contract(LlmPriceCurrent, empty(LlmPriceCurrent), empty(Rejected), may_be_empty=True)
    assert faults.is_empty()


def materialise(folder: Path, rows: pl.DataFrame, rejected: pl.DataFrame | None = None) -> dg.ExecuteInProcessResult:
    @table(schema=LlmPriceCurrent, group="test")
    def llm_price_current(now: datetime, previous: pl.DataFrame) -> Parsed:
        assert now == datetime(2026, 11, 23, tzinfo=UTC)
        assert previous.schema == polars_schema(LlmPriceCurrent)
        return Parsed(rows, empty(Rejected) if rejected is None else rejected)

    return dg.materialize(
        [llm_price_current],
        resources={"data": DataFolder(root=str(folder))},
        tags={NOW_TAG: "2026-11-23T00:00:00+00:00"},
        raise_on_error=False,
    )


def test_good_table_is_written_with_its_checks_and_counts(tmp_path: Path):
    result = materialise(tmp_path, frame(LlmPriceCurrent, current()))
    checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert checks == {CONTRACT_CHECK: True, QUARANTINE_CHECK: True}
    metadata = result.asset_materializations_for_node("core__llm_price_current")[0].metadata
    assert metadata["dagster/row_count"].value == 1
    assert read_table(tmp_path / "tables", LlmPriceCurrent).height == 1


def test_refused_table_leaves_the_last_good_one_and_shows_a_failing_check(tmp_path: Path):
    write_frame(table_path(tmp_path / "tables", LlmPriceCurrent), frame(LlmPriceCurrent, current(usd_per_mtok=9.0)))
    result = materialise(tmp_path, frame(LlmPriceCurrent, current(), current()))
    check = next(check for check in result.get_asset_check_evaluations() if check.check_name == CONTRACT_CHECK)
    assert (check.check_name, check.passed) == (CONTRACT_CHECK, False)
    assert (
        "core.llm_price_current: column core.llm_price_current breaks `multiple_fields_uniqueness` in 2 rows"
        in check.metadata["faults"].value
    )
    assert not result.asset_materializations_for_node("core__llm_price_current")
    assert read_table(tmp_path / "tables", LlmPriceCurrent)["usd_per_mtok"].to_list() == [9.0]


def read_raw(folder: Path, rows: pl.DataFrame, rejected: pl.DataFrame) -> dg.AssetCheckEvaluation:
    """The quarantine check of a raw table that a run has made."""

    @table(schema=RAW_PRICES["litellm"], group="test")
    def litellm_price(now: datetime) -> Parsed:
        return Parsed(rows, rejected)

    data = {"data": DataFolder(root=str(folder))}
    done = dg.materialize([litellm_price], resources=data, tags={NOW_TAG: "2026-11-23T00:00:00+00:00"})
    return next(check for check in done.get_asset_check_evaluations() if check.check_name == QUARANTINE_CHECK)


def test_keys_that_nobody_knows_and_a_falling_share_are_said_by_name(tmp_path: Path):
    rows = frame(RAW_PRICES["litellm"], raw(), raw(source_model="other"))
    assert read_raw(tmp_path, rows, empty(Rejected)).passed
    unknown = refusals(
        pl.DataFrame(
            {"row_key": ["gpt-4o"], "column_name": ["cost_per_thought"], "value": ["1"], "rule": ["unknown_price_key"]}
        ),
        "litellm",
    )
    check = read_raw(tmp_path, rows.head(1), unknown)
    assert not check.passed
    assert check.description == "1 unknown_price_key, not known: cost_per_thought, 50% of its rows can be used, 100% before"


def test_suspect_rows_turn_the_check_yellow_and_are_kept(tmp_path: Path):
    suspect = frame(
        Rejected,
        {
            "source": "litellm",
            "row_key": "x",
            "column_name": "usd_per_mtok",
            "value": "150",
            "rule": "jump_20x",
            "reason": "a jump",
            "severity": "suspect",
            "n_rows": 1,
        },
    )
    result = materialise(tmp_path, frame(LlmPriceCurrent, current()), suspect)
    check = next(check for check in result.get_asset_check_evaluations() if check.check_name == QUARANTINE_CHECK)
    assert (check.passed, check.severity, check.description) == (False, dg.AssetCheckSeverity.WARN, "1 jump_20x")
    assert read_rejected(tmp_path / "rejected", LlmPriceCurrent).equals(suspect)


def test_definition_carries_columns_units_and_lineage():
    @table(schema=LlmPriceCurrent, group="test")
    def llm_price_current(llm_price: pl.DataFrame) -> pl.DataFrame:
        return llm_price

    metadata = llm_price_current.metadata_by_key[asset_key(LlmPriceCurrent)]
    columns = {column.name: column for column in metadata["dagster/column_schema"].columns}
    assert columns["usd_per_mtok"].description == (
        "price most sources state [usd_per_mtok]; from [core.llm_price usd_per_mtok](/assets/core/llm_price)"
    )
    lineage = metadata["dagster/column_lineage"].deps_by_column
    assert [(dep.asset_key.path, dep.column_name) for dep in lineage["n_sources"]] == [(["core", "llm_price"], "source")]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("keep: 3", "unknown field `keep`"), ("keep_releases: 0", "keep_releases"), ("[1]", "Expected `object`")],
)
def test_bad_config_names_file_and_key(tmp_path: Path, text: str, complaint: str):
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ValueError, match=complaint):
        read_settings(tmp_path / "config.yaml")


def test_an_equal_name_alone_says_nothing_of_where_a_column_comes_from():
    class Offer(Table):
        """Offers."""

        gpu: str = column("canonical GPU")
        usd: float = column("rent", unit="usd_per_gpu_hour")
        n: int = column("offers")

        class Config:
            name = "core.offer"

    class Cheapest(Table):
        """The cheapest offers."""

        gpu: str = column("canonical GPU")
        usd: float = column("rent", unit="usd_per_gpu_hour", derived_from=("offer.usd",))
        n: int = column("sellers")

        class Config:
            name = "marts.cheapest"
            metadata = carried_from("offer")

    assert [origins(Cheapest, name, {"offer": Offer}) for name in ("gpu", "usd", "n")] == [
        [("offer", "gpu")],
        [("offer", "usd")],
        [],
    ]
    assert origins(Cheapest, "gpu", {}) == []
