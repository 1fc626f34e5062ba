"""Bands of rows: the same cuts and the same order on one thread or many."""

from microtome.core.kernels.bands import bands, in_bands, set_threads, threads


def test_bands_cover_every_row_once():
    for rows in (1, 255, 256, 257, 1000):
        covered = [row for first, past in bands(rows) for row in range(first, past)]
        assert covered == list(range(rows))


def test_results_come_from_the_top_down_whatever_the_threads():
    before = threads()
    try:
        for count in (1, 2, 7):
            set_threads(count)
            assert in_bands(lambda first, past: (first, past), 1000) == bands(1000)
    finally:
        set_threads(before)
