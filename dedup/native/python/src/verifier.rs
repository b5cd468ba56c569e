//! Candidates to matches: the verifier, and what it has found so far.

use pyo3::prelude::*;

use crate::candidates::PyCandidates;
use crate::corpus::PyCorpus;
use crate::failure::{Failure, Outcome, wrong_value};
use crate::interrupt::interruptible;
use crate::matches::PyMatches;
use crate::rows::Table;
use crate::spool::{Saved, restore, to_saved};
use dedup_core::Error;
use dedup_core::agree::Rule;
use dedup_core::flow::match_verified;
use dedup_core::formulas::boilerplate::Support;
use dedup_core::formulas::set_templates_aside;
use dedup_core::formulas::templates::{self, Kind, Known, Mining, Pattern, Templates};
use dedup_core::matching::{Verified, Verifier};
use dedup_core::store::checkpoint;

/// Says when two texts are near-copies, by aligning them.
#[pyclass(name = "Verifier", frozen, module = "dedup._native")]
pub struct PyVerifier {
    rule: Rule,
    min_run_words: u32,
    min_support: u32,
    threads: usize,
}

#[pymethods]
impl PyVerifier {
    #[new]
    #[pyo3(signature = (*, threshold, containment, min_shared_tokens, min_run_tokens, min_support, threads))]
    fn new(
        threshold: f64,
        containment: f64,
        min_shared_tokens: u32,
        min_run_tokens: u32,
        min_support: u32,
        threads: usize,
    ) -> Self {
        Self {
            rule: Rule {
                threshold,
                containment,
                min_shared: min_shared_tokens,
            },
            min_run_words: min_run_tokens,
            min_support,
            threads,
        }
    }

    /// Align the next candidates, and return where in the spool the outcome is. `memory` is how
    /// many bytes of tokens to hold at once.
    fn verify(
        &self,
        py: Python<'_>,
        corpus: &PyCorpus,
        candidates: &PyCandidates,
        verified: &mut PyVerified,
        memory: usize,
    ) -> Outcome<Saved> {
        let verifier = self.of(corpus, memory);
        let verified = verified.get()?;
        let rest = candidates.0.pairs.get(verified.done..).unwrap_or_default();
        let (turn, extent) = interruptible(py, &corpus.0.spool.stop, || {
            let turn = verifier.verify_next(rest, &verified.families)?;
            let extent = checkpoint::save(&turn, &corpus.0.spool)?;
            Ok::<_, Error>((turn, extent))
        })?;
        verified.extend(turn);
        Ok(to_saved(extent))
    }

    /// Compare near-copies of the same paragraph with each other, once all candidates are aligned.
    /// The candidates are then dropped. False if what is found takes more than `memory` bytes.
    fn complete(
        &self,
        py: Python<'_>,
        corpus: &PyCorpus,
        candidates: &mut PyCandidates,
        verified: &mut PyVerified,
        memory: usize,
    ) -> Outcome<bool> {
        let verifier = self.of(corpus, memory);
        let verified = verified.get()?;
        let candidates = std::mem::take(&mut candidates.0);
        interruptible(py, &corpus.0.spool.stop, || {
            verifier.complete_families(verified, &candidates)
        })
    }

    /// Find templates, and keep the pairs that hold without them. `packs` are (kind, pattern,
    /// number of its pack).
    fn find_templates(
        &self,
        py: Python<'_>,
        corpus: &PyCorpus,
        verified: &mut PyVerified,
        packs: Vec<(String, String, u32)>,
        memory: usize,
    ) -> Outcome<PyTemplates> {
        let packs: Outcome<Vec<Known>> = packs.into_iter().map(read_known).collect();
        let mining = Mining {
            options: templates::Options {
                min_support: self.min_support,
                threads: self.threads,
            },
            packs: packs?,
        };
        let verifier = self.of(corpus, memory);
        let verified = verified.get()?;
        let found = interruptible(py, &corpus.0.spool.stop, || {
            set_templates_aside(&verifier, &mining, verified)
        })?;
        Ok(PyTemplates(Some(found)))
    }

