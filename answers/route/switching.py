"""What changing the model within a conversation costs: the cache that the other model does not have."""

from answers.route.files import BadUsageError
from answers.route.prices import Prices
from answers.route.record import Asked
from answers.route.sides import previous_of
from answers.route.table import Table
from economics.routing.policies import Handover


def handover_of(table: Table, asked: Asked, strong: int, weak: int, *, prices: Prices) -> Handover:
    """The handover of a table's items. A switch pays the shared prefix at the input price in place of the cache-read price.

    Raises BadUsageError where a shared prefix is stated and the table has no conversations, input tokens or cache prices.
    """
    if asked.shared_prefix == 0.0:
        return Handover(weak_answer_first=asked.after_answer)
    if "group" not in table.items.columns or table.input_tokens is None:
        raise BadUsageError("--shared-prefix needs the columns group (conversation) and input_tokens")
    lost = {}
    for column in (strong, weak):
        price = prices.of(table.models[column])
        if price.cache_read_usd_per_mtok is None:
            raise BadUsageError(f"--shared-prefix: no cache-read price of {table.models[column]} is known")
        per_token = (price.input_usd_per_mtok - price.cache_read_usd_per_mtok) / 1e6
        lost[column] = asked.shared_prefix * table.input_tokens[:, column] * max(per_token, 0.0)
    return Handover(
        weak_answer_first=asked.after_answer,
        previous=previous_of(table),
        switch_to_strong=lost[strong],
        switch_to_weak=lost[weak],
    )
