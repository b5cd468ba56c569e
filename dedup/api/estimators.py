"""Near-copies as a scikit-learn clusterer."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils import Tags

from dedup.api.in_memory import find_in_memory, score, to_array
from dedup.config import Config
from dedup.errors import ConfigError
from dedup.tables.scores import judge_articles

Unit = Literal["article", "paragraph"]


class NearDuplicates(ClusterMixin, BaseEstimator):  # type: ignore[misc]  # sklearn has no types
    """Cluster texts that are near-copies of each other.

    Every member of a cluster was compared with its representative, the first of its texts in the
    input, never through a chain. A text without a near-copy is in no cluster: its label is -1, as
    for noise in DBSCAN.

    Parameters
    ----------
    threshold : float, default=0.8
        Share of words that must be the same in the same order (token-LCS Dice), 0.5 to 1. Texts
        are also near-copies if the longer one contains 90 % of the shorter one, at least 12 words.
    unit : {"article", "paragraph"}, default="article"
        "article": texts have paragraphs, and are near-copies if they agree as a whole.
        "paragraph": each text is one paragraph, whatever line ends it has.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,)
        Cluster of each text, numbered in the order of their representatives; -1 for none.
    representatives_ : ndarray of shape (n_clusters,)
        Index of the first text of each cluster.

    Examples
    --------
    >>> from dedup import NearDuplicates
    >>> first = "The ferry to Saltmere sails again on Tuesday after a strike of nineteen days"
    >>> other = "Council members will vote on the new library budget at a meeting in March"
    >>> NearDuplicates().fit_predict([first, other, first + ", crews say."]).tolist()
    [0, -1, 0]
    """

    def __init__(self, threshold: float = 0.8, unit: Unit = "article") -> None:
        self.threshold = threshold
        self.unit = unit

    def fit(self, X: Any, y: None = None) -> NearDuplicates:  # noqa: N803  # sklearn's name
        """Cluster texts: a list, an Arrow array, or a pandas or polars series; None is empty."""
        if self.unit not in get_args(Unit):
            raise ConfigError(
                f"unit is {self.unit!r}", hint=f"use one of: {', '.join(get_args(Unit))}"
            )
        config = Config.from_options(threshold=self.threshold)
        texts = to_array("texts", X)
        if self.unit == "article":
            clusters = score(texts, config=config)["article_cluster"]
        else:
            clusters = _cluster_paragraphs(texts, config)
        names = clusters.cast(pa.string()).combine_chunks()
        codes = names.dictionary_encode().indices  # numbered by first appearance
        self.labels_: npt.NDArray[np.int64] = codes.fill_null(-1).to_numpy().astype(np.int64)
        labels, firsts = np.unique(self.labels_, return_index=True)
        self.representatives_: npt.NDArray[np.int64] = firsts[labels >= 0]
        return self

    def __sklearn_tags__(self) -> Tags:
        """Say that the input is one column of texts."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.allow_nan = True
        return tags


def _cluster_paragraphs(texts: pa.ChunkedArray, config: Config) -> pa.ChunkedArray:
    """Name the cluster of each text, taken as one paragraph; null for none."""
    if not len(texts):
        return pa.chunked_array([], pa.string())
    # A line end inside would begin a second paragraph.
    joined = pc.replace_substring_regex(texts.cast(pa.large_string()), r"[\r\n]+", " ")
    rows = pa.array(np.arange(len(texts)))
    names = rows.cast(pa.string())
    found = find_in_memory(pa.table({"article_id": names, "text": joined}), config)
    paragraphs = pa.concat_tables([part for part, _ in judge_articles(found, config)])
    places = pc.index_in(names, paragraphs["article_id"].cast(pa.string()))
    return paragraphs["cluster_id"].cast(pa.string()).take(places)
