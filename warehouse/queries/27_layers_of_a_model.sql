-- What do the layers of a model hold: mixers, experts, KV of a token, state of a sequence?
SELECT layer_kind, layers, mixer, window_tokens, experts, experts_per_token, round(mixer_parameters / 1e6, 1) AS mixer_millions,
       round((dense_parameters + experts * expert_parameters) / 1e6, 1) AS feed_forward_millions, kv_bytes_per_token, state_values
FROM core.model_layer
WHERE model = 'qwen3-next-80b-a3b'
ORDER BY layer_kind;
