//! Public weights: listed, fetched when asked for, checked, kept, and used without a network.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use tag2mask_core::backbone::BackboneConfig;
use tag2mask_core::backbone::weights::{NameList, Named, RandomSource, Source, Start, encode};
use tag2mask_core::device::Compute;
use tag2mask_core::run::settings::BackboneName;
use tempfile::TempDir;

use crate::data::{Sample, one_tensor};
use crate::host::{Host, Reply, file};
use crate::process::{Finished, arguments, finished, program};

const FETCH: &str = "weights fetch tiny";
const TAG: &str = "\"one\"";

/// A user with a cache folder, and a list of one file: weights of the smallest network.
struct User {
    folder: TempDir,
    host: Host,
}

impl User {
    /// `facts` are put into the entry of the list.
    fn new(host: Host, facts: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut entry = json!({
            "backbone": "tiny", "source": "ours", "url": "https://weights.invalid/models/tiny.safetensors",
            "licence": "MIT", "trained": "nothing, by chance", "bytes": 1_000_000,
        });
        entry.as_object_mut().unwrap().extend(facts.as_object().unwrap().clone());
        std::fs::write(folder.path().join("list.json"), json!([entry]).to_string()).unwrap();
        Self { folder, host }
    }

    /// The program, as this user has it.
    fn program(&self) -> Command {
        let mut program = program();
        for name in ["http_proxy", "https_proxy", "all_proxy"] {
            program.env_remove(name).env_remove(name.to_uppercase());
        }
        program
            .env("XDG_CACHE_HOME", self.folder.path())
            .env("TAG2MASK_WEIGHTS_LIST", self.folder.path().join("list.json"))
            .env("TAG2MASK_WEIGHTS_HOST", &self.host.address);
        program
    }

    fn run(&self, line: &str) -> Finished {
        finished(self.program().args(arguments(line, &[])))
    }

    fn kept(&self) -> PathBuf {
        self.folder.path().join("tag2mask/weights/tiny-ours.safetensors")
    }

    fn part(&self) -> PathBuf {
        self.kept().with_extension("safetensors.part")
    }

    /// Leaves a part, as a download that broke off does.
    fn leave_part(&self, bytes: &[u8], tag: Option<&str>) {
        std::fs::create_dir_all(self.part().parent().unwrap()).unwrap();
        std::fs::write(self.part(), bytes).unwrap();
        if let Some(tag) = tag {
            std::fs::write(self.kept().with_extension("safetensors.part.etag"), tag).unwrap();
        }
    }

    /// Names of the files in the cache folder.
    fn files(&self) -> Vec<String> {
        crate::process::file_names(self.kept().parent().unwrap())
    }
}

