-- Patterns in which the condition can be evaluated at some operating point.
SELECT count(DISTINCT CASE pattern WHEN 'router' THEN 'cascade' ELSE pattern::VARCHAR END)
         FILTER (gamma IS NOT NULL AND gross_saving IS NOT NULL AND NOT is_control) AS value,
       count(*) FILTER (gamma IS NOT NULL AND gross_saving IS NOT NULL AND NOT is_control) AS n
FROM marts.routing_premium
