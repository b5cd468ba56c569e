"""The compiled core. Every function checks its input; long calls release the GIL.

It also handles signals, in the main thread, and ends within a fraction of a second if that raises
an exception, such as a KeyboardInterrupt; after that, no more work can be done on the same spool.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import final

import pyarrow as pa

from dedup.work.journal import Saved

__all__ = [
    "FINGERPRINT_VERSION",
    "Batch",
    "Candidates",
    "Corpus",
    "CsvSkipper",
    "Fingerprinter",
    "Groups",
    "Hasher",
    "JsonSplitter",
    "Judged",
    "Matches",
    "Scores",
    "Spool",
    "Templates",
    "Verified",
    "Verifier",
    "count_repeated",
    "digest_file",
    "exchange_names",
    "is_pattern",
    "needed_memory",
    "parse_csv",
    "parse_elements",
    "parse_jsonl",
    "rename_new",
]

FINGERPRINT_VERSION: int
"""Increased whenever the same text gives different fingerprints than before."""

def parse_jsonl(
    block: bytes, *, fields: list[tuple[str, list[str]]], first_line: int
) -> tuple[pa.RecordBatch, int]:
    """Read complete lines of JSONL; return a batch and the number of line ends.

    `fields` pairs each column with the field names it may have, best first. The batch has
    these columns as nullable strings, `input_row` (the line, the first being `first_line`) and
    `reason`, which is not null for a line that could not be read. The column `text` must be a
    JSON string; any other takes a value of another kind as its JSON. Blank lines give no row.
    """

_Element = tuple[bytes | None, int, int, int]
"""An element of a JSON document, None if it is too long, and the bytes, lines and bytes of its
line before it."""

@final
class JsonSplitter:
    """Cuts a JSON document that is a list into its elements; any other is one element."""

    def __new__(cls, max_bytes: int) -> JsonSplitter: ...
    def split(self, block: bytes) -> list[_Element]:
        """Add the next block; return the elements that end in it."""

    def finish(self) -> tuple[list[_Element], str | None]:
        """Return the element in which the document ends early, and what is wrong with the rest."""

def parse_elements(
    elements: list[_Element], *, fields: list[tuple[str, list[str]]], first_row: int, max_bytes: int
) -> pa.RecordBatch:
    """Read elements of a JSON document, a row each. Columns as for `parse_jsonl`.

    `max_bytes` is what the splitter was given, for the reason of an element that is too long.
    """

def parse_csv(
    block: bytes,
    *,
    fields: list[tuple[str, int]],
    width: int,
    delimiter: str,
    first_row: int,
    first_line: int,
    is_last: bool,
) -> tuple[pa.RecordBatch, int, int]:
    """Read the complete rows of a block of CSV, without the header.

    `fields` pairs each column with its place among the `width` fields of a row. Returns the
    columns as for `parse_jsonl`, the bytes that were complete rows, and the lines in them.
    """

@final
class CsvSkipper:
    """Finds the end of a record of CSV that is too long to be held."""

    def __new__(cls, delimiter: str) -> CsvSkipper: ...
    def skip(self, block: bytes) -> int | None:
        """Return where in the next block the record ends, if it does."""

@final
class Hasher:
    """The XXH3-128 hash of bytes that come in parts."""

    def __new__(cls) -> Hasher: ...
    def update(self, bytes: bytes) -> None:
        """Add the next part."""

    def digest(self) -> str:
        """Return the hash of all parts so far as 32 hexadecimal digits."""

def needed_memory(texts: pa.RecordBatch) -> list[int]:
    """Return the bytes of memory that fingerprinting takes for each text of the first column."""

def digest_file(path: str | Path, spool: Spool | None = None) -> str:
    """Return the XXH3-128 hash of a file as 32 hexadecimal digits.

    It ends early with a KeyboardInterrupt if `spool` is stopped.
    """

def count_repeated(rows: pa.RecordBatch) -> int:
    """Count the values of the first column, (large) strings, that repeat an earlier one."""

def is_pattern(kind: str, text: str) -> bool:
    """Tell whether this text is a valid template of its kind, opener or sentence."""

def exchange_names(folder: int, name: str, other: int, other_name: str) -> None:
    """Exchange two names, each in a folder given by descriptor, in one step.

    Raises an OSError where the file system cannot do so.
    """

def rename_new(folder: int, name: str, other: int, other_name: str) -> None:
    """Rename in one step, unless something has the new name (FileExistsError)."""

@final
class Spool:
    """A temporary file for data that a scan will need again.

    Saved data is identified by its position, bytes and hash.
    """

    @staticmethod
    def temporary(folder: str | Path) -> Spool:
        """Make a file without a name, which disappears when it is closed."""

    @staticmethod
    def adopt(descriptor: int, folder: str | Path, end: int) -> Spool:
        """Take over an open file in `folder`, and keep its first `end` bytes.

        The descriptor stays the caller's to close.
        """

    def append(self, data: bytes) -> Saved:
        """Add bytes. Threads may call it at once."""

    def sync(self) -> None:
        """Wait until everything added so far is on the disk."""

    def stop(self) -> None:
        """End all work on the content of the spool, in any thread, with a KeyboardInterrupt."""

    def traffic(self) -> tuple[int, int, int]:
        """Return the bytes written, read, and read to be tokenised again, since it was opened."""

    def read(self, saved: Saved) -> bytes:
        """Read saved bytes; a NativeError if they are not what was written."""

@final
class Fingerprinter:
    """Turns batches of articles into fingerprints; text and keys go to a spool."""

    def __new__(
        cls,
        spool: Spool,
        *,
        paragraphs: str,
        min_tokens: int,
        bands: int,
        rows: int,
        min_repeat_tokens: int,
    ) -> Fingerprinter: ...
    def fingerprint(self, articles: pa.RecordBatch) -> Batch:
        """Fingerprint the first column: strings, none null. Threads may call it at once.

        Raises a TooManyParagraphsError for more than 2^24 paragraphs.
        """

@final
class Batch:
    """A fingerprinted batch on its way to a corpus."""

    def record(self) -> tuple[Saved, list[int]]:
        """Return what restores the batch: where it is saved, and numbers.

        They count bytes of text, articles, paragraphs, rows of bands and of anchors, repeats.
        """

    @staticmethod
    def restore(spool: Spool, saved: Saved, numbers: Sequence[int]) -> Batch:
        """Restore a batch from a spool that another process wrote.

        A ResumeError if what is saved there cannot hold these numbers.
        """

@final
class Corpus:
    """All articles of a scan. Tables name articles by row number, in input order."""

    def __new__(cls, spool: Spool) -> Corpus: ...
    def add(self, batch: Batch) -> None:
        """Take over a batch; batches come in input order, each once."""

    def set_order(self, order: pa.RecordBatch, threads: int) -> None:
        """Collapse exact copies. `order` is one int64 column: the articles, earliest first."""

    @property
    def articles(self) -> int:
        """Articles added."""

    @property
    def paragraphs(self) -> int:
        """Paragraphs of all articles."""

    @property
    def distincts(self) -> int:
        """Paragraphs with words, those with the same words counted once."""

    def cut(self, paragraphs: int) -> list[tuple[int, int]]:
        """Cut the articles into ranges of at most this many paragraphs, or of one article."""

    def texts(self, paragraphs: pa.RecordBatch) -> pa.RecordBatch:
        """List the texts of paragraphs with words, named by number in one uint32 column."""

@final
class Candidates:
    """Pairs of paragraphs worth aligning."""

    @staticmethod
    def find(corpus: Corpus, max_leaders: int, threads: int) -> Candidates:
        """Pair paragraphs that share a band key or an anchor."""

    @staticmethod
    def join(
        corpus: Corpus, threshold: float, min_tokens: int, max_leaders: int, threads: int
    ) -> Candidates:
        """Pair paragraphs that share enough words, by a full join, or an anchor."""

    def __len__(self) -> int: ...
    def save(self, corpus: Corpus) -> Saved:
        """Add the candidates to the corpus's spool."""

    @staticmethod
    def restore(corpus: Corpus, saved: Saved) -> Candidates:
        """Restore candidates that another process saved."""

