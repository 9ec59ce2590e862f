"""Azure Retail Prices: what a price is of, for how long it is paid, and what has to be left out."""

import json
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import unquote

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.prices.gpu_rents import AzureRetailPrice
from schemas.quarantine import Parsed, Rejected
from sources.prices.azure_retail import FILTER, HOURS_PER_YEAR, SOURCE, parse_offers
from sources.source import HttpPages, Snapshot

ND_H100 = {
    "currencyCode": "USD",
    "tierMinimumUnits": 0.0,
    "retailPrice": 98.32,
    "unitPrice": 98.32,
    "armRegionName": "eastus",
    "location": "US East",
    "effectiveStartDate": "2023-08-01T00:00:00Z",
    "meterName": "ND96isr H100 v5",
    "productName": "Virtual Machines NDsr H100 v5 Series",
    "skuName": "ND96isr H100 v5",
    "serviceName": "Virtual Machines",
    "unitOfMeasure": "1 Hour",
    "type": "Consumption",
    "isPrimaryMeterRegion": True,
    "armSkuName": "Standard_ND96isr_H100_v5",
}
SPOT = {"meterName": "ND96isr H100 v5 Spot", "skuName": "ND96isr H100 v5 Spot", "retailPrice": 40.0}
RESERVATION = {"type": "Reservation", "reservationTerm": "1 Year", "retailPrice": 560_000.0}


def parse(*items: dict[str, Any]) -> Parsed:
    body = json.dumps({"Items": [ND_H100 | item for item in items]}).encode()
    at = datetime(2026, 11, 10, tzinfo=UTC)
    parsed = parse_offers(Snapshot("azure_retail", body, "0" * 64, "http", "https://prices.azure.com", fetched_at=at))
    AzureRetailPrice.validate(parsed.accepted)
    Rejected.validate(parsed.rejected)
    return parsed


def rules(parsed: Parsed) -> dict[str, int]:
    return dict(parsed.rejected.group_by("rule").agg(pl.col("n_rows").sum()).iter_rows())


def test_the_address_asks_for_linux_gpu_instances_and_follows_pages() -> None:
    (live,) = SOURCE.live
    assert isinstance(live, HttpPages)
    assert (live.items, live.next_link) == ("Items", "NextPageLink")
    assert unquote(live.url).endswith(f"api-version=2023-01-01-preview&$filter={FILTER}")
    assert " " not in live.url
    assert "'Virtual Machines'" in FILTER


def test_an_hourly_price_of_an_instance_becomes_a_price_per_gpu() -> None:
    row = parse({}).accepted.row(0, named=True)
    assert (row["gpu"], row["gpu_count"], row["gpu_memory_gb"]) == ("h100-sxm", 8, 80.0)
    assert (row["usd_per_instance_hour"], row["usd_per_gpu_hour"]) == (98.32, 12.29)
    assert (row["term"], row["region"], row["price_basis"]) == ("on_demand", "eastus", "per_instance")
    assert (row["valid_from"], row["valid_to"], row["date_basis"]) == (date(2023, 8, 1), None, "vendor")
    assert (row["provider"], row["provider_kind"], row["basis"]) == ("azure", "hyperscaler", "primary")


def test_spot_stays_apart_from_on_demand() -> None:
    assert parse({}, SPOT).accepted.select("term", "usd_per_gpu_hour").rows() == [("on_demand", 12.29), ("spot", 5.0)]


def test_a_reservation_states_one_sum_for_its_term_though_the_unit_says_one_hour() -> None:
    parsed = parse(RESERVATION, RESERVATION | {"reservationTerm": "3 Years", "retailPrice": 1_100_000.0})
    one, three = parsed.accepted.sort("term").iter_rows(named=True)
    assert (one["term"], three["term"]) == ("reserved_1y", "reserved_3y")
    assert one["usd_per_gpu_hour"] == pytest.approx(560_000 / 8_760 / 8)
    assert three["usd_per_gpu_hour"] == pytest.approx(1_100_000 / 26_280 / 8)
    assert (one["price_basis"], one["basis"]) == ("per_term", "derived")
    assert "560000.0 USD for 1 Year" in one["note"]


def test_the_documented_shape_of_a_reservation_reads_as_a_sum_not_as_an_hour() -> None:
    # The vendor's own example: 25,007 USD under "1 Hour" is what an E64 v4 costs for one year.
    parsed = parse({"type": "Reservation", "reservationTerm": "1 Year", "retailPrice": 25_007.0, "unitOfMeasure": "1 Hour"})
    assert parsed.accepted["usd_per_instance_hour"].item() == pytest.approx(2.8547, abs=1e-4)


