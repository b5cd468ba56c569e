"""Every removal, explained: a file with a row for each, and a few of them with their evidence."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dedup.config import SourceConfig
from dedup.errors import ConfigError
from dedup.filter.decide import Decisions
from dedup.filter.rewrite import open_sink
from dedup.outputs import naming_output
from dedup.read import InputFile, Resources, read_articles
from dedup.read.locate import COMPRESSIONS, FORMATS
from dedup.results import Scan
from dedup.work.folder import NewFile

REMOVED = pa.schema(
    [
        pa.field("article_id", pa.string()),
        pa.field("input_file", pa.string(), nullable=False),
        pa.field("input_row", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("redundancy", pa.float64()),
        pa.field("article_cluster", pa.string()),
        pa.field("match", pa.string()),
    ]
)
SNIPPET_CHARACTERS = 160
_BATCH_ROWS = 8192


@dataclass(frozen=True, kw_only=True)
class Removal:
    """One removed article and the longest passage that it shares with another.

    `match` is None where that passage is boilerplate or follows a template.
    """

    article_id: str
    reason: str
    redundancy: float
    match: str | None
    snippet: str | None
    input_file: str = field(repr=False)
    input_row: int = field(repr=False)


def check_removed_name(path: str) -> None:
    """Refuse a name whose suffix names no format."""
    if not _is_jsonl(path) and not path.endswith(".parquet"):
        raise ConfigError(
            f"the format of {path} is not known",
            hint="end its name with .jsonl (also .gz, .zst, .bz2, .xz) or .parquet",
        )


def write_removed(decisions: Decisions, new: NewFile, name: str) -> None:
    """Write REMOVED rows, in the order of the input, in the format that `name` says."""
    table = list_removed(decisions)
    with naming_output(Path(name)):
        if not _is_jsonl(name):
            with new.open() as file:
                pq.write_table(table, file, compression="zstd")
            return
        with open_sink(new, COMPRESSIONS.get(Path(name).suffix)) as sink:
            for batch in table.to_batches(max_chunksize=_BATCH_ROWS):
                lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in batch.to_pylist())
                sink.write("".join(lines).encode())


def list_removed(decisions: Decisions) -> pa.Table:
    """Make the REMOVED table."""
    gone = decisions.articles.filter(pa.array(~decisions.is_kept))
    rejected = decisions.rejected
    articles = pa.table(
        [
            gone["article_id"],
            gone["input_file"].cast(pa.string()),
            gone["input_row"],
            decisions.reasons.drop_null(),
            gone["redundancy"],
            gone["article_cluster"],
            gone["top_source"],
        ],
        names=REMOVED.names,
    )
    count = rejected.num_rows
    reasons = pc.binary_join_element_wise(
        pa.scalar("rejected by the scan"), rejected["reason"], pa.scalar(": ")
    )
    others = pa.table(
        {
            "article_id": rejected["article_id"],
            "input_file": rejected["input_file"],
            "input_row": rejected["input_row"],
            "reason": reasons,
            "redundancy": pa.nulls(count, pa.float64()),
            "article_cluster": pa.nulls(count, pa.string()),
            "match": pa.nulls(count, pa.string()),
        }
    )
    table = pa.concat_tables([articles.cast(REMOVED), others.cast(REMOVED)])
    return table.sort_by([("input_file", "ascending"), ("input_row", "ascending")])


def sample_removals(
    scan: Scan,
    decisions: Decisions,
    files: Mapping[str, InputFile],
    number: int,
    resources: Resources,
) -> tuple[Removal, ...]:
    """Pick removed articles at even distances, always the same ones, and find what they share.

    `files` has each input under its name in the scan.
    """
    gone = decisions.articles.filter(pa.array(~decisions.is_kept))
    if not number or not gone.num_rows:
        return ()
    places = np.unique(np.linspace(0, gone.num_rows - 1, min(number, gone.num_rows)).astype(int))
    chosen = gone.take(places).to_pylist()
    reasons = decisions.reasons.drop_null().take(pa.array(places)).to_pylist()
    spans = _longest_spans(scan, {row["article_id"] for row in chosen})
    config = dataclasses.replace(scan.facts.settings.source, on_error="skip")
    texts = _read_texts(chosen, files, config, resources)
    removals = []
    for row, reason in zip(chosen, reasons, strict=True):
        start, end, match = spans.get(row["article_id"], (0, 0, row["top_source"]))
        text = texts.get((row["input_file"], row["input_row"]), "")
        removals.append(
            Removal(
                article_id=row["article_id"],
                reason=reason,
                redundancy=row["redundancy"],
                match=match,
                snippet=_shorten(text[start:end]) or None,
                input_file=row["input_file"],
                input_row=row["input_row"],
            )
        )
    return tuple(removals)


def _longest_spans(scan: Scan, ids: set[str]) -> dict[str, tuple[int, int, str | None]]:
    columns = ["article_id", "start", "end", "match_article"]
    is_wanted = pc.field("article_id").isin(sorted(ids))
    longest: dict[str, tuple[int, int, str | None]] = {}
    with scan.reading("spans") as spans:
        rows = spans.to_table(columns=columns, filter=is_wanted).to_pylist()
    for row in rows:
        start, end, _ = longest.get(row["article_id"], (0, 0, ""))
        if row["end"] - row["start"] > end - start:
            longest[row["article_id"]] = (row["start"], row["end"], row["match_article"])
    return longest


def _read_texts(
    chosen: list[dict[str, object]],
    files: Mapping[str, InputFile],
    config: SourceConfig,
    resources: Resources,
) -> dict[tuple[str, int], str]:
    """Read the inputs of the chosen articles again, each up to the last of them."""
    texts: dict[tuple[str, int], str] = {}
    for name, file in files.items():
        wanted = [row["input_row"] for row in chosen if row["input_file"] == name]
        if not wanted or (file.version is None and not file.is_remote):  # it can be read once
            continue
        left = len(wanted)
        for batch in read_articles([file], config, resources=resources):
            rows = batch.articles.filter(pc.is_in(batch.articles["input_row"], pa.array(wanted)))
            for row in rows.select(["input_row", "text"]).to_pylist():
                texts[name, row["input_row"]] = row["text"]
            left -= rows.num_rows
            if left <= 0:
                break
    return texts


def _shorten(text: str) -> str:
    words = " ".join(text.split())
    if len(words) <= SNIPPET_CHARACTERS:
        return words
    return words[: SNIPPET_CHARACTERS - 1].rstrip() + "…"


def _is_jsonl(path: str) -> bool:
    stem = path
    for suffix in COMPRESSIONS:
        stem = stem.removesuffix(suffix)
    return any(stem.endswith(suffix) for suffix, kind in FORMATS.items() if kind == "jsonl")