@final
class Verified:
    """Pairs and shared runs found so far."""

    def __new__(cls) -> Verified: ...
    @property
    def done(self) -> int:
        """Candidates compared, counted from the first."""

    def restore(self, corpus: Corpus, saved: Saved) -> None:
        """Add what `Verifier.verify` found in another process."""

@final
class Verifier:
    """Says when two texts are near-copies, by aligning them."""

    def __new__(
        cls,
        *,
        threshold: float,
        containment: float,
        min_shared_tokens: int,
        min_run_tokens: int,
        min_support: int,
        threads: int,
    ) -> Verifier: ...
    def verify(
        self, corpus: Corpus, candidates: Candidates, verified: Verified, memory: int
    ) -> Saved:
        """Align the next candidates; return where in the corpus's spool the outcome is.

        `memory` is how many bytes of tokens to hold at once.
        """

    def complete(
        self, corpus: Corpus, candidates: Candidates, verified: Verified, memory: int
    ) -> bool:
        """Compare near-copies of the same paragraph with each other, after all candidates,
        which are dropped. False if what is found takes more than `memory` bytes.
        """

    def find_templates(
        self,
        corpus: Corpus,
        verified: Verified,
        packs: list[tuple[str, str, int]],
        memory: int,
    ) -> Templates:
        """Find templates, and keep the pairs that hold without them.

        `packs` are (kind, pattern, number of its pack).
        """

    def match_verified(
        self,
        corpus: Corpus,
        verified: Verified,
        templates: Templates,
        sources: pa.RecordBatch,
        memory: int,
    ) -> Matches:
        """Find clusters and evidence. `verified` and `templates` can be used only once.

        `sources` is one int32 column: the source of each article as a number, null where it is
        unknown. Copies in `min_support` articles that share nothing else are boilerplate.
        """

