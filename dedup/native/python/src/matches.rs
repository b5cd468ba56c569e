//! What was found: pairs, clusters, evidence, templates, article matches.

use arrow_array::{Array, UInt32Array};
use pyo3::prelude::*;

use crate::corpus::PyCorpus;
use crate::failure::{Outcome, wrong_type, wrong_value};
use crate::interrupt::interruptible;
use crate::rows::{Table, first_column};
use crate::spool::{Saved, from_saved, to_saved};
use crate::tables::{self, Unit};
use dedup_core::Error;
use dedup_core::matches::Matches;
use dedup_core::matching::Groups;

/// What was verified: pairs, clusters, evidence, article matches.
#[pyclass(name = "Matches", frozen, module = "dedup._native")]
pub struct PyMatches(pub Matches);

#[pymethods]
impl PyMatches {
    /// Limits that were hit, by name.
    #[getter]
    fn limits(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("capped_buckets", self.0.verified.capped_buckets),
            ("too_long_to_align", self.0.too_long()),
            ("costly_pairs", self.0.costly()),
            ("large_families", self.0.verified.large_families),
        ]
    }

    /// Pairs of paragraphs that were compared, by outcome.
    #[getter]
    fn comparisons(&self) -> Vec<(&'static str, u64)> {
        let verified = &self.0.verified;
        let near_copies = verified.pairs.len() as u64;
        vec![
            ("refuted_by_words", verified.refuted),
            ("aligned", verified.aligned),
            ("near_copies", near_copies),
        ]
    }

    /// Candidates that were proposed.
    #[getter]
    fn candidates(&self) -> usize {
        self.0.verified.candidates
    }

    /// Verified pairs of a unit.
    fn count_pairs(&self, unit: &str) -> Outcome<usize> {
        Ok(tables::pairs_of(&self.0, read_unit(unit)?).len())
    }

    /// Clusters of a unit.
    fn count_clusters(&self, unit: &str) -> Outcome<usize> {
        Ok(tables::ids_of(&self.0, read_unit(unit)?).len())
    }

    /// The ids of clusters of a unit, named by number in one uint32 column.
    fn cluster_ids(&self, unit: &str, numbers: Table) -> Outcome<Table> {
        let ids = tables::ids_of(&self.0, read_unit(unit)?);
        let numbers = first_column::<UInt32Array>(&numbers.0)
            .filter(|numbers| numbers.null_count() == 0)
            .ok_or_else(|| wrong_type("numbers must be uint32, none null"))?;
        tables::cluster_ids(ids, numbers.values())
            .ok_or_else(|| wrong_value("there is no such cluster"))?
    }

    /// Add everything to the corpus's spool; return its place.
    fn save(&self, py: Python<'_>, corpus: &PyCorpus) -> Outcome<Saved> {
        let extent = interruptible(py, &corpus.0.spool.stop, || self.0.save(&corpus.0.spool))?;
        Ok(to_saved(extent))
    }

    /// Restore what another process saved.
    #[staticmethod]
    fn restore(py: Python<'_>, corpus: &PyCorpus, saved: Saved) -> Outcome<Self> {
        let matches = interruptible(py, &corpus.0.spool.stop, || {
            Matches::restore(from_saved(saved), &corpus.0.spool)
        })?;
        Ok(Self(matches))
    }

    /// One row per template.
    fn template_rows(&self) -> Outcome<Table> {
        tables::template_rows(&self.0)
    }

    /// One row per example of a template.
    fn template_places(&self, corpus: &PyCorpus) -> Outcome<Table> {
        tables::template_places(&corpus.0, &self.0)
    }

    /// One row per slot of a template.
    fn slot_rows(&self) -> Outcome<Table> {
        tables::slot_rows(&self.0)
    }

    /// The verified pairs `start..end` of a unit.
    fn pair_rows(
        &self,
        py: Python<'_>,
        corpus: &PyCorpus,
        unit: &str,
        start: usize,
        end: usize,
    ) -> Outcome<Table> {
        let unit = read_unit(unit)?;
        interruptible(py, &corpus.0.spool.stop, || {
            tables::pair_rows(&corpus.0, &self.0, unit, start..end)
        })
    }

    /// Members of clusters of a unit in the articles `start..end`, every holder on its own.
    fn member_rows(
        &self,
        py: Python<'_>,
        corpus: &PyCorpus,
        unit: &str,
        start: usize,
        end: usize,
    ) -> Outcome<Table> {
        let (unit, range) = (read_unit(unit)?, corpus.range(start, end)?);
        interruptible(py, &corpus.0.spool.stop, || {
            tables::member_rows(&corpus.0, &self.0, unit, range)
        })
    }

    /// Gather the members of every cluster of a unit. `facts` are two columns, one value per
    /// article: its source as an int32, and its date as an int64.
    fn group(
        &self,
        py: Python<'_>,
        corpus: &PyCorpus,
        unit: &str,
        facts: Table,
        threads: usize,
    ) -> Outcome<PyGroups> {
        let unit = read_unit(unit)?;
        let [sources, dates] = facts.0.columns() else {
            return Err(wrong_type("facts must be two columns"));
        };
        let facts = tables::Facts::new(sources, dates, corpus.0.articles.len())
            .ok_or_else(|| wrong_type("facts must be int32 and int64, one per article"))?;
        let groups = interruptible(py, &corpus.0.spool.stop, || {
            Ok::<_, Error>(tables::group(&corpus.0, &self.0, unit, threads))
        })?;
        Ok(PyGroups {
            unit,
            groups,
            facts,
        })
    }

    /// Clusters `start..end` of a unit with their members summed up.
    fn cluster_rows(
        &self,
        py: Python<'_>,
        corpus: &PyCorpus,
        groups: &PyGroups,
        start: usize,
        end: usize,
    ) -> Outcome<Table> {
        let PyGroups {
            unit,
            groups,
            facts,
        } = groups;
        interruptible(py, &corpus.0.spool.stop, || {
            tables::cluster_rows(&corpus.0, &self.0, *unit, groups, facts, start..end)
        })
    }
}

/// The members of the clusters of a unit, and facts about articles.
#[pyclass(name = "Groups", frozen, module = "dedup._native")]
pub struct PyGroups {
    unit: Unit,
    groups: Groups,
    facts: tables::Facts,
}

fn read_unit(unit: &str) -> Outcome<Unit> {
    match unit {
        "paragraph" => Ok(Unit::Paragraph),
        "article" => Ok(Unit::Article),
        other => Err(wrong_value(format!("no unit {other:?}"))),
    }
}
