//! The trainer: loads its module, starts its worker, carries commands and news, and notices its end.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array, WebAssembly};
use tag2mask_core::run::Event;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};

use super::fetch::fetch;
use super::window;
use crate::protocol::Command;

/// What the page hears.
pub enum News {
    /// Bytes of the module so far, and in all where that is known.
    Loading(u64, Option<u64>),
    /// The module is there; the worker starts.
    Starting,
    /// Commands are taken.
    Ready,
    /// The trainer's own words.
    Event(Box<Event>),
    /// A file for the user, of that name.
    File(String, Blob),
    /// No answer for this many seconds.
    Silent(u32),
    /// It answers again.
    Answers,
    /// The GPU is of no use, and why: the trainer for the processor is needed.
    NoGpu(String),
    /// It is gone.
    Died(String),
}

/// Which of the two trainers: each has its own module, named so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// On the GPU.
    Gpu,
    /// On the processor.
    Processor,
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::Gpu => "trainer",
            Self::Processor => "trainer-cpu",
        }
    }
}

#[wasm_bindgen(module = "/src/browser/page-trainer.js")]
extern "C" {
    #[wasm_bindgen(js_name = hasAdapter)]
    fn has_adapter() -> Promise;
    #[wasm_bindgen(js_name = serveHere)]
    fn serve_here(wasm: &JsValue, program: &str, attempt: u32) -> Port;
}

#[wasm_bindgen]
extern "C" {
    /// A `Worker` or a `MessagePort`: what they have in common.
    #[derive(Clone)]
    type Port;
    #[wasm_bindgen(method, catch, js_name = postMessage)]
    fn post(this: &Port, message: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, setter)]
    fn set_onmessage(this: &Port, listener: Option<&Function>);

    /// Waits for a lock; see <https://developer.mozilla.org/docs/Web/API/LockManager/request>.
    #[wasm_bindgen(catch, js_namespace = ["navigator", "locks"], js_name = request)]
    fn request_lock(name: &str, granted: &Function) -> Result<Promise, JsValue>;
}

thread_local! {
    /// Compiled once each: a fresh worker after a death needs no second download.
    static MODULES: RefCell<Vec<(Program, JsValue)>> = const { RefCell::new(Vec::new()) };
    static STARTED: Cell<u32> = const { Cell::new(0) };
}

/// What the browser calls with an event.
type Listener = Closure<dyn FnMut(JsValue)>;

/// Seconds between two pings.
const PING: i32 = 2;
/// Seconds without an answer that are told.
const PATIENCE: f64 = 20.0;

/// One life of the trainer. Dropping it ends it.
pub struct Trainer(Rc<Link>);

struct Link {
    hear: Box<dyn Fn(News)>,
    number: u32,
    program: Cell<Program>,
    lock: String,
    over: Cell<bool>,
    ready: Cell<bool>,
    worker: RefCell<Option<Worker>>,
    port: RefCell<Option<Port>>,
    waiting: RefCell<Vec<JsValue>>,
    unanswered_since: Cell<Option<f64>>,
    told_silent: Cell<bool>,
    timer: Cell<Option<i32>>,
    listeners: RefCell<Vec<Listener>>,
}

impl Drop for Trainer {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Trainer {
    /// Loads the module (unless it is there) and starts a worker. The processor's, if there is no GPU.
    pub fn start(program: Program, hear: impl Fn(News) + 'static) -> Self {
        let number = STARTED.with(|started| {
            started.set(started.get() + 1);
            started.get()
        });
        let link = Rc::new(Link {
            hear: Box::new(hear),
            number,
            program: Cell::new(program),
            // Unique over tabs of the same site.
            lock: format!("tag2mask-trainer-{number}-{}", js_sys::Math::random()),
            over: Cell::new(false),
            ready: Cell::new(false),
            worker: RefCell::default(),
            port: RefCell::default(),
            waiting: RefCell::default(),
            unanswered_since: Cell::new(None),
            told_silent: Cell::new(false),
            timer: Cell::new(None),
            listeners: RefCell::default(),
        });
        let starting = link.clone();
        spawn_local(async move {
            if let Err(error) = starting.load_and_spawn().await {
                starting.die(text_of(&error));
            }
        });
        Self(link)
    }

