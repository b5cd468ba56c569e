"""Which planted templates, boilerplate and copies a scan finds, word by word.

    python benchmarks/planted_formulas.py [--articles 1500] [--seed 1] [--update]

Articles of invented prose (`prose.py`) in four scripts, from 20 outlets, hold:

- templates: sentence frames with one to three slots, rows of figures, openers that go on in
  another way each time, and notices that are made of nothing but frames; 5 to 200 articles each;
- openers that one article alone uses, four times;
- boilerplate: paragraphs that all outlets carry and some that only one does, and lines of one to
  four words; in one of six the long ones have a word changed;
- syndication: articles that two to eight other outlets publish later, with small edits;
- near-copies of paragraphs of earlier articles, and paragraphs that an article holds twice;
- grammar: sentences that begin with the same three frequent words, which nothing should flag.

Every word knows why it is there. What the spans of a scan say of it is held against that, by
kind: a word in spans of several kinds counts for the first of internal, copied, boilerplate and
template, as in the score. The corpus depends on the seed and the version of numpy only.
"""

import argparse
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from prose import CAPITAL, ENDS, FREQUENT_WORDS, NUMERALS, SCRIPTS, Language
from report import OUT, Cell, describe_machine, format_table, show

import dedup

KINDS = ("original", "internal", "copied", "boilerplate", "template-fixed", "template-slot")
SPAN_KINDS = {  # in the order in which the score counts a word
    "internal_repeat": "internal",
    "exact_copy": "copied",
    "near_copy": "copied",
    "shared_run": "copied",
    "boilerplate": "boilerplate",
    "templated": "template-fixed",
}
# Share of the articles, outlets, templates of each form: 20 outlets and 60 templates in all.
DESKS = {
    "english": (0.7, 11, 14),
    "cyrillic": (0.1, 3, 2),
    "cjk": (0.1, 3, 2),
    "arabic": (0.1, 3, 2),
}
FORMS = ("sentence", "opener", "notice")
FEWEST, MOST = 5, 200  # articles that hold a template; in other scripts than the first, MOST / 4
FEWEST_HOLDERS = 8  # articles that carry a piece of boilerplate
GRAMMAR_SHARE = 0.03  # of the articles have a sentence with a given grammatical beginning
START = datetime(2023, 1, 1, tzinfo=timezone.utc)

ARTICLES = pa.schema(
    [
        *(("id", pa.string()), ("text", pa.string()), ("source", pa.string())),
        ("date", pa.timestamp("us", "UTC")),
    ]
)
TRUTH = pa.schema(
    [
        *(("article_id", pa.string()), ("start", pa.int32()), ("end", pa.int32())),
        *(("kind", pa.string()), ("planting", pa.string())),  # planting: form, desk and number
    ]
)


class Label(NamedTuple):
    """Why a word is there."""

    kind: str
    planting: str = ""


class Word(NamedTuple):
    token: int  # of prose.py: 8 * word + the bits of its spelling
    label: Label


Passage = list[Word]
ORIGINAL = Label("original")


class Slot(NamedTuple):
    """A place in a frame: a number, or one to this many words."""

    longest: int
    number: bool


Frame = list["list[int] | Slot"]  # fixed words and slots in turn


@dataclass
class Article:
    source: str
    hours: float
    desk: str
    paragraphs: list[Passage]
    origin: "Article | None" = None
    notice: bool = False
    name: str = ""


@dataclass
class Template:
    name: str
    frames: list[Frame]
    support: int


