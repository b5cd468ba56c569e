//! The engine's classes: state that stays in Rust, tables that leave it.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{Array, Int32Array, Int64Array, RecordBatch, StringArray};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use super::{Table, tables};
use crate::align::Rule;
use crate::candidates::{Candidates, find_candidates, join_candidates};
use crate::corpus::{Corpus, NO_DISTINCT, Spooled};
use crate::error::Error;
use crate::fingerprint::{Options, Worker};
use crate::matches::{Matches, match_candidates};
use crate::pairs::Verifier;
use crate::redundancy::{Judged, Scores, judge, score};
use crate::split::Paragraphs;
use crate::spool::Spool;
use crate::templates::{self, Kind, Known, Mining, Pattern};

/// Turns batches of articles into fingerprints; text and rows go to a temporary file.
#[pyclass(name = "Fingerprinter", frozen, module = "dedup._native")]
pub struct PyFingerprinter {
    options: Options,
    spool: Arc<Spool>,
    /// Workers that no thread uses now.
    idle: Mutex<Vec<Worker>>,
}

#[pymethods]
impl PyFingerprinter {
    #[new]
    #[pyo3(signature = (folder, *, paragraphs, min_tokens, bands, rows, min_repeat_tokens))]
    fn new(
        folder: PathBuf,
        paragraphs: &str,
        min_tokens: usize,
        bands: usize,
        rows: usize,
        min_repeat_tokens: u32,
    ) -> PyResult<Self> {
        let paragraphs = match paragraphs {
            "auto" => Paragraphs::Auto,
            "line" => Paragraphs::Line,
            "blank" => Paragraphs::Blank,
            other => {
                return Err(PyValueError::new_err(format!(
                    "no paragraph mode {other:?}"
                )));
            }
        };
        if min_tokens < 2 || bands == 0 || rows == 0 {
            return Err(PyValueError::new_err(
                "min_tokens, bands and rows must be positive",
            ));
        }
        let options = Options {
            paragraphs,
            min_tokens,
            bands,
            rows,
            min_repeat_tokens,
        };
        Ok(Self {
            options,
            spool: Arc::new(Spool::new(&folder)?),
            idle: Mutex::default(),
        })
    }

    /// Fingerprint the first column of a record batch: strings, none null. Thread-safe.
    fn fingerprint(&self, py: Python<'_>, articles: Table) -> PyResult<PyBatch> {
        let texts = first_column::<StringArray>(&articles.0)
            .filter(|texts| texts.null_count() == 0)
            .ok_or_else(|| PyTypeError::new_err("the first column must be strings, none null"))?;
        let spooled = py.detach(|| self.spool(texts))?;
        Ok(PyBatch(Some(spooled)))
    }
}

impl PyFingerprinter {
    fn spool(&self, texts: &StringArray) -> Result<Spooled, Error> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let worker = idle().pop();
        let mut worker = worker.unwrap_or_else(|| Worker::new(self.options));
        worker.fingerprint((0..texts.len()).map(|i| texts.value(i)));
        let offsets = texts.value_offsets();
        let start = offsets.first().copied().unwrap_or(0);
        let end = offsets.last().copied().unwrap_or(0);
        let text = &texts.value_data()[start as usize..end as usize];
        let offsets = offsets.iter().map(|at| (at - start) as u32).collect();
        let spooled = Spooled::new(&mut worker, text, offsets, &self.spool)?;
        idle().push(worker);
        Ok(spooled)
    }
}

/// A fingerprinted batch on its way to a corpus, nothing once it is there.
#[pyclass(name = "Batch", module = "dedup._native")]
pub struct PyBatch(Option<Spooled>);

/// All articles of a scan.
#[pyclass(name = "Corpus", module = "dedup._native")]
pub struct PyCorpus(Corpus);

#[pymethods]
impl PyCorpus {
    #[new]
    fn new(fingerprinter: &PyFingerprinter) -> Self {
        Self(Corpus::new(Arc::clone(&fingerprinter.spool)))
    }

    /// Take over a batch; batches come in input order, each once.
    fn add(&mut self, batch: &mut PyBatch) -> PyResult<()> {
        let spooled = batch.0.take();
        let spooled =
            spooled.ok_or_else(|| PyValueError::new_err("this batch was added before"))?;
        Ok(self.0.add(spooled)?)
    }

    /// Collapse exact copies. `order` is one int64 column: the articles, earliest first.
    fn set_order(&mut self, py: Python<'_>, order: Table, threads: usize) -> PyResult<()> {
        let order: Vec<u32> = first_column::<Int64Array>(&order.0)
            .filter(|order| order.null_count() == 0)
            .ok_or_else(|| PyTypeError::new_err("the order must be int64, none null"))?
            .values()
            .iter()
            .map(|article| u32::try_from(*article).unwrap_or(u32::MAX))
            .collect();
        let mut sorted = order.clone();
        sorted.sort_unstable();
        if !sorted.into_iter().eq(0..self.0.articles.len() as u32) {
            return Err(PyValueError::new_err(
                "the order must name every article once",
            ));
        }
        Ok(py.detach(|| self.0.set_order(&order, threads))?)
    }

