"""gpuhunt's catalogue: rows of its published layout, and zips that must not be opened."""

import io
import json
import zipfile
from datetime import UTC, date, datetime

import polars as pl
import pytest

from schemas.prices.gpu_rents import GpuhuntOffer
from schemas.quarantine import Parsed, Rejected
from sources.prices.gpuhunt import MAX_RATIO, PROVIDER, SOURCES, parse_offers, unzip_csv
from sources.source import HttpVersioned, Snapshot

EIGHT_H100 = {
    "instance_name": "gpu-h100-sxm 8gpu-128vcpu-1600gb",
    "location": "eu-north1",
    "price": "23.6",
    "cpu": "128",
    "memory": "1600.0",
    "gpu_count": "8",
    "gpu_name": "H100",
    "gpu_memory": "80.0",
    "spot": "False",
    "disk_size": "",
    "gpu_vendor": "nvidia",
    "flags": "",
    "cpu_arch": "x86",
    "provider_data": "{}",
}
COLUMNS = list(EIGHT_H100)


def csv_text(rows: list[dict[str, str]], columns: list[str] = COLUMNS) -> str:
    return pl.DataFrame([{name: row[name] for name in columns} for row in rows]).write_csv()


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def parse(name: str, *rows: dict[str, str], columns: list[str] = COLUMNS) -> Parsed:
    body = zipped({f"{name}.csv": csv_text([EIGHT_H100 | row for row in rows], columns), "version": "20261110"})
    at = datetime(2026, 11, 11, tzinfo=UTC)
    published = datetime(2026, 11, 10, 1, tzinfo=UTC)
    snapshot = Snapshot(f"gpuhunt_{name}", body, "0" * 64, "http", "https://s3/catalog.zip", at, published)
    parsed = parse_offers(snapshot)
    GpuhuntOffer.validate(parsed.accepted)
    Rejected.validate(parsed.rejected)
    return parsed


def rules(parsed: Parsed) -> dict[str, int]:
    return dict(parsed.rejected.group_by("rule").agg(pl.col("n_rows").sum()).iter_rows())


def test_each_cloud_is_a_document_of_its_own() -> None:
    assert {source.name for source in SOURCES} == {f"gpuhunt_{name}" for name in PROVIDER}
    (live,) = SOURCES[0].live
    assert isinstance(live, HttpVersioned)
    assert live.version_url.endswith("/v3/aws/version")
    assert live.url.endswith("/v3/aws/{version}/catalog.zip")


def test_a_row_becomes_an_offer() -> None:
    row = parse("nebius", {}).accepted.row(0, named=True)
    assert (row["provider"], row["gpu"], row["gpu_count"], row["term"]) == ("nebius", "h100-sxm", 8, "on_demand")
    assert (row["usd_per_instance_hour"], row["usd_per_gpu_hour"]) == (23.6, 2.95)
    assert row["seen_on"] == date(2026, 11, 10)


def test_spot_stays_apart_and_lambdalabs_is_lambda() -> None:
    parsed = parse("lambdalabs", {}, {"spot": "True", "price": "12.0"})
    assert parsed.accepted.select("provider", "term", "usd_per_gpu_hour").rows() == [
        ("lambda", "on_demand", 2.95),
        ("lambda", "spot", 1.5),
    ]


def test_columns_are_read_by_name_and_new_ones_do_no_harm() -> None:
    turned = list(reversed(COLUMNS))
    assert parse("nebius", {}, columns=turned).accepted.equals(parse("nebius", {}).accepted)
    old_layout = [name for name in COLUMNS if name not in ("flags", "provider_data", "gpu_vendor", "cpu_arch")]
    assert parse("nebius", {}, columns=old_layout).accepted.equals(parse("nebius", {}).accepted)


def test_a_missing_column_makes_the_document_unreadable() -> None:
    with pytest.raises(ValueError, match="gpu_count"):
        parse("nebius", {}, columns=[name for name in COLUMNS if name != "gpu_count"])


def test_rows_without_gpu_and_tpus_are_out_of_scope() -> None:
    cpu = {"instance_name": "e2-highcpu-2", "gpu_count": "0", "gpu_name": "", "gpu_memory": ""}
    tpu = {"instance_name": "v5p-8", "gpu_name": "tpu-v5p-8", "gpu_count": "1", "gpu_memory": "0.0"}
    parsed = parse("gcp", cpu, tpu, {"location": "us-central1-a", "instance_name": "a3-highgpu-8g"})
    assert parsed.accepted["instance_type"].to_list() == ["a3-highgpu-8g"]
    assert rules(parsed) == {"no_gpu": 1, "not_a_gpu": 1}


