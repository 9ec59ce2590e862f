-- Printed losses at each lock of the replication; the value is the mildest.
SELECT min(-value) AS value, min(-value) AS low, max(-value) AS high, count(*) AS n
FROM core.cited_figure WHERE paper = 'levers_energy' AND figure LIKE 'replication_%_throughput'
