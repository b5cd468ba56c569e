"""Where articles come from: files and folders in, Arrow batches of articles out."""

from dedup.sources.batches import ARTICLE_INPUT, REJECTED, ArticleBatch, reject_articles
from dedup.sources.left_out import group_by_reason
from dedup.sources.locate import InputFile, check_unchanged, locate_inputs, survey_inputs
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
    "group_by_reason",
    "locate_inputs",
    "read_articles",
    "reject_articles",
    "survey_inputs",
]