def test_gcp_locations_are_zones_and_booked_capacity_is_not_on_demand() -> None:
    a3 = {"instance_name": "a3-highgpu-8g", "price": "88.0"}
    booked = json.dumps({"is_dws_calendar_mode": True})
    parsed = parse(
        "gcp",
        a3 | {"location": "us-central1-a"},
        a3 | {"location": "us-central1-c"},
        a3 | {"location": "us-central1-a", "price": "40.0", "provider_data": booked, "flags": "gcp-dws-calendar-mode"},
    )
    assert parsed.accepted.select("region", "term", "usd_per_gpu_hour").rows() == [
        ("us-central1", "on_demand", 11.0),
        ("us-central1", "reserved_calendar", 5.0),
    ]
    assert rules(parsed) == {}


def test_a_runpod_cluster_is_another_product_than_the_pod() -> None:
    pod = {"instance_name": "NVIDIA H100 80GB HBM3", "location": "US-CA-2", "price": "21.5"}
    parsed = parse("runpod", pod, pod | {"price": "30.0", "flags": "runpod-cluster"})
    assert parsed.accepted.select("instance_type", "gpu", "usd_per_gpu_hour").rows() == [
        ("NVIDIA H100 80GB HBM3", "h100-sxm", 2.6875),
        ("NVIDIA H100 80GB HBM3 (cluster)", "h100-sxm", 3.75),
    ]


def test_one_runpod_id_is_sold_in_several_counts() -> None:
    pods = [
        {"instance_name": "NVIDIA L4", "gpu_name": "L4", "gpu_memory": "24", "gpu_count": str(n), "price": str(n * 0.4)}
        for n in (1, 2, 8)
    ]
    assert parse("runpod", *pods).accepted["usd_per_gpu_hour"].to_list() == pytest.approx([0.4, 0.4, 0.4])


def test_an_oci_spot_price_is_half_the_list_price_by_rule() -> None:
    parsed = parse("oci", {"spot": "True", "flags": "oci-spot", "price": "40.0", "instance_name": "BM.GPU.H100.8"})
    assert parsed.accepted.select("term", "basis").rows() == [("spot", "derived")]
    assert "half the on-demand price" in parsed.accepted["note"].item()


def test_a_spot_instance_billed_at_the_list_price_is_no_spot_price() -> None:
    parsed = parse("nebius", {}, {"spot": "True", "provider_data": json.dumps({"is_preemptible_flat_rate": True})})
    assert parsed.accepted["term"].to_list() == ["on_demand"]
    assert rules(parsed) == {"not_a_spot_price": 1}


def test_a_slice_of_a_gpu_is_no_gpu() -> None:
    slice_of_a10 = {"instance_name": "Standard_NV6ads_A10_v5", "gpu_name": "A10", "gpu_count": "1", "gpu_memory": "4.0"}
    parsed = parse("azure", slice_of_a10 | {"price": "0.454"})
    assert parsed.accepted.is_empty()
    assert rules(parsed) == {"fractional_gpu": 1}


def test_a_price_per_gpu_under_the_heading_of_the_instance_is_not_believed() -> None:
    one = {"instance_name": "1x", "gpu_count": "1", "price": "2.95"}
    parsed = parse("cloudrift", one, {"instance_name": "8x", "price": "2.95"})
    assert parsed.accepted["instance_type"].to_list() == ["1x"]
    assert rules(parsed) == {"not_scaled_by_count": 1}


# --- zips


def test_another_source_is_refused() -> None:
    with pytest.raises(ValueError, match="no gpuhunt source"):
        parse_offers(Snapshot("gpuhunt_nowhere", b"", "0", "http", "u", datetime(2026, 11, 11, tzinfo=UTC)))


@pytest.mark.parametrize("path", ["../evil.csv", "/etc/passwd", "a/../../b", "C:\\evil.csv", "..\\evil.csv"])
def test_a_path_that_leaves_the_archive_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="unsafe path"):
        unzip_csv(zipped({"aws.csv": "a\n1\n", path: "x"}), "aws.csv")


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = zipped({"aws.csv": "0" * 10_000_000})
    assert len(bomb) * MAX_RATIO < 10_000_000
    with pytest.raises(ValueError, match="unpacks to 10000000 bytes"):
        unzip_csv(bomb, "aws.csv")


def test_a_zip_without_the_file_or_no_zip_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="0 files called"):
        unzip_csv(zipped({"azure.csv": "a\n"}), "aws.csv")
    with pytest.raises(ValueError, match="not a readable zip"):
        unzip_csv(b"<html>Service unavailable</html>", "aws.csv")


def test_a_damaged_file_is_refused() -> None:
    whole = bytearray(zipped({"aws.csv": csv_text([EIGHT_H100])}))
    start = whole.index(b"aws.csv") + len("aws.csv")
    whole[start + 5] ^= 0xFF
    with pytest.raises(ValueError, match="not a readable zip"):
        unzip_csv(bytes(whole), "aws.csv")
