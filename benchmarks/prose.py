"""Invented prose in six scripts, fresh and endless, as arrays of tokens.

The words are invented, but as frequent and as long as real ones: what a search for copies
costs hangs on how often short runs of words meet by chance. Frequencies follow Zipf and
Mandelbrot (the 100 most frequent words make 45 % of English text), 30 % of the words are in
stock phrases, and an article keeps to its topic. The text depends on the generator it is given
and the version of numpy only.
"""

from collections.abc import Iterator
from itertools import pairwise, product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Array = npt.NDArray[Any]  # tokens are int32, one a word: 8 * word + the bits of its spelling
MARKED, ENDS, CAPITAL = 1, 2, 4  # MARKED: a comma, or the quote where a sentence starts or ends

WORD_DRAWS, PHRASE_DRAWS = 1 << 22, 1 << 18  # equally likely; the rarest word has about one
FREQUENT_WORDS = 100  # the others are content words: 8 % are names, and topics are made of them
PHRASES, TOPICS, TOPIC_WORDS, NUMERALS = 20_000, 1_000, 300, 5_000


class Script(NamedTuple):
    """The letters of a syllable (`_` for none) and the ranks from which words are longer."""

    onsets: str
    vowels: str
    codas: str
    longer_from: tuple[int, ...]
    marks: str = '",."'  # opening quote, comma, stop, closing quote
    space: str = " "
    sentence_space: str = " "
    words: int = 200_000


IDEOGRAPHS = "".join(map(chr, range(0x4E00, 0x9FA6, 7)))  # 2,985 of them: a newspaper's worth
SCRIPTS = {
    "english": Script("_bcdfghjklmnprstvwtnsrdl", "aeiouaeio", "____nrstlm", (90, 4_000, 90_000)),
    "cyrillic": Script(
        "_бвгджзклмнпрстфхчшвнпрст", "аеиоуыяаеио", "___нрстлмй", (90, 2_000, 50_000)
    ),
    "arabic": Script("بتثجحخدذرزسشصضطعغفقكلمنهوي", "__اوي", "__نرةتلمد", (300, 8_000), "«،.»"),
    "hindi": Script("कखगघचछजटडतथदधनपफबभमयरलवशसह", "__ािीुेो", "___नरतलक", (300, 8_000), '",।"'),
    "thai": Script("กขคงจชดตทนบปผพมยรลวสหอ", "_าิีุูะ", "__นงกมดบ", (300, 8_000), '" _"', ""),
    "cjk": Script(IDEOGRAPHS, "_", "_", (150, 40_000), "“\uff0c。”", "", "", 60_000),
}


def coin_words(script: Script, rng: np.random.Generator) -> list[str]:
    """Invent the script's words, most frequent first, and then numerals."""
    syllables = ["".join(letters).replace("_", "") for letters in product(*script[:3])]
    ranks = np.arange(script.words)
    lengths = 1 + np.searchsorted(script.longer_from, ranks * rng.lognormal(0, 1, len(ranks)))
    names = (rng.random(len(ranks)) < 0.08) & (ranks >= FREQUENT_WORDS)
    picks = rng.integers(0, len(syllables), (len(ranks), 8)).tolist()
    words: dict[str, str] = {}
    for pick, length, name in zip(picks, lengths.tolist(), names.tolist(), strict=True):
        spelt = "".join([syllables[syllable] for syllable in pick[:length]])
        while not spelt or spelt in words:  # the short ones run out
            spelt += syllables[pick.pop()]
        words[spelt] = spelt.capitalize() if name else spelt
    small = [str(number) for number in (*range(1, 32), *range(1995, 2024))]
    forms = rng.choice(["{}", "{:,}", "{:,}", "{}%", "${:,}"], NUMERALS - len(small))
    large = (10 ** rng.uniform(1.5, 6, len(forms))).astype(int).tolist()
    return [*words.values(), *small, *map(str.format, forms.tolist(), large)]


def spell_forms(words: list[str], script: Script) -> Iterator[str]:
    """Spell every word with every combination of the bits MARKED, ENDS and CAPITAL."""
    opening, comma, stop, closing = (mark.strip("_") for mark in script.marks)
    for word in words:
        plain, capital = script.space + word, word[0].upper() + word[1:]
        first, quoted = script.sentence_space + capital, script.sentence_space + opening + capital
        yield from (plain, plain + comma, plain + stop, plain + stop + closing)
        yield from (first, quoted, first + stop, quoted + stop + closing)


def spread_draws(ranks: int, exponent: float, shift: float, draws: int) -> Array:
    """Give every rank its share of equally likely draws, by the Zipf-Mandelbrot law."""
    heights = np.cumsum((np.arange(1, ranks + 1) + shift) ** -exponent)
    points = (np.arange(draws) + 0.5) / draws * heights[-1]
    return np.asarray(np.searchsorted(heights, points), np.int32)


