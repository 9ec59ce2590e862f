-- Two parties, no verifier.
SELECT gain_points AS value FROM marts.verifier_curriculum WHERE verifier = 'none'
