-- The scenario: saved share at batch 32, before the controller.
SELECT 1 / (1 - gross_saving) AS value FROM marts.routing_premium WHERE figure = 'early_exit_batch_32'
