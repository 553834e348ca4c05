//! Classes of a run under other names: what was learned stays, as the network knows them by number.

use std::sync::Arc;

use super::checkpoint::{GIVEN_MASKS, RunCard};
use super::store::RunStore;
use crate::error::{Error, Result};
use crate::export::{classes_txt, model, zip};
use crate::files::{Blob, FileSet, MemoryBlob};

/// Gives the classes of the run in `store` these names, in the same order: on its card, beside masks that it was given, and
/// in the files for other programs. The names before; `None`, and nothing changed, where there is no run, it has these
/// already, or as many are not its own.
///
/// # Errors
/// [`Error::Format`] for a damaged file, and as [`RunStore::write`].
pub fn rename_classes(store: &mut impl RunStore, classes: &[String]) -> Result<Option<Vec<String>>> {
    let Some(card) = RunCard::load(store)? else { return Ok(None) };
    if card.classes.len() != classes.len() || card.classes == classes {
        return Ok(None);
    }
    if let Some(bytes) = store.read(GIVEN_MASKS)? {
        store.write(GIVEN_MASKS, &with_names(bytes, classes)?)?;
    }
    model::rename_classes(store, classes)?;
    // The card last: after a crash before it, all is done again.
    let before = card.classes.clone();
    RunCard { classes: classes.to_vec(), ..card }.save(store)?;
    Ok(Some(before))
}

/// An archive of masks with another list of their classes.
fn with_names(bytes: Vec<u8>, classes: &[String]) -> Result<Vec<u8>> {
    // The bound on other threads is empty in a browser: nothing leaves this one.
    #[allow(clippy::arc_with_non_send_sync)]
    let blob: Arc<dyn Blob> = Arc::new(MemoryBlob::new(bytes));
    let files = FileSet::archive(GIVEN_MASKS, blob)?;
    let renamed = files.entries().iter().map(|entry| {
        let failed = |source| Error::Io { action: "read", path: entry.path.clone(), source };
        let bytes = match entry.path == classes_txt::NAME {
            true => classes_txt::encode(classes),
            false => entry.blob.read_at(0, entry.blob.len() as usize).map_err(failed)?,
        };
        Ok((entry.path.clone(), bytes))
    });
    zip::pack(renamed.collect::<Result<Vec<_>>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backbone::weights::{Named, TensorFile};
    use crate::export::model::ModelCard;
    use crate::run::settings::Settings;
    use crate::run::store::MemoryStore;

    #[test]
    fn a_run_s_classes_get_other_names_wherever_they_stand() {
        let names = |names: [&str; 2]| names.map(str::to_owned);
        let mut store = MemoryStore::default();
        assert_eq!(rename_classes(&mut store, &names(["cat", "dog"])).unwrap(), None, "there is no run");
        let settings = Settings::default();
        RunCard::new(&settings, &names(["cta", "dog"]), 7).save(&mut store).unwrap();
        let tensors = vec![Named { name: "segmenter.bias".into(), shape: vec![2], values: vec![3.0, -1.0] }];
        let weights = TensorFile::of("run", tensors);
        let card = ModelCard::new(&settings, &names(["cta", "dog"]), [6, 12, 18, 24]);
        model::save(&mut store, &card, &weights, 1.0).unwrap();
        let given = [
            ("a.png".to_owned(), vec![7]),
            ("classes.txt".into(), classes_txt::encode(&names(["cta", "dog"]))),
        ];
        store.write(GIVEN_MASKS, &zip::pack(given).unwrap()).unwrap();

        let before = rename_classes(&mut store, &names(["cat", "dog"])).unwrap();
        assert_eq!(before, Some(names(["cta", "dog"]).to_vec()));
        let blob = Arc::new(MemoryBlob::new(store.files[GIVEN_MASKS].clone()));
        let given = FileSet::archive(GIVEN_MASKS, blob).unwrap();
        let read = |name: &str| given.get(name).unwrap().blob.read_at(0, 99).unwrap();
        assert_eq!((read("a.png"), read("classes.txt")), (vec![7], b"background\ncat\ndog\n".to_vec()));
        let card = RunCard::load(&store).unwrap().unwrap();
        assert_eq!((card.classes, card.images, card.settings), (names(["cat", "dog"]).to_vec(), 7, settings));
        let model = TensorFile::parse("model", &store.files["model.safetensors"]).unwrap();
        assert_eq!(model.get("segmenter.bias").unwrap().1, [3.0, -1.0]);
        for text in [&model.metadata["card"], std::str::from_utf8(&store.files["model.json"]).unwrap()] {
            let card: ModelCard = serde_json::from_str(text).unwrap();
            assert_eq!(card.classes, ["background", "cat", "dog"]);
        }
        let before = store.files.clone();
        assert_eq!(rename_classes(&mut store, &names(["cat", "dog"])).unwrap(), None);
        assert_eq!(rename_classes(&mut store, &["cat".to_owned()]).unwrap(), None, "one is gone");
        assert_eq!(store.files, before);
    }
}