@final
class Templates:
    """Fixed words with slots, and where they appear."""

    def __new__(cls) -> Templates: ...
    def save(self, corpus: Corpus, verified: Verified) -> tuple[Saved, Saved]:
        """Add the templates and the pairs to the corpus's spool."""

    @staticmethod
    def restore(corpus: Corpus, templates: Saved, verified: Saved) -> tuple[Templates, Verified]:
        """Restore both as another process saved them."""

@final
class Matches:
    """What was verified: pairs, clusters, evidence, article matches."""

    @property
    def limits(self) -> list[tuple[str, int]]:
        """Limits that were hit: name and number of times."""

    @property
    def comparisons(self) -> list[tuple[str, int]]:
        """Pairs of paragraphs that were compared: outcome and number."""

    @property
    def candidates(self) -> int:
        """Candidates that were proposed."""

    def count_pairs(self, unit: str) -> int:
        """Count the verified pairs of a unit, paragraph or article."""

    def count_clusters(self, unit: str) -> int:
        """Count the clusters of a unit."""

    def cluster_ids(self, unit: str, numbers: pa.RecordBatch) -> pa.RecordBatch:
        """List the ids of clusters, named by number in one uint32 column."""

    def save(self, corpus: Corpus) -> Saved:
        """Add all of it to the corpus's spool."""

    @staticmethod
    def restore(corpus: Corpus, saved: Saved) -> Matches:
        """Restore what another process saved."""

    def pair_rows(self, corpus: Corpus, unit: str, start: int, end: int) -> pa.RecordBatch:
        """List the verified pairs `start` to `end` of a unit, paragraph or article."""

    def member_rows(self, corpus: Corpus, unit: str, start: int, end: int) -> pa.RecordBatch:
        """List the members of clusters of a unit in the articles `start` to `end`."""

    def group(self, corpus: Corpus, unit: str, facts: pa.RecordBatch, threads: int) -> Groups:
        """Collect the members of every cluster of a unit.

        `facts` are two columns, one value an article: its source as int32, its date as int64.
        """

    def cluster_rows(self, corpus: Corpus, groups: Groups, start: int, end: int) -> pa.RecordBatch:
        """List clusters in first-seen order, their members summed up, texts with them."""

    def template_places(self, corpus: Corpus) -> pa.RecordBatch:
        """List a few places of each template, with the template's number."""

    def template_rows(self) -> pa.RecordBatch:
        """List the templates, the most telling first."""

    def slot_rows(self) -> pa.RecordBatch:
        """List their slots, each with its template's number; example fillers are lines."""

@final
class Judged:
    """The verdicts on the paragraphs of some articles, and their flagged spans."""

    def paragraph_rows(self, corpus: Corpus, matches: Matches) -> pa.RecordBatch:
        """List the paragraphs that were judged."""

    def span_rows(self, matches: Matches) -> pa.RecordBatch:
        """List the flagged spans of those articles."""

@final
class Scores:
    """The counts of the articles judged so far; most of them are in the corpus's spool."""

    def __new__(cls, corpus: Corpus, dates: pa.RecordBatch, ambiguous_us: int) -> Scores:
        """Make room for the counts of all articles.

        `dates` is one int64 column: microseconds, null where unknown. Who was first is ambiguous
        where one date is unknown or two are less than `ambiguous_us` apart.
        """

    def judge(self, corpus: Corpus, matches: Matches, start: int, end: int, threads: int) -> Judged:
        """Judge the paragraphs of the articles `start` to `end`; add their counts.

        Every article must be judged once.
        """

    def article_rows(
        self, corpus: Corpus, matches: Matches, start: int, end: int
    ) -> pa.RecordBatch:
        """List the counts of the articles `start` to `end`, which must have been judged."""

    def save(self, corpus: Corpus) -> Saved:
        """Add the counts that are not saved yet to the corpus's spool."""

    def restore(self, corpus: Corpus, saved: Saved) -> None:
        """Restore the counts that another process saved."""

@final
class Groups:
    """The members of the clusters of a unit."""
