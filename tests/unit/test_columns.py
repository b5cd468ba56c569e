from __future__ import annotations

import pyarrow as pa

from dedup.util.columns import replace_numbers


def names(numbers: pa.Array) -> pa.Array:
    return pa.array(["ann", "bob", "ann"]).take(numbers)


def test_numbers_become_their_values() -> None:
    rows = pa.array([1, None, 0, 1], pa.uint32())
    assert replace_numbers(rows, names).to_pylist() == ["bob", None, "ann", "bob"]


def test_a_value_of_several_numbers_is_in_the_dictionary_once() -> None:
    named = replace_numbers(pa.array([2, 0, 1, None, 2], pa.uint32()), names)
    assert named.to_pylist() == ["ann", "ann", "bob", None, "ann"]
    assert sorted(named.dictionary.to_pylist()) == ["ann", "bob"]


def test_no_numbers_give_no_values() -> None:
    assert replace_numbers(pa.array([None], pa.uint32()), names).to_pylist() == [None]
