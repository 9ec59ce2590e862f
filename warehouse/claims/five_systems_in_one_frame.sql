-- Documents of the five systems with a priced operating point under a contract.
SELECT count(DISTINCT regexp_replace(paper, '_(fast25|arxiv)$', '')) AS value, count(*) AS n
FROM marts.published_common_frame
WHERE regexp_matches(paper, '^(paged_attention|sarathi_serve|distserve|splitwise|mooncake)') AND usd_per_mtok_slo_output IS NOT NULL
