//! What arrives: wishes take effect at once, work waits in line, and small pictures are served in
//! between, one a turn.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use crate::protocol::Command;
use js_sys::Reflect;
use tag2mask_core::{Event, run::Control};
use wasm_bindgen::prelude::*;

use super::endpoint::Endpoint;
use super::turn::yield_now;
use super::work::Trainer;

/// A command and what JSON cannot carry.
struct Letter {
    command: Command,
    payload: JsValue,
}

/// The one desk of this module.
struct Desk {
    endpoint: Endpoint,
    wish: Rc<Cell<Control>>,
    line: RefCell<VecDeque<Letter>>,
    /// Pictures that were asked for: image and longest side.
    pictures: RefCell<VecDeque<(usize, usize)>>,
    trainer: Rc<RefCell<Trainer>>,
    working: Cell<bool>,
    drawing: Cell<bool>,
}

/// Starts listening.
pub fn open() {
    let endpoint = Endpoint::of_this_trainer();
    let last_words = endpoint.clone();
    std::panic::set_hook(Box::new(move |info| {
        // wgpu panics on a lost device; the page says what happened and starts a fresh trainer.
        console_error_panic_hook::hook(info);
        last_words.die(&info.to_string());
    }));
    let wish = Rc::new(Cell::new(Control::Continue));
    let desk = Rc::new(Desk {
        endpoint: endpoint.clone(),
        trainer: Rc::new(RefCell::new(Trainer::default())),
        wish,
        line: RefCell::default(),
        pictures: RefCell::default(),
        working: Cell::new(false),
        drawing: Cell::new(false),
    });
    endpoint.listen(move |data| desk.take(&data));
}

impl Desk {
    fn take(self: &Rc<Self>, data: &JsValue) {
        let json = Reflect::get(data, &"json".into()).ok().and_then(|json| json.as_string());
        // Messages without JSON are the loader's own.
        let Some(json) = json else { return };
        let payload = Reflect::get(data, &"payload".into()).unwrap_or(JsValue::UNDEFINED);
        match serde_json::from_str(&json) {
            Ok(Command::Pause) => self.wish.set(Control::Pause),
            Ok(Command::Resume) => self.wish.set(Control::Continue),
            Ok(Command::Stop) => self.wish.set(Control::Stop),
            Ok(Command::Thumbnails { images, side }) => {
                self.pictures.borrow_mut().extend(images.into_iter().map(|image| (image, side)));
                self.draw();
            }
            Ok(command) => {
                self.line.borrow_mut().push_back(Letter { command, payload });
                self.work();
            }
            Err(error) => {
                let message = format!("the page and the trainer are of different versions; reload ({error})");
                self.endpoint.tell(Event::Failed { message });
            }
        }
    }

    /// Serves pictures until none is left, or until the data set is there that they are of.
    fn draw(self: &Rc<Self>) {
        if self.drawing.replace(true) {
            return;
        }
        let desk = self.clone();
        wasm_bindgen_futures::spawn_local(async move {
            while desk.trainer.borrow().has_data() {
                let Some((image, side)) = desk.pictures.borrow_mut().pop_front() else { break };
                let event = desk.trainer.borrow().thumbnail(image, side);
                if let Some(event) = event {
                    desk.endpoint.tell(event);
                }
                yield_now().await;
            }
            desk.drawing.set(false);
        });
    }

    /// Works the line off, one command after the other.
    fn work(self: &Rc<Self>) {
        if self.working.replace(true) {
            return;
        }
        let desk = self.clone();
        wasm_bindgen_futures::spawn_local(async move {
            loop {
                let letter = desk.line.borrow_mut().pop_front();
                let Some(Letter { command, payload }) = letter else { break };
                // A wish was for the work before.
                desk.wish.set(Control::Continue);
                let done = Trainer::answer(&desk.trainer, command, payload, &desk.endpoint, &desk.wish).await;
                if let Err(error) = done {
                    desk.endpoint.tell(Event::Failed { message: error.to_string() });
                }
                // Pictures may have been asked for before their data set was read.
                desk.draw();
            }
            desk.working.set(false);
        });
    }
}
