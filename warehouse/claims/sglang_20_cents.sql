-- The figure recomputed from other figures of the same document, with what their rounding allows.
SELECT recomputed_value AS value, recomputed_low AS low, recomputed_high AS high,
       recomputed_value - printed_value AS prefill
FROM meta.published_rederivation WHERE "check" = 'sglang_price_both_pools'
