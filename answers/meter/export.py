"""A metered run as a file that `iecon ingest` takes."""

import json
from datetime import UTC, datetime
from pathlib import Path

from answers.meter.reading import MeterError
from answers.meter.record import Asked, Latency, Metered


def export(seen: Metered, asked: Asked, file: Path) -> None:
    """Write the run. Raises MeterError where nothing was served, or no time is known: such a run measures nothing."""
    if not seen.requests or seen.seconds is None:
        raise MeterError("nothing to export: no request ended in a known time")
    run = {
        "iecon_meter": 1,
        "model": asked.model or seen.model_written,
        "engine": seen.engine,
        "gpu": asked.gpu,
        "gpus": asked.gpus or (seen.replicas if asked.gpu else None),
        "precision": asked.precision,
        "measured_on": datetime.now(UTC).date().isoformat(),
        "duration_s": seen.seconds,
        "completed": round(seen.requests),
        "failed": round(seen.failed),
        "input_tokens_mean": seen.input_tokens_mean,
        "output_tokens_mean": seen.output_tokens_mean,
        "running_mean": seen.running,
        "prefix_hit_share": seen.prefix_hit_share,
        "replicas": seen.replicas,
        "ttft_s": _statistics(seen.ttft),
        "tpot_s": _statistics(seen.tpot),
        "e2e_s": _statistics(seen.e2e),
        "tpot_of": None if seen.tpot is None else seen.tpot.of,
        "usd_per_gpu_hour": asked.usd_per_gpu_hour,
    }
    try:
        file.write_text(json.dumps(run, indent=1, allow_nan=False) + "\n")
    except OSError as error:
        raise MeterError(f"--export {file}: {error.strerror}") from None


def _statistics(latency: Latency | None) -> dict[str, float] | None:
    if latency is None:
        return None
    stated = {"mean": latency.mean_s, "p50": latency.p50_s, "p90": latency.p90_s, "p99": latency.p99_s}
    return {name: value for name, value in stated.items() if value is not None} or None
