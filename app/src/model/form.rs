//! What the user has typed, and what is wrong with it.

use std::collections::BTreeMap;

use tag2mask_core::Error;
use tag2mask_core::run::Settings;
use tag2mask_core::run::settings::{BackboneName, Threshold};

use super::boxes;
use super::fields::{self, Field, Group};

/// The settings form: valid settings, and beside them the texts that are not (yet) valid.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Form {
    valid: Settings,
    broken: BTreeMap<&'static str, (String, String)>,
    /// Whether the user has changed anything, so that suggestions leave it alone.
    pub touched: bool,
    /// The weights file that was chosen: name and bytes.
    pub weights: Option<(String, u64)>,
    /// The network that they are of, where they are the public ones.
    pub weights_of: Option<BackboneName>,
    /// Whether it is still being read.
    pub weights_are_coming: bool,
    /// What is wrong with the last file that was offered.
    pub weights_fault: Option<String>,
}

impl Form {
    /// Replaces all settings, for instance by suggestions.
    pub fn replace(&mut self, settings: Settings) {
        self.valid = settings;
        self.broken.clear();
    }

    /// The last valid settings: what decides which fields are shown.
    pub fn valid(&self) -> &Settings {
        &self.valid
    }

    /// What stands in a field.
    pub fn text(&self, field: &Field) -> String {
        self.broken.get(field.id).map_or_else(|| (field.get)(&self.valid), |(text, _)| text.clone())
    }

    /// The user has changed a field.
    pub fn enter(&mut self, field: &'static Field, text: String) {
        // Method and network only choose what is suggested; how masks are made is asked later.
        self.touched |= !matches!(field.group, Group::Segmenter | Group::Masks | Group::Crf)
            && !matches!(field.id, "method" | "backbone");
        let mut settings = self.valid.clone();
        let fault = match (field.set)(&mut settings, &text) {
            Err(reason) => Some(reason),
            // Alone among defaults first, so that a name that several fields share tells which it is.
            Ok(()) => fault_alone(field, &text).or_else(|| fault_among(&settings, field)),
        };
        match fault {
            Some(reason) => {
                self.broken.insert(field.id, (text, reason));
            }
            None => {
                self.broken.remove(field.id);
                self.valid = settings;
                self.recheck();
                if self.weights_of.is_some_and(|backbone| backbone != self.valid.backbone) {
                    self.forget_weights();
                }
            }
        }
    }

    /// Takes the chosen weights back.
    pub fn forget_weights(&mut self) {
        (self.weights, self.weights_of, self.weights_fault) = (None, None, None);
    }

    /// A field that was broken by another one's value may be right now.
    fn recheck(&mut self) {
        for (id, (text, _)) in self.broken.clone() {
            if let Some(field) = fields::field(id) {
                let mut settings = self.valid.clone();
                if (field.set)(&mut settings, &text).is_ok() && settings.check().is_ok() {
                    self.valid = settings;
                    self.broken.remove(id);
                }
            }
        }
    }

    /// What is wrong with a field.
    pub fn fault(&self, field: &Field) -> Option<String> {
        self.broken.get(field.id).map(|(_, reason)| reason.clone())
    }

    /// Why training cannot start on a data set with this many boxes, in one sentence; `None` if it can.
    pub fn obstacle(&self, boxes: usize) -> Option<String> {
        if let Some(field) = fields::all().into_iter().find(|field| self.broken.contains_key(field.id)) {
            return Some(format!("“{}” needs another value.", field.label));
        }
        if !self.valid.backbone.trains_from_scratch() && self.weights.is_none() {
            return Some(
                "This network needs a weights file: get one above, or take the Tiny network.".into(),
            );
        }
        if !self.valid.backbone.trains_from_scratch() && self.weights_are_coming {
            return Some("The weights file is being read.".into());
        }
        if boxes == 0 && boxes::are_for(self.valid.method) {
            return Some(format!(
                "{} learns from boxes: draw some above, or add boxes.csv to the photos.",
                fields::bare_name(self.valid.method)
            ));
        }
        None
    }

    /// The settings to run with.
    pub fn settings(&self) -> Settings {
        let mut settings = self.valid.clone();
        // Where none is learned, one is shown and can be changed.
        let usual = settings.method.method().reading(&settings).usual_threshold();
        if usual.is_some() && !matches!(settings.masks.threshold, Threshold::Fixed(_)) {
            settings.masks.threshold = Threshold::Fixed(fields::usual_threshold(&settings));
        }
        settings
    }
}

