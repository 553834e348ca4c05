//! The dense CRF, against pydensecrf on a photo.

use super::Measured;
use crate::backbone::weights::TensorFile;
use crate::error::{Error, Result};
use crate::masks::LabelMap;
use crate::masks::dense_crf::mean_field;
use crate::run::settings::CrfSettings;

/// At most this share of pixels may get another label.
const TOLERANCE: f64 = 0.005;

pub(super) fn check(name: &str, file: &TensorFile) -> Result<Vec<Measured>> {
    let (q_shape, q) = file.get("q")?;
    let &[count, height, width] = q_shape else {
        return Err(Error::Format {
            path: name.to_owned(),
            reason: "q is not [labels, height, width]".into(),
        });
    };
    let bytes = |tensor: &str| -> Result<Vec<u8>> {
        Ok(file.get(tensor)?.1.iter().map(|&value| value as u8).collect())
    };
    let labels = LabelMap { width, height, labels: bytes("labels")? };
    let found = mean_field(&bytes("image")?, &labels, count, &CrfSettings::default())?;
    let (found, expected) = (strongest(&found, count), strongest(q, count));
    let differing = found.iter().zip(&expected).filter(|(a, b)| a != b).count();
    let error = differing as f64 / expected.len().max(1) as f64;
    Ok(vec![Measured { file: name.to_owned(), what: "labels".into(), error, tolerance: TOLERANCE }])
}

fn strongest(q: &[f32], count: usize) -> Vec<usize> {
    let pixels = q.len() / count.max(1);
    let best = |pixel: usize| {
        let value = |label: usize| q[label * pixels + pixel];
        (0..count).max_by(|&a, &b| value(a).total_cmp(&value(b))).unwrap_or(0)
    };
    (0..pixels).map(best).collect()
}
