//! One loop over pieces of a slice: on all cores natively, on one in the browser. Each piece is computed
//! alike on both, so the result does not depend on the number of threads.

/// Items below which starting threads costs more than it gains.
#[cfg(not(target_arch = "wasm32"))]
const WORTH_THREADS: usize = 1 << 14;

/// Calls `work(index of the first item, items)` for each piece of `items` of `piece` items; the last may
/// be shorter.
pub fn for_each_piece<T: Send>(items: &mut [T], piece: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    #[cfg(not(target_arch = "wasm32"))]
    if items.len() >= WORTH_THREADS {
        use rayon::prelude::*;
        items.par_chunks_mut(piece).enumerate().for_each(|(index, part)| work(index * piece, part));
        return;
    }
    items.chunks_mut(piece).enumerate().for_each(|(index, part)| work(index * piece, part));
}
