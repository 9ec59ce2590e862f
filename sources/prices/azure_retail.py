"""Azure Retail Prices: what Microsoft asks for GPU instances, in USD, by region and commitment. No key is needed.

The document says nothing of GPUs: `seeds/gpu_instance.csv` says which and how many an instance holds, each with its page.
Source: https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices
"""

import json
from datetime import date
from typing import Any
from urllib.parse import quote

import polars as pl

from schemas.quarantine import Parsed
from sources.prices.gpu_names import Instance, instances
from sources.prices.gpu_offers import DRAFT, count_out_of_scope, finish
from sources.source import HttpPages, Snapshot, Source, refuses_in_words

FILTER = (
    "serviceName eq 'Virtual Machines'"
    " and (contains(armSkuName, 'Standard_NC') or contains(armSkuName, 'Standard_ND'))"
    " and contains(productName, 'Windows') eq false"
    " and contains(meterName, 'Low Priority') eq false"
)
"""Values are case-sensitive in this version of the API. What the filter should leave out is refused again below."""

SOURCE = Source(
    name="azure_retail",
    title="Azure Retail Prices API",
    homepage="https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices",
    licence="Microsoft API terms",
    live=(
        HttpPages(
            f"https://prices.azure.com/api/retail/prices?api-version=2023-01-01-preview&$filter={quote(FILTER)}",
            items="Items",
            next_link="NextPageLink",
        ),
    ),
)

HOURS_PER_YEAR = 8_760
_YEARS = {"1 Year": 1, "3 Years": 3, "5 Years": 5}
_OUT_OF_SCOPE = {
    "windows": "the price includes a Windows licence",
    "dedicated_host": "a whole host, not an instance",
    "low_priority": "low-priority instances are retired and replaced by spot",
    "cloud_services": "the instance as part of Cloud Services, not on its own",
    "dev_test": "a discount for development and test subscriptions",
    "not_an_hourly_price": "neither an hourly price nor a commitment of known length",
    "unknown_sku": "no GPU count is documented here for this instance",
}


@refuses_in_words
def parse_offers(snapshot: Snapshot) -> Parsed:
    """Read the price list into offers (contract `RawGpuOffer`) and rows refused (contract `Rejected`).

    A reservation states one sum for its whole term (under the unit "1 Hour"): it is divided by the hours of the term. Prices of
    savings plans are hourly. Raises ValueError where the document has no list of items or is not in USD.
    """
    items = json.loads(snapshot.body).get("Items")
    if not isinstance(items, list):
        raise ValueError("document has no list 'Items'")
    known = {it.pattern: it for it in instances() if it.cloud == "azure"}
    prices: list[dict[str, object]] = []
    refused: list[tuple[str, str]] = []
    for item in items:
        if item.get("currencyCode", "USD") != "USD":
            raise ValueError(f"price list is in {item['currencyCode']}, not in USD")
        sku = item.get("armSkuName") or ""
        if rule := _leave_out(item, is_known=sku in known):
            refused.append((rule, sku))
        else:
            prices += _prices(item, known[sku])
    draft = pl.DataFrame(prices, schema=DRAFT, orient="row").pipe(_end_at_successor)
    parsed = finish(draft, snapshot)
    left_out = pl.DataFrame(refused, schema={"rule": pl.String, "sku": pl.String}, orient="row")
    entries = [
        count_out_of_scope(rows, snapshot.source, str(rule), _OUT_OF_SCOPE[str(rule)], row_key=str(sku))
        for (rule, sku), rows in sorted(left_out.group_by("rule", "sku"))
    ]
    return Parsed(parsed.accepted, pl.concat([*entries, parsed.rejected]))


def _leave_out(item: dict[str, Any], *, is_known: bool) -> str | None:
    """Rule by which an item is no price of a Linux GPU instance, or None."""
    product, meter, kind = item.get("productName") or "", item.get("meterName") or "", item.get("type")
    is_hourly = kind == "Consumption" and item.get("unitOfMeasure") == "1 Hour"
    is_commitment = kind == "Reservation" and item.get("reservationTerm") in _YEARS
    broken = {
        "windows": "Windows" in product,
        "dedicated_host": "Dedicated" in product,
        "cloud_services": "Cloud Services" in product or "CloudServices" in product,
        "low_priority": "Low Priority" in meter,
        "dev_test": kind == "DevTestConsumption",
        "not_an_hourly_price": not (is_hourly or is_commitment),
        "unknown_sku": not is_known,
    }
    return next((rule for rule, is_broken in broken.items() if is_broken), None)


def _prices(item: dict[str, Any], instance: Instance) -> list[dict[str, object]]:
    """All prices one item states, as rows of a draft."""
    common: dict[str, object] = {
        "provider": "azure",
        "provider_kind": "hyperscaler",
        "instance_type": item["armSkuName"],
        "instance_hint": item["armSkuName"],
        "source_gpu": instance.source_gpu,
        "gpu_count": instance.gpu_count,
        "gpu_memory_gb": instance.gpu_memory_gb,
        "region": item.get("armRegionName") or None,
        "price_basis": "per_instance",
        "basis": "primary",
        "valid_from": _day(item.get("effectiveStartDate")),
        "valid_to": _day(item.get("effectiveEndDate")),
        "date_basis": "vendor" if item.get("effectiveStartDate") else None,
        "note": None,
    }
    usd = float(item["retailPrice"])
    if item["type"] == "Reservation":
        years = _YEARS[item["reservationTerm"]]
        total = f"one sum of {usd} USD for {item['reservationTerm']}, over {HOURS_PER_YEAR} hours a year"
        hourly = {"term": f"reserved_{years}y", "usd_per_instance_hour": usd / (years * HOURS_PER_YEAR)}
        return [common | hourly | {"price_basis": "per_term", "basis": "derived", "note": total}]
    term = "spot" if "Spot" in item.get("meterName", "") or "Spot" in item.get("skuName", "") else "on_demand"
    plans = [
        common | {"term": f"savings_plan_{_YEARS[plan['term']]}y", "usd_per_instance_hour": float(plan["retailPrice"])}
        for plan in item.get("savingsPlan") or []
        if plan.get("term") in ("1 Year", "3 Years") and plan.get("retailPrice") is not None
    ]
    return [common | {"term": term, "usd_per_instance_hour": usd}, *plans]


def _end_at_successor(draft: pl.DataFrame) -> pl.DataFrame:
    """End a price on the first day of the next one of the same instance, region and term."""
    series = ["instance_type", "region", "term"]
    days = draft.select(*series, "valid_from").unique()
    following = days.with_columns(next_from=pl.col("valid_from").shift(-1).over(series, order_by="valid_from"))
    return (
        draft.join(following, on=[*series, "valid_from"], how="left", nulls_equal=True, maintain_order="left")
        .with_columns(valid_to=pl.min_horizontal("valid_to", "next_from"))
        .select(*DRAFT)
    )


def _day(timestamp: str | None) -> date | None:
    return date.fromisoformat(timestamp[:10]) if timestamp else None
