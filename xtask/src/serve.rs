//! The page on this machine: build, then a small static server. Like the hosts that the page is meant
//! for, it sends no header but type and length.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use crate::command::say;
use crate::{Result, dist, unknown};

const PORT: u16 = 8080;
/// A page that was rebuilt is to be seen at once, so no browser keeps one from here.
const WORKER: (&str, &[u8]) = ("/service-worker.js", include_bytes!("no-service-worker.js"));
/// A request line and headers longer than this are not a browser's.
const LONGEST_HEAD: u64 = 64 << 10;

/// `cargo xtask serve`.
///
/// # Errors
/// The build failed, or the port is taken.
pub fn run(arguments: &[&str]) -> Result<()> {
    let port = match arguments {
        [] => PORT,
        ["--port", port] => port.parse().map_err(|_| format!("not a port: {port}"))?,
        other => return Err(unknown(other)),
    };
    // Before the build: nobody should wait for minutes to hear that the port is taken.
    let listener = TcpListener::bind(("127.0.0.1", port))
        .map_err(|error| format!("cannot listen on port {port} ({error}); choose another with --port"))?;
    let folder = dist::build(dist::Effort::Quick)?;
    let address = listener.local_addr().map_err(|error| format!("the port has gone: {error}"))?;
    say(format_args!("open http://{address}/ in a browser with WebGPU; Ctrl-C ends"));
    for stream in listener.incoming() {
        let (Ok(stream), folder) = (stream, folder.clone()) else { continue };
        // A visitor who hangs up early is no concern of the others.
        std::thread::spawn(move || answer(stream, &folder));
    }
    Ok(())
}

/// Answers one request and hangs up.
fn answer(mut stream: TcpStream, folder: &Path) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut lines = BufReader::new((&stream).take(LONGEST_HEAD)).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    // Read to the end of the headers: a connection closed on unread bytes is reset.
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}

    let mut words = request.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (status, kind, body) = if !matches!(method, "GET" | "HEAD") {
        ("405 Method Not Allowed", TEXT, b"only GET and HEAD\n".to_vec())
    } else if target == WORKER.0 {
        ("200 OK", mime_type(Path::new(target)), WORKER.1.to_vec())
    } else {
        match file_of(folder, target).and_then(|file| Some((mime_type(&file), std::fs::read(file).ok()?))) {
            Some((kind, body)) => ("200 OK", kind, body),
            None => ("404 Not Found", TEXT, b"no such file\n".to_vec()),
        }
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Connection: close\r\n\r\n",
        body.len()
    )?;
    if method != "HEAD" {
        stream.write_all(&body)?;
    }
    stream.flush()
}

/// The file that a request means; `None` for what is not in the folder.
fn file_of(folder: &Path, target: &str) -> Option<PathBuf> {
    let path = target.split(['?', '#']).next()?.strip_prefix('/')?;
    let path = PathBuf::from(decode_percent(path)?);
    if !path.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let mut file = folder.join(path);
    if file.is_dir() {
        file.push("index.html");
    }
    // Also where a link inside the folder points.
    let (folder, file) = (folder.canonicalize().ok()?, file.canonicalize().ok()?);
    (file.starts_with(folder) && file.is_file()).then_some(file)
}

/// "a%20b" → "a b"; `None` for what is not UTF-8 or not percent-encoded.
fn decode_percent(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%' {
            let (digits, tail) = rest.split_at_checked(2)?;
            // from_str_radix alone would take "+1".
            if !digits.iter().all(u8::is_ascii_hexdigit) {
                return None;
            }
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = tail;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

const TEXT: &str = "text/plain; charset=utf-8";

fn mime_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        // Browsers run modules, and compile wasm while it arrives, only under these types.
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "zip" => "application/zip",
        "txt" | "md" => TEXT,
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own, gone at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("tag2mask-serve-{}-{name}", std::process::id()));
            std::fs::create_dir_all(folder.join("site/sub")).unwrap();
            std::fs::write(folder.join("secret.txt"), "secret").unwrap();
            std::fs::write(folder.join("site/index.html"), "<p>page").unwrap();
            std::fs::write(folder.join("site/sub/a b.wasm"), [0, 1, 2]).unwrap();
            Self(folder)
        }

        fn site(&self) -> PathBuf {
            self.0.join("site")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn ask(folder: &Path, request: &str) -> Vec<u8> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.write_all(request.as_bytes()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        answer(stream, folder).unwrap();
        let mut reply = Vec::new();
        client.read_to_end(&mut reply).unwrap();
        reply
    }

    #[test]
    fn files_come_with_type_and_length() {
        let folder = Folder::new("files");
        let reply = ask(&folder.site(), "GET /sub/a%20b.wasm?v=1 HTTP/1.1\r\nHost: x\r\n\r\n");
        let (head, body) = reply.split_at(reply.len() - 3);
        let head = String::from_utf8(head.to_vec()).unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("Content-Type: application/wasm\r\n"), "{head}");
        assert!(head.contains("Content-Length: 3\r\n"), "{head}");
        assert_eq!(body, [0, 1, 2]);
        let reply = String::from_utf8(ask(&folder.site(), "GET / HTTP/1.1\r\n\r\n")).unwrap();
        assert!(reply.ends_with("\r\n\r\n<p>page"), "{reply}");
        let reply = String::from_utf8(ask(&folder.site(), "HEAD / HTTP/1.1\r\n\r\n")).unwrap();
        assert!(reply.contains("Content-Length: 7\r\n") && reply.ends_with("\r\n\r\n"), "{reply}");
    }

    #[test]
    fn nothing_outside_the_folder_is_served() {
        let folder = Folder::new("outside");
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.0.join("secret.txt"), folder.site().join("link.txt")).unwrap();
        for target in [
            "/../secret.txt",
            "/sub/../../secret.txt",
            "/%2e%2e/secret.txt",
            "/..%2fsecret.txt",
            "//etc/passwd",
            "/link.txt",
            "/missing",
            "/%zz",
            "/%",
            "",
            "secret.txt",
        ] {
            assert_eq!(file_of(&folder.site(), target), None, "{target}");
        }
        let reply = String::from_utf8(ask(&folder.site(), "GET /../secret.txt HTTP/1.1\r\n\r\n")).unwrap();
        assert!(reply.starts_with("HTTP/1.1 404"), "{reply}");
    }

    #[test]
    fn no_page_is_kept_by_browsers() {
        let folder = Folder::new("worker");
        std::fs::write(folder.site().join("service-worker.js"), "keeps").unwrap();
        let reply =
            String::from_utf8(ask(&folder.site(), "GET /service-worker.js HTTP/1.1\r\n\r\n")).unwrap();
        assert!(reply.contains("text/javascript") && reply.contains("registration.unregister()"), "{reply}");
    }

    #[test]
    fn other_methods_and_noise_are_refused() {
        let folder = Folder::new("noise");
        for request in ["POST / HTTP/1.1\r\n\r\n", "\r\n\r\n"] {
            let reply = String::from_utf8(ask(&folder.site(), request)).unwrap();
            assert!(reply.starts_with("HTTP/1.1 405"), "{request:?}: {reply}");
        }
    }
}
