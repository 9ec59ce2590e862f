-- Cost spread that equal accept rates leave open; NULL is infinite.
SELECT avg((coalesce(composition_spread, 'inf'::DOUBLE) >= 1.01)::INT) AS value, count(*) AS n FROM marts.verifier_value
