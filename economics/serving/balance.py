"""The two costs that break-even values balance, taken apart so that one symbol can move alone."""

from dataclasses import dataclass

import numpy as np

from economics.serving.batch_limits import decode_batch, decode_time
from economics.serving.chunked import Chunked, chunked_batch, chunked_colocation, chunked_time
from economics.serving.prefill_pool import Prefill, prefill_times, utilisation_limit
from economics.serving.step_time import Step, decode_step
from economics.serving.symbols import Scenario
from economics.units import Flag, Real, kept


@dataclass(frozen=True, eq=False)
class Decode:
    """The decode pool of a disaggregated deployment and the colocated replica, as functions of r and S_tpot."""

    step: Step
    chunked: Chunked
    decode_usd_per_s: Real
    """A replica of the decode pool, over its pool efficiency and attainment."""
    colocated_usd_per_s: Real
    """A colocated replica, over its attainment."""

    def decode_usd(self, tpot_s: Real) -> Real:
        """Decode pool per output token, $; inf where no batch meets the bound."""
        batch = np.minimum(self.chunked.memory_batch, decode_batch(self.step, tpot_s=tpot_s))
        return self.decode_usd_per_s * decode_time(self.step, batch=batch).decode_s

    def colocated_usd(self, input_per_output: Real, tpot_s: Real) -> Real:
        """Chunked colocation per output token, $; inf where no batch meets the bounds."""
        batch = chunked_batch(self.chunked, input_per_output=input_per_output, tpot_s=tpot_s)
        return kept(self.colocated_usd_at(input_per_output, batch), np.greater(batch, 0.0), otherwise=np.inf)

    def colocated_usd_at(self, input_per_output: Real, batch: Real) -> Real:
        """Chunked colocation per output token at a batch, $."""
        time = chunked_time(self.chunked, input_per_output=input_per_output, batch=batch)
        return self.colocated_usd_per_s * time.total_s


@dataclass(frozen=True, eq=False)
class Balance:
    """Both costs of a scenario in parts. Prices are in $/s and carry pool efficiency and attainment."""

    decode: Decode
    prefill: Prefill
    prefill_usd: Real
    """Prefill pool at full utilisation, $ per input token."""
    held_usd_per_s: Real
    """What stands still during the exposed transfer of one input token's share, $/s per input token."""
    utilisation: Real
    """u_p; 0 where the TTFT bound leaves none."""
    disaggregated_possible: Flag
    """Whether a sequence fits, something arrives, and a prompt without transfer and queue meets S_ttft."""
    colocated_possible: Flag
    alone_s: Real
    """Time per output token of one sequence decoding alone: the tightest TPOT bound."""

    @property
    def disaggregated_usd_per_input_token(self) -> Real:
        """Prefill at the utilisation at hand and transfer, $ per input token; inf where the queue has no room."""
        pool = np.divide(self.prefill_usd, self.utilisation)
        usd = pool + self.held_usd_per_s * self.prefill.transfer_s
        return kept(usd, np.greater(self.utilisation, 0.0), otherwise=np.inf)


def balance(scenario: Scenario) -> Balance:
    """Both costs of a scenario in parts; pools are divisible (integer_pools is set aside)."""
    refinements, efficiency, workload = scenario.refinements, scenario.efficiency, scenario.workload
    step, prefill = decode_step(scenario), prefill_times(scenario)
    chunked = chunked_colocation(scenario, step, prefill)
    with np.errstate(divide="ignore", invalid="ignore"):
        utilisation = utilisation_limit(scenario, prefill)
    alone_s = decode_time(step, batch=1.0).decode_s
    decodes = np.greater_equal(chunked.memory_batch, 1.0)
    if workload.arrival_rate_per_s is not None:
        decodes = decodes & np.greater(workload.arrival_rate_per_s, 0.0)
    counted = efficiency.disaggregated_attainment
    return Balance(
        decode=Decode(
            step=step,
            chunked=chunked,
            decode_usd_per_s=scenario.hardware.usd_per_s / (refinements.decode_pool_efficiency * counted),
            colocated_usd_per_s=scenario.hardware.usd_per_s / efficiency.colocated_attainment,
        ),
        prefill=prefill,
        prefill_usd=(
            prefill.usd_per_s * prefill.service_s / (workload.input_tokens * refinements.prefill_pool_efficiency * counted)
        ),
        held_usd_per_s=scenario.transfer.held_cost_ratio * prefill.usd_per_s / (workload.input_tokens * counted),
        utilisation=utilisation,
        disaggregated_possible=decodes & np.greater(scenario.contract.ttft_s, prefill.service_s),
        colocated_possible=decodes & np.greater(scenario.contract.ttft_s, prefill.chunked_service_s),
        alone_s=alone_s,
    )
