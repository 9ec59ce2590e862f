CREATE VIEW core.operating_point_frame AS
WITH known AS (
    SELECT
        *,
        coalesce(
            model_canonical,
            regexp_replace(
                regexp_replace(lower(model), '^.*/', ''),
                CASE WHEN source = 'mlperf' THEN '-99(\.9)?$' ELSE '(-(instruct|it|hf|fp8|nvfp4|bf16|fp16|awq))+$' END,
                ''
            )
        ) AS model_class,
        coalesce(input_tokens_nominal, input_tokens_mean) AS tokens_in,
        coalesce(output_tokens_nominal, output_tokens_mean) AS tokens_out
    FROM core.operating_point
),
by_percentile AS (
    SELECT *, 'mean' AS percentile, ttft_mean_s AS ttft_s, tpot_mean_s AS tpot_s FROM known
    UNION ALL SELECT *, 'p50', ttft_p50_s, tpot_p50_s FROM known
    UNION ALL SELECT *, 'p90', ttft_p90_s, tpot_p90_s FROM known
    UNION ALL SELECT *, 'p95', ttft_p95_s, tpot_p95_s FROM known
    UNION ALL SELECT *, 'p99', ttft_p99_s, tpot_p99_s FROM known
    UNION ALL SELECT *, 'p999', ttft_p999_s, tpot_p999_s FROM known
),
shaped AS (
    SELECT
        *,
        CASE
            WHEN source = 'mlperf' THEN 'mlperf'
            WHEN tokens_in > 0 AND tokens_out > 0
                THEN format(
                    '{:d}/{:d}',
                    (2 ** (round(2 * log2(tokens_in)) / 2))::BIGINT,
                    (2 ** (round(2 * log2(tokens_out)) / 2))::BIGINT
                )
        END AS workload_shape
    FROM by_percentile
    WHERE ttft_s IS NOT NULL AND tpot_s IS NOT NULL
)
SELECT
    model_class || ' | ' || workload_shape || ' | ' || percentile || ' | ' || tpot_definition || ' | ' || arrival AS frame_key,
    run_id,
    model_class,
    workload_shape,
    percentile,
    tpot_definition,
    arrival,
    start_burst_bias,
    ttft_s,
    tpot_s,
    gpu_canonical,
    gpus_total,
    engine,
    precision,
    architecture,
    speculative_decoding,
    concurrency,
    request_rate_per_s,
    input_tokens_per_s_per_gpu,
    output_tokens_per_s_per_gpu,
    total_tokens_per_s_per_gpu,
    priceable,
    usd_per_gpu_hour,
    n_requests,
    measured_on,
    basis,
    source,
    file_name
FROM shaped;

COMMENT ON VIEW core.operating_point_frame IS 'Operating points by what may be compared: one row per run and percentile. Points share a frame_key only where model, workload shape (prompt/answer tokens asked for, else measured, to the nearest half power of two: 920 and 930 are 1,024), percentile, meaning of TPOT and kind of arrival are the same, so that open and closed loops never mix; it is NULL where one of them is not known. Where start_burst_bias is true, the tail of TTFT holds the opening queue.';

COMMENT ON COLUMN core.operating_point_frame.frame_key IS 'points may be compared within one key: model, lengths, percentile, meaning of TPOT, arrivals; NULL where one is not known';
COMMENT ON COLUMN core.operating_point_frame.model_class IS 'canonical model, else the written name without its format';
COMMENT ON COLUMN core.operating_point_frame.workload_shape IS 'tokens in/out, to the nearest half power of two; mlperf for its data sets';
COMMENT ON COLUMN core.operating_point_frame.percentile IS 'mean, p50, p90, p95, p99 or p999 of both latencies';
COMMENT ON COLUMN core.operating_point_frame.ttft_s IS 'time to first token at the percentile [s]';
COMMENT ON COLUMN core.operating_point_frame.tpot_s IS 'time per output token at the percentile [s]';
