"""What the sketches find, beside datasketch and the arithmetic both rest on."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from datasketch import MinHash, MinHashLSH

import dedup
from dedup.api.in_memory import batch_articles, fingerprint_in_memory
from dedup.config import Config
from dedup.steps.order import order_articles
from dedup.steps.propose import find_candidates
from dedup.work.journal import Journal

BANDS, ROWS = 16, 4


def word_pairs(text: str) -> set[str]:
    return {" ".join(pair) for pair in pairwise(text.split())}


def jaccard(left: str, right: str) -> float:
    a, b = word_pairs(left), word_pairs(right)
    return len(a & b) / len(a | b)


def minhash(text: str, num_hashes: int) -> MinHash:
    sketch = MinHash(num_perm=num_hashes, seed=1)
    sketch.update_batch([pair.encode() for pair in word_pairs(text)])
    return sketch


def shared_in_order(left: list[str], right: list[str]) -> int:
    row = [0] * (len(right) + 1)
    for word in left:
        diagonal = 0
        for j, other in enumerate(right, 1):
            above = row[j]
            row[j] = diagonal + 1 if word == other else max(above, row[j - 1])
            diagonal = above
    return row[-1]


def is_near_copy(left: str, right: str) -> bool:
    a, b = left.split(), right.split()
    if set(a).isdisjoint(b):
        return False
    shared = shared_in_order(a, b)
    dice = 2 * shared / (len(a) + len(b))
    return dice >= 0.8 or (shared >= 12 and shared >= 0.9 * min(len(a), len(b)))


def random_words(count: int, draw: random.Random) -> list[str]:
    """Words of a language of its own, so that no two texts share one by chance."""
    return [f"w{draw.getrandbits(40):x}q" for _ in range(count)]


def shuffled_pairs(block: int, draw: random.Random) -> Iterator[tuple[str, str]]:
    """Two texts of the same blocks of words in another order: like features, no long run.

    They are longer than the paragraphs that get bands of their own.
    """
    while True:
        words = random_words(72, draw)
        blocks = [words[i : i + block] for i in range(0, len(words), block)]
        order = draw.sample(range(len(blocks)), len(blocks))
        if all(b != a + 1 for a, b in pairwise(order)):
            other = [word for i in order for word in blocks[i]]
            yield " ".join(words), " ".join(other)


def count_candidates(texts: list[str]) -> int:
    config = Config.from_options(bands=BANDS, rows=ROWS)
    ids = pa.array([str(i) for i in range(len(texts))])
    batches = batch_articles(pa.table({"article_id": ids, "text": texts}))
    prints = fingerprint_in_memory(batches, config)
    prints.corpus.set_order(order_articles(prints.catalogue.named()["date"]), 1)
    return len(find_candidates(prints.corpus, config, Journal()))


@pytest.mark.parametrize("block", [2, 3, 4, 6])
def test_pairs_become_candidates_as_often_as_the_curve_says(block: int) -> None:
    draw = random.Random(block)
    made = shuffled_pairs(block, draw)
    pairs = [next(made) for _ in range(400)]
    chances = np.array([1 - (1 - jaccard(*pair) ** ROWS) ** BANDS for pair in pairs])
    expected = chances.sum()
    # Four standard deviations; the seeds are fixed, so this passes always or never.
    margin = 4 * np.sqrt((chances * (1 - chances)).sum()) + 1
    found = count_candidates([text for pair in pairs for text in pair])
    assert abs(found - expected) <= margin

    lsh = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    oracle = 0
    for i, (left, right) in enumerate(pairs):
        lsh.insert(i, minhash(left, BANDS * ROWS))
        oracle += i in lsh.query(minhash(right, BANDS * ROWS))
    assert abs(oracle - expected) <= margin


def families(draw: random.Random) -> list[str]:
    """Texts, and edited copies of each: words replaced, dropped and added. No two are equal."""
    texts = []
    for _ in range(40):
        first = random_words(draw.randint(12, 90), draw)
        texts.append(" ".join(first))
        for _ in range(2):
            copy = list(first)
            for _ in range(draw.randint(1, len(first) // 4)):
                at = draw.randrange(len(copy))
                copy[at : at + 1] = random_words(draw.choice([0, 1, 1, 2]), draw)
            texts.append(" ".join(copy))
    return texts


def found_pairs(texts: list[str], folder: Path, **options: bool) -> set[tuple[int, int]]:
    source = folder / "texts.jsonl"
    rows = (json.dumps({"id": str(i), "text": text}) for i, text in enumerate(texts))
    source.write_text("\n".join(rows))
    result = dedup.scan(source, folder / "out", granularity="paragraph", **options)
    table = result.pairs.to_table(columns=["left_article", "right_article"]).to_pylist()
    return {(int(row["left_article"]), int(row["right_article"])) for row in table}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_near_copy_that_datasketch_finds_is_found(seed: int, tmp_path: Path) -> None:
    texts = families(random.Random(seed))
    lsh = MinHashLSH(num_perm=128, threshold=0.5)  # as wide as datasketch's users set it
    oracle: set[tuple[int, int]] = set()
    for i, text in enumerate(texts):
        sketch = minhash(text, 128)
        oracle |= {(j, i) for j in lsh.query(sketch)}
        lsh.insert(i, sketch)
    verified = {(i, j) for i, j in oracle if is_near_copy(texts[i], texts[j])}
    assert len(verified) > 50
    found = found_pairs(texts, tmp_path)
    assert verified - found == set()


def test_every_pair_found_is_a_near_copy_and_exact_finds_them_all(tmp_path: Path) -> None:
    texts = families(random.Random(4))
    everything = {
        (i, j) for i, j in combinations(range(len(texts)), 2) if is_near_copy(texts[i], texts[j])
    }
    assert found_pairs(texts, tmp_path) <= everything
    assert found_pairs(texts, tmp_path, exact=True) == everything