fn fault_alone(field: &Field, text: &str) -> Option<String> {
    let mut settings = Settings::default();
    if field.id == "threshold" {
        settings.masks.threshold = Threshold::Fixed(0.3);
    }
    (field.set)(&mut settings, text).err().or_else(|| fault_among(&settings, field))
}

fn fault_among(settings: &Settings, field: &Field) -> Option<String> {
    match settings.check() {
        Err(Error::Setting { name, reason }) if name == field.setting => Some(reason),
        Err(other) if fault_elsewhere(settings, field) => Some(other.to_string()),
        _ => None,
    }
}

/// Whether this field's value is what breaks another one's range ("cycle" below "network-steps").
fn fault_elsewhere(settings: &Settings, field: &Field) -> bool {
    let mut without = settings.clone();
    let default = (field.get)(&Settings::default());
    (field.set)(&mut without, &default).is_ok() && without.check().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fields::field;

    fn enter(form: &mut Form, id: &str, text: &str) -> Option<String> {
        let field = field(id).unwrap();
        form.enter(field, text.into());
        assert_eq!(form.text(field), text);
        form.fault(field)
    }

    #[test]
    fn faults_stand_beside_their_own_field() {
        let mut form = Form::default();
        assert_eq!(enter(&mut form, "size", "7").unwrap(), "7 is not between 32 and 1024");
        assert_eq!(enter(&mut form, "cam-epochs", "0").unwrap(), "0 is not between 1 and 10000");
        assert_eq!(form.fault(field("epochs").unwrap()), None, "shares its name with cam-epochs");
        assert_eq!(enter(&mut form, "epochs", "1.5").unwrap(), "must be a whole number, 0 or more");
        assert!(form.obstacle(0).unwrap().contains("Size"));
        assert_eq!(form.settings(), Settings::default(), "broken texts never reach a run");
        for (id, text) in [("size", "64"), ("cam-epochs", "2"), ("epochs", "3")] {
            assert_eq!(enter(&mut form, id, text), None);
        }
        assert_eq!(form.obstacle(0), None);
        assert_eq!((form.settings().size, form.settings().methods.cam.epochs), (64, 2));
        form.settings().check().unwrap();
    }

    #[test]
    fn two_fields_that_exclude_each_other_are_told() {
        let mut form = Form::default();
        assert!(enter(&mut form, "cycle", "10").unwrap().contains("network-steps"));
        assert_eq!(enter(&mut form, "network-steps", "8"), None);
        assert_eq!(form.fault(field("cycle").unwrap()), None, "now it fits");
        assert_eq!(form.settings().methods.spatial_bce.cycle, 10);
    }

    #[test]
    fn large_networks_want_weights() {
        let mut form = Form::default();
        assert_eq!(enter(&mut form, "backbone", "resnet-18"), None);
        assert_eq!(form.settings().backbone, BackboneName::Resnet18);
        assert!(form.obstacle(0).unwrap().contains("weights file"));
        form.weights = Some(("w.safetensors".into(), 1));
        assert_eq!(form.obstacle(0), None);
        assert_eq!(enter(&mut form, "backbone", "resnet-50"), None);
        assert_eq!(form.obstacle(0), None, "whose the user's own file is, the trainer finds out");
        form.weights_of = Some(BackboneName::Resnet50);
        assert_eq!(enter(&mut form, "size", "64"), None);
        assert_eq!(form.obstacle(0), None);
        assert_eq!(enter(&mut form, "backbone", "resnet-18"), None);
        assert!(form.obstacle(0).is_some(), "those of another network are of no use");
    }

    #[test]
    fn what_learns_from_boxes_wants_some() {
        let mut form = Form::default();
        enter(&mut form, "method", "box2seg");
        assert!(form.obstacle(0).unwrap().starts_with("Box2Seg learns from boxes: draw some"));
        assert_eq!(form.obstacle(1), None);
        enter(&mut form, "method", "cam");
        assert_eq!(form.obstacle(0), None);
    }

    #[test]
    fn the_plain_classifier_gets_a_fixed_threshold() {
        let mut form = Form::default();
        enter(&mut form, "method", "cam");
        let usual = Settings::default().methods.cam.threshold;
        assert_eq!(form.settings().masks.threshold, Threshold::Fixed(usual));
        enter(&mut form, "method", "spatial-bce");
        assert_eq!(form.settings().masks.threshold, Threshold::Adaptive);
    }
}
