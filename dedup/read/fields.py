"""Which field of a file is the id, the text, the date, the source and the url."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from dedup.config import SourceConfig
from dedup.errors import InputError
from dedup.util.printable import shorten
from dedup.util.suggest import suggest

# In order of preference. Case does not matter, but a name in exactly this case is preferred.
USUAL_NAMES: dict[str, tuple[str, ...]] = {
    "article_id": ("id", "article_id", "doc_id", "uuid", "guid"),
    "text": ("text", "content", "body", "raw_content", "article", "maintext"),
    "date": (
        "date",
        "published",
        "published_at",
        "date_publish",
        "publish_date",
        "pubdate",
        "created_at",
        "timestamp",
    ),
    "source": ("source", "domain", "site", "outlet", "publisher", "hostname"),
    "url": ("url", "link", "uri"),
}

# The setting that names the field of each column.
SETTINGS = {
    "article_id": "id_field",
    "text": "text_field",
    "date": "date_field",
    "source": "source_field",
    "url": "url_field",
}

MAX_SHOWN = 40  # field names in a message
MAX_LENGTH = 40  # characters of each: without a header, a name is an article


def named_field(column: str, config: SourceConfig) -> str | None:
    """Return the field that the user named for a column."""
    name: str | None = getattr(config, SETTINGS[column])
    return name


def accepted_names(config: SourceConfig) -> dict[str, tuple[str, ...]]:
    """Return for every column the names its field may have: the one the user gave, or the usual."""
    names = {column: named_field(column, config) for column in USUAL_NAMES}
    return {column: (name,) if name else USUAL_NAMES[column] for column, name in names.items()}


def find_fields(
    present: Sequence[str],
    config: SourceConfig,
    path: str,
    usable: Callable[[str, str], bool] = lambda column, field: True,
) -> dict[str, str]:
    """Choose among the fields that are present; a column without one is left out.

    A field that was found by a usual name, and is not `usable` for its column, is passed over.
    """
    chosen: dict[str, str] = {}
    for column, names in accepted_names(config).items():
        named = named_field(column, config)
        for field in _matches(names, present):
            if column == "text" or named or usable(column, field):
                chosen[column] = field
                break
        if column not in chosen and (named or column == "text"):
            raise _missing_field(column, config, present, path)
    return chosen


def _missing_field(
    column: str, config: SourceConfig, present: Sequence[str], path: str
) -> InputError:
    """Make the error that lists the existing fields."""
    named = named_field(column, config)
    wanted = f"field named {named!r}" if named else "text field"
    names = [shorten(name, MAX_LENGTH) for name in present]
    shown = ", ".join(names[:MAX_SHOWN]) or "none"
    if len(names) > MAX_SHOWN:
        shown += f" and {len(names) - MAX_SHOWN} more"
    setting = SETTINGS[column].replace("_", "-")
    hint = f"name the one to use with --{setting}"
    if named and (meant := suggest(named, present)):
        hint = f"did you mean {shorten(meant, MAX_LENGTH)}?"
    elif any(len(name) > MAX_LENGTH for name in present):
        hint += "; if the first line is already an article, add a line with names above it"
    return InputError(f"{path} has no {wanted}; its fields are: {shown}", hint=hint)


def _matches(names: Sequence[str], present: Sequence[str]) -> Iterable[str]:
    """Give the fields that match, the best first."""
    for name in names:
        if name in present:
            yield name
        yield from (field for field in present if _lower(field) == _lower(name) and field != name)


def _lower(name: str) -> str:
    # ASCII only, as the JSONL reader does
    return name.lower() if name.isascii() else name
