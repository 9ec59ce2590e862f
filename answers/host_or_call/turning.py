"""What would turn the answer, and what it rests on, in words."""

from math import isfinite

from answers.host_or_call.record import Call, Host, HostOrCallQuestion
from answers.host_or_call.rents import Rent
from answers.host_or_call.tables import Tables
from answers.text import number, usd
from economics.serving.hosting import HOURS_PER_MONTH, instances_at


def flips_of(
    q: HostOrCallQuestion,
    call: Call | None,
    host: Host | None,
    alternatives: tuple[Call, ...],
    eight_bits: Host | None,
) -> list[str]:
    """What would change the answer, in words: the volume first, then prices, then what is in doubt."""
    said: list[str] = []
    if host is not None and call is not None and host.usd_per_month is not None:
        now = q.load.mean_per_s * 86_400.0
        if host.break_even_per_day is None:
            most = 1.0 / q.load.peak_factor
            said.append(
                f"no volume makes hosting cheaper on {host.gpu}: it would need {100 * (host.least_utilisation or 0):.0f} % of "
                f"capacity on average, and a peak of {q.load.peak_factor:.3g} times the mean leaves {100 * most:.0f} % at most"
            )
        else:
            times = host.break_even_per_day / now
            said.append(
                f"volume: {number(host.break_even_per_day, digits=3)} requests a day (now {number(now, digits=3)}, "
                f"x{times:.2g}), {number(host.break_even_mtok_per_month, digits=3)} Mtok a month"
            )
            said.append(
                f"utilisation: {100 * (host.break_even_utilisation or 0):.0f} % of capacity on average at the break-even, "
                f"and no volume pays below {100 * (host.least_utilisation or 0):.0f} % "
                f"(now {100 * (host.utilisation or 0):.0f} %)"
            )
        ratio = call.usd_per_month / host.usd_per_month
        said.append(
            f"price: both cost the same if the API charged x{1 / ratio:.2g}, or the GPUs cost x{_rent_ratio(q, host, call):.2g}"
        )
        if host.moves_it_most:
            said.append(f"most of the doubt is in {host.moves_it_most}")
        if q.load.peak_factor > 1.0:
            even = instances_at(rate_per_s=q.load.mean_per_s, peak_factor=1.0, capacity_per_s=host.capacity_per_s or 1.0)
            said.append(f"an even load would need {int(even)} instance(s) in place of {host.instances}")
        if host.scaled_usd_per_month is not None:
            said.append(
                f"instances that follow the load and start in {q.start_up_s:g} s: {usd(host.scaled_usd_per_month)} a month in "
                f"place of {usd(host.usd_per_month)}"
            )
    if eight_bits is not None and host is not None and eight_bits.usd_per_month is not None:
        day = eight_bits.break_even_per_day
        ever = day is not None and isfinite(day)
        paying = f"paying from {number(day, digits=3)} requests a day" if ever else "paying at no volume"
        said.append(
            f"weights in fp8 on {eight_bits.gpu}: {usd(eight_bits.usd_per_month)} a month on {eight_bits.gpus} GPUs, "
            f"{paying} (its accuracy is yours to check)"
        )
    cheaper = [
        each for each in alternatives if call is not None and not each.doubts and each.usd_per_month < call.usd_per_month
    ]
    said += [
        f"{each.model} at {each.seller}: {usd(each.usd_per_month)} a month"
        + (f", {each.score:.4g} on {each.scale}" if each.score is not None else "")
        for each in cheaper[:2]
    ]
    return said


def _rent_ratio(q: HostOrCallQuestion, host: Host, call: Call) -> float:
    """Rent over today's at which hosting costs what calling does."""
    hourly = (host.instances or 1) * (host.gpus_per_instance or 1) * host.usd_per_gpu_hour * HOURS_PER_MONTH
    return max(call.usd_per_month - q.ops_usd_per_month, 0.0) / hourly


def evidence_of(
    q: HostOrCallQuestion, rents: list[Rent], missing: dict[str, str], best: Host | None, known: Tables
) -> list[str]:
    """What the answer rests on, in words. `missing`: GPUs without a rent, and why; `known`: what step times are from."""
    lines = [f"load: {q.load.said}; the contract holds at {q.load.mean_per_s * q.load.peak_factor:.3g} requests/s"]
    if best is not None:
        rent = next(each for each in rents if each.gpu == best.gpu)
        lines.append(f"rent of {best.gpu}: {rent.said}")
        nearest = f", nearest run {best.nearest_run}" if best.nearest_run else ""
        meaning = {
            "own": "runs of your own",
            "group": "published runs of this model on this GPU and engine",
            "family": "runs of the engine on this family of GPUs",
            "none": "no run: no interval is claimed",
        }[best.basis or "none"]
        lines.append(f"step times of {best.engine} on {best.gpu}: {meaning}{nearest}. {known.said}")
    if best is not None and best.gpu in known.measured:
        lines.append(f"your runs in {q.measured}: x{known.measured[best.gpu]:.3g} of the predicted capacity on {best.gpu}")
    if q.cached_share:
        lines.append(f"{100 * q.cached_share:.0f} % of the prompt is found in the cache: hosted it is not computed again")
    if q.batch_share:
        lines.append(f"{100 * q.batch_share:.0f} % of the requests can wait: hosted they fill quiet hours")
    lines += [f"{gpu}: {why}" for gpu, why in missing.items()]
    lines.append(f"a month is {HOURS_PER_MONTH:g} hours; hosting is paid around the clock, calling by the token")
    return lines
