"""One run of a peer: read paragraphs, write the near-duplicates it finds. See `peers.py`.

    ENV/bin/python benchmarks/peer_runners.py rensa PARAGRAPHS OUT --words 3 --bands 16 --rows 8

Runs in the peer's own environment, so it knows no other file of this project. Four peers are
libraries that make sketches; around them stands what an expert would write, the same for all:
equal texts are sketched once, words are numbered and hashed in Arrow and numpy rather than one
by one in Python, and buckets are joined by sorting. The other two are run as they come.

`--check` says what becomes of the candidates: `none` writes them all, `sketch` those whose
signatures agree often enough, `words` those whose words do (Dice of the longest common
subsequence). `flags` only asks the peer which texts have a partner. Writes OUT/pairs.parquet
(left, right), OUT/flags.parquet (row) or OUT/clusters.parquet (row, cluster), in row numbers.
"""

import argparse
import pickle
import string
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

Numbers = npt.NDArray[Any]

PART = 100_000  # texts whose shingles are held at a time
MIXERS = np.array([0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93], np.uint64)
SPELLINGS = 0x10F000  # word numbers become code points for rapidfuzz, which is fastest on strings
ROUNDING = 1e-6  # rapidfuzz takes the distance from 1, so an exact 0.8 comes out a little less
PUNCTUATION = string.punctuation + "«»“”„…—\u2013\u2018\u2019"


@dataclass(frozen=True)
class Task:
    file: Path
    out: Path
    words: int  # in a shingle
    bands: int
    rows: int
    threshold: float
    check: str

    @property
    def num_hashes(self) -> int:
        return self.bands * self.rows


@dataclass(frozen=True)
class Words:
    """Texts as numbers of words, one after the other."""

    numbers: Numbers
    ends: Numbers  # of each text

    @property
    def lengths(self) -> Numbers:
        return np.diff(self.ends, prepend=0)

    def take(self, texts: Numbers) -> "Words":
        lengths = self.lengths[texts]
        ends = np.cumsum(lengths)
        shifts = np.repeat(self.ends[texts] - ends, lengths)
        return Words(self.numbers[np.arange(len(shifts)) + shifts], ends)


def read_texts(file: Path) -> tuple[pa.StringArray, Numbers]:
    """Read the distinct texts, and the row in which each is first."""
    encoded = pq.read_table(file, columns=["text"])["text"].combine_chunks().dictionary_encode()
    _, rows = np.unique(encoded.indices.to_numpy(), return_index=True)
    return encoded.dictionary, rows


def number_words(texts: pa.StringArray) -> Words:
    split = pc.ascii_split_whitespace(pc.utf8_lower(texts))
    encoded = split.flatten().dictionary_encode()
    bare = pc.utf8_trim(encoded.dictionary, PUNCTUATION).dictionary_encode()
    ends = np.cumsum(pc.list_value_length(split).to_numpy())
    return Words(bare.indices.to_numpy()[encoded.indices.to_numpy()], ends)


def hash_shingles(words: Words, size: int) -> Iterator[tuple[Numbers, Numbers]]:
    """Yield the hashes of all runs of this many words and where those of each text begin and end.

    A text with fewer words has one shingle, which runs on into the next text: texts so short are
    not judged.
    """
    vocabulary = int(words.numbers.max(initial=0)) + 1
    codes: Numbers = np.random.default_rng(1).integers(1 << 63, size=vocabulary, dtype=np.uint64)
    for first in range(0, len(words.ends), PART):
        part = words.take(np.arange(first, min(first + PART, len(words.ends))))
        hashes: Numbers = codes[part.numbers]
        mixed: Numbers = hashes.copy()
        for step in range(1, size):
            mixed[:-step] = mixed[:-step] * MIXERS[0] + hashes[step:]
        mixed = (mixed ^ (mixed >> np.uint64(32))) * MIXERS[1]
        counts = np.maximum(part.lengths - size + 1, 1)
        places = np.arange(len(mixed)) - np.repeat(part.ends - part.lengths, part.lengths)
        kept = mixed[places < np.repeat(counts, part.lengths)]
        yield kept, np.cumsum(np.append(0, counts)).astype(np.uint64)


