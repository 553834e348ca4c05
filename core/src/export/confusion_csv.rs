//! Which labels are taken for which, as a table.

use crate::error::{Error, Result};
use crate::run::event::Score;

/// The file: a row for each true label, pixels by the label that was drawn, `no label` last; names stand first.
///
/// # Errors
/// [`Error::Format`] with what the writer said.
pub fn encode(score: &Score) -> Result<Vec<u8>> {
    let fault = |reason: String| Error::Format { path: "confusion.csv".into(), reason };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write =
        |record: Vec<String>| writer.write_record(record).map_err(|error| fault(error.to_string()));
    let names = || score.iou.iter().map(|(name, _)| name.clone());
    write(["truth".to_owned()].into_iter().chain(names()).chain(["no label".to_owned()]).collect())?;
    for (name, row) in names().zip(&score.confusion) {
        write([name].into_iter().chain(row.iter().map(u64::to_string)).collect())?;
    }
    writer.into_inner().map_err(|error| fault(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_the_truth() {
        let score = Score {
            iou: vec![("background".into(), None), ("a, \"b\"".into(), None)],
            confusion: vec![vec![7, 2, 0], vec![1, 5, 3]],
            ..Score::default()
        };
        let table = String::from_utf8(encode(&score).unwrap()).unwrap();
        assert_eq!(
            table,
            "truth,background,\"a, \"\"b\"\"\",no label\nbackground,7,2,0\n\"a, \"\"b\"\"\",1,5,3\n"
        );
    }
}
