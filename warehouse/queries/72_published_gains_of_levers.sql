-- How far are the closed forms from what was published about each lever?
SELECT lever, prediction, count(*) AS figures, round(min(published_gain), 2) AS least_published,
       round(max(published_gain), 2) AS most_published, round(median(error), 2) AS median_error,
       round(max(abs(error)), 2) AS largest_error
FROM marts.lever_anchor
GROUP BY lever, prediction
ORDER BY lever, prediction;
