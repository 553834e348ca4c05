//! Which classes are in force, and what each class has become.

use super::names::{clean, is_same};
use super::{Fate, NUMBERS, Relabel};
use crate::dataset::ObjectBox;
use crate::files::limits;
use crate::masks::IGNORE;

/// Classes in force, and what each class has become. Whatever the changes say, each of its answers is a class that
/// is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClassMap {
    /// Classes that were read.
    read: usize,
    names: Vec<String>,
    numbers: Vec<u16>,
    /// By number: the class in force.
    becomes: Vec<Option<u16>>,
}

impl ClassMap {
    /// The classes that `changes` leave of those that were `read`, in the order of their numbers. Changes that contradict
    /// each other, as only a damaged file can hold them, are read as well as can be: what is merged in a circle is
    /// gone, what is named as another is merged into it, and a name that cannot be is as it was read.
    pub fn new(changes: &Relabel, read: &[String]) -> Self {
        let total = changes.classes.len().max(read.len()).min(NUMBERS);
        let fate = |number: usize| changes.classes.get(number).unwrap_or(&Fate::Kept);
        let mut map = Self { read: read.len(), ..Self::default() };
        map.becomes = vec![None; total];
        let mut given: Vec<bool> = Vec::new();
        for number in 0..total {
            let own = match fate(number) {
                Fate::Named(name) => clean(name).map(|name| (name, true)),
                Fate::Kept => None,
                Fate::Merged(_) | Fate::Removed => continue,
            };
            let own = own.or_else(|| read.get(number).map(|name| (name.clone(), false)));
            let Some((name, is_given)) = own else { continue };
            // Names that were read may differ in case alone.
            let twin =
                (0..map.names.len()).find(|&at| (is_given || given[at]) && is_same(&map.names[at], &name));
            if twin.is_none() && map.names.len() < limits::CLASSES {
                map.becomes[number] = Some(map.names.len() as u16);
                map.names.push(name);
                map.numbers.push(number as u16);
                given.push(is_given);
            } else {
                map.becomes[number] = twin.map(|twin| twin as u16);
            }
        }
        for number in 0..total {
            let mut end = number;
            // As many steps as there are classes: a longer way is a circle.
            for _ in 0..total {
                match fate(end) {
                    Fate::Merged(into) if usize::from(*into) < total => end = usize::from(*into),
                    _ => break,
                }
            }
            if end != number {
                map.becomes[number] =
                    if matches!(fate(end), Fate::Merged(_)) { None } else { map.becomes[end] };
            }
        }
        map
    }

    /// Names of the classes in force.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Their numbers, ascending.
    pub fn numbers(&self) -> &[u16] {
        &self.numbers
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The class in force that the class of this number has become.
    pub fn class(&self, number: u16) -> Option<u16> {
        self.becomes.get(usize::from(number)).copied().flatten()
    }

    /// The number of a class in force.
    pub fn number(&self, class: u16) -> Option<u16> {
        self.numbers.get(usize::from(class)).copied()
    }

    /// Whether every class is in force under its number.
    pub fn is_plain(&self) -> bool {
        (0u16..).zip(&self.becomes).all(|(number, class)| *class == Some(number))
    }

    /// Whether it is `other` but for names of the classes.
    pub fn differs_in_names(&self, other: &Self) -> bool {
        self.names != other.names
            && (self.read, &self.numbers, &self.becomes) == (other.read, &other.numbers, &other.becomes)
    }

    /// Boxes whose classes are numbers, as boxes of classes in force; those of removed classes are left out.
    pub fn boxes(&self, boxes: &[ObjectBox]) -> Vec<ObjectBox> {
        let known = |object: &ObjectBox| Some(ObjectBox { class: self.class(object.class)?, ..*object });
        boxes.iter().filter_map(known).collect()
    }

    /// Boxes of classes in force, as boxes whose classes are numbers.
    pub fn numbered(&self, boxes: &[ObjectBox]) -> Vec<ObjectBox> {
        let known = |object: &ObjectBox| Some(ObjectBox { class: self.number(object.class)?, ..*object });
        boxes.iter().filter_map(known).collect()
    }

    /// What the values of supplied masks mean now: background, then each class as it was read. `None` where they
    /// mean what they did.
    pub(super) fn values(&self) -> Option<Vec<u8>> {
        let value = |number: usize| match self.becomes.get(number).copied().flatten() {
            Some(class) => u8::try_from(class + 1).unwrap_or(IGNORE),
            None => IGNORE,
        };
        let values: Vec<u8> = std::iter::once(0).chain((0..self.read).map(value)).collect();
        let is_same = values.iter().enumerate().all(|(old, &new)| old == usize::from(new));
        (!is_same || self.names.len() != self.read).then_some(values)
    }
}
