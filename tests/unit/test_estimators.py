from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.base import clone, is_clusterer
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.validation import check_is_fitted

import dedup
from dedup import NearDuplicates
from dedup.errors import ConfigError

FERRY = "The ferry to Saltmere sails again on Tuesday after a strike of nineteen days, crews say."
LATER = FERRY.replace("Tuesday", "Sunday")
VOTE = (
    "Council members will vote on the new library budget at a meeting in the first week of March."
)
OTHER = "A barge ran aground in the channel on Monday and three boats were needed to pull it free."

# The checks that make no input. All others make matrices of numbers, which are no texts, and
# `check_estimator` leaves them out itself for an estimator whose tags refuse two-dimensional
# input. What they ask for and texts can give is tested below with texts: fit returns self, is
# idempotent, changes neither parameters nor input, sets no attribute without an underscore,
# pickles, and labels are consecutive integers. Not asked for: sample weights, sparse input,
# feature names and n_features_in_ (a text is no row of features), NaN refused (a missing text is
# an empty one), and invariance to the order of samples (the first text represents its cluster).
CHECKS = [
    estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
    estimator_checks.check_estimator_cloneable,
    estimator_checks.check_estimator_repr,
    estimator_checks.check_estimator_tags_renamed,
    estimator_checks.check_get_params_invariance,
    estimator_checks.check_mixin_order,
    estimator_checks.check_no_attributes_set_in_init,
    estimator_checks.check_parameters_default_constructible,
    estimator_checks.check_set_params,
    estimator_checks.check_valid_tag_types,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_scikit_learn_accepts_it(check: Callable[[str, Any], None]) -> None:
    check("NearDuplicates", NearDuplicates())


@pytest.mark.parametrize("unit", ["article", "paragraph"])
def test_near_copies_share_a_label_and_a_text_without_one_has_none(unit: str) -> None:
    model = NearDuplicates(unit=unit).fit([OTHER, VOTE, FERRY, VOTE, LATER])
    assert model.labels_.tolist() == [-1, 0, 1, 0, 1]
    assert model.representatives_.tolist() == [1, 2]
    assert model.labels_.dtype == np.int64


@pytest.mark.parametrize("unit", ["article", "paragraph"])
def test_missing_and_blank_texts_are_in_no_cluster(unit: str) -> None:
    texts = [None, "", "  \n ", "!!!", None]
    assert NearDuplicates(unit=unit).fit_predict(texts).tolist() == [-1] * 5


@pytest.mark.parametrize("unit", ["article", "paragraph"])
def test_no_texts_give_no_labels(unit: str) -> None:
    model = NearDuplicates(unit=unit).fit([])
    assert model.labels_.shape == model.representatives_.shape == (0,)


def test_every_label_is_that_of_its_representative() -> None:
    texts = [VOTE, FERRY, LATER, VOTE, OTHER, FERRY + " It rained.", OTHER]
    model = NearDuplicates().fit(texts)
    assert set(model.labels_[model.labels_ >= 0]) == set(range(len(model.representatives_)))
    for label, first in enumerate(model.representatives_):
        assert first == np.flatnonzero(model.labels_ == label)[0]


def test_a_higher_threshold_parts_what_differs_more() -> None:
    # 14 of 16 words in order: a Dice similarity of 0.875, and too few for containment.
    changed = FERRY.replace("Tuesday", "Sunday").replace("nineteen", "twenty")
    low, high = (
        NearDuplicates(threshold=threshold).fit_predict([FERRY, changed])
        for threshold in (0.87, 0.88)
    )
    assert (low.tolist(), high.tolist()) == ([0, 0], [-1, -1])


def test_a_text_contained_in_another_is_its_near_copy_at_any_threshold() -> None:
    # 15 of 16 words in order are in the other text: more than nine in ten.
    assert NearDuplicates(threshold=1.0).fit_predict([FERRY, LATER]).tolist() == [0, 0]


def test_line_ends_do_not_part_a_paragraph() -> None:
    texts = [FERRY, FERRY.replace(" on ", "\n\non ")]
    assert NearDuplicates(unit="paragraph").fit_predict(texts).tolist() == [0, 0]


def test_fit_returns_self_and_is_idempotent() -> None:
    model = NearDuplicates()
    texts = [FERRY, VOTE, LATER]
    assert model.fit(texts) is model
    first = model.labels_
    assert np.array_equal(model.fit(texts).labels_, first)
    assert np.array_equal(model.fit_predict(texts), first)
    assert texts == [FERRY, VOTE, LATER]


def test_fit_sets_results_only() -> None:
    model = NearDuplicates(threshold=0.9)
    before = model.get_params()
    with pytest.raises(NotFittedError):
        check_is_fitted(model)
    model.fit([FERRY])
    check_is_fitted(model)
    assert model.get_params() == before
    assert {name for name in vars(model) if not name.endswith("_")} == set(before)


def test_a_clone_has_the_settings_and_not_the_results() -> None:
    copy = clone(NearDuplicates(threshold=0.9, unit="paragraph").fit([FERRY]))
    assert copy.get_params() == {"threshold": 0.9, "unit": "paragraph"}
    assert not hasattr(copy, "labels_")


def test_it_can_be_pickled() -> None:
    model = NearDuplicates().fit([FERRY, LATER])
    assert np.array_equal(pickle.loads(pickle.dumps(model)).labels_, model.labels_)


def test_its_tags_ask_for_a_column_of_texts() -> None:
    tags = get_tags(NearDuplicates()).input_tags
    assert tags.string
    assert tags.one_d_array
    assert not tags.two_d_array
    assert is_clusterer(NearDuplicates())


@pytest.mark.parametrize("make", [tuple, pa.array, lambda texts: np.array(texts, dtype=object)])
def test_any_column_of_text_will_do(make: Callable[[list[str]], Any]) -> None:
    assert NearDuplicates().fit_predict(make([FERRY, VOTE, LATER])).tolist() == [0, -1, 0]


@pytest.mark.parametrize("texts", [FERRY, [[1.0, 2.0]], np.zeros((3, 2)), [1, 2]])
def test_what_is_no_column_of_text_is_refused(texts: Any) -> None:
    with pytest.raises(ConfigError):
        NearDuplicates().fit(texts)


@pytest.mark.parametrize("settings", [{"threshold": 0.1}, {"threshold": "high"}, {"unit": "word"}])
def test_a_bad_setting_is_refused_when_fitting(settings: dict[str, Any]) -> None:
    model = NearDuplicates(**settings)
    with pytest.raises(ConfigError):
        model.fit([FERRY])


def test_metrics_of_scikit_learn_take_the_labels() -> None:
    labels = dedup.NearDuplicates().fit([FERRY, VOTE, LATER, VOTE]).labels_
    assert adjusted_rand_score([0, 1, 0, 1], labels) == 1
