//! Which labels are taken for which, as a table of shares.

use tag2mask_core::run::event::Score;

/// A row: a true label.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// For each drawn label the share of the row's pixels, 0 to 1; `None` where the truth never has the label.
    pub shares: Vec<Option<f64>>,
}

/// Names of the columns, and the rows; `None` where nothing was counted.
pub fn table(score: &Score) -> Option<(Vec<String>, Vec<Row>)> {
    if score.confusion.is_empty() {
        return None;
    }
    let shares = score.confusion_shares();
    let mut names: Vec<String> = score.iou.iter().map(|(name, _)| name.clone()).collect();
    let labels = names.len();
    let at = |row: &Option<Vec<f64>>, column: usize| row.as_ref().and_then(|row| row.get(column).copied());
    // Of what few masks have: pixels that are of no label.
    if shares.iter().any(|row| at(row, labels).is_some_and(|share| share > 0.0)) {
        names.push("no label".into());
    }
    let row = |(name, row): (&String, &Option<Vec<f64>>)| Row {
        name: name.clone(),
        shares: (0..names.len()).map(|column| at(row, column)).collect(),
    };
    let rows = names.iter().take(labels).zip(&shares).map(row).collect();
    Some((names, rows))
}

/// A share in whole percent; what is there but rounds to nothing is said to be.
pub fn cell(share: Option<f64>) -> String {
    match share {
        None => "–".into(),
        Some(share) if share > 0.0 && share < 0.005 => "<1".into(),
        Some(share) => format!("{:.0}", 100.0 * share),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(confusion: Vec<Vec<u64>>) -> Score {
        let iou = vec![("background".into(), None), ("cow".into(), None)];
        Score { iou, confusion, ..Score::default() }
    }

    #[test]
    fn rows_are_shares_of_the_truth_and_no_label_is_shown_where_there_is_any() {
        assert_eq!(table(&score(Vec::new())), None);
        let (names, rows) = table(&score(vec![vec![3, 1, 0], vec![0, 0, 0]])).unwrap();
        assert_eq!((names.len(), rows[0].shares.as_slice()), (2, &[Some(0.75), Some(0.25)][..]));
        assert_eq!(rows[1].shares, [None, None]);
        let (names, rows) = table(&score(vec![vec![3, 0, 1], vec![0, 1, 0]])).unwrap();
        assert_eq!((names[2].as_str(), rows[0].shares[2]), ("no label", Some(0.25)));
        assert_eq!([None, Some(0.0), Some(0.001), Some(0.256)].map(cell), ["–", "0", "<1", "26"]);
    }
}