    #[getter]
    fn articles(&self) -> usize {
        self.0.articles.len()
    }

    #[getter]
    fn paragraphs(&self) -> usize {
        self.0.paragraphs.len()
    }

    #[getter]
    fn distincts(&self) -> usize {
        self.0.distincts.len()
    }

    /// Pair paragraphs that share a band key or an anchor.
    fn find_candidates(
        &self,
        py: Python<'_>,
        max_leaders: usize,
        threads: usize,
    ) -> PyResult<PyCandidates> {
        let candidates = py.detach(|| find_candidates(&self.0, max_leaders, threads))?;
        Ok(PyCandidates(candidates))
    }

    /// Pair paragraphs that share enough words, by a full join, or an anchor.
    fn join_candidates(
        &self,
        py: Python<'_>,
        threshold: f64,
        min_tokens: u32,
        max_leaders: usize,
        threads: usize,
    ) -> PyResult<PyCandidates> {
        let candidates =
            py.detach(|| join_candidates(&self.0, threshold, min_tokens, max_leaders, threads))?;
        Ok(PyCandidates(candidates))
    }

    /// Align candidates, complete families, gather clusters and evidence. `memory` is how many
    /// bytes of tokens to hold at once. Without `min_support` no template is looked for; `packs`
    /// are (kind, pattern, number of its pack).
    #[pyo3(signature = (candidates, *, threshold, containment, min_shared_tokens, min_run_tokens, threads, memory, min_support, packs))]
    #[expect(
        clippy::too_many_arguments,
        reason = "keyword-only, each a setting of the user's"
    )]
    fn verify(
        &self,
        py: Python<'_>,
        candidates: &PyCandidates,
        threshold: f64,
        containment: f64,
        min_shared_tokens: u32,
        min_run_tokens: u32,
        threads: usize,
        memory: usize,
        min_support: Option<u32>,
        packs: Vec<(String, String, u32)>,
    ) -> PyResult<PyMatches> {
        let verifier = Verifier {
            corpus: &self.0,
            rule: Rule {
                threshold,
                containment,
                min_shared: min_shared_tokens,
            },
            min_run_words: min_run_tokens,
            threads,
            memory,
        };
        let options = |min_support| templates::Options {
            min_support,
            memory,
            threads,
        };
        let packs: PyResult<Vec<Known>> = packs.into_iter().map(read_known).collect();
        let packs = packs?;
        let mining = min_support.map(|min_support| Mining {
            options: options(min_support),
            packs,
        });
        let matches =
            py.detach(|| match_candidates(&verifier, &candidates.0.pairs, mining.as_ref()))?;
        Ok(PyMatches(matches))
    }

    /// Count the repeated and copied words of every article.
    fn score(&self, py: Python<'_>, matches: &PyMatches, threads: usize) -> PyScores {
        PyScores(py.detach(|| score(&self.0, &matches.0.evidence, threads)))
    }

    /// One row an article of `start..end`.
    fn article_rows(
        &self,
        matches: &PyMatches,
        scores: &PyScores,
        start: usize,
        end: usize,
    ) -> PyResult<Table> {
        let range = self.range(start, end)?;
        tables::article_rows(&self.0, &matches.0, &scores.0, range)
    }

    /// Say what became of the paragraphs of the articles `start..end`.
    fn judge(
        &self,
        py: Python<'_>,
        matches: &PyMatches,
        scores: &PyScores,
        start: usize,
        end: usize,
    ) -> PyResult<PyJudged> {
        let range = self.range(start, end)?;
        let judged = py.detach(|| {
            let articles = range.start as u32..range.end as u32;
            judge(&self.0, &matches.0.evidence, &scores.0, articles)
        });
        Ok(PyJudged { range, judged })
    }

    /// One row a paragraph that was judged.
    fn paragraph_rows(&self, matches: &PyMatches, judged: &PyJudged) -> PyResult<Table> {
        tables::paragraph_rows(&self.0, &matches.0, &judged.judged, judged.range.clone())
    }

    /// One row a flagged span of those articles.
    fn span_rows(&self, matches: &PyMatches, judged: &PyJudged) -> PyResult<Table> {
        tables::span_rows(&self.0, &matches.0, &judged.judged)
    }

    /// Verified pairs of paragraphs.
    fn paragraph_pairs(&self, matches: &PyMatches) -> PyResult<Table> {
        tables::paragraph_pairs(&self.0, &matches.0)
    }

    /// Verified pairs of articles.
    fn article_pairs(&self, matches: &PyMatches) -> PyResult<Table> {
        tables::article_pairs(&self.0, &matches.0)
    }

    /// One row an example of a template.
    fn template_places(&self, matches: &PyMatches) -> PyResult<Table> {
        tables::template_places(&self.0, &matches.0)
    }

    /// Members of paragraph clusters, every holder on its own.
    fn paragraph_members(&self, matches: &PyMatches) -> PyResult<Table> {
        tables::paragraph_members(&self.0, &matches.0)
    }

    /// Members of article clusters.
    fn article_members(&self, matches: &PyMatches) -> PyResult<Table> {
        tables::article_members(&self.0, &matches.0)
    }

    /// Representative of every cluster of a unit, by the cluster's number, with its id and the
    /// number of its paragraph (of articles: the first with words).
    fn cluster_heads(&self, matches: &PyMatches, unit: &str) -> PyResult<Table> {
        match unit {
            "paragraph" => tables::paragraph_heads(&self.0, &matches.0),
            "article" => tables::article_heads(&self.0, &matches.0),
            other => Err(PyValueError::new_err(format!("no unit {other:?}"))),
        }
    }

    /// The texts of paragraphs, named by number in one int32 column.
    fn texts(&self, py: Python<'_>, paragraphs: Table) -> PyResult<Table> {
        let paragraphs: Vec<u32> = first_column::<Int32Array>(&paragraphs.0)
            .filter(|paragraphs| paragraphs.null_count() == 0)
            .ok_or_else(|| PyTypeError::new_err("paragraphs must be int32, none null"))?
            .values()
            .iter()
            .map(|paragraph| *paragraph as u32)
            .collect();
        let has_words = |p: &u32| {
            self.0
                .distinct_of
                .get(*p as usize)
                .is_some_and(|d| *d != NO_DISTINCT)
        };
        if !paragraphs.iter().all(has_words) {
            return Err(PyValueError::new_err(
                "there is no such paragraph with words",
            ));
        }
        let texts = py.detach(|| tables::texts(&self.0, &paragraphs))?;
        tables::text_rows(&texts)
    }
}