    /// Sends a command, or keeps it until the trainer is ready.
    pub fn send(&self, command: &Command, payload: Option<JsValue>) {
        let json = match serde_json::to_string(command) {
            Ok(json) => json,
            Err(error) => return self.0.die(error.to_string()),
        };
        let message =
            object(&[("json", json.as_str().into()), ("payload", payload.unwrap_or(JsValue::UNDEFINED))]);
        if self.0.ready.get() {
            self.0.post(&message);
        } else {
            self.0.waiting.borrow_mut().push(message);
        }
    }
}

impl Link {
    async fn load_and_spawn(self: &Rc<Self>) -> Result<(), JsValue> {
        if self.program.get() == Program::Gpu && !page_has_adapter().await {
            self.program.set(Program::Processor);
        }
        let module = self.module().await?;
        if self.over.get() {
            return Ok(());
        }
        self.tell(News::Starting);
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options("./trainer-worker.js", &options)?;
        let link = Rc::downgrade(self);
        let failed = self.listener(move |event| {
            let message = event.dyn_ref::<ErrorEvent>().map(ErrorEvent::message).unwrap_or_default();
            if let Some(link) = link.upgrade() {
                link.die(if message.is_empty() { "the worker could not start".into() } else { message });
            }
        });
        worker.set_onerror(Some(&failed));
        let link = Rc::downgrade(self);
        let unreadable = self.listener(move |_| {
            if let Some(link) = link.upgrade() {
                link.die("a message could not be read".into());
            }
        });
        // Old engines lack the event; they merely do not tell.
        let _ = worker.add_event_listener_with_callback("messageerror", &unreadable);
        *self.worker.borrow_mut() = Some(worker.clone());
        self.listen(worker.unchecked_into());
        let program = self.program.get().name();
        let first =
            object(&[("wasm", module), ("program", program.into()), ("lock", self.lock.as_str().into())]);
        self.post(&first);
        Ok(())
    }

    /// The program's module, fetched and compiled unless it was before.
    async fn module(&self) -> Result<JsValue, JsValue> {
        let program = self.program.get();
        let known = |modules: &RefCell<Vec<(Program, JsValue)>>| {
            modules.borrow().iter().find(|(of, _)| *of == program).map(|(_, module)| module.clone())
        };
        if let Some(module) = MODULES.with(known) {
            return Ok(module);
        }
        let url = format!("./{}_bg.wasm", program.name());
        let bytes = fetch(&url, |loaded, total| self.tell(News::Loading(loaded, total))).await?;
        let module: JsValue = JsFuture::from(WebAssembly::compile(&bytes)).await?;
        MODULES.with(|modules| modules.borrow_mut().push((program, module.clone())));
        Ok(module)
    }

    fn listen(self: &Rc<Self>, port: Port) {
        let link = Rc::downgrade(self);
        let listener = self.listener(move |event| {
            if let (Some(link), Some(event)) = (link.upgrade(), event.dyn_ref::<MessageEvent>()) {
                link.take(&event.data());
            }
        });
        port.set_onmessage(Some(&listener));
        *self.port.borrow_mut() = Some(port);
    }

    fn listener(&self, listener: impl FnMut(JsValue) + 'static) -> Function {
        let closure = Listener::new(listener);
        let function = closure.as_ref().unchecked_ref::<Function>().clone();
        self.listeners.borrow_mut().push(closure);
        function
    }

    fn take(self: &Rc<Self>, data: &JsValue) {
        if self.over.get() {
            return;
        }
        self.unanswered_since.set(None);
        if self.told_silent.replace(false) {
            self.tell(News::Answers);
        }
        if let Some(json) = get(data, "json").as_string() {
            match read_event(&json, data) {
                Ok(Event::FileReady { name, .. }) => match file_of(data) {
                    Ok(file) => self.tell(News::File(name, file)),
                    Err(error) => self.die(text_of(&error)),
                },
                Ok(event) => self.tell(News::Event(Box::new(event))),
                Err(error) => self.die(format!("its words were not understood: {error}")),
            }
        } else if let Some(reason) = get(data, "noGpu").as_string() {
            self.tell(News::NoGpu(reason));
        } else if let Some(reason) = get(data, "died").as_string() {
            self.die(reason);
        } else if get(data, "ready").is_truthy() {
            let link = self.clone();
            let has_adapter = get(data, "webgpu").is_truthy();
            spawn_local(async move { link.ready(has_adapter).await });
        }
    }

