//! Sorting that is compiled once. The standard library's is compiled anew for every type, some 3 KB each of what a visitor
//! loads before anything is shown.

use std::cmp::Ordering;

/// Sorts, keeping the order of what is equal.
pub fn sort_by<T>(items: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    let places = places(items.len(), &|a, b| match (items.get(a), items.get(b)) {
        (Some(a), Some(b)) => compare(a, b),
        _ => Ordering::Equal,
    });
    let mut taken: Vec<Option<T>> = items.drain(..).map(Some).collect();
    items.extend(places.into_iter().filter_map(|place| taken.get_mut(place)?.take()));
}

/// The places `0..count` in their order.
fn places(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by(|&a, &b| compare(a, b));
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_as_the_standard_library_does() {
        let mut words: Vec<(usize, String)> =
            (0..200).map(|at| (at, format!("{}", at * 7919 % 31))).collect();
        let mut expected = words.clone();
        expected.sort_by(|a, b| b.1.cmp(&a.1));
        sort_by(&mut words, |a, b| b.1.cmp(&a.1));
        assert_eq!(words, expected, "what is equal stays in its order");
        let mut none: Vec<u8> = Vec::new();
        sort_by(&mut none, u8::cmp);
        assert!(none.is_empty());
    }
}
