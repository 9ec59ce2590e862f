-- What does a correct answer cost, by benchmark and model, by everything that is here, and what is missing?
WITH asked (benchmark) AS (
    VALUES ('aider_polyglot'), ('aime24'), ('aime25'), ('arc_agi_1_semi_private'), ('arc_agi_2_semi_private'), ('gpqa_diamond'),
        ('gsm8k'), ('humaneval'), ('livecodebench'), ('math500'), ('mbpp'), ('swe_bench_lite'), ('swe_bench_verified')
), priced AS (
    SELECT benchmark, system, configuration, model, basis, n, accuracy, corrected_usd_per_correct AS usd_per_correct,
        corrected_usd_per_correct_low AS usd_per_correct_low, corrected_usd_per_correct_high AS usd_per_correct_high, as_of, paper
    FROM marts.cost_per_correct WHERE NOT superseded AND corrected_usd_per_correct IS NOT NULL
), scored AS (
    SELECT benchmark, count(DISTINCT system) FILTER (metric = 'accuracy') AS systems,
        count(DISTINCT system) FILTER (metric = 'total_cost_usd') AS billed
    FROM raw.test_time_figure WHERE benchmark IS NOT NULL GROUP BY benchmark HAVING systems > 0
)
SELECT *, NULL AS missing FROM priced
UNION ALL BY NAME
SELECT coalesce(asked.benchmark, scored.benchmark) AS benchmark,
    CASE WHEN systems IS NULL THEN 'no result: bring your own logs, iecon correct LOGS --keep'
         WHEN billed > 0 THEN format('bills without a number of questions, systems: {}', billed)
         ELSE format('accuracies without a bill, systems: {}', systems) END AS missing
FROM asked FULL JOIN scored ON asked.benchmark = scored.benchmark
WHERE coalesce(asked.benchmark, scored.benchmark) NOT IN (SELECT benchmark FROM priced)
ORDER BY benchmark, usd_per_correct NULLS LAST;
