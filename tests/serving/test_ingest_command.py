"""`iecon ingest`: what a user brings, what he says of it, what is kept, and every real sample of the tools."""

import io
import json
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from pipelines.ingest import show_ingest
from pipelines.refresh import LOCK, RefreshRunningError
from sources.serving.user_files import FILES, META, TRACES, TakenIn, files_under, said_before, stored, take_in
from sources.transports import bronze
from tests.refreshed import iecon
from tests.serving.benchmark_files import SAMPLES, TRACE, vllm_run

NOW = datetime(2026, 12, 1, tzinfo=UTC)
NOT_BENCHMARKS = {"distserve", "sarathi", "splitwise", "vidur", "derived", "measured", "aiconfigurator_grid.csv"}
"""Folders and files of the samples that hold figures of papers, profiles or models, and no run of a benchmark tool."""

Bring = Callable[..., TakenIn]


@pytest.fixture
def bring(tmp_path: Path) -> Bring:
    """Take in one file of this name and content."""

    def one(name: str, body: bytes, **said: object) -> TakenIn:
        (tmp_path / name).write_bytes(body)
        (result,) = take_in([tmp_path / name], bronze_root=tmp_path / "bronze", said=said, now=NOW)
        return result

    return one


@pytest.fixture
def data(refreshed: Path, tmp_path: Path) -> Path:
    """A copy of the refreshed data folder, free to be changed."""
    return Path(shutil.copytree(refreshed, tmp_path / "data", symlinks=True))


