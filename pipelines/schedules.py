"""Schedules, one per group. They are off until switched on in the UI; times are UTC."""

import dagster as dg

from pipelines import jobs

CRON = {
    "llm_prices": "15 */6 * * *",
    "gpu_rents": "45 5 * * *",
    "capability": "30 4 * * *",
    "benchmark_outputs": "0 6 * * *",
    "inference_frontier": "15 5 * * *",
    "market": "0 5 * * *",
}
"""LLM prices four times a day, GPU rents and capability scores daily: about as often as their publishers change them."""

schedules = [
    dg.ScheduleDefinition(
        name=f"{group}_schedule",
        job=jobs.by_group[group],
        cron_schedule=cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description=f"Refresh {group.replace('_', ' ')} and everything downstream.",
    )
    for group, cron in CRON.items()
] + [
    dg.build_schedule_from_partitioned_job(
        jobs.daily_price, hour_of_day=7, description="Prices of yesterday, once the sources have been asked again."
    )
]
