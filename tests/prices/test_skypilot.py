"""SkyPilot's catalogue: excerpts of real files, and every habit of a cloud that has misled a reader."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.prices.gpu_rents import SkypilotOffer
from schemas.quarantine import Parsed, Rejected
from sources.prices.skypilot import PROVIDER_KIND, SOURCES, parse_offers
from sources.source import Snapshot

EXCERPTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "pricing" / "gpu" / "skypilot_v8_fixtures"
HEADER = "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,SpotPrice,Region,GpuInfo\n"
INFO = "\"{'Gpus': [{'Name': 'H100', 'Count': 1, 'MemoryInfo': {'SizeInMiB': 81920}}]}\""


def parse(cloud: str, body: bytes | str) -> Parsed:
    text = body.encode() if isinstance(body, str) else body
    day = datetime(2026, 11, 10, 7, tzinfo=UTC)
    parsed = parse_offers(Snapshot(f"skypilot_{cloud}", text, "0" * 64, "http", "https://catalogue/vms.csv", fetched_at=day))
    SkypilotOffer.validate(parsed.accepted)
    Rejected.validate(parsed.rejected)
    return parsed


def excerpt(cloud: str, file: str | None = None) -> Parsed:
    path = EXCERPTS / (file or f"{cloud}_vms.csv")
    if not path.exists():
        pytest.skip("the catalogue excerpts are not on this machine")
    return parse(cloud, path.read_bytes())


def rules(parsed: Parsed) -> dict[str, int]:
    return dict(parsed.rejected.group_by("rule").agg(pl.col("n_rows").sum()).iter_rows())


def per_gpu(parsed: Parsed, **wanted: object) -> list[float]:
    return parsed.accepted.filter(**wanted)["usd_per_gpu_hour"].to_list()


def test_there_is_one_source_per_cloud_with_a_mirror() -> None:
    assert {source.name for source in SOURCES} == {f"skypilot_{cloud}" for cloud in PROVIDER_KIND}
    assert all(len(source.live) == 2 for source in SOURCES)


def test_another_source_is_refused() -> None:
    with pytest.raises(ValueError, match="no SkyPilot source"):
        parse("nowhere", HEADER)


# --- excerpts of real files


@pytest.mark.published
def test_nebius_keeps_spot_and_on_demand_apart() -> None:
    parsed = excerpt("nebius")
    assert per_gpu(parsed, gpu="h100-sxm", term="on_demand") == [2.95, 2.95]
    assert per_gpu(parsed, gpu="h100-sxm", term="spot") == [1.25, 1.25]
    assert per_gpu(parsed, gpu="b200-sxm") == [5.5]
    assert rules(parsed) == {"no_gpu": 1}


@pytest.mark.published
def test_verda_sells_some_instances_as_spot_only() -> None:
    parsed = excerpt("verda")
    eight = parsed.accepted.filter(instance_type="8B200.240V")
    assert eight.select("term", "usd_per_instance_hour").rows() == [("spot", 13.69)]
    assert parsed.accepted.height == 33
    assert rules(parsed) == {"no_gpu": 2}


@pytest.mark.published
def test_prime_intellect_spot_rows_and_memory_of_all_gpus() -> None:
    parsed = excerpt("primeintellect")
    assert parsed.accepted["gpu_memory_gb"].unique().sort().to_list() == [80.0, 141.0, 180.0]
    spot = parsed.accepted.filter(term="spot")
    assert spot["usd_per_gpu_hour"].to_list() == [0.53, 0.855, 0.94375]
    assert parsed.accepted.filter(instance_type="hyperstack__8xH100_80GB__252__1440")["gpu"].item() == "h100-pcie"
    assert parsed.accepted.filter(instance_type="crusoecloud__8xA100_80GB__96__960")["gpu"].item() is None
    assert set(parsed.accepted["provider_kind"]) == {"marketplace"}


@pytest.mark.published
def test_runpod_repeats_the_price_as_spot_price_and_calls_gigabytes_mebibytes() -> None:
    parsed = excerpt("runpod")
    assert set(parsed.accepted["term"]) == {"on_demand"}
    assert set(parsed.accepted["gpu_memory_gb"]) == {80.0}
    assert set(parsed.accepted["usd_per_gpu_hour"]) == {1.39}
    assert set(parsed.accepted["gpu"]) == {"a100-80gb-pcie"}
    assert parsed.accepted["note"].str.contains("no spot price is known").all()
    assert set(parsed.accepted["region"]) == {"IN", "CA", "US"}


@pytest.mark.published
def test_mithril_lists_the_lowest_bid_not_a_price() -> None:
    parsed = excerpt("mithril")
    assert parsed.accepted.is_empty()
    assert rules(parsed) == {"placeholder_bid": 4}
    assert set(parsed.rejected["severity"]) == {"suspect"}


def test_a_higher_minimum_bid_is_a_spot_price_with_a_warning() -> None:
    info = INFO.replace("'Count': 1", "'Count': 8")
    row = parse("mithril", HEADER + f"h100-80gb.sxm.8x,H100,8,168,1814,12.0,12.0,us-central2-a,{info}\n").accepted.row(
        0, named=True
    )
    assert (row["term"], row["usd_per_gpu_hour"], row["gpu"]) == ("spot", 1.5, "h100-sxm")
    assert row["note"] == "lowest bid the auction takes, not the price at which it clears"


def test_vast_is_not_the_cheapest_host() -> None:
    info = "\"{'Gpus': [{'Name': 'A100', 'Count': 2, 'MemoryInfo': {'SizeInMiB': 163840}}]}\""
    row = parse("vast", HEADER + f"2x-A100-4-8192,A100,2,4,8,1.6,1.6,any,{info}\n").accepted.row(0, named=True)
    assert (row["term"], row["gpu_memory_gb"]) == ("on_demand", 80.0)
    assert row["note"].startswith("near the median of the hosts")
    assert row["note"].endswith("no spot price is known")


@pytest.mark.published
def test_lambda_total_memory_is_that_of_one_gpu() -> None:
    parsed = excerpt("lambda", "lambda_v7_vms.csv")
    assert per_gpu(parsed, instance_type="gpu_8x_v100") == pytest.approx([0.55])
    assert parsed.accepted.filter(instance_type="gpu_8x_a100")["gpu_memory_gb"].item() == 40.0
    assert rules(parsed) == {"no_gpu": 1}


# --- traps


def test_an_offer_carries_where_and_when_it_was_read() -> None:
    row = parse("nebius", HEADER + f"gpu-h100-sxm_8gpu,H100,8,128,1600,23.6,,eu-north1,{INFO}\n").accepted.row(0, named=True)
    assert row["usd_per_instance_hour"] == 23.6
    assert row["usd_per_gpu_hour"] == 2.95
    assert row["gpu_count"] == 8
    assert row["seen_on"] == date(2026, 11, 10)
    assert row["valid_from"] is None
    assert (row["source"], row["locator"]) == ("skypilot_nebius", "https://catalogue/vms.csv")
    assert (row["price_basis"], row["basis"]) == ("per_instance", "catalogue")


def test_columns_are_read_by_name() -> None:
    straight = parse("nebius", HEADER + f"a-sxm,H100,8,1,2,16.0,8.0,eu,{INFO}\n").accepted
    turned = "Region,SpotPrice,Price,GpuInfo,Extra,AcceleratorCount,AcceleratorName,InstanceType\n"
    assert parse("nebius", turned + f"eu,8.0,16.0,{INFO},x,8,H100,a-sxm\n").accepted.equals(straight)


def test_a_missing_column_makes_the_document_unreadable() -> None:
    with pytest.raises(ValueError, match="SpotPrice"):
        parse("nebius", HEADER.replace(",SpotPrice", ""))


def test_gpu_info_may_be_json_or_python_and_is_never_run() -> None:
    as_json = '"{""Gpus"":[{""Name"":""H100"",""MemoryInfo"":{""SizeInMiB"":81920}}]}"'
    broken = "\"{'Gpus': [{'Name': 'H100', 'Manufacturer': null}]}\""
    hostile = "\"__import__('os').getcwd()\""
    plain = "A10:24GB"
    rows = [f"i{n},H100,1,1,1,{n + 1}.0,,r,{info}\n" for n, info in enumerate((INFO, as_json, broken, hostile, plain, ""))]
    memory = parse("nebius", HEADER + "".join(rows)).accepted["gpu_memory_gb"].to_list()
    assert memory == [80.0, 80.0, None, None, None, None]


@pytest.mark.parametrize(("instance", "meant"), [("BM.GPU.H100.8", ("h100", "h100-sxm", "sxm")), ("i8", ("h100", None, None))])
def test_form_factor_comes_from_the_instance_or_is_not_known(instance: str, meant: tuple[str | None, ...]) -> None:
    row = parse("oci", HEADER + f"{instance},H100,8,1,1,80,,eu,{INFO}\n").accepted.row(0, named=True)
    assert (row["gpu_family"], row["gpu"], row["form_factor"]) == meant


def test_an_aws_spot_price_may_reach_the_list_price() -> None:
    body = HEADER + f"p5.48xlarge,H100,8,1,1,32.0,32.0,us-east-1,{INFO}\n"
    assert set(parse("aws", body).accepted["term"]) == {"on_demand", "spot"}
    assert set(parse("cudo", body).accepted["term"]) == {"on_demand"}


def test_zones_of_a_region_become_one_offer_at_the_lowest_price() -> None:
    zones = HEADER.replace("Region", "Region,AvailabilityZone") + "".join(
        f"p5.48xlarge,H100,8,1,1,32.0,{spot},us-east-1,{zone},{INFO}\n" for zone, spot in (("a", 20), ("b", 16), ("c", 16))
    )
    parsed = parse("aws", zones)
    assert per_gpu(parsed, term="on_demand") == [4.0]
    assert parsed.accepted.filter(term="on_demand")["note"].item() is None
    assert per_gpu(parsed, term="spot") == [2.0]
    assert "the highest is 20" in parsed.accepted.filter(term="spot")["note"].item()
    assert rules(parsed) == {"dearer_in_region": 1}


def test_a_price_of_zero_is_unknown_not_free() -> None:
    parsed = parse("vast", HEADER + f"1x-A100,A100,1,4,8,0.8,0.0,any,{INFO}\n")
    assert per_gpu(parsed) == [0.8]
    assert rules(parsed) == {"zero_price": 1}
    assert parsed.rejected["severity"].item() == "invalid"


def test_a_price_that_was_not_scaled_by_the_count_is_not_believed() -> None:
    rows = "".join(f"{n}x_H100,H100,{n},1,1,2.49,,US,{INFO}\n" for n in (1, 8))
    parsed = parse("runpod", HEADER + rows)
    assert per_gpu(parsed) == [2.49]
    assert rules(parsed) == {"not_scaled_by_count": 1}


def test_a_price_in_another_unit_is_not_believed() -> None:
    rows = "".join(f"i{n},H100,1,1,1,{usd},,r{n},{INFO}\n" for n, usd in enumerate((2.4, 2.5, 2.6, 125.0, 0.1, 250.0, 0.02)))
    parsed = parse("shadeform", HEADER + rows)
    assert per_gpu(parsed) == [2.4, 2.5, 2.6]
    assert rules(parsed) == {"price_20x_off_median": 2, "price_out_of_range": 2}


def test_a_slice_of_a_gpu_is_no_gpu() -> None:
    quarter = "\"{'Gpus': [{'Name': 'L4', 'MemoryInfo': {'SizeInMiB': 3072}}]}\""
    parsed = parse("aws", HEADER + f"g6f.large,L4,0.125,2,8,0.2,0.1,us-east-1,{quarter}\n")
    assert parsed.accepted.is_empty()
    assert rules(parsed) == {"fractional_gpu": 2}


def test_accelerators_that_are_not_gpus_are_out_of_scope() -> None:
    parsed = parse("aws", HEADER + "trn1.2xlarge,Trainium,1,8,32,1.34,0.4,us-east-1,\n")
    assert parsed.accepted.is_empty()
    assert rules(parsed) == {"not_a_gpu": 2}


GCP = "InstanceType,vCPUs,MemoryGiB,AcceleratorName,AcceleratorCount,GpuInfo,Region,AvailabilityZone,Price,SpotPrice\n"
A100 = "\"{'Gpus': [{'MemoryInfo': {'SizeInMiB': 40960}}]}\""


def test_gcp_prices_gpus_and_host_apart_and_they_are_summed_zone_by_zone() -> None:
    parsed = parse(
        "gcp",
        GCP + f"a2-highgpu-8g,96.0,680.0,,,,us-central1,us-central1-a,5.9,3.0\n"
        f"a2-highgpu-8g,96.0,680.0,,,,us-west1,us-west1-b,6.1,3.1\n"
        f"n2-standard-8,8.0,32.0,,,,us-central1,us-central1-a,0.4,0.1\n"
        f",,,A100,8.0,{A100},us-central1,us-central1-a,23.5,11.0\n"
        f",,,A100,1.0,{A100},us-central1,us-central1-a,2.9,1.4\n"
        f",,,tpu-v5p-8,1,tpu-v5p-8,us-central1,us-central1-a,16.8,3.3\n",
    )
    assert parsed.accepted.select("instance_type", "gpu", "term", "region", "usd_per_instance_hour").rows() == [
        ("a2-highgpu-8g", "a100-40gb-sxm", "on_demand", "us-central1", pytest.approx(29.4)),
        ("a2-highgpu-8g", "a100-40gb-sxm", "spot", "us-central1", pytest.approx(14.0)),
    ]
    assert set(parsed.accepted["basis"]) == {"derived"}
    assert rules(parsed) == {"no_gpu": 1, "host_price_apart": 2}


def test_an_l4_with_several_hosts_has_an_offer_for_each() -> None:
    parsed = parse(
        "gcp",
        GCP + "g2-standard-4,4.0,16.0,,,,r,r-a,0.2,0.1\ng2-standard-8,8.0,32.0,,,,r,r-a,0.4,0.2\n,,,L4,1.0,,r,r-a,0.5,0.2\n",
    )
    assert per_gpu(parsed, term="on_demand") == pytest.approx([0.7, 0.9])


@given(st.integers(1, 16), st.floats(0.05, 150), st.floats(0.01, 1).map(lambda share: round(share, 3)))
def test_the_price_per_gpu_times_the_count_is_the_price_of_the_instance(count: int, usd: float, share: float) -> None:
    body = HEADER + f"i-sxm,H100,{count}.0,1,1,{usd * count},{usd * count * share},r,{INFO}\n"
    parsed = parse("nebius", body)
    for instance, n, gpu in parsed.accepted.select("usd_per_instance_hour", "gpu_count", "usd_per_gpu_hour").rows():
        assert instance == pytest.approx(n * gpu)
    assert set(parsed.accepted["term"]) >= {"on_demand"}
    assert per_gpu(parsed, term="on_demand") == pytest.approx([usd])