class Language:
    """Writes fresh prose in one script, as tokens from `base` on."""

    def __init__(self, script: Script, base: int, rng: np.random.Generator) -> None:
        self.script, self.base, self.rng = script, base, rng
        self.spellings = pa.array(spell_forms(coin_words(script, rng), script), pa.string())
        self.word_draws = spread_draws(script.words, 1.12, 2.7, WORD_DRAWS)
        # The shift keeps the first phrase at 0.5 % of all phrases: "of the", not a tic.
        self.phrase_draws = spread_draws(PHRASES, 1.0, 30.0, PHRASE_DRAWS)
        self.phrases = self.draw_words(4 * PHRASES).reshape(PHRASES, 4)
        self.phrase_lengths = rng.choice([2, 3, 4], PHRASES, p=[0.4, 0.35, 0.25])
        content = self.draw_words(3 * TOPICS * TOPIC_WORDS)
        content = content[content >= FREQUENT_WORDS][: TOPICS * TOPIC_WORDS]
        self.topics = content.reshape(TOPICS, TOPIC_WORDS)
        self.waiting: list[list[Array]] = []

    def draw_words(self, number: int) -> Array:
        return self.word_draws.take(self.rng.integers(0, WORD_DRAWS, number, np.int32))

    def write_article(self) -> list[Array]:
        """Write three to fourteen paragraphs (500 articles at a time, to spare the overhead)."""
        if not self.waiting:
            sizes = self.rng.integers(3, 15, 500)
            lengths = np.exp(self.rng.normal(np.log(57.5) - 0.6**2 / 2, 0.6, sizes.sum()))
            lengths = lengths.clip(8, 300).astype(np.int64)
            short = self.rng.random(len(lengths)) < 0.05  # headings, captions
            lengths[short] = self.rng.integers(1, 8, short.sum())
            topics = np.repeat(self.rng.integers(0, TOPICS, len(sizes)), sizes)
            tokens = 8 * self.choose_words(np.repeat(topics, lengths)) + self.base
            tokens += self.punctuate(lengths, short)
            ends = [0, *np.cumsum(lengths).tolist()]
            for first, last in pairwise([0, *np.cumsum(sizes).tolist()]):
                article = tokens[ends[first] : ends[last]].copy()  # a view would keep all 500
                starts = np.subtract(ends[first : last + 1], ends[first]).tolist()
                self.waiting.append([article[start:end] for start, end in pairwise(starts)])
        return self.waiting.pop()

    def choose_words(self, topics: Array) -> Array:
        """Draw one word for each place, given the topic of the place."""
        rng, places = self.rng, len(topics)
        words = self.draw_words(places + 3)  # room for a phrase that starts on the last place
        twice = np.flatnonzero(words[1:] == words[:-1])
        words[twice] = self.draw_words(len(twice))
        coins = rng.random(places, np.float32)  # phrases will hide 30 % of what is chosen here
        topical = np.flatnonzero((coins < 0.30 / 0.7) & (words[:-3] >= FREQUENT_WORDS))
        favourites = (TOPIC_WORDS * rng.random(len(topical)) ** 2).astype(np.int32)
        words[topical] = self.topics[topics[topical], favourites]
        numeric = np.flatnonzero(coins > 1 - 0.025 / 0.7)
        small_first = (NUMERALS * rng.random(len(numeric)) ** 3).astype(np.int32)
        words[numeric] = self.script.words + small_first
        # Phrases of 2.85 words that start in 12.8 % of the places, and overlap, cover 30 %.
        starts = np.flatnonzero(rng.random(places, np.float32) < 0.128)
        phrases = self.phrase_draws[rng.integers(0, PHRASE_DRAWS, len(starts), np.int32)]
        for nth in range(4):
            reached = self.phrase_lengths[phrases] > nth
            words[starts[reached] + nth] = self.phrases[phrases[reached], nth]
        return words[:places]

    def punctuate(self, lengths: Array, short: Array) -> Array:
        """Choose the bits of each place: sentences of some 20 words, some quoted, and commas."""
        rng, ends, places = self.rng, np.cumsum(lengths), lengths.sum()
        sentences = np.cumsum(rng.gamma(4.0, 5.0, places // 8).clip(4, 60).astype(np.int64))
        is_last = np.zeros(places, np.bool_)
        is_last[sentences[sentences < places]] = True
        for near in (2, 3, 4):  # no sentence of one to three words at a paragraph's end
            is_last[ends - near] = False
        is_last[ends - 1] = True
        last = np.flatnonzero(is_last)
        first = np.append(0, last[:-1] + 1)
        prose = ~short[np.searchsorted(ends, last, "right")]
        quoted = prose & (rng.random(len(last)) < 0.08)
        bits: Array = (rng.random(places, np.float32) < 0.055).astype(np.int8)  # commas
        bits[last] = 0
        bits[first] = CAPITAL + MARKED * quoted
        bits[last] |= ENDS * prose + MARKED * quoted
        return bits