def join_buckets(signatures: Numbers, bands: int) -> tuple[Numbers, Numbers]:
    """Return every pair of texts that share a bucket of any band, once."""
    found = [np.zeros(0, np.int64)]
    number = len(signatures)
    size: int = signatures.shape[1]
    mixers: Numbers = np.random.default_rng(2).integers(1 << 62, size=size, dtype=np.uint64)
    mixers = 2 * mixers + 1  # an odd factor loses no bits
    for columns in np.split(np.arange(size), bands):
        keys: Numbers = signatures[:, columns].astype(np.uint64).dot(mixers[columns])
        order = np.argsort(keys)
        keys = keys[order]
        places, step = np.arange(number - 1), 1
        while len(places := places[keys[places] == keys[places + step]]):
            ends = order[places], order[places + step]
            found.append(np.minimum(*ends) * number + np.maximum(*ends))
            step += 1
            places = places[places + step < number]
    pairs = np.unique(np.concatenate(found))
    return pairs // number, pairs % number


def agree_in_sketch(signatures: Numbers, left: Numbers, right: Numbers, least: float) -> Numbers:
    """Whether the similarity that is estimated from the signatures is high enough."""
    parts = [slice(start, start + PART) for start in range(0, len(left), PART)]
    agreed = [(signatures[left[p]] == signatures[right[p]]).mean(1) >= least for p in parts]
    return np.concatenate([np.zeros(0, bool), *agreed])


def agree_in_words(words: Words, left: Numbers, right: Numbers, least: float) -> Numbers:
    """Whether twice the longest common subsequence of words, over all words, is high enough."""
    from rapidfuzz import process
    from rapidfuzz.distance import Indel

    _, numbers = np.unique(words.numbers, return_inverse=True)
    # More words than code points: some share one, which may add a match but never hide one.
    points = (numbers % SPELLINGS + 1).astype("<u4")
    spelled = points.tobytes().decode("utf-32-le", "surrogatepass")
    starts = words.ends - words.lengths
    strings = [spelled[a:b] for a, b in zip(starts.tolist(), words.ends.tolist(), strict=True)]
    sides = ([strings[at] for at in side.tolist()] for side in (left, right))
    compare = partial(process.cpdist, scorer=Indel.normalized_similarity, dtype=np.float64)
    scores: Numbers = compare(*sides, score_cutoff=least - ROUNDING)
    return scores >= least - ROUNDING


# The sketches. Each returns the texts worth joining, their signatures, and the words if it has
# numbered them.

Sketches = tuple[Numbers, Numbers | None, Words | None]


def sketch_rensa(task: Task, texts: pa.StringArray) -> Sketches:
    """Rensa's R-MinHash of all shingles. Only texts that its index flags leave it as numbers."""
    from rensa import RMinHash, RMinHashLSH

    words = number_words(texts)
    sketch = partial(RMinHash.digest_matrix_from_flat_token_hashes, num_perm=task.num_hashes)
    index = RMinHashLSH(task.threshold, task.num_hashes, task.bands)
    matrices = [sketch(*part, seed=42) for part in hash_shingles(words, task.words)]
    for number, matrix in enumerate(matrices):
        index.insert_matrix(matrix, number * PART)
    flags = [index.query_duplicate_flags_matrix(matrix) for matrix in matrices]
    flagged = np.flatnonzero(np.concatenate(flags))
    if task.check == "flags":
        return flagged, None, words
    few = words.take(flagged)
    again = [sketch(*part, seed=42).to_rows() for part in hash_shingles(few, task.words)]
    return flagged, np.array([row for rows in again for row in rows], np.uint64), words


