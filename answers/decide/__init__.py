"""Which serving design is cheapest within a contract."""
