//! Writing where there may be no room: what is missed least gives its own, see [`gifts`].

use tag2mask_core::run::store::{BEGUN, is_measured, round_of};
use wasm_bindgen::JsValue;

use super::projects::{self, MOMENTUM, PROJECTS, RUN};
use super::{Folder, is_full, lock};
use crate::model::room::{Gift, Holder, gifts, own_rounds};

/// Writes a file of the project `id`, in whose turn the caller is. Where there is no room, others give theirs, which
/// goes to `gave`. For a file of an earlier round only earlier rounds of the same run do.
///
/// # Errors
/// The browser's reason.
pub async fn write(
    folder: &Folder,
    name: &str,
    data: &JsValue,
    id: &str,
    gave: &mut Vec<Gift>,
) -> Result<(), JsValue> {
    loop {
        match folder.write(name, data).await {
            Ok(()) => return Ok(()),
            // What only saves work, or only people read, takes nobody's place.
            Err(error) if name == BEGUN || is_measured(name) => return Err(error),
            Err(error) if is_full(&error) => match make_room(id, name).await {
                Some(gift) => gave.push(gift),
                None => return Err(error),
            },
            Err(error) => return Err(error),
        }
    }
}

/// Removes the next that can go; `None` when nothing is left.
async fn make_room(id: &str, wanted: &str) -> Option<Gift> {
    let gifts = if let Some(round) = round_of(wanted) {
        let older = rounds_of(id).await.into_iter().filter(|name| is_older(name, round));
        own_rounds(&older.collect::<Vec<_>>())
    } else {
        gifts(id, holders().await)
    };
    for gift in gifts {
        if give(&gift, id).await.is_some() {
            return Some(gift);
        }
    }
    None
}

fn is_older(name: &str, round: usize) -> bool {
    is_measured(name) || round_of(name).is_some_and(|of| of < round)
}

async fn holders() -> Vec<Holder> {
    let mut found = Vec::new();
    for project in projects::all().await {
        let has_momentum = match Folder::open(&[PROJECTS, &project.id, RUN]).await {
            Some(folder) => {
                folder.file(MOMENTUM[0]).await.is_some() || folder.file(MOMENTUM[1]).await.is_some()
            }
            None => false,
        };
        found.push(Holder {
            rounds: rounds_of(&project.id).await,
            id: project.id,
            name: project.name,
            is_fresh: project.is_fresh,
            is_finished: project.is_finished,
            saved: project.saved,
            has_momentum,
        });
    }
    found
}

/// Files of earlier rounds that a project has.
async fn rounds_of(id: &str) -> Vec<String> {
    let Some(folder) = Folder::open(&[PROJECTS, id, RUN]).await else { return Vec::new() };
    let mut names = folder.names().await.unwrap_or_default();
    names.retain(|name| round_of(name).is_some() || is_measured(name));
    names
}

/// Removes it; `None` where it could not be: another tab has that project open, or it is being read.
async fn give(gift: &Gift, own: &str) -> Option<()> {
    let (id, files) = match gift {
        Gift::Opened { id, .. } => {
            let _claim = lock::claim(id).await?;
            return projects::delete(id).await.ok();
        }
        Gift::Momentum { id, .. } => (id.as_str(), MOMENTUM.map(str::to_owned).to_vec()),
        Gift::Rounds { id, files, .. } => (id.as_str(), files.clone()),
        Gift::Measured { files } => (own, files.clone()),
        Gift::OwnRound { file, .. } => (own, vec![file.clone()]),
    };
    let _claim = if id == own { None } else { Some(lock::claim(id).await?) };
    let folder = Folder::open(&[PROJECTS, id, RUN]).await?;
    for name in files {
        folder.remove(&name).await.ok()?;
    }
    Some(())
}
