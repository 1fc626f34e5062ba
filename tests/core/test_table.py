"""Tables: columns of one length, safe as CSV."""

import csv
import io

import numpy as np
import pytest

from microtome.core.errors import InputError
from microtome.core.table import Table, rows_to_csv


def test_columns_must_have_one_length():
    with pytest.raises(InputError, match="differ in length"):
        Table({"a": np.zeros(2), "b": np.zeros(3)})


def test_an_unknown_column_offers_near_spellings():
    with pytest.raises(InputError, match="did you mean area_px"):
        Table({"area_px": np.zeros(2)})["area"]


def test_stacking_fills_what_a_table_lacks():
    table = Table.concat([Table({"a": np.array([1, 2])}), Table({"a": np.array([3]), "b": np.array([0.5]), "c": np.array(["x"], object)})])
    assert table["a"].tolist() == [1, 2, 3]
    assert np.isnan(table["b"][:2]).all()
    assert table["c"].tolist() == ["", "", "x"]


def test_csv_reads_back_the_same_floats_and_leaves_nan_empty():
    table = Table({"name": np.array(["a, b", "ü\n"], object), "x": np.array([0.1, np.nan])})
    rows = list(csv.DictReader(io.StringIO(table.to_csv())))
    assert rows[0]["name"] == "a, b"
    assert float(rows[0]["x"]) == 0.1
    assert rows[1]["x"] == ""


def test_a_file_name_does_not_become_a_formula():
    assert "'=cmd" in Table({"image": np.array(["=cmd()"], object)}).to_csv()


def test_stacking_nothing_gives_an_empty_table():
    assert len(Table.concat([])) == 0


def test_tables_and_rows_are_written_the_same():
    columns = {
        "name": np.array(['a"b', "=x", ""], object),
        "n": np.array([1, -2, 3]),
        "x": np.array([0.1, np.nan, 1e300]),
        "yes": np.array([True, False, True]),
    }
    table = Table(columns)
    assert table.to_csv() == rows_to_csv(table.columns, table.rows())
