-- Cost spread that equal accept rates leave open; NULL is infinite. It follows from the bounds on a joint of two shares.
SELECT avg((coalesce(composition_spread, 'inf'::DOUBLE) >= 1.01)::INT) AS value FROM marts.verifier_value