def ask(data: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(data / "releases" / "latest.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


class TestTakeIn:
    def test_run_is_kept_once_under_its_latest_name(self, tmp_path: Path, bring: Bring) -> None:
        assert bring("a.json", vllm_run()).is_new
        assert not bring("b.json", vllm_run()).is_new
        (snapshot,), damaged = stored(tmp_path / "bronze", FILES)
        assert (snapshot.uri, snapshot.body, damaged) == ("b.json", vllm_run(), [])
        assert len(list((tmp_path / "bronze" / FILES).glob("*.zst"))) == 1

    def test_later_words_replace_earlier_ones_and_silence_keeps_them(self, tmp_path: Path, bring: Bring) -> None:
        sha256 = bring("a.json", vllm_run(), gpu="h100-sxm", gpus=8).sha256
        bring("a.json", vllm_run())
        assert said_before(tmp_path / "bronze")[0][str(sha256)].gpus == 8
        bring("a.json", vllm_run(), gpu="h100-sxm", gpus=4)
        said, _ = said_before(tmp_path / "bronze")
        assert [(sha, meta.gpu, meta.gpus) for sha, meta in said.items()] == [(sha256, "h100-sxm", 4)]
        assert len(bronze.attempts(tmp_path / "bronze", META)) == 2

    def test_metadata_beside_a_file_is_read_and_options_come_first(self, tmp_path: Path, bring: Bring) -> None:
        (tmp_path / "a.json.meta.yaml").write_text("gpu: h100-sxm\ngpus: 8\nmeasured_on: 2026-11-01\n")
        assert bring("a.json", vllm_run()).unpriced == 0
        assert bring("a.json", vllm_run(), gpus=16).is_accepted
        (meta,) = said_before(tmp_path / "bronze")[0].values()
        assert (meta.gpu, meta.gpus, str(meta.measured_on)) == ("h100-sxm", 16, "2026-11-01")

    def test_run_without_gpus_is_accepted_and_said_to_be_without_price(self, bring: Bring) -> None:
        result = bring("a.json", vllm_run())
        assert (result.format, result.rows, result.unpriced, result.refusal) == ("vllm", 1, 1, None)

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (b"", "the file is empty"),
            (vllm_run()[:200], "not complete JSON"),
            (b"\x93NUMPY", "not UTF-8 text"),
            (b"a,b\n1,2\n", "no known benchmark format"),
            (vllm_run(mean_tpot_ms="slow"), "mean_tpot_ms should be a number"),
            (TRACE.splitlines()[0].encode(), "no sound request"),
        ],
    )
    def test_what_is_not_believed_is_refused_with_its_reason_and_not_kept(
        self, tmp_path: Path, bring: Bring, body: bytes, reason: str
    ) -> None:
        result = bring("bad", body)
        assert not result.is_accepted
        assert reason in str(result.refusal)
        assert [stored(tmp_path / "bronze", source) for source in (FILES, TRACES)] == [([], []), ([], [])]

    @pytest.mark.parametrize("text", ["gpus: many", "gpu: [h100", "colour: red", "- h100"])
    def test_wrong_metadata_refuses_its_file_alone(self, tmp_path: Path, bring: Bring, text: str) -> None:
        (tmp_path / "a.json.meta.yaml").write_text(text)
        assert "run metadata" in str(bring("a.json", vllm_run()).refusal)
        assert bring("b.json", vllm_run()).is_accepted

    def test_words_that_contradict_the_file_refuse_it_and_the_earlier_ones_stay(self, tmp_path: Path, bring: Bring) -> None:
        bring("a.json", vllm_run(), concurrency=16, gpus=8)
        assert "correct one of them" in str(bring("a.json", vllm_run(), concurrency=8).refusal)
        (meta,) = said_before(tmp_path / "bronze")[0].values()
        assert (meta.concurrency, meta.gpus) == (16, 8)

    def test_file_with_one_bad_run_is_accepted_in_part(self, bring: Bring) -> None:
        result = bring("two.jsonl", vllm_run() + b"\n" + vllm_run(mean_tpot_ms=-1) + b"\n")
        assert (result.rows, result.rows_refused) == (1, 1)
        assert "negative" in str(result.refusal)

    @pytest.mark.parametrize("name", ["trace.csv", "trace.csv.gz", "t*[1].csv"])
    def test_trace_is_kept_apart_whatever_its_name(self, tmp_path: Path, bring: Bring, name: str) -> None:
        result = bring(name, TRACE.encode())
        assert (result.format, result.rows) == ("azure_llm_trace", 2)
        assert [snapshot.uri for snapshot in stored(tmp_path / "bronze", TRACES)[0]] == [name]

    def test_folder_is_searched_and_its_metadata_and_hidden_files_are_no_results(self, tmp_path: Path) -> None:
        for name in ("b.json", "sub/a.json", "sub/a.json.meta.yaml", ".hidden", ".git/config", "lost.json.meta.yaml"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(b"")
        found = files_under([tmp_path, tmp_path / "b.json", tmp_path / "gone.json"])
        named = [path.relative_to(tmp_path).as_posix() for path in found]
        assert named == ["b.json", "lost.json.meta.yaml", "sub/a.json", "gone.json"]
        refusals = {
            result.path.name: result.refusal for result in take_in(found, bronze_root=tmp_path / "bronze", said={}, now=NOW)
        }
        assert refusals["lost.json.meta.yaml"] == "describes lost.json, which is not beside it"
        assert "No such file" in str(refusals["gone.json"])

    def test_metadata_under_the_name_without_its_ending_is_told_the_right_one(self, tmp_path: Path) -> None:
        (tmp_path / "run.json").write_text("{}")
        (tmp_path / "run.meta.yaml").write_text("gpus: 8")
        (result,) = take_in([tmp_path / "run.meta.yaml"], bronze_root=tmp_path / "bronze", said={}, now=NOW)
        assert result.refusal == "describes run, which is not beside it; run.json is described by run.json.meta.yaml"

    @given(st.one_of(st.binary(), st.text().map(str.encode), st.builds(lambda n: vllm_run()[:n], st.integers(0, 900))))
    @settings(max_examples=60)
    def test_any_bytes_are_accepted_or_refused_with_a_reason(self, body: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "any"
            file.write_bytes(body)
            (result,) = take_in([file], bronze_root=Path(folder) / "bronze", said={}, now=NOW)
            assert result.is_accepted or result.refusal

    def test_damaged_words_are_said_to_be_lost_and_stop_nothing(self, tmp_path: Path, bring: Bring) -> None:
        bring("a.json", vllm_run(), gpus=8)
        (words,) = (tmp_path / "bronze" / META).glob("*.zst")
        words.write_bytes(b"")
        said, lost = said_before(tmp_path / "bronze")
        assert (said, len(lost)) == ({}, 1)
        assert bring("b.json", vllm_run(clients=8)).is_accepted


OWN = "file_name NOT LIKE 'measured_%'"
"""Runs that were brought, beside those that ship with the project."""


class TestCommand:
    @pytest.mark.slow
    def test_file_is_in_the_warehouse_afterwards_and_a_second_time_changes_only_what_is_said(
        self, data: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "run.json").write_bytes(vllm_run())
        done = iecon(data, "ingest", str(tmp_path / "run.json"))
        assert done.returncode == 0, done.stdout + done.stderr
        assert "1 files accepted (1 vllm), 0 rejected; 1 rows" in done.stdout
        assert "1 run: 0 priced" in done.stdout
        sql = "SELECT gpu_canonical, gpus_total, precision, usd_per_gpu_hour, priceable FROM core.operating_point"
        sql += " WHERE file_name = 'run.json'"
        assert ask(data, sql) == [(None, None, None, None, False)]
        said = [
            "--gpu",
            "NVIDIA H100 SXM",
            "--gpus",
            "8",
            "--precision",
            "fp8",
            "--architecture",
            "chunked",
            "--price",
            "2",
        ]
        done = iecon(data, "ingest", str(tmp_path / "run.json"), *said)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "1 known before" in done.stdout
        assert ask(data, sql) == [("h100-sxm", 8, "fp8", 2.0, True)]
        assert ask(data, "SELECT transport, uri FROM meta.snapshot WHERE source = 'user_files'") == [("file", "run.json")]

    @pytest.mark.slow
    def test_rejected_file_is_told_with_its_reason_and_the_others_go_on(self, data: Path, tmp_path: Path) -> None:
        (tmp_path / "results").mkdir()
        (tmp_path / "results" / "good.json").write_bytes(vllm_run())
        (tmp_path / "results" / "cut.json").write_bytes(vllm_run()[:100])
        text = io.StringIO()
        out = Console(file=text, width=1_000)
        assert not show_ingest(data, [tmp_path / "results"], said={}, out=out)
        assert "cut.json: not complete JSON" in text.getvalue()
        assert "1 files accepted (1 vllm), 1 rejected" in text.getvalue()
        assert ask(data, f"SELECT file_name FROM core.operating_point WHERE {OWN}") == [("good.json",)]

    def test_files_are_kept_while_another_refresh_runs(self, data: Path, tmp_path: Path) -> None:
        (tmp_path / "run.json").write_bytes(vllm_run())
        silent = Console(file=io.StringIO())
        with (
            FileLock(data / LOCK),
            pytest.raises(RefreshRunningError, match="1 files are kept and show after the next refresh"),
        ):
            show_ingest(data, [tmp_path / "run.json"], said={}, out=silent)
        assert len(stored(data / "bronze", FILES)[0]) == 1

    @pytest.mark.parametrize(
        ("arguments", "code", "complaint"),
        [
            ([], 2, "Missing argument"),
            (["x.json", "--gpus", "0"], 2, "--gpus"),
            (["x.json", "--architecture", "odd"], 2, "--architecture"),
            (["x.json", "--price", "-1"], 1, "usd_per_gpu_hour"),
        ],
    )
    def test_bad_usage_is_one_clear_error(self, tmp_path: Path, arguments: list[str], code: int, complaint: str) -> None:
        done = iecon(tmp_path, "ingest", *arguments)
        assert done.returncode == code
        assert complaint in done.stderr
        assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def with_samples(refreshed: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A data folder after the command took in all real samples, and what it printed."""
    if not SAMPLES.exists():
        pytest.skip("the public samples of benchmark tools are not on this machine")
    data = Path(shutil.copytree(refreshed, tmp_path_factory.mktemp("samples") / "data", symlinks=True))
    done = iecon(data, "ingest", str(SAMPLES))
    assert done.returncode == 1, done.stdout + done.stderr
    return data, done.stdout


@pytest.mark.slow
class TestRealSamples:
    def test_every_sample_of_a_tool_is_accepted_and_only_other_files_are_rejected(self, with_samples: tuple[Path, str]) -> None:
        data, printed = with_samples
        samples = [path for path in SAMPLES.rglob("*") if path.is_file()]
        others = {
            path.name
            for path in samples
            if path.relative_to(SAMPLES).parts[0] in NOT_BENCHMARKS or path.name.startswith("derived_")
        }
        kept = {
            name
            for (name,) in ask(
                data, f"SELECT file_name FROM core.operating_point WHERE {OWN} UNION FROM core.workload SELECT file_name"
            )
        }
        assert kept == {path.name for path in samples} - others
        rejected = [line for line in printed.splitlines() if line.startswith("rejected")]
        assert len(rejected) == len(others - {"SOURCES.md"})  # words beside results are passed over
        assert all("no known benchmark format" in line for line in rejected)

    def test_runs_and_points_agree_and_traces_are_whole(self, with_samples: tuple[Path, str], refreshed: Path) -> None:
        data, _ = with_samples
        capture = json.loads((SAMPLES / "inferencex" / "api_fixture_benchmarks.json").read_bytes())
        refused = "SELECT count(*) FROM meta.quarantine WHERE table_name = 'core.operating_point'"
        ((before,),), ((after,),) = ask(refreshed, refused), ask(data, refused)
        assert int(str(after)) - int(str(before)) == 1
        captured = "SELECT count(*) FROM core.operating_point WHERE file_name = 'api_fixture_benchmarks.json'"
        assert ask(data, captured) == [(len(capture) - 1,)]
        orphans = f"SELECT count(*) FROM core.operating_point ANTI JOIN raw.benchmark_run USING (run_id) WHERE {OWN}"
        assert ask(data, orphans) == [(0,)]
        traces = "SELECT count(*), (SELECT sum(n_requests) FROM core.workload) FROM raw.trace_request"
        assert ask(data, traces) == [(8819 + 3993, 8819 + 3993)]

    def test_start_burst_is_flagged_and_shows_in_the_tail(self, with_samples: tuple[Path, str]) -> None:
        data, _ = with_samples
        flags = "SELECT DISTINCT source, arrival, start_burst_bias FROM core.operating_point WHERE source <> 'aiconfigurator'"
        flags += f" AND {OWN}"
        assert set(ask(data, flags)) == {
            ("inferencex", "closed_loop", True),
            ("vllm", "closed_loop", True),
            ("mlperf", "open_loop", False),
            ("guidellm", "open_loop", False),
            ("inference_perf", "open_loop", False),
        }
        ratio = f"SELECT median(ttft_p99_s / ttft_p50_s) FROM core.operating_point WHERE {OWN} AND start_burst_bias"
        ((burst,),) = ask(data, ratio)
        ((steady,),) = ask(data, ratio + " = false")
        assert float(str(burst)) > 4 * float(str(steady))

    def test_no_frame_holds_two_kinds_of_arrival_percentile_or_tpot(self, with_samples: tuple[Path, str]) -> None:
        data, _ = with_samples
        mixed = """SELECT frame_key FROM core.operating_point_frame WHERE frame_key IS NOT NULL GROUP BY frame_key
            HAVING count(DISTINCT arrival) + count(DISTINCT percentile) + count(DISTINCT tpot_definition) <> 3"""
        assert ask(data, mixed) == []
        assert ask(data, "SELECT count(DISTINCT frame_key) > 100 FROM core.operating_point_frame") == [(True,)]

    def test_best_shared_and_disaggregated_throughput_of_deepseek_r1_on_h200(self, with_samples: tuple[Path, str]) -> None:
        """933 against 415 tokens/s per GPU at p99 TTFT 5 s and TPOT 50 ms, 8k/1k: computed from the same capture elsewhere."""
        data, _ = with_samples
        best = """SELECT round(max(total_tokens_per_s_per_gpu) FILTER (architecture = 'colocated')),
                round(max(total_tokens_per_s_per_gpu) FILTER (architecture = 'disaggregated'))
            FROM core.operating_point_frame
            WHERE model_class = 'deepseek-r1-0528' AND source = 'inferencex' AND workload_shape = '8192/1024'
                AND percentile = 'p99' AND precision = 'fp8'
                AND gpu_canonical = 'h200-sxm' AND ttft_s <= 5 AND tpot_s <= 0.05"""
        assert ask(data, best) == [(933.0, 415.0)]