def test_savings_plans_are_hourly_and_keep_their_own_terms() -> None:
    plans = [{"term": "1 Year", "retailPrice": 70.0, "unitPrice": 70.0}, {"term": "3 Years", "retailPrice": 48.0}]
    parsed = parse({"savingsPlan": plans})
    assert parsed.accepted.select("term", "usd_per_gpu_hour").rows() == [
        ("on_demand", 12.29),
        ("savings_plan_1y", 8.75),
        ("savings_plan_3y", 6.0),
    ]


@pytest.mark.parametrize(
    ("item", "rule"),
    [
        ({"productName": "Virtual Machines NDsr H100 v5 Series Windows"}, "windows"),
        ({"productName": "NDsr H100 v5 Series Dedicated Host"}, "dedicated_host"),
        ({"productName": "NDsr H100 v5 Series Cloud Services"}, "cloud_services"),
        ({"meterName": "ND96isr H100 v5 Low Priority"}, "low_priority"),
        ({"type": "DevTestConsumption"}, "dev_test"),
        ({"armSkuName": "Standard_ND40rs_v2"}, "unknown_sku"),
        ({"armSkuName": ""}, "unknown_sku"),
        ({"unitOfMeasure": "1/Month"}, "not_an_hourly_price"),
        ({"type": "Reservation", "reservationTerm": "1 Month"}, "not_an_hourly_price"),
    ],
)
def test_what_is_no_price_of_a_linux_gpu_instance_is_left_out_with_a_reason(item: dict[str, Any], rule: str) -> None:
    parsed = parse(item, {})
    assert parsed.accepted.height == 1
    assert rules(parsed) == {rule: 1}
    assert parsed.rejected["severity"].item() == "out_of_scope"


def test_an_unknown_instance_is_named_so_that_it_can_be_documented() -> None:
    parsed = parse(*[{"armSkuName": "Standard_ND128_new", "armRegionName": region} for region in ("a", "b", "c")])
    assert parsed.rejected.select("row_key", "n_rows").rows() == [("Standard_ND128_new", 3)]


def test_another_currency_or_another_shape_is_unreadable() -> None:
    with pytest.raises(ValueError, match="EUR"):
        parse({"currencyCode": "EUR"})
    with pytest.raises(ValueError, match="Items"):
        parse_offers(Snapshot("azure_retail", b"{}", "0", "http", "u", datetime(2026, 11, 10, tzinfo=UTC)))


def test_a_price_ends_when_the_next_one_begins() -> None:
    parsed = parse({}, {"effectiveStartDate": "2026-12-01T00:00:00Z", "retailPrice": 80.0})
    assert parsed.accepted.sort("valid_from").select("valid_from", "valid_to", "usd_per_instance_hour").rows() == [
        (date(2023, 8, 1), date(2026, 12, 1), 98.32),
        (date(2026, 12, 1), None, 80.0),
    ]


def test_two_meters_of_one_offer_become_one_price() -> None:
    parsed = parse({}, {}, {"retailPrice": 99.0})
    assert parsed.accepted["usd_per_instance_hour"].to_list() == [98.32]
    assert rules(parsed) == {"dearer_in_region": 1}


def test_pcie_and_sxm_come_from_the_instance() -> None:
    skus = {
        "Standard_NC24ads_A100_v4": ("a100-80gb-pcie", 1),
        "Standard_NC80adis_H100_v5": ("h100-nvl", 2),
        "Standard_ND96amsr_A100_v4": ("a100-80gb-sxm", 8),
        "Standard_ND96asr_v4": ("a100-40gb-sxm", 8),
        "Standard_ND96isr_H200_v5": ("h200-sxm", 8),
        "Standard_ND96isr_MI300X_v5": ("mi300x", 8),
        "Standard_ND128isr_NDR_GB200_v6": ("gb200", 4),
    }
    offers = parse(*[{"armSkuName": sku, "retailPrice": 4.0 * count} for sku, (_, count) in skus.items()]).accepted
    assert {row["instance_type"]: (row["gpu"], row["gpu_count"]) for row in offers.iter_rows(named=True)} == skus
    assert set(offers["usd_per_gpu_hour"]) == {4.0}


def test_a_sum_taken_for_an_hour_would_be_out_of_range() -> None:
    parsed = parse({"retailPrice": 560_000.0})
    assert parsed.accepted.is_empty()
    assert rules(parsed) == {"price_out_of_range": 1}


@given(st.sampled_from([("1 Year", 1), ("3 Years", 3), ("5 Years", 5)]), st.floats(10_000, 1_000_000))
def test_a_reservation_costs_its_sum_over_its_hours(term: tuple[str, int], usd: float) -> None:
    name, years = term
    offers = parse({"type": "Reservation", "reservationTerm": name, "retailPrice": usd}).accepted
    assert (offers["usd_per_instance_hour"] * HOURS_PER_YEAR * years).to_list() == pytest.approx([usd])
