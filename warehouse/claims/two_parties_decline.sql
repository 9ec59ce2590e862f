-- Two parties, no verifier. The problems of the five sets at their largest public sizes, MATH 5,000, AMC 83, Minerva 272,
-- Olympiad 675 and AIME 90, bound the interval from below: the document may have used fewer.
WITH decline AS (
  SELECT gain_points AS points, accuracy_before AS before, accuracy_after AS after, 5000 + 83 + 272 + 675 + 90 AS most
  FROM marts.verifier_curriculum WHERE verifier = 'none'
), spread AS (SELECT *, 196 * sqrt((before * (1 - before) + after * (1 - after)) / most) AS half FROM decline)
SELECT points AS value, points - half AS low, points + half AS high, most AS n, half FROM spread
