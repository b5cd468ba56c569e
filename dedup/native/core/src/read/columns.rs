//! Columns of strings in Arrow's layout, filled a row at a time.

use crate::error::Error;

/// A count as the tables hold it.
///
/// # Errors
/// `TooLarge` if it has more than 31 bits.
pub fn to_signed(count: u32) -> Result<i32, Error> {
    i32::try_from(count).map_err(|_| Error::TooLarge { count })
}

/// A column of strings, any of which may be null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StringColumn {
    /// Where each value ends; the first entry is 0, so value `i` is `offsets[i]..offsets[i + 1]`.
    pub offsets: Vec<i32>,
    /// All values, one after another.
    pub values: String,
    /// False where the value is null.
    pub valid: Vec<bool>,
}

impl Default for StringColumn {
    fn default() -> Self {
        Self {
            offsets: vec![0],
            values: String::new(),
            valid: Vec::new(),
        }
    }
}

impl StringColumn {
    /// Append a value.
    ///
    /// # Errors
    /// `TooLong` if the column would outgrow its 32-bit offsets.
    pub fn push(&mut self, value: &str) -> Result<(), Error> {
        self.values.push_str(value);
        self.end_value(true)
    }

    /// Append a null.
    ///
    /// # Errors
    /// `TooLong`, as for a value.
    pub fn push_null(&mut self) -> Result<(), Error> {
        self.end_value(false)
    }

    /// Let `write` append a value to the text of the column; a null is appended if it fails.
    ///
    /// # Errors
    /// What `write` gave is the inner result; the outer is `TooLong`, as for `push`.
    pub fn push_with<E>(
        &mut self,
        write: impl FnOnce(&mut String) -> Result<(), E>,
    ) -> Result<Result<(), E>, Error> {
        let start = self.values.len();
        let outcome = write(&mut self.values);
        if outcome.is_err() {
            self.values.truncate(start);
        }
        self.end_value(outcome.is_ok())?;
        Ok(outcome)
    }

    fn end_value(&mut self, valid: bool) -> Result<(), Error> {
        let bytes = self.values.len();
        self.offsets
            .push(i32::try_from(bytes).map_err(|_| Error::TooLong { bytes })?);
        self.valid.push(valid);
        Ok(())
    }

    /// How many values there are, nulls included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.valid.len()
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.valid.is_empty()
    }

    /// Every value in order, `None` for a null.
    pub fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        let ends = self.offsets.windows(2);
        self.valid.iter().zip(ends).map(|(&valid, ends)| {
            let start = usize::try_from(ends[0]).unwrap_or(0);
            let end = usize::try_from(ends[1]).unwrap_or(0);
            valid.then(|| &self.values[start..end])
        })
    }
}

/// Rows read from a file: the wanted fields, where each row was, and, for a row that cannot be
/// read, why.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ArticleRows {
    /// One column for each wanted field.
    pub columns: Vec<StringColumn>,
    /// The row's place in the file.
    pub numbers: Vec<i64>,
    /// Null for a good row.
    pub reasons: StringColumn,
}

impl ArticleRows {
    /// No rows yet, of `width` columns.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self {
            columns: vec![StringColumn::default(); width],
            ..Self::default()
        }
    }

    /// Complete the row whose values were pushed to the columns.
    ///
    /// # Errors
    /// `TooLong` if the reasons outgrow a column.
    pub fn end_row(&mut self, number: i64, problem: Option<String>) -> Result<(), Error> {
        self.numbers.push(number);
        match problem {
            None => self.reasons.push_null(),
            Some(reason) => self.reasons.push(&reason),
        }
    }

    /// Append a row of nulls with the reason why it could not be read.
    ///
    /// # Errors
    /// `TooLong` if the reasons outgrow a column.
    pub fn push_unreadable(&mut self, number: i64, reason: String) -> Result<(), Error> {
        for column in &mut self.columns {
            column.push_null()?;
        }
        self.end_row(number, Some(reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_itself_or_refused() {
        assert_eq!(to_signed(0).unwrap(), 0);
        assert_eq!(to_signed(i32::MAX as u32).unwrap(), i32::MAX);
        for count in [i32::MAX as u32 + 1, u32::MAX] {
            let message = to_signed(count).unwrap_err().to_string();
            assert!(message.starts_with(&count.to_string()), "{message}");
        }
    }
}
