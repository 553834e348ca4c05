//! The file's structure. That it computes what our networks do is checked by running it, in `tests/exports`.

use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::Device;

use super::model;
use super::proto::read::{all, fields, texts};
use crate::backbone::weights::{NameList, RandomSource, Source, Start};
use crate::error::Result;
use crate::method::{MethodName, Setup, names};
use crate::run::settings::{BackboneName, Settings};

/// Every method on the small network, and every network.
fn kinds() -> Vec<Settings> {
    let methods = MethodName::ALL.map(|method| Settings { method, ..Settings::default() });
    let backbone = |backbone: BackboneName| Settings {
        method: MethodName::Deeplab,
        backbone,
        output_stride: backbone.output_strides()[0],
        ..Settings::default()
    };
    let large = [BackboneName::MobilenetV2, BackboneName::Resnet18, BackboneName::Resnet50];
    methods.into_iter().chain(large.map(backbone)).collect()
}

fn classes() -> Vec<String> {
    ["cow", "sheep"].map(String::from).into()
}

#[test]
fn every_value_has_a_source_and_a_use() {
    for settings in kinds() {
        let bytes = model(settings.method, &settings, &classes(), &mut RandomSource::new(1)).unwrap();
        let graph = all(&bytes, 7)[0];
        let (nodes, constants) = (all(graph, 1), all(graph, 5));
        let named = |messages: Vec<&[u8]>, field| -> Vec<String> {
            messages.into_iter().map(|message| texts(message, field).remove(0)).collect()
        };
        let (inputs, outputs) = (named(all(graph, 11), 1), named(all(graph, 12), 1));
        assert_eq!(inputs, ["image"]);
        let mut known: BTreeSet<String> = named(constants.clone(), 8).into_iter().chain(inputs).collect();
        assert_eq!(known.len(), constants.len() + 1, "two constants of one name");
        let mut used: BTreeSet<String> = outputs.iter().cloned().collect();
        for node in nodes {
            for input in texts(node, 1).into_iter().filter(|input| !input.is_empty()) {
                assert!(known.contains(&input), "{input} comes too late or not at all");
                used.insert(input);
            }
            for output in texts(node, 2) {
                assert!(known.insert(output.clone()), "{output} is made twice");
            }
        }
        assert!(known.is_subset(&used), "{:?}", known.difference(&used).collect::<Vec<_>>());
        let expected: &[&str] = match settings.method {
            MethodName::Cam | MethodName::AdversarialErasing => &["maps", "logits"],
            MethodName::SpatialBce => &["maps", "thresholds"],
            _ => &["logits", "probabilities"],
        };
        assert_eq!(outputs, expected);
        for constant in constants {
            let sides: u64 = fields(constant)
                .into_iter()
                .filter_map(|(field, value)| match value {
                    super::proto::read::Value::Number(side) if field == 1 => Some(side),
                    _ => None,
                })
                .product();
            let bytes = all(constant, 9).first().map_or(0, |values| values.len() as u64);
            assert_eq!(bytes, 4 * sides);
        }
    }
}

#[test]
fn the_metadata_say_what_the_channels_are() {
    let settings = Settings { method: MethodName::Deeplab, size: 96, ..Settings::default() };
    let bytes = model(settings.method, &settings, &classes(), &mut RandomSource::new(1)).unwrap();
    let fact = |entry: &[u8]| (texts(entry, 1).remove(0), texts(entry, 2).remove(0));
    let facts: BTreeMap<String, String> = all(&bytes, 14).into_iter().map(fact).collect();
    assert_eq!(facts["classes"], r#"["background","cow","sheep"]"#);
    assert_eq!((facts["size"].as_str(), facts["task"].as_str()), ("96", "semantic-segmentation"));
    assert_eq!(facts["mean"], "[0.485,0.456,0.406]");
    let cam = Settings { method: MethodName::Cam, ..settings };
    let bytes = model(cam.method, &cam, &classes(), &mut RandomSource::new(1)).unwrap();
    let facts: BTreeMap<String, String> = all(&bytes, 14).into_iter().map(fact).collect();
    assert_eq!(facts["classes"], r#"["cow","sheep"]"#);
}

/// Keeps the names and shapes that were asked for.
#[derive(Default)]
struct Asked(BTreeSet<(String, Vec<usize>)>);

impl Source for Asked {
    fn take(&mut self, name: &str, shape: &[usize], start: Start) -> Result<Vec<f32>> {
        self.0.insert((name.to_owned(), shape.to_vec()));
        NameList::default().take(name, shape, start)
    }
}

#[test]
fn the_graph_has_the_tensors_of_our_network() {
    for settings in kinds() {
        let mut asked = Asked::default();
        model(settings.method, &settings, &classes(), &mut asked).unwrap();
        let setup = Setup { settings: &settings, classes: 2, steps_per_epoch: 0 };
        let ours = names(settings.method, &setup, &Device::flex()).unwrap();
        // What only helps to learn.
        let helps = |name: &str| {
            name.starts_with("adversary.") || name.starts_with("box2seg.") || name.starts_with("affinity.")
        };
        let ours: BTreeSet<_> = ours.entries.into_iter().filter(|(name, _)| !helps(name)).collect();
        assert_eq!(asked.0, ours, "{} on {}", settings.method.id(), settings.backbone.id());
    }
}
