"""Reading of articles: files and folders in, Arrow batches of articles out."""

from dedup.read.articles import read_articles
from dedup.read.batches import ARTICLE_INPUT, REJECTED, ArticleBatch, reject_articles
from dedup.read.left_out import group_by_reason
from dedup.read.locate import InputFile, check_unchanged, locate_inputs, survey_inputs
from dedup.read.streams import Passed, Resources, digest_input

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
