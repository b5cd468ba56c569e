"""Write the tables that the demo corpus must give: `python tests/regenerate.py`.

`test_demo_corpus.py` compares a scan with the files in `corpora/demo-expected`. After a change
that is meant to move them, run this, then read the difference line by line before committing it.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dedup import Scan, scan

CORPUS = Path(__file__).parent / "corpora" / "demo"
EXPECTED = Path(__file__).parent / "corpora" / "demo-expected"
EXCERPT = 48  # characters of a span: enough to find it in the corpus
DIGITS = 6

Row = dict[str, Any]


def readable_tables(result: Scan) -> dict[str, str]:
    """Return the tables of a scan of the demo corpus as CSV, by file name.

    Paragraphs read `article#position`, from 0. Clusters go by their representative, not their id.
    """
    heads = {
        (row["unit"], row["cluster_id"]): _place(
            row["representative_article"], row["representative_position"]
        )
        for row in result.clusters.to_table().to_pylist()
    }
    return {
        "articles.csv": _to_csv(_articles(result, heads)),
        "paragraphs.csv": _to_csv(_paragraphs(result, heads)),
        "spans.csv": _to_csv(_spans(result)),
        "clusters.csv": _to_csv(_clusters(result)),
        "pairs.csv": _to_csv(_pairs(result)),
    }


def texts(folder: Path = CORPUS) -> dict[str, str]:
    """Return the text of every article, by id; of two articles with one id the first."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").split("\n"):
            if line:
                article = json.loads(line)
                found.setdefault(article["id"], article["text"])
    return found


def _articles(result: Scan, heads: Mapping[tuple[str, str], str]) -> Iterable[Row]:
    skipped = ("source", "date", "url", "input_file", "input_row", "article_cluster")
    for row in result.articles.to_table().to_pylist():
        yield {
            "file": Path(row["input_file"]).stem,
            **{name: value for name, value in row.items() if name not in skipped},
            "representative": heads.get(("article", row["article_cluster"])),
        }


def _paragraphs(result: Scan, heads: Mapping[tuple[str, str], str]) -> Iterable[Row]:
    names = ("start", "end", "tokens", "kind", "copies", "similarity")
    for row in result.paragraphs.to_table().to_pylist():
        yield {
            "paragraph": _place(row["article_id"], row["position"]),
            **{name: row[name] for name in names},
            "match": row["match_article"] and _place(row["match_article"], row["match_position"]),
            "representative": heads.get(("paragraph", row["cluster_id"])),
        }


def _spans(result: Scan) -> Iterable[Row]:
    known = texts()
    skipped = ("cluster_id", "template_id")
    for row in result.spans.to_table().to_pylist():
        excerpt = known[row["article_id"]][row["start"] : row["end"]]
        yield {
            **{name: value for name, value in row.items() if name not in skipped},
            "text": " ".join(excerpt.split())[:EXCERPT],
        }


def _clusters(result: Scan) -> Iterable[Row]:
    members: dict[tuple[str, str], list[str]] = {}
    for row in result.members.to_table().to_pylist():
        place = _place(row["article_id"], row["position"])
        members.setdefault((row["unit"], row["cluster_id"]), []).append(place)
    names = ("members", "articles", "sources", "min_similarity", "mean_similarity")
    for row in result.clusters.to_table().to_pylist():
        yield {
            "unit": row["unit"],
            "kind": row["kind"],
            "site": row["site"],
            "representative": _place(row["representative_article"], row["representative_position"]),
            **{name: row[name] for name in names},
            "first_seen": row["first_seen"] and row["first_seen"].isoformat(),
            "last_seen": row["last_seen"] and row["last_seen"].isoformat(),
            "who": " ".join(members[row["unit"], row["cluster_id"]]),
        }


def _pairs(result: Scan) -> Iterable[Row]:
    for row in result.pairs.to_table().to_pylist():
        yield {
            "unit": row["unit"],
            "left": _place(row["left_article"], row["left_position"]),
            "right": _place(row["right_article"], row["right_position"]),
            **{
                name: row[name]
                for name in ("similarity", "containment", "jaccard", "shared_tokens")
            },
        }


def _place(article: str, position: int | None) -> str:
    return article if position is None else f"{article}#{position}"


def _to_csv(rows: Iterable[Row]) -> str:
    rows = [{name: _plain(value) for name, value in row.items()} for row in rows]
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.{DIGITS}f}".rstrip("0").rstrip(".")
    return str(value).lower() if isinstance(value, bool) else value


def main() -> None:
    EXPECTED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        tables = readable_tables(scan(CORPUS, Path(folder) / "results"))
    for name, text in tables.items():
        (EXPECTED / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
