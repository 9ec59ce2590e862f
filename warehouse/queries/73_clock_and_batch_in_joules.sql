-- What do batch and SM clock do to the energy of a token, to its rent, and to the tokens of a site that is short of power?
SELECT gpu, batch, clock_ratio, round(high_joules_per_token, 3) AS joules_per_token,
       round(100 * high_share_of_rent, 2) AS electricity_percent_of_rent, round(100 * saved_share_of_rent, 2) AS saved_percent_of_rent,
       round(throughput_ratio, 2) AS throughput_ratio, round(site_tokens_ratio, 2) AS site_tokens_ratio
FROM marts.energy_per_token
WHERE model = 'llama-3.1-8b' AND clock_ratio IN (1.0, 0.8, 0.6)
ORDER BY gpu, batch, clock_ratio DESC;
