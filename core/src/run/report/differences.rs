//! Settings that are other than usual.

use serde_json::Value;

use crate::run::settings::{MethodName, Settings};

/// A setting by its name in `run.json`, as it is, and as it is where nobody changes it.
pub(super) type Difference = (String, String, String);

/// Settings that differ from the defaults, by name. Those of methods that are not used are left out.
pub(super) fn differences(settings: &Settings) -> Vec<Difference> {
    let usual = Settings { method: settings.method, ..Settings::default() };
    let mut found = Vec::new();
    if settings.method != Settings::default().method {
        let usual = Settings::default().method.id();
        found.push(("method".into(), settings.method.id().into(), usual.into()));
    }
    if let (Ok(mut own), Ok(usual)) = (serde_json::to_value(settings), serde_json::to_value(&usual)) {
        forget_unused(&mut own, settings);
        compare("", &own, &usual, &mut found);
    }
    found
}

/// Takes the settings of methods out that the run has nothing of.
fn forget_unused(own: &mut Value, settings: &Settings) {
    let rounds = settings.rounds();
    let is_used = |&method: &MethodName| {
        method == settings.method || rounds.iter().any(|round| round.network == method)
    };
    if let Value::Object(own) = own {
        let unused = MethodName::ALL.into_iter().filter(|method| !is_used(method));
        unused.for_each(|method| {
            own.remove(&method.id().replace('-', "_"));
        });
    }
}

fn compare(path: &str, own: &Value, usual: &Value, found: &mut Vec<Difference>) {
    match (own, usual) {
        (Value::Object(own), Value::Object(usual)) => {
            let mut names: Vec<&String> = own.keys().collect();
            names.sort();
            for name in names {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                compare(&below, &own[name], usual.get(name).unwrap_or(&Value::Null), found);
            }
        }
        _ if own != usual => found.push((path.to_owned(), text(own), text(usual))),
        _ => {}
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            // Numbers of single precision would show digits that nobody entered.
            Some(value) if value.fract() != 0.0 => format!("{}", value as f32),
            _ => number.to_string(),
        },
        Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::settings::Threshold;

    #[test]
    fn only_what_was_changed_is_told() {
        assert!(differences(&Settings::default()).is_empty());
        let mut others = Settings::default();
        (others.methods.deeplab.epochs, others.methods.cam.epochs) = (77, 78);
        // The first round of Spatial-BCE is a classifier's; DeepLab has no part in it.
        let found = differences(&others);
        assert_eq!((found.len(), found[0].0.as_str()), (1, "cam.epochs"));
        let mut settings = Settings { method: MethodName::Cam, batch: 3, ..Settings::default() };
        settings.masks.scales = vec![1.0, 0.5];
        settings.masks.threshold = Threshold::Fixed(0.3);
        settings.optimizer.weight_decay = 1e-4;
        let found = differences(&settings);
        let names: Vec<&str> = found.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["method", "batch", "masks.scales", "masks.threshold", "optimizer.weight_decay"]);
        assert_eq!(found[2], ("masks.scales".into(), "1.0, 0.5".into(), "1.0, 0.5, 1.5, 2.0".into()));
        assert_eq!((found[4].1.as_str(), found[1].2.as_str()), ("0.0001", "8"));
    }
}
