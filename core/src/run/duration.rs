//! Lengths of time in words.

/// A length of time in the two units that matter: `8 s`, `2 min 10 s`, `1 h 5 min`.
pub fn duration(seconds: f64) -> String {
    let seconds = seconds.clamp(0.0, 1e9).round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, min, s) => format!("{min} min {s} s"),
        (h, min, _) => format!("{h} h {min} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units() {
        let texts = [0.4, 59.6, 130.0, 3900.0, f64::INFINITY].map(duration);
        assert_eq!(texts[..4], ["0 s", "1 min 0 s", "2 min 10 s", "1 h 5 min"]);
    }
}
