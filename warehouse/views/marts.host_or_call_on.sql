CREATE MACRO marts.host_or_call_on(
    model, requests_per_day, workload := 'chat', usd_per_gpu_hour := NULL, usd_per_request := NULL, peak_factor := 2
) AS TABLE
WITH asked AS (
    SELECT
        model::VARCHAR AS model,
        requests_per_day::DOUBLE AS requests_per_day,
        workload::VARCHAR AS workload,
        usd_per_gpu_hour::DOUBLE AS usd_per_gpu_hour,
        usd_per_request::DOUBLE AS usd_per_request,
        peak_factor::DOUBLE AS peak_factor
),
row_of AS (
    SELECT DISTINCT ON (mart.model, mart.workload, mart.gpu)
        mart.model AS hosted_model,
        mart.workload AS asked_workload,
        mart.gpu,
        mart.seller,
        mart.engine,
        mart.precision,
        mart.gpus_per_instance,
        mart.capacity_per_s,
        mart.basis,
        asked.requests_per_day AS volume,
        asked.peak_factor AS peak,
        coalesce(asked.usd_per_gpu_hour, mart.usd_per_gpu_hour) AS rent,
        coalesce(asked.usd_per_request, mart.usd_per_request) AS bill
    FROM marts.host_or_call AS mart
    INNER JOIN asked ON mart.workload = asked.workload AND (asked.model IS NULL OR mart.model = asked.model)
    ORDER BY mart.model, mart.workload, mart.gpu
),
sized AS (
    SELECT
        *,
        greatest(ceil(volume / 86400 * peak / capacity_per_s * (1 - 1e-12)), 1) AS instances,
        gpus_per_instance * rent * 730.5 AS instance_usd,
        bill * 86400 * 730.5 / 24 AS called_usd
    FROM row_of
)
SELECT
    hosted_model AS model,
    asked_workload AS workload,
    gpu,
    engine,
    precision,
    gpus_per_instance,
    instances,
    capacity_per_s,
    basis,
    rent AS usd_per_gpu_hour,
    seller,
    bill AS usd_per_request,
    instances * instance_usd AS hosted_usd_per_month,
    volume / 86400 * called_usd AS called_usd_per_month,
    instances * instance_usd < volume / 86400 * called_usd AS hosting_is_cheaper,
    CASE
        WHEN called_usd * capacity_per_s / peak > instance_usd
            THEN greatest(ceil(instance_usd / (called_usd * capacity_per_s / peak - instance_usd) * (1 - 1e-12)), 1)
                * instance_usd / called_usd * 86400
    END AS break_even_per_day
FROM sized
ORDER BY hosted_model, hosted_usd_per_month;

COMMENT ON MACRO TABLE marts.host_or_call_on IS
'Hosting against calling at a volume of your own, one row per GPU: FROM marts.host_or_call_on(''llama-3.3-70b'', 250000). Requests a day; workload chat, agent or long_context; usd_per_gpu_hour and usd_per_request are what you pay, else those of marts.host_or_call; peak_factor is the highest rate over the mean. NULL as model asks all. For your own lengths and contract ask `iecon host-or-call`.';
