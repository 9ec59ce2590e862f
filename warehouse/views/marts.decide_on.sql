CREATE MACRO marts.decide_on(
    gpu, model, input_per_output, rate_per_s, ttft_s, tpot_s, kv_bytes_per_s_per_gpu := NULL, setting := 'measured'
) AS TABLE
WITH asked AS (
    SELECT
        input_per_output::DOUBLE AS input_per_output,
        rate_per_s::DOUBLE AS arrival_rate_per_s,
        ttft_s::DOUBLE AS ttft_s,
        tpot_s::DOUBLE AS tpot_s,
        kv_bytes_per_s_per_gpu::DOUBLE AS kv_bytes_per_s_per_gpu,
        setting::VARCHAR AS setting,
        gpu::VARCHAR AS gpu,
        model::VARCHAR AS model
),
cell AS (
    SELECT
        surface.*,
        -- How many times each value of the cell is the one asked for. A bound of the cell may be tighter or looser.
        surface.input_per_output / asked.input_per_output AS input_per_output_times,
        surface.arrival_rate_per_s / asked.arrival_rate_per_s AS arrival_rate_times,
        surface.ttft_s / asked.ttft_s AS ttft_times,
        surface.tpot_s / asked.tpot_s AS tpot_times,
        surface.kv_bytes_per_s_per_gpu
        / coalesce(asked.kv_bytes_per_s_per_gpu, hardware.nic_bytes_per_s, surface.kv_bytes_per_s_per_gpu) AS kv_times
    FROM marts.break_even_surface AS surface
    INNER JOIN asked
        ON surface.setting = asked.setting
        AND (asked.gpu IS NULL OR surface.gpu = asked.gpu)
        AND (asked.model IS NULL OR surface.model = asked.model)
    INNER JOIN core.gpu AS hardware ON surface.gpu = hardware.gpu
)
SELECT
    *,
    greatest(
        abs(ln(input_per_output_times)), abs(ln(arrival_rate_times)), abs(ln(ttft_times)), abs(ln(tpot_times)), abs(ln(kv_times))
    ) AS distance
FROM cell
QUALIFY row_number() OVER (
    PARTITION BY cell.gpu, cell.model
    ORDER BY
        ln(input_per_output_times) ** 2 + ln(arrival_rate_times) ** 2 + ln(ttft_times) ** 2 + ln(tpot_times) ** 2
        + ln(kv_times) ** 2,
        tpot_times
) = 1;

COMMENT ON MACRO TABLE marts.decide_on IS
'The cell of marts.break_even_surface nearest to a question (on a log scale, one row per GPU and model): FROM marts.decide_on(''h100-sxm'', ''llama-3.1-70b'', 8, 20, 1.0, 0.05). NULL as GPU or model asks all of them; without kv_bytes_per_s_per_gpu the network of the GPU is taken. The columns ending in _times say how far the cell is from what was asked, and distance is the largest of them as a logarithm: prompts stay at 3,500 tokens, so where it is large, or a figure matters, ask `iecon decide`.';
