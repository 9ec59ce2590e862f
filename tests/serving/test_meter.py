"""`iecon meter` against a real HTTP server that replays what each engine publishes, over time, restarts included."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from answers.meter.answer import traffic
from answers.meter.counting import counted
from answers.meter.export import export
from answers.meter.reading import MeterError, Server, saved
from answers.meter.record import Asked
from answers.meter.text import sentence
from sources.serving.benchmark_outputs import detect, parse
from sources.serving.engine_metrics import NoEngineError, Scrape, parse_scrape
from tests.live_server import LiveServer, document
from tests.refreshed import iecon

TEXT = "text/plain; version=0.0.4"
MODEL = 'model_name="meta-llama/Llama-3.1-8B-Instruct"'
VLLM_NAMES = {
    "new": ("vllm:prefix_cache_queries_total", "vllm:prefix_cache_hits_total", "vllm:request_time_per_output_token_seconds"),
    "old": ("vllm:gpu_prefix_cache_queries_total", "vllm:gpu_prefix_cache_hits_total", "vllm:time_per_output_token_seconds"),
}


def histogram(name: str, labels: str, counts: dict[str, float], total: float) -> list[str]:
    rows, seen = [f"# TYPE {name} histogram"], 0.0
    for bound, count in counts.items():
        seen += count
        rows.append(f'{name}_bucket{{le="{bound}",{labels}}} {seen}')
    return [*rows, f"{name}_sum{{{labels}}} {total}", f"{name}_count{{{labels}}} {seen}"]


def vllm(requests: int, *, names: str = "new", started: float = 100.0, engine: str = "0") -> str:
    """What vLLM publishes after so many requests of 1,000 tokens in, 250 of them cached, and 100 out."""
    labels = f'engine="{engine}",{MODEL}'
    queries, hits, tpot = VLLM_NAMES[names]
    rows = [
        "# TYPE process_start_time_seconds gauge",
        f"process_start_time_seconds {started}",
        "# TYPE vllm:num_requests_running gauge",
        f"vllm:num_requests_running{{{labels}}} 4.0",
        f"vllm:num_requests_waiting{{{labels}}} 1.0",
        "# TYPE vllm:prompt_tokens_total counter",
        f"vllm:prompt_tokens_total{{{labels}}} {1000.0 * requests}",
        f"vllm:generation_tokens_total{{{labels}}} {100.0 * requests}",
        f'vllm:request_success_total{{finished_reason="stop",{labels}}} {requests}.0',
        f'vllm:request_success_total{{finished_reason="abort",{labels}}} 0.0',
        f"{queries}{{{labels}}} {1000.0 * requests}",
        f"{hits}{{{labels}}} {250.0 * requests}",
    ]
    half = requests / 2
    rows += histogram("vllm:time_to_first_token_seconds", labels, {"0.1": half, "0.5": half, "+Inf": 0}, 0.2 * requests)
    rows += histogram(tpot, labels, {"0.0025": half, "0.005": half, "+Inf": 0}, 0.004 * requests)
    rows += histogram("vllm:e2e_request_latency_seconds", labels, {"0.5": half, "1.0": half, "+Inf": 0}, 0.6 * requests)
    return "\n".join(rows) + "\n"


def sglang(requests: int) -> str:
    rows = [
        f"sglang:prompt_tokens_total{{{MODEL}}} {8e2 * requests:e}",
        f'sglang:generation_tokens_total{{{MODEL},is_streaming="true"}} {40.0 * requests}',
        f'sglang:generation_tokens_total{{{MODEL},is_streaming="false"}} {10.0 * requests}',
        f"sglang:num_requests_total{{{MODEL}}} {requests}",
        f'sglang:cached_tokens_total{{{MODEL},cache_source="device"}} {300.0 * requests}',
        f'sglang:cached_tokens_total{{{MODEL},cache_source="host"}} {100.0 * requests}',
        f"sglang:num_running_reqs{{{MODEL}}} 3",
        f"sglang:num_queue_reqs{{{MODEL}}} 0",
    ]
    rows += histogram("sglang:time_to_first_token_seconds", MODEL, {"0.1": requests, "+Inf": 0}, 0.05 * requests)
    rows += histogram("sglang:inter_token_latency_seconds", MODEL, {"0.02": 49 * requests, "+Inf": 0}, 0.49 * requests)
    return "\n".join(rows) + "\n"


def tensorrt(requests: int) -> str:
    labels = f'engine_type="trtllm",{MODEL}'
    rows = [
        f'trtllm_request_success_total{{finished_reason="length",{labels}}} {requests}',
        f"trtllm_prompt_tokens_total{{{labels}}} {500 * requests}",
        f"trtllm_generation_tokens_total{{{labels}}} {50 * requests}",
        f"trtllm_num_requests_running{{{labels}}} 2",
        f"trtllm_kv_cache_hit_rate{{{labels}}} 0.4",
    ]
    rows += histogram("trtllm_time_to_first_token_seconds", labels, {"0.1": requests, "+Inf": 0}, 0.05 * requests)
    rows += histogram("trtllm_time_per_output_token_seconds", labels, {"0.02": requests, "+Inf": 0}, 0.01 * requests)
    return "\n".join(rows) + "\n"


def llama_cpp(tokens: int) -> str:
    return "\n".join(
        [
            "# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed.",
            "# TYPE llamacpp:prompt_tokens_total counter",
            f"llamacpp:prompt_tokens_total {3 * tokens}",
            f"llamacpp:prompt_tokens_cached_total {tokens}",
            f"llamacpp:tokens_predicted_total {tokens}",
            f"llamacpp:tokens_predicted_seconds_total {tokens * 0.02}",
            "llamacpp:requests_processing 1",
            "llamacpp:requests_deferred 0",
            "",
        ]
    )


def scrapes(*texts: str, every_s: float = 10.0) -> list[Scrape]:
    return [parse_scrape(text, at_s=1000.0 + place * every_s) for place, text in enumerate(texts)]


def seen(*texts: str, **asked):
    return traffic(counted({"a": scrapes(*texts)}), Asked(**asked))


@pytest.mark.parametrize("names", ["new", "old"])
def test_vllm_of_old_and_new_names(names):
    found = seen(vllm(10, names=names), vllm(30, names=names))
    assert (found.engine, found.model_written) == ("vllm", "meta-llama/Llama-3.1-8B-Instruct")
    assert found.seconds == 10.0
    assert found.requests == 20
    assert found.requests_per_s == 2.0
    assert found.output_tokens_per_s == 200.0
    assert (found.input_tokens_mean, found.output_tokens_mean) == (1000.0, 100.0)
    assert found.prefix_hit_share == 0.25
    assert (found.running, found.waiting) == (4.0, 1.0)
    assert found.ttft.p50_s == pytest.approx(0.1)
    assert found.ttft.p99_s == pytest.approx(0.1 + 0.4 * 0.98)
    assert found.tpot.mean_s == pytest.approx(0.004)
    assert (found.tpot.of == "requests") == (names == "new")


def test_an_old_and_a_new_name_at_once_count_once():
    both = vllm(30) + "\n".join(row for row in vllm(30, names="old").splitlines() if "time_per_output_token" in row) + "\n"
    before = vllm(10) + "\n".join(row for row in vllm(10, names="old").splitlines() if "time_per_output_token" in row) + "\n"
    assert seen(before, both).tpot.observations == 20


def test_sglang_adds_up_its_labels():
    found = seen(sglang(0), sglang(100))
    assert found.input_tokens_mean == 800
    assert found.output_tokens_mean == 50
    assert found.prefix_hit_share == 0.5
    assert found.tpot.observations == 4900
    assert any("every interval" in note for note in found.notes)


def test_tensorrt_llm_and_its_gauge_of_the_cache():
    found = seen(tensorrt(1), tensorrt(11))
    assert (found.engine, found.requests, found.prefix_hit_share) == ("tensorrt_llm", 10, 0.4)
    assert found.tpot.of == "requests"


def test_llama_cpp_counts_no_requests_and_says_what_it_can():
    found = seen(llama_cpp(100), llama_cpp(600))
    assert found.requests is None
    assert found.output_tokens_per_s == 50.0
    assert found.input_tokens_per_s == 200.0  # computed and cached
    assert found.prefix_hit_share == 0.25
    assert found.tpot.mean_s == pytest.approx(0.02)
    assert found.ttft is None
    assert any("no histogram" in note for note in found.notes)


def test_a_restart_loses_nothing_that_was_counted_after_it():
    # 10 to 30, then a new process at 5: 20 and 5.
    found = seen(vllm(10), vllm(30), vllm(5, started=900.0))
    assert found.restarts == 1
    assert found.requests == 25
    assert found.ttft.observations == 25
    assert any("restart" in note for note in found.notes)


def test_a_counter_that_falls_tells_a_restart_where_no_start_is_published():
    found = seen(sglang(10), sglang(4), sglang(10))
    assert (found.restarts, found.requests) == (1, 10)


def test_a_restart_that_overtook_its_old_count_is_told_by_the_start():
    found = seen(vllm(10), vllm(30, started=900.0))
    assert (found.restarts, found.requests) == (1, 30)


def test_replicas_add_up_and_gauges_of_each_are_summed():
    both = {"a": scrapes(vllm(0), vllm(20)), "b": scrapes(vllm(0, names="old"), vllm(40, names="old"))}
    found = traffic(counted(both), Asked())
    assert found.replicas == 2
    assert found.requests == 60
    assert found.running == 8.0
    assert found.prefix_hit_share == 0.25
    assert found.tpot.observations == 60
    ranks = vllm(10) + vllm(20, engine="1").replace("# TYPE", "# type")
    assert counted({"a": scrapes(vllm(0) + vllm(0, engine="1").replace("# TYPE", "# type"), ranks)}).replicas == 2


def test_two_engines_are_metered_one_by_one():
    with pytest.raises(ValueError, match="different engines"):
        counted({"a": scrapes(vllm(1)), "b": scrapes(sglang(1))})


def test_no_traffic_is_said():
    found = seen(vllm(10), vllm(10))
    assert found.requests == 0
    assert found.ttft is None
    assert any("no request ended" in note for note in found.notes)
    assert "nothing ended" in sentence(found)


def test_goodput_lies_within_what_both_bounds_allow():
    found = seen(vllm(0), vllm(100), ttft_p99_s=0.1, tpot_p99_s=0.0025)
    assert found.ttft.share_within == found.tpot.share_within == 0.5
    assert found.goodput_per_s == pytest.approx(10 * 0.25)
    assert (found.least_goodput_per_s, found.most_goodput_per_s) == (0.0, 5.0)


def test_a_quoted_page_is_read_and_a_page_for_people_is_not():
    quoted = json.dumps(llama_cpp(100))
    assert parse_scrape(quoted, at_s=0.0).engine == "llama.cpp"
    for other in ("<html>hello</html>", "", "# TYPE node_load1 gauge\nnode_load1 3\n", '{"iterations": []}'):
        with pytest.raises(NoEngineError):
            parse_scrape(other, at_s=0.0)


def test_saved_scrapes_of_before_and_after(tmp_path):
    files = [tmp_path / "before.prom", tmp_path / "after.prom"]
    for file, requests in zip(files, (10, 70), strict=True):
        file.write_text(vllm(requests))
    only = traffic(counted(saved([str(files[1])]), seconds=60.0), Asked())
    assert (only.requests, only.requests_per_s) == (70, pytest.approx(70 / 60))
    unknown = traffic(counted(saved([str(files[1])])), Asked())
    assert unknown.requests_per_s is None
    assert any("--minutes" in note for note in unknown.notes)
    with pytest.raises(MeterError, match="cannot be read"):
        saved([str(tmp_path / "nowhere")])


def page(text: str):
    return document(text.encode(), kind=TEXT)


def metered(folder: Path, server: LiveServer, *arguments: str) -> dict:
    done = iecon(folder, "meter", server.url, "--json", "--every", "0.2", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_server_is_watched_over_http_with_cost_and_headroom(refreshed, live_server, tmp_path):
    live_server.serve("/metrics", *(page(vllm(requests)) for requests in (10, 11, 12, 13, 14, 15)), page(vllm(16)))
    file = tmp_path / "run.json"
    asked = ("--minutes", "0.03", "--gpu", "h100-sxm", "--price", "2.0", "--precision", "bf16", "--export", str(file))
    found = metered(refreshed, live_server, *asked)
    assert found["model"] == "llama-3.1-8b"
    assert 1 <= found["requests"] <= 6
    assert found["cost"]["usd_per_mtok_reserved"] == pytest.approx(2.0 / 3600 / (found["requests_per_s"] * 1100) * 1e6)
    assert found["cost"]["usd_per_mtok_reserved"] > found["cost"]["usd_per_mtok_busy"]
    assert found["cost"]["api_seller"]
    assert found["headroom"]["saturation_per_s"] > found["requests_per_s"]
    body = file.read_bytes()
    assert detect(body) == "iecon_meter"
    run = parse(body, file_name="run.json", meta=None).accepted.row(0, named=True)
    assert run["output_tokens_per_s_per_gpu"] == pytest.approx(found["requests_per_s"] * 100, rel=0.02)
    assert run["ttft_p50_s"] == pytest.approx(found["ttft"]["p50_s"])


def test_a_server_that_fails_for_a_while_is_asked_again(refreshed, live_server):
    def down(handler):
        handler.send_error(503)

    live_server.serve("/metrics", page(sglang(10)), down, page(sglang(12)), page(sglang(14)))
    assert metered(refreshed, live_server, "--minutes", "0.02")["requests"] >= 2


def test_the_page_of_tensorrt_llm_is_found(live_server):
    live_server.serve("/metrics", document(b"[]"))
    live_server.serve("/prometheus/metrics", page(tensorrt(3)))
    assert Server(live_server.url).scrape().engine == "tensorrt_llm"


def test_what_a_prometheus_server_remembers(refreshed, live_server):
    result = []
    for instance in ("a:8000", "b:8000"):
        texts = [vllm(requests) for requests in (0, 30, 60)]
        rows: dict[tuple[str, str], list] = {}
        for place, text in enumerate(texts):
            for (name, labels), value in parse_scrape(text, at_s=0.0).series.items():
                rows.setdefault((name.replace("_", ":", 1), json.dumps(dict(labels))), []).append(
                    [1000 + 30 * place, str(value)]
                )
        result += [
            {"metric": {"__name__": name, "instance": instance, "job": "vllm", **json.loads(labels)}, "values": values}
            for (name, labels), values in rows.items()
        ]
    answer = document(json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}).encode())
    found = Server(live_server.url)
    assert found.prometheus(minutes=1.0, now_s=1060.0) is None
    live_server.serve("/metrics", page("# TYPE prometheus_build_info gauge\nprometheus_build_info 1\n"))
    live_server.routes.update({path: [answer] for path in [_asked(live_server)]})
    remembered = found.prometheus(minutes=1.0, now_s=1060.0)
    total = traffic(counted(remembered), Asked())
    assert (total.replicas, total.requests, total.seconds) == (2, 120, 60.0)


def _asked(server: LiveServer) -> str:
    """The address with its query that was asked of the Prometheus server."""
    return next(request.path for request in server.requests if "query_range" in request.path)


@pytest.mark.parametrize("arguments", [("--minutes", "-1"), ("--gpu", "h1000", "--minutes", "0.001")])
def test_an_absurd_question_is_refused_in_one_line(refreshed, live_server, arguments):
    live_server.serve("/metrics", page(vllm(1)), page(vllm(2)))
    done = iecon(refreshed, "meter", live_server.url, "--every", "0.05", *arguments)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1


def test_it_reads_at_80_columns_with_the_answer_first(refreshed, tmp_path):
    file = tmp_path / "after.prom"
    file.write_text(vllm(70))
    done = iecon(refreshed, "meter", str(file), "--minutes", "1", "--gpu", "h100", COLUMNS="80")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("llama-3.1-8b on vllm: 1.17 requests/s")
    assert max(len(one) for one in done.stdout.splitlines()) <= 80


def test_percentiles_do_not_fall():
    found = seen(vllm(0), vllm(40))
    for latency in (found.ttft, found.tpot, found.e2e):
        figures = [latency.p50_s, latency.p90_s, latency.p99_s]
        assert all(low <= high for low, high in pairwise(figures))


def test_nothing_is_exported_where_nothing_was_served(tmp_path):
    with pytest.raises(MeterError, match="nothing to export"):
        export(seen(vllm(10), vllm(10)), Asked(), tmp_path / "x.json")
