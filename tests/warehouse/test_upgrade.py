"""A data folder of the version of 26 November 2026 goes on: nothing it knew is lost."""

from pathlib import Path

import polars as pl
import pytest

from pipelines.resources import instance
from tests import older_version
from tests.refreshed import iecon

HISTORIES = {
    "core/llm_price": ["source", "source_provider", "source_model", "leg", "valid_from", "usd_per_mtok"],
    "core/gpu_rent": ["source", "provider", "source_gpu", "term", "region", "valid_from", "usd_per_gpu_hour"],
    "marts/serving_frontier_history": ["as_of", "frame", "point"],
    "meta/claims_history": ["claim_id", "verdict"],
}
"""Tables that are appended to, with columns that tell their rows apart and that both versions have."""


@pytest.mark.slow
def test_a_folder_of_the_last_version_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    older_version.make(folder, tmp_path)
    before = {name: pl.read_parquet(folder / "tables" / f"{name}.parquet") for name in HISTORIES}
    with instance(folder) as dagster:
        keys_before = {key.to_user_string() for key in dagster.all_asset_keys()}
    done = iecon(folder, "refresh", "--offline")
    assert done.returncode == 0, done.stdout + done.stderr
    for name, columns in HISTORIES.items():
        after = pl.read_parquet(folder / "tables" / f"{name}.parquet")
        both = [column for column in columns if column in before[name].columns and column in after.columns]
        lost = before[name].unique(both).join(after, on=both, how="anti", nulls_equal=True)
        assert lost.is_empty(), (name, lost.height, lost.head(3).to_dicts())
    with instance(folder) as dagster:
        assert keys_before <= {key.to_user_string() for key in dagster.all_asset_keys()}
    assert iecon(folder, "query", "SELECT count(*) FROM core.llm_price").returncode == 0
