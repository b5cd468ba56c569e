"""Articles to fingerprints, in the one pass that sees all text."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from dedup import _native
from dedup.config import Config
from dedup.errors import TooManyParagraphsError
from dedup.memory import Budget
from dedup.read import ArticleBatch, Passed, reject_articles
from dedup.work.catalogue import Catalogue
from dedup.work.journal import Journal

# Most memory that fingerprinting takes for each byte of text, if every word is one letter.
_BYTES_A_BYTE = 26

OnBatch = Callable[[int, int], None]


class Fingerprints:
    """Everything read: the corpus in the core, and the other facts about its articles."""

    def __init__(self, spool: _native.Spool, files: Sequence[str]) -> None:
        self.spool = spool
        self.corpus = _native.Corpus(spool)
        self.catalogue = Catalogue(spool, files)
        self.text_bytes = 0
        self.read_to = (0, 0)  # number of a file, and its first row that was not read yet
        self.passed: Passed | None = None  # of that file
        self.digests: dict[int, str | None] = {}  # of the files that were read to their end


def restore_fingerprints(prints: Fingerprints, journal: Journal, on_batch: OnBatch) -> None:
    """Restore what another process fingerprinted of the same files."""
    for entry in journal.of("batch"):
        numbers = entry["numbers"]
        batch = _native.Batch.restore(prints.spool, entry["places"]["batch"], numbers)
        prints.corpus.add(batch)
        prints.catalogue.restore(entry)
        prints.text_bytes += numbers[0]
        prints.read_to = entry["read_to"]
        prints.passed = Passed(*entry["passed"]) if entry["passed"] else None
        prints.digests.update(entry["ended"])
        on_batch(numbers[1], numbers[0])


def fingerprint_articles(
    batches: Iterable[ArticleBatch],
    prints: Fingerprints,
    config: Config,
    journal: Journal,
    on_batch: OnBatch,
) -> None:
    """Fingerprint articles and keep their text, in the spool, for the steps that need it again.

    Reading continues while `config.threads` threads work on earlier batches, or fewer where that
    would take more than `config.max_memory`; batches join the corpus in input order, so the number
    of threads never changes the result. `on_batch` receives how many articles and bytes of text
    were added.
    """
    parts = config.fingerprint
    fingerprinter = _native.Fingerprinter(
        prints.spool,
        paragraphs=parts.paragraphs,
        min_tokens=parts.min_tokens,
        bands=parts.bands,
        rows=parts.rows,
        min_repeat_tokens=config.score.min_repeat_tokens,
    )
    waiting: deque[tuple[Future[_native.Batch], ArticleBatch]] = deque()
    at_once = Budget(config.max_memory).reading() // _BYTES_A_BYTE
    text_bytes = 0  # that wait

    def add_oldest() -> None:
        nonlocal text_bytes
        future, read = waiting.popleft()
        text_bytes -= read.articles["text"].nbytes
        try:
            batch = future.result()
        except TooManyParagraphsError as err:  # an article this long is alone in its batch
            read = reject_articles(read, str(err), config.source.on_error)
            batch = fingerprinter.fingerprint(read.articles.select(["text"]))
        place, numbers = batch.record()
        places = {"batch": place, **prints.catalogue.add(read)}
        prints.corpus.add(batch)
        prints.text_bytes += numbers[0]
        prints.digests.update(read.ended)
        journal.note(
            "batch",
            places,
            numbers=numbers,
            read_to=read.read_to,
            passed=read.passed,
            ended=read.ended,
            unreadable_dates=read.unreadable_dates,
        )
        on_batch(numbers[1], numbers[0])

    with ThreadPoolExecutor(config.threads, thread_name_prefix="fingerprint") as pool:
        try:
            for batch in batches:
                text = batch.articles.select(["text"])
                while waiting and text_bytes + text.nbytes > at_once:
                    add_oldest()
                text_bytes += text.nbytes
                waiting.append((pool.submit(fingerprinter.fingerprint, text), batch))
                del batch, text
                if len(waiting) > config.threads:
                    add_oldest()
            while waiting:
                add_oldest()
        except BaseException:
            prints.spool.stop()  # running batches would keep the pool waiting
            pool.shutdown(cancel_futures=True)
            raise
