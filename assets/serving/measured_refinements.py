"""Each term of the measured forms by itself: the surface's answers with the term and without it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from assets.serving.measured_surface import NORMAL_90, Costs, Measured, Question, costs, measured_race, replicas_of
from assets.serving.pairs import Pair, asked_of
from economics.serving.engine_designs import Replica
from economics.serving.engine_time import prefill_s
from economics.serving.partition_map import Race
from economics.serving.scenarios import ACHIEVED_LINK_SHARES

PREFIX_HIT_SHARE = 0.4
Side = tuple[str, float, str, str, Race, Race]
"""Name, value it is tried at, basis, source; who wins without and with it."""


def measured_sides(
    of: Sequence[Pair], known: Measured, points: Sequence[tuple[float, float, float]], arrival_rate_per_s: float
) -> Iterator[Side]:
    """Every term; `points`: ratio, TTFT and TPOT bound. Everything but the term is as measured."""
    ratio, ttft_s, tpot_s = (np.array(axis)[None, :, None] for axis in zip(*points, strict=True))
    network = np.array([[[pair[0]["nic_bytes_per_s"]]] for pair in of])
    asked = Question(ratio, np.array(arrival_rate_per_s), network, tpot_s, ttft_s)
    full, slow = (replicas_of(asked_of(of), known, axes=1, layer_shift=shift) for shift in (0.0, NORMAL_90))
    whole = costs(full, asked)
    nominal = Question(ratio, asked.arrival_rate_per_s, network * np.mean(ACHIEVED_LINK_SHARES), tpot_s, ttft_s)

    def winners(found: Costs) -> Race:
        return measured_race(found, asked)

    fitted, derived = "fitted", "derived"
    yield "fixed_time", np.nan, fitted, "alpha, fitted to measured runs", winners(costs(_unfixed(full), asked)), winners(whole)
    yield (
        "fixed_time_high",
        NORMAL_90,
        fitted,
        "alpha at the upper end of its 90 % interval",
        winners(whole),
        winners(costs(slow, asked)),
    )
    yield (
        "links",
        np.nan,
        derived,
        "volume of the collectives at .25 of the link",
        winners(costs(_unlinked(full), asked)),
        winners(whole),
    )
    yield (
        "experts_touched",
        np.nan,
        derived,
        "experts that a batch leaves untouched are not read",
        winners(costs(_all_read(full), asked)),
        winners(whole),
    )
    reached = "measured over predicted rate of the engine, colocated and in pools"
    yield (
        "rates_reached",
        np.nan,
        fitted,
        reached,
        winners(costs(replace(full, colocated_reached=1.0, pools_reached=1.0), asked)),
        winners(whole),
    )
    wide = "replicas of up to eight times the GPUs, and data-parallel attention of sparse models"
    yield "spread", np.nan, derived, wide, winners(costs(_smallest(full), asked)), winners(whole)
    hit = "Mooncake (FAST'25), Table 2: conversation trace, endless cache"
    yield "prefix_hit_share", PREFIX_HIT_SHARE, "primary", hit, winners(whole), winners(costs(_cached(full), asked))
    link = "Mooncake (FAST'25), Fig. 12: middle of two links"
    yield (
        "achieved_link_share",
        float(np.mean(ACHIEVED_LINK_SHARES)),
        "primary",
        link,
        winners(whole),
        winners(costs(full, nominal)),
    )


def _changed(of: Replica, **parts: Any) -> Replica:
    """With other parts of its instance; the time of a prompt anew."""
    instance = replace(of.instance, **parts)
    return replace(of, instance=instance, prompt_s=prefill_s(instance, prompts=1.0, input_tokens=of.input_tokens))


def _unfixed(of: Replica) -> Replica:
    return _changed(of, constants=replace(of.instance.constants, layer_s=0.0))


def _unlinked(of: Replica) -> Replica:
    endless = np.full_like(np.asarray(of.instance.device.link_bytes_per_s), 1e18)
    return _changed(of, device=replace(of.instance.device, link_bytes_per_s=endless, network_bytes_per_s=endless))


def _all_read(of: Replica) -> Replica:
    """All experts read in every step, with the arithmetic of those a token passes."""
    model = of.instance.model
    passed = model.expert_parameters * model.expert_share
    return _changed(of, model=replace(model, expert_parameters=passed, expert_share=np.ones_like(np.asarray(passed))))


def _smallest(of: Replica) -> Replica:
    first = np.arange(np.shape(of.most)[-1]) == 0
    return replace(of, most=np.where(first, of.most, 0.0))


def _cached(of: Replica) -> Replica:
    """A share of each prompt is found in cache; attention of the rest to it is neglected."""
    computed = np.asarray(of.input_tokens) * (1.0 - PREFIX_HIT_SHARE)
    return replace(of, prompt_s=prefill_s(of.instance, prompts=1.0, input_tokens=computed))
