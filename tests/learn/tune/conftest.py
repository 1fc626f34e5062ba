"""The small labelled set that searches are tried on."""

import pytest

from microtome.learn.data.find import find_dataset


@pytest.fixture(scope="session")
def disc_set(disc_folder):
    return find_dataset(disc_folder, kind="instance", group=r"(p\d+)_")
