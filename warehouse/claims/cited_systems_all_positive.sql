-- Operating points of the works that the paper cites; the sign is that of the whole interval.
SELECT avg((sign = 'positive')::INT) AS value, count(*) AS n
FROM marts.routing_premium WHERE NOT is_control AND regexp_matches(system, 'Leviathan|Medusa|CALM|FrugalGPT')
