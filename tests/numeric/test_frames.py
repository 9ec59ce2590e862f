"""Closed forms over columns that are not known in every row."""

import numpy as np
import pytest

from assets.frames import where_known


def test_a_form_sees_only_rows_where_all_is_known():
    seen = []

    def ratio(*, up, down):
        seen.append(up.size)
        return up / down

    found = where_known(ratio, up=np.array([6.0, np.nan, 1.0, 8.0]), down=np.array([3.0, 1.0, np.inf, 2.0]))
    assert seen == [2]
    np.testing.assert_array_equal(found, [2.0, np.nan, np.nan, 4.0])


def test_one_number_stands_for_all_rows_and_two_results_stay_apart():
    found = where_known(lambda x, by: np.stack([x - by, x + by]), x=np.array([1.0, np.nan]), by=0.5)
    np.testing.assert_array_equal(found, [[0.5, np.nan], [1.5, np.nan]])


@pytest.mark.parametrize("unknown", [np.nan, np.inf])
def test_nothing_known_is_nothing_found(unknown):
    assert np.isnan(where_known(lambda x: x + 1.0, x=np.full(3, unknown))).all()
