"""Where articles come from: files and folders in, Arrow batches of articles out."""

from dedup.sources.batches import ARTICLE_INPUT, REJECTED, ArticleBatch
from dedup.sources.locate import InputFile, check_unchanged, locate_inputs
from dedup.sources.reading import read_articles
from dedup.sources.streams import Passed, Resources, digest_input

__all__ = [
    "ARTICLE_INPUT",
    "REJECTED",
    "ArticleBatch",
    "InputFile",
    "Passed",
    "Resources",
    "check_unchanged",
    "digest_input",
    "locate_inputs",
    "read_articles",
]
