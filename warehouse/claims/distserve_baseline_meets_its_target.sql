-- The rated point of vLLM on OPT-13B, with its Wilson interval.
SELECT attainment AS value, attainment_low AS low, attainment_high AS high, n, attainment * n AS within
FROM marts.published_common_frame WHERE paper = 'distserve' AND figure = 'goodput_chatbot_13b_vllm'
