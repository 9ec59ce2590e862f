"""The words of the page that are not plain English."""

WORDS = {
    "TTFT": "time to first token: seconds from a request to the first word of its answer",
    "TPOT": "time per output token: mean seconds between two tokens of an answer after the first",
    "p50, p99": "percentiles: half of the requests, or 99 of 100, are at least this fast",
    "contract": "bounds on TTFT and TPOT at a rate of requests, which whoever serves has promised to keep",
    "frame": "all that must be equal before two operating points can be compared: model, tokens in and out, percentile, how "
    "requests arrive, how TPOT is measured, the term of the rent",
    "frontier": "the points that no other beats on every axis at once",
    "frontier probability": "share of draws, over what is uncertain, in which a point is on the frontier",
    "leg": "a kind of token with its own price: input, output, cache read, cache write",
    "blended price": "mean price of a million tokens at a stated ratio of input to output",
    "chunked, unchunked": "one pool of GPUs for prompts and answers; prompts in pieces beside answers, or whole before them",
    "disaggregated": "prompts and answers on separate pools of GPUs, with the KV cache sent between them",
    "KV cache": "what a model keeps of the tokens it has read",
    "MFU, MBU": "share of a GPU's arithmetic, or of its memory bandwidth, that is used",
    "setting": "which refinements of the closed forms are on; `marts.partition_summary.refinements` lists them",
    "eta (elasticity)": "by how many per cent accuracy grows when samples, or training, grow by one per cent",
    "dollar ratio": "dollars that go to inference over the model's life for each dollar of its training",
    "premium": "share of the cost that routing saves, after what it costs to decide",
    "safety factor": "what is saved over what deciding costs; below 1 routing loses",
    "kappa, delta, gamma": "share of requests that take the cheap way, how much cheaper it is, and what the decision costs",
    "stale": "nobody was seen to state a price or a rent for more than a month",
    "cost per correct answer": "dollars of all attempts over the number of right answers",
    "Wilson interval": "where a share of right answers lies with a confidence of 95 %",
    "first party": "sold by whoever trained the model",
}
