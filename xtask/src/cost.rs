//! What a training step asks of the GPU, counted in a browser.

use crate::Result;
use crate::command::{execute, root};
use crate::dist::{self, Effort};
use crate::test::node_on;

/// `cargo xtask cost`.
///
/// # Errors
/// The build failed, or the browser did.
pub fn run() -> Result<()> {
    let page = dist::build(Effort::Quick)?;
    execute(node_on(&page)?.arg(root().join("tests/page/cost.mjs")))
}
