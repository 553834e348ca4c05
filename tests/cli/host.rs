//! A host of weights on this machine: one file, ranges, entity tags, and the ways in which it can fail.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What was asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub path: String,
    pub range: Option<String>,
    pub if_range: Option<String>,
}

/// What is answered.
pub struct Reply {
    pub status: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// How many bytes of the body are sent before the connection ends.
    pub sent: usize,
    /// Whether it hangs instead of ending.
    pub hangs: bool,
}

impl Reply {
    pub fn new(status: &'static str, body: &[u8]) -> Self {
        Self { status, headers: Vec::new(), body: body.to_vec(), sent: body.len(), hangs: false }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Breaks off after so many bytes.
    pub fn cut(mut self, sent: usize) -> Self {
        self.sent = sent;
        self
    }

    /// Stops sending after so many bytes, and does not hang up.
    pub fn stuck(mut self, sent: usize) -> Self {
        (self.sent, self.hangs) = (sent, true);
        self
    }
}

/// A file as any static host serves it: the part asked for if it is still the same file, else the whole.
pub fn file(bytes: &[u8], tag: &str, request: &Request) -> Reply {
    let total = bytes.len();
    let start = request.range.as_deref().map(|range| {
        let start = range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-'));
        start.and_then(|start| start.parse::<usize>().ok()).unwrap_or_else(|| panic!("{range}"))
    });
    let is_same = request.if_range.as_deref().is_none_or(|asked| asked == tag);
    match start.filter(|_| is_same) {
        None => Reply::new("200 OK", bytes).with("ETag", tag),
        Some(start) if start >= total => {
            Reply::new("416 Range Not Satisfiable", b"").with("Content-Range", format!("bytes */{total}"))
        }
        Some(start) => Reply::new("206 Partial Content", &bytes[start..])
            .with("ETag", tag)
            .with("Content-Range", format!("bytes {start}-{}/{total}", total - 1)),
    }
}

/// The host; it serves until the test's process ends.
pub struct Host {
    pub address: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Host {
    /// Answers the n-th request (from 0) as `answer` says.
    pub fn new(answer: impl Fn(usize, &Request) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        std::thread::spawn(move || {
            // Those that hang are held until the end.
            let mut held = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read(&stream);
                let number = {
                    let mut seen = seen.lock().unwrap();
                    seen.push(request.clone());
                    seen.len() - 1
                };
                let reply = answer(number, &request);
                // A client that has gone away is no failure of the host.
                let _ = send(&mut stream, &reply);
                if reply.hangs {
                    held.push(stream);
                }
            }
        });
        Self { address, requests }
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Request {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    let mut request =
        Request { path: first.split(' ').nth(1).unwrap_or_default().to_owned(), ..Request::default() };
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap();
        match name.to_lowercase().as_str() {
            "range" => request.range = Some(value.trim().to_owned()),
            "if-range" => request.if_range = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    request
}

fn send(stream: &mut TcpStream, reply: &Reply) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {}\r\nConnection: close\r\nContent-Length: {}\r\n",
        reply.status,
        reply.body.len()
    )?;
    for (name, value) in &reply.headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(&reply.body[..reply.sent])?;
    stream.flush()
}
