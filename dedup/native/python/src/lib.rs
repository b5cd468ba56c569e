//! The Python bindings: the module `dedup._native`. Only this crate knows pyo3 and Arrow.
//!
//! Arrow crosses by `arrow_pyarrow::PyArrowType<RecordBatch>` (arrow-pyarrow 60, pyo3 0.29). Each
//! call checks its input, releases the GIL, works, and stops soon after a signal.

#![expect(clippy::needless_pass_by_value, reason = "pyo3 hands values over")]

mod candidates;
mod corpus;
mod digests;
mod failure;
mod fingerprinter;
mod interrupt;
mod matches;
mod names;
mod readers;
mod rows;
mod scores;
mod spool;
mod tables;
mod verifier;

use pyo3::prelude::*;

use dedup_core::text::FINGERPRINT_VERSION;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("FINGERPRINT_VERSION", FINGERPRINT_VERSION)?;
    module.add_class::<spool::PySpool>()?;
    module.add_class::<fingerprinter::PyFingerprinter>()?;
    module.add_class::<fingerprinter::PyBatch>()?;
    module.add_class::<corpus::PyCorpus>()?;
    module.add_class::<candidates::PyCandidates>()?;
    module.add_class::<verifier::PyVerifier>()?;
    module.add_class::<verifier::PyVerified>()?;
    module.add_class::<verifier::PyTemplates>()?;
    module.add_class::<matches::PyMatches>()?;
    module.add_class::<matches::PyGroups>()?;
    module.add_class::<scores::PyScores>()?;
    module.add_class::<scores::PyJudged>()?;
    module.add_function(wrap_pyfunction!(verifier::is_pattern, module)?)?;
    module.add_function(wrap_pyfunction!(readers::parse_jsonl, module)?)?;
    module.add_function(wrap_pyfunction!(readers::parse_elements, module)?)?;
    module.add_class::<readers::PyJsonSplitter>()?;
    module.add_class::<readers::PyCsvSkipper>()?;
    module.add_class::<digests::PyHasher>()?;
    module.add_function(wrap_pyfunction!(fingerprinter::needed_memory, module)?)?;
    module.add_function(wrap_pyfunction!(readers::parse_csv, module)?)?;
    module.add_function(wrap_pyfunction!(digests::digest_file, module)?)?;
    module.add_function(wrap_pyfunction!(digests::count_repeated, module)?)?;
    module.add_function(wrap_pyfunction!(names::exchange_names, module)?)?;
    module.add_function(wrap_pyfunction!(names::rename_new, module)?)?;
    Ok(())
}
