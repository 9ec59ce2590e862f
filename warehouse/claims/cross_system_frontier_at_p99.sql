-- Published points of the five papers, by frame.
SELECT count(*) FILTER (percentile = 99 AND systems >= 2) AS value, count(*) AS n
FROM (SELECT frame, any_value(percentile) AS percentile, count(DISTINCT system) AS systems FROM marts.serving_frontier
      WHERE basis = 'published' AND regexp_matches(source, 'paged_attention|sarathi|distserve|splitwise|mooncake')
      GROUP BY frame)
