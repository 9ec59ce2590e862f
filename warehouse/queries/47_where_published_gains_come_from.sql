-- Each published gain as a product of factors: what is the baseline, what the hardware, and what does no figure explain?
SELECT gain, any_value(ratio) AS ratio,
       max(value) FILTER (factor = 'attainment') AS attainment,
       max(value) FILTER (factor = 'baseline') AS baseline,
       max(value) FILTER (factor = 'hardware') AS hardware,
       coalesce(max(value::VARCHAR) FILTER (factor = 'cache_reuse'),
                '1 to ' || round(max(high) FILTER (factor = 'cache_reuse'), 2)) AS cache_reuse,
       max(value) FILTER (factor = 'design') AS design_by_closed_form,
       max(value) FILTER (factor = 'unexplained') AS unexplained,
       max(log_share) FILTER (factor = 'unexplained') AS unexplained_share
FROM marts.serving_decomposition
GROUP BY gain
ORDER BY ratio DESC, gain;