def sketch_rensa_c(task: Task, texts: pa.StringArray) -> Sketches:
    """Rensa's C-MinHash, which hands out lists of numbers only."""
    from rensa import CMinHash

    words = number_words(texts)
    signatures = []
    for hashes, bounds in hash_shingles(words, task.words):
        sets = np.split(hashes, bounds[1:-1].astype(np.int64))
        rows = CMinHash.digests64_from_token_hash_sets(
            [row.tolist() for row in sets], task.num_hashes, 42
        )
        signatures.append(np.array(rows, np.uint64))
    return np.arange(len(texts)), np.concatenate(signatures), words


def sketch_fastsketch(task: Task, texts: pa.StringArray) -> Sketches:
    from FastSketchLSH import LSH, FastSimilaritySketch

    words = number_words(texts)
    sketcher = FastSimilaritySketch(size=task.num_hashes, seed=42)
    parts = hash_shingles(words, task.words)
    signatures = np.concatenate([sketcher.batch_csr(*part, prehashed=True) for part in parts])
    index = LSH(num_perm=task.num_hashes, num_bands=task.bands)
    flagged = np.flatnonzero(np.asarray(index.insert_and_query_duplicates(signatures)))
    return flagged, signatures[flagged], words


def sketch_daft(task: Task, texts: pa.StringArray) -> Sketches:
    import daft
    from daft import functions as use

    frame = daft.from_arrow(pa.table({"text": texts}))
    text = use.normalize(daft.col("text"), remove_punct=True, lowercase=True, white_space=True)
    options = {"num_hashes": task.num_hashes, "ngram_size": task.words}
    sketch = use.minhash(text, **options, hash_function="xxhash3_64")
    table = frame.select(sketch.alias("signature")).to_arrow()
    values = table["signature"].combine_chunks().flatten().to_numpy()
    return np.arange(len(texts)), values.reshape(len(texts), task.num_hashes), None


def pair_datasketch(task: Task, texts: pa.StringArray) -> tuple[Numbers, Numbers, Sketches]:
    """Sketch and pair with datasketch's own index, one text after the other."""
    from datasketch import MinHash, MinHashLSH

    words = number_words(texts)
    sketches: list[Any] = []
    for hashes, bounds in hash_shingles(words, task.words):
        sets = np.split(hashes >> np.uint64(32), bounds[1:-1].astype(np.int64))
        rows = (row.tolist() for row in sets)
        sketches += MinHash.generator(rows, num_perm=task.num_hashes, seed=1, hashfunc=int)
    index = MinHashLSH(num_perm=task.num_hashes, params=(task.bands, task.rows))
    pairs: list[tuple[int, int]] = []
    for number, sketch in enumerate(sketches):
        pairs += ((earlier, number) for earlier in index.query(sketch))
        index.insert(number, sketch, check_duplication=False)
    left, right = np.array(pairs, np.int64).reshape(-1, 2).T
    signatures = np.array([sketch.hashvalues for sketch in sketches])
    return left, right, (np.arange(len(texts)), signatures, words)


SKETCHES = {
    "rensa": sketch_rensa,
    "rensa-c": sketch_rensa_c,
    "fastsketchlsh": sketch_fastsketch,
    "daft": sketch_daft,
}


def find_pairs(peer: str, task: Task) -> None:
    """Let a library sketch the texts, and make pairs, or only flags, of them."""
    texts, rows = read_texts(task.file)
    if peer == "datasketch":
        left, right, (chosen, signatures, words) = pair_datasketch(task, texts)
    else:
        chosen, signatures, words = SKETCHES[peer](task, texts)
        if task.check == "flags" or signatures is None:
            return write(task, "flags", row=rows[chosen])
        left, right = join_buckets(signatures, task.bands)
    if task.check == "sketch" and signatures is not None:
        good = agree_in_sketch(signatures, left, right, task.threshold)
        left, right = left[good], right[good]
    left, right = chosen[left], chosen[right]
    if task.check == "words":
        wanted, places = np.unique(np.concatenate([left, right]), return_inverse=True)
        few = words.take(wanted) if words else number_words(texts.take(pa.array(wanted)))
        good = agree_in_words(few, places[: len(left)], places[len(left) :], task.threshold)
        left, right = left[good], right[good]
    return write(task, "pairs", left=rows[left], right=rows[right])