    /// It runs. A worker that finds no GPU, where the page does, moves there.
    async fn ready(self: &Rc<Self>, has_adapter: bool) {
        let in_worker = self.worker.borrow().is_some();
        if in_worker && !has_adapter && self.program.get() == Program::Gpu {
            if let Some(worker) = self.worker.borrow_mut().take() {
                worker.terminate();
            }
            match self.module().await {
                Ok(_) if self.over.get() => {}
                Ok(module) => self.listen(serve_here(&module, self.program.get().name(), self.number)),
                Err(error) => self.die(text_of(&error)),
            }
            return;
        }
        if self.over.get() {
            return;
        }
        self.ready.set(true);
        for message in self.waiting.take() {
            self.post(&message);
        }
        self.tell(News::Ready);
        self.watch();
        self.await_end();
    }

    /// The worker holds a lock for life: when we get it, the worker is gone, whatever ended it.
    fn await_end(self: &Rc<Self>) {
        if self.worker.borrow().is_none() {
            return;
        }
        let link = Rc::downgrade(self);
        // Not among the listeners: it is also called when we have ended the worker ourselves.
        let granted = Closure::once_into_js(move |_: JsValue| {
            if let Some(link) = link.upgrade() {
                link.die("ended without a word".into());
            }
        });
        // Without locks (an insecure origin, an old engine) the pings must do.
        let _ = request_lock(&self.lock, granted.unchecked_ref());
    }

    /// Pings, for a trainer that hangs.
    fn watch(self: &Rc<Self>) {
        let link = Rc::downgrade(self);
        let tick = self.listener(move |_| {
            let Some(link) = link.upgrade() else { return };
            match link.unanswered_since.get() {
                None => {
                    link.unanswered_since.set(Some(window::now()));
                    link.post(&object(&[("ping", true.into())]));
                }
                Some(since) if window::now() - since >= PATIENCE => {
                    link.told_silent.set(true);
                    link.tell(News::Silent((window::now() - since) as u32));
                }
                Some(_) => {}
            }
        });
        let timer = web_sys::window().and_then(|window| {
            window.set_interval_with_callback_and_timeout_and_arguments_0(&tick, PING * 1000).ok()
        });
        self.timer.set(timer);
    }

    fn post(&self, message: &JsValue) {
        let result = self.port.borrow().as_ref().map(|port| port.post(message));
        if let Some(Err(error)) = result {
            self.die(text_of(&error));
        }
    }

    fn tell(&self, news: News) {
        if !self.over.get() {
            (self.hear)(news);
        }
    }

    fn die(&self, reason: String) {
        self.tell(News::Died(reason));
        self.end();
    }

    fn end(&self) {
        self.over.set(true);
        if let Some(timer) = self.timer.take()
            && let Some(window) = web_sys::window()
        {
            window.clear_interval_with_handle(timer);
        }
        let worker = self.worker.borrow_mut().take();
        if let Some(port) = self.port.borrow_mut().take() {
            port.set_onmessage(None);
            // On the page there is nothing to terminate: it has to end by itself, after this step.
            if worker.is_none()
                && let Ok(stop) = serde_json::to_string(&Command::Stop)
            {
                // A port that is closed has nobody behind it.
                let _ = port.post(&object(&[("json", stop.as_str().into())]));
            }
        }
        if let Some(worker) = worker {
            worker.terminate();
        }
    }
}

async fn page_has_adapter() -> bool {
    JsFuture::from(has_adapter()).await.is_ok_and(|found| found.is_truthy())
}

/// A file that travelled beside the JSON: whole, or as the one buffer of its bytes, which need not become ours.
fn file_of(message: &JsValue) -> Result<Blob, JsValue> {
    match get(message, "file").dyn_into::<Blob>() {
        Ok(file) => Ok(file),
        Err(_) => Blob::new_with_buffer_source_sequence(&get(message, "buffers")),
    }
}

/// Puts the bytes that travelled beside the JSON back into the event; a file's stay where they are.
fn read_event(json: &str, message: &JsValue) -> Result<Event, serde_json::Error> {
    let mut event: Event = serde_json::from_str(json)?;
    if matches!(event, Event::FileReady { .. }) {
        return Ok(event);
    }
    if let Some(buffers) = get(message, "buffers").dyn_ref::<Array>() {
        for (field, buffer) in event.bytes().into_iter().zip(buffers.iter()) {
            *field = Uint8Array::new(&buffer).to_vec();
        }
    }
    Ok(event)
}

pub(super) fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

pub(super) fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        // Setting a property of a fresh object cannot fail.
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object.into()
}

fn text_of(error: &JsValue) -> String {
    get(error, "message").as_string().or_else(|| error.as_string()).unwrap_or_else(|| "unknown error".into())
}
