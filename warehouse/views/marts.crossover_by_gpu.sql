CREATE VIEW marts.crossover_by_gpu AS
WITH cell AS (
    SELECT setting, model, gpu, 'tpot_s' AS axis, break_even_tpot_s AS crossover,
        [input_per_output, arrival_rate_per_s, kv_bytes_per_s_per_gpu, ttft_s] AS place
    FROM marts.break_even_surface
    UNION ALL
    SELECT setting, model, gpu, 'kv_bytes_per_s_per_gpu', break_even_kv_bytes_per_s_per_gpu,
        [input_per_output, arrival_rate_per_s, tpot_s, ttft_s]
    FROM marts.break_even_surface
    UNION ALL
    SELECT setting, model, gpu, 'input_per_output', break_even_input_per_output,
        [arrival_rate_per_s, kv_bytes_per_s_per_gpu, tpot_s, ttft_s]
    FROM marts.break_even_surface
),
across AS (
    -- One row per line of the grid: a crossover does not depend on the cell's own place on its axis, or (bandwidth) little.
    SELECT setting, model, axis, place,
        median(crossover) FILTER (gpu = 'a100-80gb-sxm') AS a100,
        median(crossover) FILTER (gpu = 'h100-sxm') AS h100,
        median(crossover) FILTER (gpu = 'h200-sxm') AS h200
    FROM cell
    GROUP BY ALL
)
SELECT
    setting,
    model,
    axis,
    count(*) AS lines,
    count(a100) AS lines_crossed_a100,
    count(h100) AS lines_crossed_h100,
    count(h200) AS lines_crossed_h200,
    median(a100) AS a100,
    median(h100) AS h100,
    median(h200) AS h200,
    count(a100 + h100) AS lines_crossed_on_both_a100_h100,
    median(h100 / a100) AS h100_over_a100,
    count(h100 + h200) AS lines_crossed_on_both_h100_h200,
    median(h200 / h100) AS h200_over_h100
FROM across
GROUP BY setting, model, axis
ORDER BY setting, model, axis;

COMMENT ON VIEW marts.crossover_by_gpu IS
'How the crossover between chunked colocation and disaggregation moves from A100 to H100 to H200: medians over the lines of the grid that cross on the GPU, and the median of the ratio over lines that cross on both. Bandwidth and token ratio: disaggregation is cheaper above; TPOT bound: below.';

COMMENT ON COLUMN marts.crossover_by_gpu.axis IS 'what is moved: tpot_s, kv_bytes_per_s_per_gpu or input_per_output';
COMMENT ON COLUMN marts.crossover_by_gpu.lines IS 'lines of the grid along that axis [lines]';
COMMENT ON COLUMN marts.crossover_by_gpu.lines_crossed_a100 IS 'lines on which the answer turns on an A100 [lines]';
COMMENT ON COLUMN marts.crossover_by_gpu.lines_crossed_h100 IS 'the same on an H100 [lines]';
COMMENT ON COLUMN marts.crossover_by_gpu.lines_crossed_h200 IS 'the same on an H200 [lines]';
COMMENT ON COLUMN marts.crossover_by_gpu.a100 IS 'median crossover on an A100, in the unit of the axis';
COMMENT ON COLUMN marts.crossover_by_gpu.h100 IS 'median crossover on an H100, in the unit of the axis';
COMMENT ON COLUMN marts.crossover_by_gpu.h200 IS 'median crossover on an H200, in the unit of the axis';
COMMENT ON COLUMN marts.crossover_by_gpu.lines_crossed_on_both_a100_h100 IS 'lines that cross on both [lines]';
COMMENT ON COLUMN marts.crossover_by_gpu.h100_over_a100 IS 'median ratio of the crossovers, H100 over A100';
COMMENT ON COLUMN marts.crossover_by_gpu.lines_crossed_on_both_h100_h200 IS 'lines that cross on both [lines]';
COMMENT ON COLUMN marts.crossover_by_gpu.h200_over_h100 IS 'median ratio of the crossovers, H200 over H100';