    /// Find clusters and evidence. `sources` is one int32 column: the source of each article as a
    /// number, null where it is unknown.
    fn match_verified(
        &self,
        py: Python<'_>,
        corpus: &PyCorpus,
        verified: &mut PyVerified,
        templates: &mut PyTemplates,
        sources: Table,
        memory: usize,
    ) -> Outcome<PyMatches> {
        let sources = corpus.sources(&sources.0)?;
        let support = Support {
            min_articles: self.min_support,
            sources: &sources,
        };
        let verifier = self.of(corpus, memory);
        let verified = verified.0.take().ok_or_else(matched_before)?;
        let templates = templates.0.take().ok_or_else(matched_before)?;
        let matches = interruptible(py, &corpus.0.spool.stop, || {
            match_verified(&verifier, verified, templates, support)
        })?;
        Ok(PyMatches(matches))
    }
}

impl PyVerifier {
    fn of<'a>(&self, corpus: &'a PyCorpus, memory: usize) -> Verifier<'a> {
        Verifier {
            corpus: &corpus.0,
            rule: self.rule,
            min_run_words: self.min_run_words,
            threads: self.threads,
            memory,
        }
    }
}

/// Pairs and shared runs found so far; none once they are matched.
#[pyclass(name = "Verified", module = "dedup._native")]
pub struct PyVerified(Option<Verified>);

#[pymethods]
impl PyVerified {
    #[new]
    fn new() -> Self {
        Self(Some(Verified::default()))
    }

    /// Candidates compared, counted from the first.
    #[getter]
    fn done(&mut self) -> Outcome<usize> {
        Ok(self.get()?.done)
    }

    /// Add the outcome of `Verifier.verify` in another process.
    fn restore(&mut self, py: Python<'_>, corpus: &PyCorpus, saved: Saved) -> Outcome<()> {
        let turn: Verified = restore(py, &corpus.0.spool, saved)?;
        self.get()?.extend(turn);
        Ok(())
    }
}

/// Templates, and the pairs that hold without them; none once they are matched.
#[pyclass(name = "Templates", module = "dedup._native")]
pub struct PyTemplates(Option<Templates>);

#[pymethods]
impl PyTemplates {
    /// No templates.
    #[new]
    fn new() -> Self {
        Self(Some(Templates::default()))
    }

    /// Add the templates and the pairs to the corpus's spool.
    fn save(
        &self,
        py: Python<'_>,
        corpus: &PyCorpus,
        verified: &mut PyVerified,
    ) -> Outcome<(Saved, Saved)> {
        let spool = &corpus.0.spool;
        let verified = verified.get()?;
        let templates = self.0.as_ref().ok_or_else(matched_before)?;
        let (templates, verified) = interruptible(py, &corpus.0.spool.stop, || {
            let templates = checkpoint::save(templates, spool)?;
            Ok::<_, Error>((templates, checkpoint::save(verified, spool)?))
        })?;
        Ok((to_saved(templates), to_saved(verified)))
    }

    /// Restore both as another process saved them.
    #[staticmethod]
    fn restore(
        py: Python<'_>,
        corpus: &PyCorpus,
        templates: Saved,
        verified: Saved,
    ) -> Outcome<(Self, PyVerified)> {
        let templates = restore(py, &corpus.0.spool, templates)?;
        let verified = restore(py, &corpus.0.spool, verified)?;
        Ok((Self(Some(templates)), PyVerified(Some(verified))))
    }
}

impl PyVerified {
    fn get(&mut self) -> Outcome<&mut Verified> {
        self.0.as_mut().ok_or_else(matched_before)
    }
}

fn matched_before() -> Failure {
    wrong_value("these pairs were matched before")
}

fn read_known((kind, text, pack): (String, String, u32)) -> Outcome<Known> {
    let pattern = Pattern::parse(read_kind(&kind)?, &text);
    let pattern = pattern.ok_or_else(|| wrong_value(format!("no template is {text:?}")))?;
    Ok(Known {
        pattern,
        text,
        pack,
    })
}

fn read_kind(kind: &str) -> Outcome<Kind> {
    match kind {
        "sentence" => Ok(Kind::Sentence),
        "opener" => Ok(Kind::Opener),
        other => Err(wrong_value(format!("no kind {other:?}"))),
    }
}

/// Whether a text is a valid template.
#[pyfunction]
pub fn is_pattern(kind: &str, text: &str) -> Outcome<bool> {
    Ok(Pattern::parse(read_kind(kind)?, text).is_some())
}
