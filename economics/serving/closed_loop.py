"""What a closed loop of clients says of itself: by Little's law, rate and latency fix how many requests are in flight."""

import numpy as np

from economics.units import Real


def loop_excess(*, concurrency: Real, output_tokens: Real, output_tokens_per_s: Real, ttft_s: Real, tpot_s: Real) -> Real:
    """Time that a place in the loop takes for a request, over the time the request itself takes.

    Arguments broadcast: requests in flight, mean answer in tokens, output tokens per second of the whole system, mean or median
    seconds. 1 where every place is always taken; more where places stand empty: at the start and the end of the run, or because
    the client is slower than the system. NaN where a figure is not known.
    Source: Little 1961; a place is taken C o / rate seconds for each request, of which TTFT + o TPOT are the request's.
    """
    return np.asarray(concurrency) * output_tokens / output_tokens_per_s / (ttft_s + np.asarray(output_tokens) * tpot_s)


def implied_output_tokens(*, ttft_s: Real, tpot_s: Real, e2e_s: Real) -> Real:
    """Mean answer that three mean latencies imply, in tokens: (E2E - TTFT) / TPOT + 1, for a TPOT after the first token."""
    return (np.asarray(e2e_s) - ttft_s) / tpot_s + 1.0
