-- The figure recomputed from other figures of the same document, with what their rounding allows.
SELECT recomputed_value AS value, recomputed_low AS low, recomputed_high AS high, printed_value / recomputed_value AS requests
FROM meta.published_rederivation WHERE "check" = 'splitwise_cost_coding_a100_per_request'
