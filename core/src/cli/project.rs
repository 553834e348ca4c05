//! Projects in the place of runs, data sets and masks: what every command opens its arguments by.

use std::path::Path;

use tag2mask_core::export::atomic;
use tag2mask_core::files::{FileSet, Part, ProjectCard, check_unpacked, extension};
use tag2mask_core::run::checkpoint::{RunCard, Trained};
use tag2mask_core::run::packed::PackedRun;
use tag2mask_core::run::store::{FolderStore, is_run_file};
use tag2mask_core::{Error, Result};

use super::output::Report;

/// Whether a path is an archive's.
pub fn is_archive(path: &Path) -> bool {
    path.is_file() && extension(&path.display().to_string()) == "zip"
}

/// The photos in a folder or a .zip; a project's where it is one.
pub fn open_data(path: &Path) -> Result<FileSet> {
    FileSet::open(path)?.part_or_all(Part::Data)
}

/// The masks in a folder or a .zip; a project's where it is one.
pub fn open_masks(path: &Path) -> Result<FileSet> {
    let files = FileSet::open(path)?;
    let Some(masks) = files.part(Part::Masks)? else { return Ok(files) };
    if masks.entries().is_empty() {
        let reason =
            "the project holds no masks; make them: tag2mask masks PROJECT PROJECT --out MASKS".into();
        return Err(Error::Format { path: path.display().to_string(), reason });
    }
    Ok(masks)
}

/// The network of a run's folder or of a project, as of the last checkpoint or the end of `round`; `None` where
/// there is none yet.
pub fn trained(run: &Path, round: Option<usize>) -> Result<Option<Trained>> {
    if !is_archive(run) {
        return Trained::load(&FolderStore::open(run), round);
    }
    match PackedRun::of(&run.display().to_string(), &FileSet::open(run)?)? {
        Some(store) => Trained::load(&store, round),
        None => Ok(None),
    }
}

/// The files of a run's folder or of a project's run.
pub fn run_files(run: &Path) -> Result<FileSet> {
    FileSet::open(run)?.part_or_all(Part::Run)
}

/// Copies a project's run to a folder that holds none, so that it can go on there.
pub fn take_up(project: &Path, out: &Path, report: &mut Report) -> Result<()> {
    if !is_archive(project) || RunCard::load(&FolderStore::open(out))?.is_some() {
        return Ok(());
    }
    let files = FileSet::open(project)?;
    let Some(run) = files.part(Part::Run)?.filter(|run| run.get("run.json").is_some()) else { return Ok(()) };
    check(project, &files)?;
    let is_card = |path: &str| path == "run.json";
    let all = || run.entries().iter().filter(|entry| is_run_file(&entry.path));
    // What makes it a run comes last: one that is copied in part is none.
    let ordered =
        all().filter(|entry| !is_card(&entry.path)).chain(all().filter(|entry| is_card(&entry.path)));
    for entry in ordered {
        let shown = || format!("{}/{}/{}", project.display(), Part::Run.folder(), entry.path);
        let bytes = entry.blob.read_at(0, usize::MAX);
        let bytes = bytes.map_err(|source| Error::Io { action: "read", path: shown(), source })?;
        atomic::write(out.join(&entry.path), &bytes)?;
    }
    report.note(format!("the project's run goes on in {}", out.display()));
    Ok(())
}

/// Refuses an archive that would unpack to far more than it is.
pub fn check(project: &Path, files: &FileSet) -> Result<()> {
    let packed = std::fs::metadata(project).map(|about| about.len()).unwrap_or_default();
    check_unpacked(files, packed, &project.display().to_string())
}

/// The card of a project.
pub fn card(project: &Path, files: &FileSet) -> Result<ProjectCard> {
    ProjectCard::of(files)?.ok_or_else(|| Error::Format {
        path: project.display().to_string(),
        reason: "holds no project; tag2mask pack and the page write them".into(),
    })
}
