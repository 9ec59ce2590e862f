"""What a run says of itself: each asset once, and whatever failed by its name."""

from pathlib import Path

import dagster as dg

from pipelines.resources import instance
from warehouse.run_log import steps_of_run


@dg.asset
def answer() -> int:
    return 42


@dg.asset
def question(answer: int) -> None:
    raise dg.Failure(f"nobody knows what {answer} answers", allow_retries=False)


@dg.asset_check(asset=answer)
def stands(answer: int) -> dg.AssetCheckResult:
    raise ValueError(f"{answer} cannot be checked")


def test_failed_step_is_told_with_its_reason_also_where_it_only_checks(tmp_path: Path):
    with instance(tmp_path) as dagster:
        defined = dg.Definitions(assets=[answer, question], asset_checks=[stands])
        job = defined.resolve_implicit_global_asset_job_def()
        run_id = job.execute_in_process(instance=dagster, raise_on_error=False).run_id
        steps = {row["asset"]: (row["outcome"], row["warnings"]) for row in steps_of_run(dagster, run_id).to_dicts()}
    assert steps == {
        "answer": ("written", None),
        "question": ("failed", "nobody knows what 42 answers"),
        "answer_stands": ("failed", "ValueError: 42 cannot be checked"),
    }
