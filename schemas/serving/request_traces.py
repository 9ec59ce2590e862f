"""Contract of production traces as one table; a single trace as a file has the contract `RequestTrace`."""

from schemas.base import column
from schemas.serving import benchmark_outputs


class TraceRequest(benchmark_outputs.RequestTrace):
    """One request of a production trace: when it came and how long prompt and answer were. Not a measured latency."""

    trace_id: str = column("key of core.workload")

    class Config:
        name = "raw.trace_request"
