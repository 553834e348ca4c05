//! `tag2mask weights`: public weights, listed and fetched. Nothing is fetched but by `weights fetch`.

mod cache;
mod download;

use std::path::Path;

use serde_json::json;
use tag2mask_core::backbone::BackboneConfig;
use tag2mask_core::backbone::weights::{FileSource, TensorFile};
use tag2mask_core::device::Compute;
use tag2mask_core::files::limits;
use tag2mask_core::public_weights::{self, KNOWN, PublicWeights};
use tag2mask_core::run::settings::BackboneName;
use tag2mask_core::{Error, Result};

use super::output::Report;
use cache::{Cache, Copy};

pub const EXAMPLES: &str = "\
Examples:
  tag2mask weights                                what there is, and what was fetched
  tag2mask weights fetch resnet-50
  tag2mask weights fetch resnet-50 --source timm
  tag2mask train photos --out run --backbone resnet-50 --weights torchvision

Only 'weights fetch' goes to the network; what it fetched is kept in the user's cache folder and
used from there. A download that broke off goes on where it was. TAG2MASK_WEIGHTS_HOST puts another
host (http://mirror:8000) in the place of the files' own; TAG2MASK_WEIGHTS_LIST names a JSON file
with another list.";

/// Puts another scheme and host before the files' paths.
const HOST: &str = "TAG2MASK_WEIGHTS_HOST";
/// Another list instead of the built-in one.
const LIST: &str = "TAG2MASK_WEIGHTS_LIST";

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Fetch a network's weights, check them, and keep them
    #[command(after_help = EXAMPLES)]
    Fetch(FetchArgs),
}

#[derive(Debug, clap::Args)]
struct FetchArgs {
    /// mobilenet-v2, resnet-18, resnet-50 or resnet-101
    backbone: BackboneName,
    /// torchvision or timm [default: the first that is listed]
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
}

pub fn run(args: &Args, report: &mut Report) -> Result<()> {
    let (list, cache) = (list()?, Cache::of_user()?);
    match &args.action {
        None => show(&list, &cache, report),
        Some(Action::Fetch(args)) => {
            let entry = public_weights::find(&list, args.backbone, args.source.as_deref())?;
            fetch(entry, &cache, report)
        }
    }
}

fn show(list: &[PublicWeights], cache: &Cache, report: &mut Report) -> Result<()> {
    let mut objects = Vec::new();
    for entry in list {
        let copy = cache.look(entry)?;
        let path = cache.path(entry);
        let state = match &copy {
            Copy::None => "not fetched".to_owned(),
            Copy::Part(bytes) => format!("fetched in part ({})", megabytes(*bytes, true)),
            Copy::Damaged(reason) => format!("damaged, to be fetched again ({reason}): {}", path.display()),
            Copy::Whole(_) => format!("fetched: {}", path.display()),
        };
        report.line(format!(
            "{:12} {:11} {:>6}  {:12} {} ({})",
            entry.backbone.id(),
            entry.source,
            megabytes(entry.bytes, false),
            entry.licence,
            entry.trained,
            entry.host(),
        ));
        report.line(format!("{:12} {state}", ""));
        objects.push(json!({
            "backbone": entry.backbone, "source": entry.source, "url": entry.url, "licence": entry.licence,
            "trained": entry.trained, "bytes": entry.bytes, "bytes_exact": entry.is_exact,
            "sha256": entry.sha256, "fetched": matches!(copy, Copy::Whole(_)), "path": path,
        }));
    }
    report.object(&objects);
    Ok(())
}

fn fetch(entry: &PublicWeights, cache: &Cache, report: &mut Report) -> Result<()> {
    let path = cache.path(entry);
    match cache.look(entry)? {
        Copy::Whole(_) => report.line(format!("already fetched: {}", path.display())),
        copy => {
            if let Copy::Damaged(reason) = copy {
                report.note(format!("fetching again, as {reason}: {}", path.display()));
            }
            let host = std::env::var(HOST).ok().filter(|host| !host.is_empty());
            download::download(entry, host.as_deref(), cache, report)?;
            report.line(format!(
                "fetched ({}, {}): {}; next: tag2mask train PHOTOS --out RUN --backbone {} --weights {}",
                entry.trained,
                entry.licence,
                path.display(),
                entry.backbone.id(),
                entry.source
            ));
        }
    }
    report.object(&json!({ "path": path, "backbone": entry.backbone, "source": entry.source }));
    Ok(())
}

/// The weights that `--weights` names: a file, or a source whose weights of the network were fetched.
pub fn read(named: &Path, backbone: BackboneName) -> Result<TensorFile> {
    let list = list()?;
    let source = named.to_str().filter(|source| list.iter().any(|entry| entry.source == *source));
    match source {
        Some(source) if !named.is_file() => {
            let entry = public_weights::find(&list, backbone, Some(source))?;
            let cache = Cache::of_user()?;
            let path = cache.path(entry).display().to_string();
            let again = |reason: String| Error::Format {
                reason: format!(
                    "{reason}; run `tag2mask weights fetch {} --source {source}`",
                    entry.backbone.id()
                ),
                path: path.clone(),
            };
            match cache.look(entry)? {
                Copy::Whole(bytes) => TensorFile::parse(&path, &bytes),
                Copy::Damaged(reason) => Err(again(reason)),
                Copy::None | Copy::Part(_) => Err(again("these weights were not fetched yet".into())),
            }
        }
        _ => read_file(named),
    }
}

/// Reads a weights file of any layout that is known.
pub fn read_file(path: &Path) -> Result<TensorFile> {
    let name = path.display().to_string();
    let bytes =
        std::fs::read(path).map_err(|source| Error::Io { action: "read", path: name.clone(), source })?;
    TensorFile::parse(&name, &bytes)
}

/// Whether the file holds every tensor of the network, in its shape.
fn check_structure(bytes: &[u8], path: &str, backbone: BackboneName) -> Result<()> {
    let file = TensorFile::parse(path, bytes)?;
    let stride = backbone.output_strides().first().copied().unwrap_or(16);
    BackboneConfig::new(backbone, stride).init(&mut FileSource::all(&file), &Compute::cpu().device)?;
    Ok(())
}

/// The built-in list, or the one that the user's environment names.
fn list() -> Result<Vec<PublicWeights>> {
    let Some(path) = std::env::var_os(LIST).filter(|path| !path.is_empty()) else {
        return Ok(KNOWN.to_vec());
    };
    let path = Path::new(&path);
    let name = path.display().to_string();
    let failed = |source| Error::Io { action: "read", path: name.clone(), source };
    let bytes = std::fs::metadata(path).map_err(failed)?.len();
    if bytes > limits::TEXT_BYTES {
        return Err(Error::TooLarge {
            what: "the list of weights",
            found: format!("{bytes} bytes"),
            limit: format!("{} bytes", limits::TEXT_BYTES),
            path: name,
        });
    }
    public_weights::read_list(&name, &std::fs::read_to_string(path).map_err(failed)?)
}

/// "47 MB"; with `exactly`, "46.8 MB".
fn megabytes(bytes: u64, exactly: bool) -> String {
    let megabytes = bytes as f64 / 1e6;
    if exactly { format!("{megabytes:.1} MB") } else { format!("{megabytes:.0} MB") }
}
