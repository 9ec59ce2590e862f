"""The `iecon` command. Imports are inside the commands, so that a query does not wait for the orchestrator."""

import gc
import os
import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

# Polars gives memory back after a second: at once takes half a second of a refresh, later makes its peak a third higher.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:1000,muzzy_decay_ms:0")

app = typer.Typer(
    name="iecon",
    help="What a useful token and a correct answer cost: refresh the evidence, then ask it in SQL.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
out = Console(width=None if sys.stdout.isatty() else 1_000)  # a pipe gets whole lines
err = Console(stderr=True)


class Format(StrEnum):
    """How a query's rows are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


class Group(StrEnum):
    """Groups that can be refreshed alone."""

    LLM_PRICES = "llm_prices"
    GPU_RENTS = "gpu_rents"
    CAPABILITY = "capability"
    BENCHMARK_OUTPUTS = "benchmark_outputs"
    INFERENCE_FRONTIER = "inference_frontier"


class Verdict(StrEnum):
    """What the numbers say of a claim."""

    REPRODUCED = "reproduced"
    REPRODUCED_IN_PART = "reproduced_in_part"
    NOT_REPRODUCED = "not_reproduced"
    NOT_TESTABLE = "not_testable"


class Architecture(StrEnum):
    """How prefill and decode share GPUs."""

    COLOCATED = "colocated"
    CHUNKED = "chunked"
    DISAGGREGATED = "disaggregated"


class CommandError(Exception):
    """A failure that is told in one line; `code` is the exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def main() -> None:
    """Run a command; a failure is one clear line on stderr and an exit code: 1 failed, 2 bad usage."""
    try:
        app()
    except SystemExit as ended:
        _leave(ended.code)
    except Exception as error:  # the last place that can turn any failure into one line; --debug shows all of it
        if "--debug" in sys.argv:
            raise
        err.print(
            f"[red]error:[/red] {str(error).strip().splitlines()[0] if str(error) else type(error).__name__}",
            highlight=False,
            soft_wrap=True,
        )
        _leave(getattr(error, "code", 1))


def _leave(code: object) -> NoReturn:
    """End the process at once. To free all that a refresh holds, object by object, takes a tenth of it."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(BrokenPipeError):  # of a reader that has gone, such as `head`
            stream.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


@app.callback()
def _options(
    data: Annotated[Path | None, typer.Option(help="Data folder; the same as setting ECONOMICS_DATA.")] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of a failure.")] = False,  # noqa: ARG001
) -> None:
    if data is not None:
        os.environ["ECONOMICS_DATA"] = str(data)


@app.command()
def refresh(
    only: Annotated[Group | None, typer.Option(help="Refresh one group and all that follows from it.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no network: stored documents and seeds only.")] = False,
) -> None:
    """Fetch the sources, recompute every table and publish the warehouse."""
    # Imports and a run make much that lives until the end: to look for cycles after every 700 objects is a tenth of a refresh.
    gc.disable()
    from pipelines.progress import show_refresh  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    if not show_refresh(data_root(), job=f"refresh_{only}" if only else "refresh", offline=offline, console=err, out=out):
        raise typer.Exit(1)


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Benchmark result files and request traces, or folders of them.")],
    gpu: Annotated[str | None, typer.Option(help="GPU the runs had, such as h100-sxm.")] = None,
    gpus: Annotated[int | None, typer.Option(min=1, help="How many GPUs the whole system had.")] = None,
    engine: Annotated[str | None, typer.Option(help="Serving engine, such as vllm.")] = None,
    precision: Annotated[str | None, typer.Option(help="Number format of the weights, such as fp8.")] = None,
    architecture: Annotated[Architecture | None, typer.Option(help="How prefill and decode share GPUs.")] = None,
    price: Annotated[float | None, typer.Option(help="USD per GPU-hour you pay.")] = None,
) -> None:
    """Take your own benchmark results into the warehouse. Options are true of every file; run.json.meta.yaml of run.json."""
    from pipelines.ingest import show_ingest  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    stated = {"gpu": gpu, "gpus": gpus, "engine": engine, "precision": precision, "usd_per_gpu_hour": price}
    said = {name: fact for name, fact in stated.items() if fact is not None}
    if architecture is not None:
        said["architecture"] = architecture.value
    if not show_ingest(data_root(), paths, said=said, console=err, out=out):
        raise typer.Exit(1)


@app.command()
def route(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet: item, model, correct, cost_usd, score, ...")],
    strong: Annotated[str | None, typer.Option(help="The strong model; of two models the dearer one.")] = None,
    weak: Annotated[str | None, typer.Option(help="The weak model.")] = None,
    quality: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of the way from weak to strong that must be kept.")
    ] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Say whether routing between two models pays on your own outcomes, judged on items the threshold has not seen."""
    from answers.route.answer import show_route  # noqa: PLC0415

    if not show_route(file, strong=strong, weak=weak, quality=quality, as_json=as_json, out=out, err=err):
        raise typer.Exit(1)


@app.command()
def allocate(
    benchmark: Annotated[str, typer.Option(help="Benchmark that stands for your questions, such as aime24 or math500.")],
    base: Annotated[str, typer.Option(help="Model you run now, such as deepseek-v3.")],
    budget: Annotated[float, typer.Option(help="USD to spend.")],
    queries: Annotated[float, typer.Option(help="Questions the spending serves, over the model's life.")],
    tokens: Annotated[float | None, typer.Option(help="Output tokens per answer; else as published.")] = None,
    price: Annotated[float | None, typer.Option(help="USD per million output tokens; else today's.")] = None,
    training_usd: Annotated[float | None, typer.Option(help="What training the base cost so far.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say where the next dollar goes: training, samples, a verifier or another model; on what evidence; what flips it."""
    from answers.allocate.answer import allocate as allocation_of  # noqa: PLC0415
    from answers.allocate.record import Question  # noqa: PLC0415
    from answers.allocate.text import show_allocation, write_json  # noqa: PLC0415

    asked = Question(
        benchmark=benchmark,
        base=base,
        budget_usd=budget,
        queries=queries,
        tokens_per_answer=tokens,
        usd_per_mtok=price,
        training_usd=training_usd,
    )
    found = allocation_of(asked, warehouse=_warehouse())
    if as_json:
        write_json(found, sys.stdout)
    else:
        show_allocation(found, console=out)


@app.command(context_settings={"ignore_unknown_options": True})  # so that SQL may begin with a comment
def query(
    sql: Annotated[str | None, typer.Argument(help="SQL, in DuckDB's dialect.")] = None,
    file: Annotated[Path | None, typer.Option(help="File with the SQL, such as one of warehouse/queries.")] = None,
    format: Annotated[Format, typer.Option("--format", "-f", help="How to print the rows.")] = Format.TABLE,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write instead of the screen.")] = None,
) -> None:
    """Ask the latest published warehouse a question in SQL. Nothing can be changed by it."""
    from answers.query import run_query  # noqa: PLC0415

    if (sql is None) == (file is None):
        raise typer.BadParameter("give the SQL, or --file FILE with it")
    text = sql if file is None else file.read_text()
    run_query(_warehouse(), text or "", format=format.value, output=output, console=out)


@app.command()
def claims(
    claim: Annotated[str | None, typer.Argument(help="One claim, to see all that stands behind it.")] = None,
    verdict: Annotated[Verdict | None, typer.Option(help="Only claims of this verdict.")] = None,
    document: Annotated[str | None, typer.Option(help="Only documents whose name contains this.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
) -> None:
    """Hold published claims against what comes out today: reproduced, in part, not, or not testable and why."""
    from answers.claims import ledger, show_claim, show_ledger, write_json  # noqa: PLC0415

    if claim is not None:
        show_claim(_warehouse(), claim, console=out)
        return
    rows = ledger(_warehouse(), verdict=verdict, document=document)
    if as_json:
        write_json(rows, sys.stdout)
    else:
        show_ledger(rows, console=out)


@app.command()
def tables() -> None:
    """List every table and view with what it holds."""
    from answers.query import run_query  # noqa: PLC0415

    run_query(_warehouse(), "FROM meta.tables", format="table", output=None, console=out)


@app.command()
def describe(table: Annotated[str, typer.Argument(help="Table, such as core.llm_price.")]) -> None:
    """Show a table's columns with unit, meaning and rules."""
    from answers.describe import show_contract  # noqa: PLC0415

    show_contract(table, console=out)


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on; the UI has no password.")] = "127.0.0.1",
) -> None:
    """Open Dagster's UI with its scheduler: lineage, runs, checks, schedules. Stop with Ctrl-C."""
    from pipelines.resources import dagster_home  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    home = dagster_home(data_root())
    environment = os.environ | {"DAGSTER_HOME": str(home), "ECONOMICS_DATA": str(data_root())}
    command = [sys.executable, "-m", "dagster", "dev", "-m", "pipelines.definitions", "-h", host, "-p", str(port)]
    err.print(f"Dagster UI on http://{host}:{port} with its records in {home}")
    os.execve(sys.executable, command, environment)


@app.command()
def decide(
    model: Annotated[str, typer.Option(help="Model, such as llama-3.1-70b; see core.model_shape.")],
    gpu: Annotated[str, typer.Option(help="GPU, such as h100-sxm; see core.gpu.")],
    input_tokens: Annotated[float, typer.Option("--in", help="Tokens of a prompt.")],
    output_tokens: Annotated[float, typer.Option("--out", help="Tokens of an answer.")],
    rate: Annotated[float, typer.Option(help="Requests per second.")],
    ttft_p99: Annotated[float, typer.Option(help="Bound on the time to first token, seconds.")],
    tpot_p99: Annotated[float, typer.Option(help="Bound on the time per output token, seconds.")],
    kv_gbps: Annotated[float | None, typer.Option(help="Gbit/s of the KV transfer per GPU; else its network.")] = None,
    price: Annotated[float | None, typer.Option(help="USD per GPU-hour you pay; else today's rent.")] = None,
    precision: Annotated[str, typer.Option(help="Number format of the weights: bf16 or fp8.")] = "bf16",
    tpot_definition: Annotated[
        str, typer.Option(help="per_request_mean, per_token_p99, per_token_max or worst_tenth_mean.")
    ] = "per_request_mean",
    engine: Annotated[
        str | None, typer.Option(help="Serving engine whose measured steps to trust; else that with most of them.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Find the cheapest way to serve a model within a contract: colocated or disaggregated, how many GPUs, how sure."""
    from answers.decide.answer import decide as decision_for  # noqa: PLC0415
    from answers.decide.record import Question  # noqa: PLC0415
    from answers.decide.text import show_decision, write_json  # noqa: PLC0415

    asked = Question(
        model=model,
        gpu=gpu,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        requests_per_s=rate,
        ttft_p99_s=ttft_p99,
        tpot_p99_s=tpot_p99,
        kv_gbps=kv_gbps,
        usd_per_gpu_hour=price,
        precision=precision,
        tpot_definition=tpot_definition,
        engine=engine,
    )
    decision = decision_for(asked, warehouse=_warehouse())
    if json:
        write_json(decision, sys.stdout)
    else:
        show_decision(decision, console=out)


@app.command()
def report(
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser as well.")] = False,
) -> None:
    """Say where the report is: one page with every figure, its numbers and their sources."""
    from pipelines.report import show_report  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    if not show_report(data_root(), open_it=open_it, out=out, err=err):
        raise typer.Exit(1)


@app.command()
def doctor() -> None:
    """Say what is installed, what the disk holds, how old each source is and why, and what a refresh would use."""
    from pipelines.doctor import show_health  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    show_health(data_root(), console=out)


def _warehouse() -> Path:
    from warehouse.folder import data_root  # noqa: PLC0415

    latest = data_root() / "releases" / "latest.duckdb"
    if not latest.exists():
        raise CommandError(f"no warehouse in {data_root()} yet: run `iecon refresh` first")
    return latest


if __name__ == "__main__":
    main()