def cluster_datatrove(task: Task) -> None:
    """Run datatrove's first three steps: signatures, buckets, clusters. It verifies nothing."""
    from datatrove.executor.local import LocalPipelineExecutor
    from datatrove.pipeline import dedup as steps
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.readers import ParquetReader

    shape = {"num_buckets": task.bands, "hashes_per_bucket": task.rows}
    config = MinhashConfig(n_grams=task.words, **shape)
    signatures, buckets, clusters = (str(task.out / name) for name in ("sig", "buckets", "ids"))
    reader = ParquetReader(str(task.file.parent), glob_pattern=task.file.name)
    sign = steps.MinhashDedupSignature(output_folder=signatures, config=config, language="en")
    meet = steps.MinhashDedupBuckets(signatures, buckets, config=config)
    join = steps.MinhashDedupCluster(
        buckets, clusters, config=config, save_cluster_id=True, ignore_index_matches=False
    )
    for name, pipeline, tasks in (
        ("sign", [reader, sign], 1),
        ("meet", [meet], task.bands),
        ("join", [join], 1),
    ):
        logs = str(task.out / f"log-{name}")
        LocalPipelineExecutor(pipeline, tasks=tasks, workers=1, logging_dir=logs).run()
    files = sorted(Path(clusters).glob("*.clusters"))
    found = np.concatenate([np.fromfile(file, "<u4") for file in files]).reshape(-1, 2)
    write(task, "clusters", row=found[:, 0], cluster=found[:, 1])


TEXT_DEDUP = """
[input]
input_type = "local_files"
file_type = "parquet"
[input.read_arguments]
path = "parquet"
data_files = "{file}"
split = "train"
[algorithm]
algorithm_name = "minhash"
text_column = "text"
num_perm = {num_hashes}
ngram_size = {words}
threshold = {threshold}
bands = {bands}
rows = {rows}
min_length = 1
num_proc = 1
check_false_positive = true
[output]
output_dir = "result"
skip_filtering = true
save_clusters = true
clean_cache = true
[debug]
enable_profiling = false
"""


def cluster_text_dedup(task: Task) -> None:
    """Run text-dedup as a command; it checks pairs by their exact Jaccard, then clusters them."""
    fields = {**vars(task), "num_hashes": task.num_hashes, "file": task.file.resolve()}
    (task.out / "config.toml").write_text(TEXT_DEDUP.format(**fields))
    subprocess.run([sys.executable, "-m", "text_dedup.minhash"], cwd=task.out, check=True)
    found = pickle.loads((task.out / "result" / "clusters.pickle").read_bytes())
    write(task, "clusters", row=[*found.keys()], cluster=[*found.values()])


def write(task: Task, kind: str, **columns: Any) -> None:
    numbers = {name: pa.array(column, pa.int64()) for name, column in columns.items()}
    pq.write_table(pa.table(numbers), task.out / f"{kind}.parquet")


CHECKS = ("none", "sketch", "words", "flags", "jaccard")  # the last is text-dedup's own
RUNNERS: dict[str, Callable[[Task], None]] = {
    **{name: partial(find_pairs, name) for name in (*SKETCHES, "datasketch")},
    "datatrove": cluster_datatrove,
    "text-dedup": cluster_text_dedup,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Let a peer find near-duplicate paragraphs.")
    parser.add_argument("peer", choices=RUNNERS)
    parser.add_argument("file", type=Path, metavar="PARAGRAPHS")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--words", type=int, default=3, help="in a shingle")
    parser.add_argument("--bands", type=int, default=16)
    parser.add_argument("--rows", type=int, default=8, help="hashes in a band")
    parser.add_argument("--threshold", type=float, default=0.8)
    parser.add_argument("--check", choices=CHECKS, default="sketch")
    wish = vars(parser.parse_args())
    run = RUNNERS[wish.pop("peer")]
    run(Task(**wish))


if __name__ == "__main__":
    main()
