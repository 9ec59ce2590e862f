-- KV of 4 of 32 layers; the state is neglected.
SELECT predicted_gain AS value FROM marts.lever_anchor WHERE figure = 'jamba_kv_256k'