impl PyCorpus {
    fn range(&self, start: usize, end: usize) -> PyResult<Range<usize>> {
        let len = self.0.articles.len();
        if start > end || end > len {
            return Err(PyValueError::new_err(format!(
                "no articles {start}..{end} among {len}"
            )));
        }
        Ok(start..end)
    }
}

fn read_known((kind, text, pack): (String, String, u32)) -> PyResult<Known> {
    let pattern = Pattern::parse(read_kind(&kind)?, &text);
    let pattern =
        pattern.ok_or_else(|| PyValueError::new_err(format!("no template is {text:?}")))?;
    Ok(Known {
        pattern,
        text,
        pack,
    })
}

fn read_kind(kind: &str) -> PyResult<Kind> {
    match kind {
        "sentence" => Ok(Kind::Sentence),
        "opener" => Ok(Kind::Opener),
        other => Err(PyValueError::new_err(format!("no kind {other:?}"))),
    }
}

/// Whether a template can be written so.
#[pyfunction]
pub fn is_pattern(kind: &str, text: &str) -> PyResult<bool> {
    Ok(Pattern::parse(read_kind(kind)?, text).is_some())
}

/// Pairs worth aligning.
#[pyclass(name = "Candidates", frozen, module = "dedup._native")]
pub struct PyCandidates(Candidates);

#[pymethods]
impl PyCandidates {
    fn __len__(&self) -> usize {
        self.0.pairs.len()
    }

    /// Buckets with more members than were compared with each other.
    #[getter]
    fn capped_buckets(&self) -> u64 {
        self.0.capped_buckets
    }
}

/// What was verified: pairs, clusters, evidence, article matches.
#[pyclass(name = "Matches", frozen, module = "dedup._native")]
pub struct PyMatches(Matches);

#[pymethods]
impl PyMatches {
    /// Limits that were hit, by name.
    #[getter]
    fn limits(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("too_long_to_align", self.0.too_long()),
            ("large_families", self.0.verified.large_families),
        ]
    }

    /// One row a template.
    fn template_rows(&self) -> PyResult<Table> {
        tables::template_rows(&self.0)
    }

    /// One row a slot of a template.
    fn slot_rows(&self) -> PyResult<Table> {
        tables::slot_rows(&self.0)
    }
}

/// What became of the paragraphs of some articles, and their flagged spans.
#[pyclass(name = "Judged", frozen, module = "dedup._native")]
pub struct PyJudged {
    range: Range<usize>,
    judged: Judged,
}

/// The counts of every article.
#[pyclass(name = "Scores", frozen, module = "dedup._native")]
pub struct PyScores(Scores);

#[pymethods]
impl PyScores {
    /// Which article copied words from which, as row numbers, each pair once.
    fn copies(&self) -> PyResult<Table> {
        tables::copies(&self.0)
    }
}

fn first_column<T: 'static>(batch: &RecordBatch) -> Option<&T> {
    batch.columns().first()?.as_any().downcast_ref()
}