class Desk:
    """Writes the articles of one script, and plants in them."""

    def __init__(self, name: str, articles: int, seed: int) -> None:
        self.name = name
        _, outlets, templates = DESKS[name]
        self.sources = [f"{name}{number:02}.example" for number in range(outlets)]
        self.rng = np.random.default_rng([seed, *name.encode()])
        self.language = Language(SCRIPTS[name], 0, self.rng)
        self.spellings = self.language.spellings.to_pylist()
        self.articles = [self.write_article() for _ in range(articles)]
        most = MOST if name == next(iter(DESKS)) else MOST // 4
        supports = np.geomspace(FEWEST, most, templates).round().astype(int).tolist()
        for form in FORMS:
            for number, support in enumerate(supports):
                self.plant(form, f"{form} {name} {number}", support)
        self.plant_habits(max(2, articles // 150))
        self.plant_grammar(6)
        self.copy_paragraphs(articles // 12)
        self.syndicate(articles // 20)
        self.repeat_paragraphs(articles // 30)
        self.plant_boilerplate()

    # Words, sentences, articles

    def pick(self, first: int, last: int) -> int:
        return int(self.rng.integers(first, last + 1))

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def choose(self, items: Sequence[Any], number: int) -> list[Any]:
        """Draw this many different items; all if there are fewer."""
        places = self.rng.permutation(len(items))[:number].tolist()
        return [items[place] for place in places]

    def draw_words(self, number: int, content: float) -> list[int]:
        """Draw words by their frequency; at least that share of them are no function words."""
        drawn = self.language.draw_words(20 * number + 200)
        rare = iter(drawn[drawn >= FREQUENT_WORDS].tolist())
        return [next(rare) if self.chance(content) else word for word in drawn[-number:].tolist()]

    def write_article(self) -> Article:
        """An article of fresh prose, some time in the year."""
        paragraphs = [
            [Word(token, ORIGINAL) for token in tokens.tolist()]
            for tokens in self.language.write_article()
        ]
        source = self.choose(self.sources, 1)[0]
        return Article(source, float(self.rng.random() * 8_000), self.name, paragraphs)

    def write_sentence(self) -> Passage:
        """A fresh sentence of at least eight words, from a paragraph of nobody's."""
        while True:
            for tokens in self.language.write_article():
                first = int(np.argmax((tokens & ENDS) > 0)) + 1
                if 8 <= first <= 30:
                    return [Word(token, ORIGINAL) for token in tokens[:first].tolist()]

    # Templates

    def make_frame(self, form: str) -> Frame:
        """A frame with six fixed words or more; of an opener, three to five."""
        if form == "opener":
            return [self.draw_words(self.pick(3, 5), 0.7)]
        while True:
            frame = self.draw_frame(form)
            if count_fixed(frame) >= 6:
                return frame

    def draw_frame(self, form: str) -> Frame:
        if form == "figures":
            slots = [Slot(1, number=True)] * self.pick(3, 5)
        else:
            slots = [Slot(self.pick(1, 6), number=self.chance(0.4)) for _ in range(self.pick(1, 3))]
        lengths = [self.pick(2, 3) if form == "figures" else self.pick(3, 6) for _ in slots]
        frame: Frame = []
        for slot, length in zip(slots, lengths, strict=True):
            frame += [self.draw_words(length, 0.6), slot]
        if form == "figures" or self.chance(0.7):
            frame.append(self.draw_words(self.pick(3, 5), 0.6))
        return frame[1:] if form == "sentence" and len(frame) > 3 and self.chance(0.25) else frame

    def fill_frame(self, frame: Frame, planting: str) -> Passage:
        """Write the frame with fresh fillers, as one sentence, most of whose words are fixed."""
        fixed = count_fixed(frame)
        room = int(fixed / 0.62) - fixed  # words that slots may take
        slots = sum(isinstance(part, Slot) for part in frame)
        words: Passage = []
        for part in frame:
            if isinstance(part, list):
                words += [Word(8 * word, Label("template-fixed", planting)) for word in part]
                continue
            slots -= 1
            length = 1 if part.number else self.pick(1, max(1, min(part.longest, room - slots)))
            room -= length
            filler = self.draw_words(length, 0.9)
            if part.number:
                filler = [self.language.script.words + self.pick(0, NUMERALS - 1)]
            words += [Word(8 * word, Label("template-slot", planting)) for word in filler]
        return close_sentence(words)

    def plant(self, form: str, name: str, support: int) -> None:
        """Make a template and put it into this many articles, or make articles of it."""
        if form == "notice":
            kinds = ["figures", "sentence", "sentence", "sentence"][: self.pick(2, 4)]
            template = Template(name, [self.make_frame(kind) for kind in kinds], support)
            self.articles += [self.write_notice(template) for _ in range(support)]
            return
        frame = self.make_frame(form)
        hosts = [article for article in self.articles if not article.notice]
        for article in self.choose(hosts, support):
            sentence = self.fill_frame(frame, name)
            if form == "opener":
                sentence = go_on(sentence, self.write_sentence())
            self.insert_sentence(article, sentence)

    def write_notice(self, template: Template) -> Article:
        article = self.write_article()
        heading = self.draw_words(self.pick(2, 4), 0.9)
        label = Label("template-slot", template.name)
        article.paragraphs = [[Word(8 * word, label) for word in heading]]
        sentences = [self.fill_frame(frame, template.name) for frame in template.frames]
        if len(sentences) < 4:
            sentences = [[word for sentence in sentences for word in sentence]]
        article.paragraphs += sentences
        article.notice = True
        return article

    def insert_sentence(self, article: Article, sentence: Passage) -> None:
        """Put a sentence before another one, or in a paragraph of its own."""
        paragraph = self.choose(article.paragraphs, 1)[0]
        places = [0, *(at + 1 for at, word in enumerate(paragraph) if word.token & ENDS)]
        if len(places) == 1 or self.chance(0.2):
            article.paragraphs.insert(self.pick(1, len(article.paragraphs)), sentence)
            return
        place = self.choose(places[:-1], 1)[0]
        paragraph[place:place] = sentence

    def plant_habits(self, number: int) -> None:
        """Openers that an article uses four times, and no other one uses."""
        hosts = [article for article in self.articles if not article.notice]
        for at, article in enumerate(self.choose(hosts, number)):
            frame = self.make_frame("opener")
            for _ in range(4):
                opener = self.fill_frame(frame, f"habit {self.name} {at}")
                self.insert_sentence(article, go_on(opener, self.write_sentence()))

    def plant_grammar(self, number: int) -> None:
        """Sentences that begin with the same three of the twenty most frequent words."""
        hosts = [article for article in self.articles if not article.notice]
        for _ in range(number):
            words = self.rng.permutation(20)[:3].tolist()
            beginning = close_sentence([Word(8 * word, ORIGINAL) for word in words])
            for article in self.choose(hosts, int(GRAMMAR_SHARE * len(hosts))):
                self.insert_sentence(article, go_on(beginning, self.write_sentence()))

    # Copies

    def edit(self, paragraph: Passage, rate: float, label: Label) -> Passage:
        """Copy a paragraph under another label, but replace some of its words."""
        fresh = self.draw_words(len(paragraph), 0.6)
        return [
            Word(8 * new + word.token % 8, ORIGINAL)
            if self.chance(rate)
            else Word(word.token, label)
            for word, new in zip(paragraph, fresh, strict=True)
        ]

    def syndicate(self, families: int) -> None:
        """Let other outlets publish articles again: edited, cut, or with a line of their own."""
        hosts = [a for a in self.articles if not a.notice and len(a.paragraphs) >= 4]
        notices = [a for a in self.articles if a.notice]
        origins = self.choose(hosts, families) + self.choose(notices, families // 4)
        for number, origin in enumerate(origins):
            label = Label("copied", f"syndication {self.name} {number}")
            others = [source for source in self.sources if source != origin.source]
            for source in self.choose(others, self.pick(2, 8)):
                rate = self.choose((0.0, 0.01, 0.03), 1)[0]
                cut = self.chance(0.25) and not origin.notice
                whole = origin.paragraphs[:-1] if cut else origin.paragraphs
                copy = [self.edit(paragraph, rate, label) for paragraph in whole]
                if self.chance(0.2):
                    copy.insert(0, self.write_sentence())
                hours = origin.hours + 30 + float(self.rng.exponential(48))
                self.articles.append(Article(source, hours, self.name, copy, origin))

    def copy_paragraphs(self, number: int) -> None:
        """Put near-copies of one article's paragraphs into other, later ones."""
        hosts = [a for a in self.articles if not a.notice and a.origin is None]
        for at in range(number):
            origin, article = sorted(self.choose(hosts, 2), key=lambda article: article.hours)
            article.hours = max(article.hours, origin.hours + 30)
            long = [p for p in origin.paragraphs if len(p) >= 25 and is_original(p)]
            for paragraph in self.choose(long, 1):
                label = Label("copied", f"near-copy {self.name} {at}")
                copy = self.edit(paragraph, self.choose((0.0, 0.03, 0.06), 1)[0], label)
                article.paragraphs.insert(self.pick(1, len(article.paragraphs)), copy)

    def repeat_paragraphs(self, number: int) -> None:
        """End articles with a paragraph that already appeared in them."""
        hosts = [a for a in self.articles if not a.notice and a.origin is None]
        for at, article in enumerate(self.choose(hosts, number)):
            long = [p for p in article.paragraphs if len(p) >= 12 and is_original(p)]
            for paragraph in self.choose(long, 1):
                label = Label("internal", f"repeat {self.name} {at}")
                article.paragraphs.append([Word(word.token, label) for word in paragraph])

    # Boilerplate

    def plant_boilerplate(self) -> None:
        """Give the outlets their paragraphs and lines, common ones and some of their own."""
        for number, share in enumerate(np.geomspace(0.01, 0.2, 15).tolist()):
            words = self.draw_words(self.pick(1, 4), 0.8)
            self.furnish(self.articles, share, label_line(words, f"line {self.name} {number}"))
        for number, share in enumerate(np.geomspace(0.01, 0.1, 10).tolist()):
            passage = self.write_boilerplate(f"global {self.name} {number}")
            self.furnish(self.articles, share, passage)
        for number, source in enumerate(self.sources):
            own = [article for article in self.articles if article.source == source]
            for share in (0.3, 0.7):
                passage = self.write_boilerplate(f"site {self.name} {number}-{share}")
                self.furnish(own, share, passage)

    def furnish(self, articles: list[Article], share: float, passage: Passage) -> None:
        """Give a share of the articles a paragraph at their end; a line in the middle, too."""
        holders = max(FEWEST_HOLDERS, round(share * len(articles)))
        for article in self.choose(articles, holders):
            at = len(article.paragraphs)
            if len(passage) <= 4 and self.chance(0.5):
                at = self.pick(1, at)
            article.paragraphs.insert(at, self.vary(passage))

    def write_boilerplate(self, name: str) -> Passage:
        label = Label("boilerplate", name)
        while True:
            for tokens in self.language.write_article():
                if 10 <= len(tokens) <= 70:
                    return [Word(token, label) for token in tokens.tolist()]

    def vary(self, passage: Passage) -> Passage:
        """Boilerplate; if long, then in one of six cases with a word changed."""
        passage = [*passage]
        if len(passage) >= 20 and self.chance(1 / 6):
            at = self.pick(1, len(passage) - 2)
            token = 8 * self.draw_words(1, 0.9)[0] + passage[at].token % 8
            passage[at] = Word(token, passage[at].label)
        return passage

    def spell(self, paragraph: Passage) -> list[str]:
        return [self.spellings[word.token] for word in paragraph]


def count_fixed(frame: Frame) -> int:
    return sum(len(part) for part in frame if isinstance(part, list))


def close_sentence(words: Passage) -> Passage:
    """Begin with a capital and end with a stop."""
    first, last = words[0], words[-1]
    if len(words) == 1:
        return [Word(first.token | CAPITAL | ENDS, first.label)]
    opening = Word(first.token | CAPITAL, first.label)
    return [opening, *words[1:-1], Word(last.token | ENDS, last.label)]


def go_on(opener: Passage, sentence: Passage) -> Passage:
    """Let a sentence begin with an opener, which lost its stop."""
    last = opener[-1]
    following = sentence[0]
    return [
        *opener[:-1],
        Word(last.token & ~ENDS, last.label),
        Word(following.token & ~7, following.label),
        *sentence[1:],
    ]


def label_line(words: list[int], name: str) -> Passage:
    label = Label("boilerplate", name)
    first, *others = [Word(8 * word, label) for word in words]
    return [Word(first.token | CAPITAL, label), *others]


def is_original(paragraph: Passage) -> bool:
    return all(word.label.kind == "original" for word in paragraph)


@dataclass
class Corpus:
    articles: list[Article] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    words: dict[str, list[tuple[int, int, Label]]] = field(default_factory=dict)


def make_corpus(articles: int, seed: int) -> Corpus:
    """Write the articles of all desks and name them in the order of their dates."""
    desks = {name: Desk(name, int(share * articles), seed) for name, (share, *_) in DESKS.items()}
    written = [article for desk in desks.values() for article in desk.articles]
    corpus = Corpus(sorted(written, key=lambda article: article.hours))
    for number, article in enumerate(corpus.articles):
        article.name = f"f{number:06}"
        spell_article(corpus, article, desks[article.desk])
    return corpus


def spell_article(corpus: Corpus, article: Article, desk: Desk) -> None:
    """Spell an article out, and note where each of its words stands."""
    pieces: list[str] = []
    places: list[tuple[int, int, Label]] = []
    at = 0
    for number, paragraph in enumerate(article.paragraphs):
        spelt = desk.spell(paragraph)
        spelt[0] = ("\n\n" if number else "") + spelt[0].lstrip()
        for word, letters in zip(paragraph, spelt, strict=True):
            start, at = at + len(letters) - len(letters.lstrip()), at + len(letters)
            places.append((start, at, word.label))
        pieces += spelt
    corpus.texts[article.name] = "".join(pieces)
    corpus.words[article.name] = places


def write_corpus(corpus: Corpus, folder: Path) -> None:
    """Write ARTICLES, and TRUTH: runs of words that are there for one reason."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = [
        [article.name for article in corpus.articles],
        [corpus.texts[article.name] for article in corpus.articles],
        [article.source for article in corpus.articles],
        [START + timedelta(hours=article.hours) for article in corpus.articles],
    ]
    pq.write_table(pa.table(columns, schema=ARTICLES), folder / "articles.parquet")
    rows = []
    for name, words in corpus.words.items():
        for label, group in groupby(words, key=lambda word: word[2]):
            run = [*group]
            rows.append((name, run[0][0], run[-1][1], *label))
    table = pa.table([*zip(*rows, strict=True)], schema=TRUTH)
    pq.write_table(table, folder / "truth.parquet")


# The judge


def judge_words(corpus: Corpus, scan: dedup.Scan) -> Counter[tuple[Label, str]]:
    """Count words by why they are there and by what the scan takes them for."""
    order = {kind: rank for rank, kind in enumerate(SPAN_KINDS)}
    spans: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    columns = ["article_id", "start", "end", "kind"]
    for row in scan.spans.to_table(columns=columns).to_pylist():
        spans[row["article_id"]].append((row["start"], row["end"], row["kind"]))
    counts: Counter[tuple[Label, str]] = Counter()
    for name, words in corpus.words.items():
        taken = np.full(len(corpus.texts[name]), len(order), np.int8)
        for start, end, kind in spans[name]:
            taken[start:end] = np.minimum(taken[start:end], order[kind])
        names = [*SPAN_KINDS.values(), "original"]
        # A word's place has its punctuation with it, which may stand outside the span.
        for start, end, label in words:
            counts[label, names[int(taken[start:end].min())]] += 1
    return counts


def tabulate_kinds(counts: Counter[tuple[Label, str]]) -> str:
    """Precision, recall and F1 of each kind; `formulaic` does not tell its two parts apart."""
    kinds: dict[str, tuple[str, ...]] = {kind: (kind,) for kind in KINDS[1:5]}
    kinds["formulaic"] = KINDS[3:5]
    kinds["any"] = KINDS[1:5]
    rows: list[list[Cell]] = []
    for name, members in kinds.items():
        planted = sum(n for (label, _), n in counts.items() if label.kind in members)
        found = sum(n for (_, taken), n in counts.items() if taken in members)
        right = sum(n for (label, taken), n in counts.items() if {label.kind, taken} <= {*members})
        precision, recall = right / max(1, found), right / max(1, planted)
        f1 = 2 * right / max(1, planted + found)
        rows.append([name, planted, found, precision, recall, f1])
    return format_table(["kind", "words", "found", "precision", "recall", "F1"], rows)


def tabulate_confusion(counts: Counter[tuple[Label, str]]) -> str:
    """What the words of each kind were taken for, as shares of them."""
    rows: list[list[Cell]] = []
    for kind in KINDS:
        words = Counter[str]()
        for (label, taken), number in counts.items():
            words[taken] += number if label.kind == kind else 0
        total = words.total()
        shares = [words[taken] / max(1, total) for taken in KINDS[:5]]
        rows.append([kind, total, 1 - shares[0], *shares])
    return format_table(["planted as", "words", "flagged", *KINDS[:5]], rows)


def tabulate_plantings(counts: Counter[tuple[Label, str]], supports: Counter[str]) -> str:
    """Recall by form of planting, by script and by the articles that hold one."""
    rows: list[list[Cell]] = []
    found: Counter[tuple[str, str]] = Counter()
    words: Counter[tuple[str, str]] = Counter()
    for (label, taken), number in counts.items():
        if label.kind not in ("boilerplate", "template-fixed"):
            continue
        form, script, _ = label.planting.split()
        for group in ("all", script, rank_support(supports[label.planting])):
            words[form, group] += number
            found[form, group] += number * (label.kind == taken)
    groups = ["all", *DESKS, *(rank_support(first) for first in (1, 5, 10, 50))]
    for form in sorted({form for form, _ in words}):
        shares = [
            found[form, group] / words[form, group] if words[form, group] else None
            for group in groups
        ]
        rows.append([form, *shares])
    return format_table(["form", *groups], rows)


def rank_support(support: int) -> str:
    bounds = [*pairwise([1, 5, 10, 50])]
    return next((f"{a}-{b - 1}" for a, b in bounds if a <= support < b), "50+")


def count_supports(corpus: Corpus) -> Counter[str]:
    """Articles that hold each planting."""
    holders = {
        (label.planting, name) for name, words in corpus.words.items() for *_, label in words
    }
    return Counter(planting for planting, _ in holders)


def judge_articles(corpus: Corpus, scan: dedup.Scan) -> str:
    """Say whether syndicated articles are in their origin's cluster, and others in none."""
    columns = ["article_id", "article_cluster", "copied"]
    rows = {row["article_id"]: row for row in scan.articles.to_table(columns=columns).to_pylist()}
    clusters = scan.clusters.to_table(columns=["cluster_id", "kind"]).to_pydict()
    kinds = dict(zip(*clusters.values(), strict=True))
    copies = [(a, a.origin) for a in corpus.articles if a.origin]
    origins = {origin.name for _, origin in copies}
    table: list[list[Cell]] = []
    for name, of_notices in (("copies of articles", False), ("copies of notices", True)):
        names = [(copy.name, origin.name) for copy, origin in copies if origin.notice == of_notices]
        found = [rows[c]["article_cluster"] for c, o in names if share_cluster(rows[c], rows[o])]
        table.append([name, len(names), "in their origin's cluster", len(found) / len(names)])
        for kind, number in sorted(Counter(kinds[cluster] for cluster in found).items()):
            table.append(["", None, f"of kind {kind}", number / len(names)])
    for name, is_notice in (("other notices", True), ("other articles", False)):
        lone = [
            rows[a.name]
            for a in corpus.articles
            if a.notice == is_notice and not a.origin and a.name not in origins
        ]
        in_cluster = sum(row["article_cluster"] is not None for row in lone)
        table.append([name, len(lone), "in a cluster", in_cluster / len(lone)])
        if is_notice:  # of the others, some were given near-copies of paragraphs
            copied = sum(row["copied"] > 0.2 for row in lone)
            table.append(["", None, "copied > 0.2", copied / len(lone)])
    return format_table(["articles", "number", "that are", "share"], table)


def share_cluster(left: dict[str, Any], right: dict[str, Any]) -> bool:
    cluster = left["article_cluster"]
    return cluster is not None and cluster == right["article_cluster"]


def main() -> None:
    parser = argparse.ArgumentParser(description="Recall and precision of planted formulas.")
    parser.add_argument("--articles", type=int, default=1500, help="of fresh prose (1500)")
    parser.add_argument("--seed", type=int, default=1, help="default: 1")
    parser.add_argument("--update", action="store_true", help="put the tables into README.md")
    wish = parser.parse_args()
    folder = OUT / f"formulas-{wish.articles}-{wish.seed}"
    corpus = make_corpus(wish.articles, wish.seed)
    write_corpus(corpus, folder)
    with tempfile.TemporaryDirectory() as temporary:
        scan = dedup.scan(folder / "articles.parquet", Path(temporary) / "results")
        counts = judge_words(corpus, scan)
        articles = judge_articles(corpus, scan)
    print(f"{len(corpus.articles):,} articles, {describe_machine()}")
    show("planted words by kind", tabulate_kinds(counts), update=wish.update)
    show("what planted words were taken for", tabulate_confusion(counts), update=wish.update)
    plantings = tabulate_plantings(counts, count_supports(corpus))
    show("recall of planted formulas", plantings, update=wish.update)
    show("planted articles", articles, update=wish.update)


if __name__ == "__main__":
    main()