/// A weights file of the smallest network, from a seed.
fn weights() -> Vec<u8> {
    let mut names = NameList::default();
    BackboneConfig::new(BackboneName::Tiny, 16).init(&mut names, &Compute::cpu().device).unwrap();
    let mut source = RandomSource::new(5);
    let named = |(name, shape): (String, Vec<usize>)| {
        let values = source.take(&name, &shape, Start::XavierUniform).unwrap();
        Named { name, shape, values }
    };
    let tensors: Vec<Named> = names.entries.into_iter().map(named).collect();
    encode(&tensors, Default::default()).unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// All that can be known of the file.
fn facts(bytes: &[u8]) -> Value {
    json!({ "bytes": bytes.len(), "is_exact": true, "sha256": sha256(bytes) })
}

fn host_of(bytes: &[u8]) -> Host {
    let bytes = bytes.to_vec();
    Host::new(move |_, request| file(&bytes, TAG, request))
}

#[test]
fn the_built_in_list_names_source_licence_and_size() {
    let folder = tempfile::tempdir().unwrap();
    let with = |line: &str| {
        finished(program().env("XDG_CACHE_HOME", folder.path()).args(arguments(line, &[]))).succeeded()
    };
    let text = with("weights").stdout;
    for words in ["resnet-18", "torchvision", "BSD-3-Clause", "47 MB", "download.pytorch.org", "not fetched"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    let json = with("weights --json").json();
    assert!(json.as_array().unwrap().iter().all(|entry| entry["fetched"] == false), "{json}");
    assert!(!folder.path().join("tag2mask").exists(), "looking leaves nothing behind");
}

#[test]
fn weights_are_fetched_when_asked_for_and_used_without_a_host() {
    let bytes = weights();
    let user = User::new(host_of(&bytes), facts(&bytes));
    let sample = Sample::new();
    let train = format!(
        "train {} --out {} --backbone tiny --weights ours --method cam --epochs 1 --size 64 --device cpu",
        sample.data().display(),
        sample.path("run").display(),
    );
    user.run(&train).failed(1, &["not fetched yet", "tag2mask weights fetch tiny --source ours"]);
    assert!(user.run("weights").succeeded().stdout.contains("not fetched"));
    assert!(user.host.requests().is_empty(), "nobody asked for a download");

    let done = user.run(FETCH).succeeded();
    assert!(done.stdout.contains("MIT") && done.stdout.contains("--weights ours"), "{}", done.stdout);
    assert_eq!(std::fs::read(user.kept()).unwrap(), bytes);
    assert_eq!(user.files(), ["tiny-ours.safetensors"]);
    assert_eq!(user.host.requests()[0].path, "/models/tiny.safetensors");
    assert_eq!(user.host.requests().len(), 1);

    user.run(&train).succeeded();
    let list = user.run("weights --json").succeeded().json();
    assert_eq!(list[0]["fetched"], true, "{list}");
    assert!(user.run(FETCH).succeeded().stdout.contains("already fetched"));
    assert_eq!(user.host.requests().len(), 1, "what is there is not fetched again");
}

#[test]
fn a_download_that_breaks_off_goes_on_where_it_was() {
    let bytes = weights();
    let half = bytes.len() / 2;
    let served = bytes.clone();
    let host = Host::new(move |number, request| {
        let reply = file(&served, TAG, request);
        if number == 0 { reply.cut(half) } else { reply }
    });
    // Without a hash: it is the tag that says whether it is the same file.
    let user = User::new(host, json!({}));
    let done = user.run(FETCH).succeeded();
    assert!(done.stderr.contains("broke off"), "{}", done.stderr);
    assert_eq!(std::fs::read(user.kept()).unwrap(), bytes);
    let requests = user.host.requests();
    assert_eq!(requests.len(), 2, "{requests:?}");
    assert_eq!(requests[1].range.as_deref(), Some(format!("bytes={half}-").as_str()));
    assert_eq!(requests[1].if_range.as_deref(), Some(TAG));
    assert_eq!(user.files(), ["tiny-ours.safetensors"]);
}

#[test]
fn the_part_of_an_earlier_process_is_gone_on_with_through_a_redirect() {
    let bytes = weights();
    let served = bytes.clone();
    let host = Host::new(move |_, request| match request.path.as_str() {
        "/elsewhere" => file(&served, TAG, request),
        _ => Reply::new("302 Found", b"").with("Location", "/elsewhere"),
    });
    let user = User::new(host, facts(&bytes));
    user.leave_part(&bytes[..1000], None);
    assert!(user.run("weights").succeeded().stdout.contains("in part"));
    user.run(FETCH).succeeded();
    assert_eq!(std::fs::read(user.kept()).unwrap(), bytes);
    assert_eq!(user.host.requests()[1].range.as_deref(), Some("bytes=1000-"));

    // All of it was there, but for the last look.
    let user = User::new(host_of(&bytes), facts(&bytes));
    user.leave_part(&bytes, Some(TAG));
    user.run(FETCH).succeeded();
    assert_eq!(std::fs::read(user.kept()).unwrap(), bytes);
}

#[test]
fn a_file_that_has_changed_starts_anew() {
    let bytes = weights();
    let user = User::new(host_of(&bytes), json!({}));
    user.leave_part(&vec![0; 5000], Some("\"an older one\""));
    user.run(FETCH).succeeded();
    assert_eq!(std::fs::read(user.kept()).unwrap(), bytes);
    assert_eq!(user.host.requests()[0].range.as_deref(), Some("bytes=5000-"));

    // Longer than what is there now.
    let user = User::new(host_of(&bytes), facts(&bytes));
    user.leave_part(&vec![0; bytes.len() + 7], None);
    user.run(FETCH).succeeded();
    assert_eq!(std::fs::read(user.kept()).unwrap(), bytes);

    // With neither tag nor hash nobody could tell.
    let user = User::new(host_of(&bytes), json!({}));
    user.leave_part(&vec![0; 5000], None);
    user.run(FETCH).succeeded();
    assert_eq!(user.host.requests()[0].range, None);
}

#[test]
fn what_is_not_the_file_is_refused_and_not_kept() {
    let bytes = weights();
    let mut bent = bytes.clone();
    *bent.last_mut().unwrap() ^= 1;
    let other = one_tensor("features.0.0.weight", &[32, 3, 5, 5]);
    let page = b"<!doctype html><p>Please log in".to_vec();
    for (served, facts, words) in [
        (&other, facts(&bytes), "instead of"),
        (&bent, facts(&bytes), "SHA-256"),
        (&other, json!({}), "weights do not fit (missing)"),
        (&page, json!({}), "neither a .safetensors nor a .pth file"),
    ] {
        let user = User::new(host_of(served), facts);
        user.run(FETCH).failed(1, &[words]);
        assert_eq!(user.files(), [""; 0], "{words}: nothing to go on with");
    }
}

#[test]
fn a_host_that_does_not_have_the_file_is_named() {
    let user = User::new(Host::new(|_, _| Reply::new("404 Not Found", b"no")), json!({}));
    let said = user.run(FETCH).failed(1, &["does not have the file", &user.host.address, "tiny.safetensors"]);
    assert_eq!(said.stderr.trim_end().lines().count(), 1, "{}", said.stderr);
    assert_eq!(user.host.requests().len(), 1, "asking again would not help");
    assert_eq!(user.files(), [""; 0]);

    user.run("weights fetch resnet-38").failed(2, &["no public weights of resnet-38"]);
    user.run("weights fetch tiny --source keras").failed(2, &["choose one of ours"]);
    user.run("weights fetch vgg").failed(2, &["vgg"]);
}

#[test]
fn a_host_that_fails_is_asked_again_and_the_part_is_kept() {
    let bytes = weights();
    let served = bytes.clone();
    let host = Host::new(move |number, request| match number {
        0 => file(&served, TAG, request).cut(2000),
        _ => Reply::new("503 Service Unavailable", b""),
    });
    let user = User::new(host, facts(&bytes));
    user.run(FETCH).failed(1, &["status 503", "what has arrived is kept"]);
    assert_eq!(std::fs::read(user.part()).unwrap(), &bytes[..2000]);
}

#[test]
fn a_damaged_copy_is_noticed_and_fetched_again() {
    let bytes = weights();
    let user = User::new(host_of(&bytes), facts(&bytes));
    user.run(FETCH).succeeded();
    let mut bent = bytes.clone();
    bent[4000] ^= 1;
    std::fs::write(user.kept(), &bent).unwrap();

    assert!(user.run("weights").succeeded().stdout.contains("damaged"));
    let sample = Sample::new();
    let (data, out) = (sample.data(), sample.path("run"));
    let train = format!("train {} --out {} --backbone tiny --weights ours", data.display(), out.display());
    user.run(&train).failed(1, &["damaged", "tag2mask weights fetch tiny"]);
    user.run(FETCH).succeeded();
    assert_eq!(std::fs::read(user.kept()).unwrap(), bytes);
}

/// Ctrl-C leaves what has arrived for the next time.
#[cfg(unix)]
#[test]
fn ctrl_c_leaves_the_part() {
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    let bytes = weights();
    let half = bytes.len() / 2;
    let served = bytes.clone();
    let host = Host::new(move |number, request| {
        let reply = file(&served, TAG, request);
        if number == 0 { reply.stuck(half) } else { reply }
    });
    let user = User::new(host, facts(&bytes));
    let mut child = user
        .program()
        .args(arguments(FETCH, &[]))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while std::fs::metadata(user.part()).map_or(0, |part| part.len()) < half as u64 {
        assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(5));
    }
    let kill = Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().unwrap();
    assert!(kill.success() && !child.wait().unwrap().success());
    assert!(!user.kept().exists());
    user.run(FETCH).succeeded();
    assert_eq!(user.host.requests()[1].range.as_deref(), Some(format!("bytes={half}-").as_str()));
    assert_eq!(std::fs::read(user.kept()).unwrap(), bytes);
}
