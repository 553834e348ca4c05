//! Numbers in words.

/// "about 3 minutes", rounded so that it does not flicker from one second to the next.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "unknown".into();
    }
    let seconds = seconds.max(0.0);
    if seconds < 5.0 {
        "a few seconds".into()
    } else if seconds < 57.5 {
        format!("about {} seconds", ((seconds / 5.0).round() * 5.0) as u64)
    } else if seconds < 10.0 * 60.0 - 30.0 {
        let halves = (seconds / 30.0).round() as u64;
        match (halves / 2, halves % 2) {
            (1, 0) => "about 1 minute".into(),
            (minutes, 0) => format!("about {minutes} minutes"),
            (minutes, _) => format!("about {minutes}½ minutes"),
        }
    } else if seconds < 57.5 * 60.0 {
        format!("about {} minutes", ((seconds / 300.0).round() * 5.0) as u64)
    } else {
        let quarters = (seconds / 900.0).round().max(4.0) as u64;
        let hours = count(quarters / 4, "hour", "hours");
        match quarters % 4 {
            0 => format!("about {hours}"),
            rest => format!("about {hours} {} minutes", rest * 15),
        }
    }
}

/// Exact, for what is over: "48 s", "3 min 05 s", "1 h 12 min".
pub fn elapsed(seconds: f64) -> String {
    let seconds = if seconds.is_finite() { seconds.max(0.0).round() as u64 } else { 0 };
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s:02} s"),
        (h, m, _) => format!("{h} h {m:02} min"),
    }
}

/// "about 3 minutes left", or what stands in until that can be told.
pub fn time_left(seconds: Option<f64>) -> String {
    match seconds {
        Some(seconds) => format!("{} left", duration(seconds)),
        None => "estimating the time left…".into(),
    }
}

/// "just now", "5 minutes ago", "12 days ago".
pub fn ago(seconds: f64) -> String {
    let minutes = (seconds / 60.0).max(0.0) as u64;
    match minutes {
        0 => "just now".into(),
        1..60 => format!("{} ago", count(minutes, "minute", "minutes")),
        60..1440 => format!("{} ago", count(minutes / 60, "hour", "hours")),
        _ => format!("{} ago", count(minutes / 1440, "day", "days")),
    }
}

/// "1 image", "1,234 images".
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// "1,234,567".
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// "640 KB", "4.2 MB" (decimal), for files.
pub fn file_size(bytes: u64) -> String {
    match bytes {
        0..1_000 => count(bytes, "byte", "bytes"),
        1_000..1_000_000 => format!("{} KB", bytes / 1_000),
        1_000_000..10_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        1_000_000_000.. => format!("{:.1} GB", bytes as f64 / 1e9),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

/// "128 MiB", "2 GiB" (binary), for device limits.
pub fn memory_size(bytes: u64) -> String {
    if bytes >= 1 << 30 {
        let gib = bytes as f64 / f64::from(1 << 30);
        if (gib - gib.round()).abs() < 0.05 { format!("{gib:.0} GiB") } else { format!("{gib:.1} GiB") }
    } else {
        format!("{} MiB", bytes >> 20)
    }
}

/// "0.31" of a loss or a share, with the digits that matter.
pub fn decimal(value: f64) -> String {
    match value.abs() {
        x if x >= 100.0 => format!("{value:.0}"),
        x if x >= 10.0 => format!("{value:.1}"),
        x if x >= 0.1 || x == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// A clause as a sentence of its own.
pub fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

/// "37 %".
pub fn percent(part: f64) -> String {
    format!("{:.0} %", part * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_speech() {
        for (seconds, text) in [
            (0.0, "a few seconds"),
            (12.0, "about 10 seconds"),
            (57.0, "about 55 seconds"),
            (58.0, "about 1 minute"),
            (95.0, "about 1½ minutes"),
            (300.0, "about 5 minutes"),
            (569.0, "about 9½ minutes"),
            (575.0, "about 10 minutes"),
            (3449.0, "about 55 minutes"),
            (3500.0, "about 1 hour"),
            (5400.0, "about 1 hour 30 minutes"),
            (7300.0, "about 2 hours"),
            (f64::NAN, "unknown"),
        ] {
            assert_eq!(duration(seconds), text, "{seconds}");
        }
        assert_eq!(elapsed(185.0), "3 min 05 s");
        assert_eq!(elapsed(4320.0), "1 h 12 min");
        for (seconds, text) in
            [(-3.0, "just now"), (70.0, "1 minute ago"), (7300.0, "2 hours ago"), (90_000.0, "1 day ago")]
        {
            assert_eq!(ago(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn durations_never_grow_when_time_passes() {
        let minutes = |text: &str| -> f64 {
            let mut total = 0.0;
            let words: Vec<&str> = text.split(' ').collect();
            for pair in words.windows(2) {
                let number = pair[0].replace('½', ".5").parse::<f64>().unwrap_or(0.0);
                total += number
                    * if pair[1].starts_with("hour") {
                        60.0
                    } else if pair[1].starts_with("sec") {
                        1.0 / 60.0
                    } else {
                        1.0
                    };
            }
            total
        };
        let mut last = 0.0;
        for seconds in 5..20_000 {
            let now = minutes(&duration(f64::from(seconds)));
            assert!(now >= last, "{seconds}: {now} < {last}");
            last = now;
        }
    }

    #[test]
    fn sizes_and_counts() {
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(count(1, "image", "images"), "1 image");
        assert_eq!(file_size(4_200_000), "4.2 MB");
        assert_eq!(memory_size(128 << 20), "128 MiB");
        assert_eq!(memory_size((2 << 30) - 4), "2 GiB");
        assert_eq!(decimal(0.0421), "0.042");
        assert_eq!(sentence("the file is short"), "The file is short.");
        assert_eq!(sentence(""), "");
    }
}
