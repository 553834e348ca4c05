//! What the user makes of the masks: accepted, rejected, corrected.

/// What was said of a mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is good.
    Accepted,
    /// Nothing is to learn from it.
    Rejected,
}

/// Which masks are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Filter {
    /// All.
    #[default]
    All,
    /// Those without a verdict.
    Open,
    /// Accepted and corrected ones.
    Accepted,
    /// Rejected ones.
    Rejected,
}

impl Filter {
    /// Every filter, as the page lists them.
    pub const ALL: [Self; 4] = [Self::All, Self::Open, Self::Accepted, Self::Rejected];

    /// What the page calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "All masks",
            Self::Open => "To review",
            Self::Accepted => "Accepted",
            Self::Rejected => "Rejected",
        }
    }

    /// Whether a mask of that verdict is shown.
    pub fn shows(self, verdict: Option<Verdict>) -> bool {
        match self {
            Self::All => true,
            Self::Open => verdict.is_none(),
            Self::Accepted => verdict == Some(Verdict::Accepted),
            Self::Rejected => verdict == Some(Verdict::Rejected),
        }
    }
}

/// Verdicts on the masks of one round, and the way back.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Review {
    /// By image.
    verdicts: Vec<Option<Verdict>>,
    corrected: Vec<usize>,
    /// Images and what was said of them before, the last change last.
    done: Vec<(usize, Option<Verdict>)>,
}

impl Review {
    /// Steps that can be taken back.
    const STEPS: usize = 1000;

    /// A letter an image: `a` for accepted, `r` for rejected.
    pub fn letters(&self) -> String {
        let letter = |verdict: &Option<Verdict>| match verdict {
            Some(Verdict::Accepted) => 'a',
            Some(Verdict::Rejected) => 'r',
            None => '-',
        };
        self.verdicts.iter().map(letter).collect()
    }

    /// The review that has these [`letters`](Self::letters); there is nothing to take back.
    pub fn of_letters(letters: &str) -> Self {
        let verdict = |letter| match letter {
            'a' => Some(Verdict::Accepted),
            'r' => Some(Verdict::Rejected),
            _ => None,
        };
        Self { verdicts: letters.chars().map(verdict).collect(), ..Self::default() }
    }

    /// What was said of an image's mask.
    pub fn of(&self, image: usize) -> Option<Verdict> {
        self.verdicts.get(image).copied().flatten()
    }

    /// Whether its mask was corrected.
    pub fn is_corrected(&self, image: usize) -> bool {
        self.corrected.contains(&image)
    }

    /// Images whose masks were corrected.
    pub fn corrected(&self) -> usize {
        self.corrected.len()
    }

    /// Says something of a mask, or, with the same word again, nothing any more.
    pub fn judge(&mut self, image: usize, verdict: Verdict) {
        let before = self.of(image);
        self.put(image, Some(verdict).filter(|_| before != Some(verdict)));
        self.done.push((image, before));
        let excess = self.done.len().saturating_sub(Self::STEPS);
        self.done.drain(..excess);
    }

    /// A corrected mask is accepted.
    pub fn correct(&mut self, image: usize) {
        if self.of(image) != Some(Verdict::Accepted) {
            self.judge(image, Verdict::Accepted);
        }
        self.was_corrected(image);
    }

    /// A mask is one that was drawn by hand earlier: accepted, unless something else was said of it since.
    pub fn was_corrected(&mut self, image: usize) {
        if !self.is_corrected(image) {
            self.corrected.push(image);
        }
        if self.of(image).is_none() {
            self.put(image, Some(Verdict::Accepted));
        }
    }

    /// Of these images the rejected ones, and no other verdict.
    pub fn rejected_of(&self, images: impl Iterator<Item = usize>) -> Self {
        let mut review = Self::default();
        images
            .filter(|&image| self.of(image) == Some(Verdict::Rejected))
            .for_each(|image| review.reject(image));
        review
    }

    /// A mask is rejected, with no way back.
    pub fn reject(&mut self, image: usize) {
        self.put(image, Some(Verdict::Rejected));
    }

    /// Whether there is a verdict to take back.
    pub fn can_undo(&self) -> bool {
        !self.done.is_empty()
    }

    /// Takes the last verdict back; of which image it was.
    pub fn undo(&mut self) -> Option<usize> {
        let (image, before) = self.done.pop()?;
        self.put(image, before);
        Some(image)
    }

    /// Images whose masks were rejected.
    pub fn rejected(&self) -> Vec<usize> {
        self.judged(Verdict::Rejected)
    }

    /// Images whose masks were accepted, or drawn by hand and not rejected.
    pub fn accepted(&self) -> Vec<usize> {
        self.judged(Verdict::Accepted)
    }

    fn judged(&self, verdict: Verdict) -> Vec<usize> {
        (0..self.verdicts.len()).filter(|&image| self.of(image) == Some(verdict)).collect()
    }

    /// Of `masks` masks, as many as a filter shows.
    pub fn count(&self, filter: Filter, masks: usize) -> usize {
        let given = |wanted: fn(Verdict) -> bool| {
            self.verdicts.iter().flatten().filter(|&&verdict| wanted(verdict)).count()
        };
        match filter {
            Filter::All => masks,
            Filter::Open => masks.saturating_sub(given(|_| true)),
            Filter::Accepted => given(|verdict| verdict == Verdict::Accepted),
            Filter::Rejected => given(|verdict| verdict == Verdict::Rejected),
        }
    }

    fn put(&mut self, image: usize, verdict: Option<Verdict>) {
        if self.verdicts.len() <= image {
            self.verdicts.resize(image + 1, None);
        }
        self.verdicts[image] = verdict;
    }
}

/// The one beside `image` in a list, `by` places on.
pub fn beside(list: &[usize], image: usize, by: isize) -> Option<usize> {
    let here = list.iter().position(|&listed| listed == image)?;
    list.get(here.checked_add_signed(by)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_that_was_corrected_and_then_rejected_stays_rejected() {
        let mut review = Review::of_letters("-r");
        review.was_corrected(1);
        assert_eq!(
            (review.of(1), review.corrected(), review.can_undo()),
            (Some(Verdict::Rejected), 1, false)
        );
        review.correct(1);
        assert_eq!((review.of(1), review.corrected()), (Some(Verdict::Accepted), 1));
    }

    #[test]
    fn verdicts_are_kept_as_letters() {
        let mut review = Review::default();
        review.judge(4, Verdict::Rejected);
        review.judge(1, Verdict::Accepted);
        assert_eq!(review.letters(), "-a--r");
        let again = Review::of_letters(&review.letters());
        assert_eq!(
            (again.of(1), again.of(4), again.of(9)),
            (Some(Verdict::Accepted), Some(Verdict::Rejected), None)
        );
        assert!(!again.can_undo() && Review::default().letters().is_empty());
    }

    #[test]
    fn verdicts_are_counted_changed_and_taken_back() {
        let mut review = Review::default();
        review.judge(3, Verdict::Accepted);
        review.judge(5, Verdict::Rejected);
        review.judge(3, Verdict::Rejected);
        assert_eq!(Filter::ALL.map(|filter| review.count(filter, 10)), [10, 8, 0, 2]);
        assert_eq!((review.rejected(), review.accepted()), (vec![3, 5], vec![]));
        review.judge(5, Verdict::Rejected);
        assert_eq!(review.of(5), None, "said twice is said no more");
        assert_eq!(review.undo(), Some(5));
        assert_eq!((review.undo(), review.of(3)), (Some(3), Some(Verdict::Accepted)));
        assert_eq!((review.undo(), review.undo(), review.undo()), (Some(5), Some(3), None));
        assert_eq!(review.count(Filter::Open, 10), 10);
    }

    #[test]
    fn a_corrected_mask_is_accepted() {
        let mut review = Review::default();
        review.judge(2, Verdict::Rejected);
        review.correct(2);
        review.correct(2);
        assert!(review.is_corrected(2) && review.of(2) == Some(Verdict::Accepted) && review.corrected() == 1);
        assert!(Filter::Accepted.shows(review.of(2)) && !Filter::Open.shows(review.of(2)));
        assert_eq!((review.undo(), review.of(2)), (Some(2), Some(Verdict::Rejected)));
    }

    #[test]
    fn steps_are_bounded() {
        let mut review = Review::default();
        (0..3000).for_each(|image| review.judge(image, Verdict::Accepted));
        assert_eq!(review.done.len(), Review::STEPS);
    }

    #[test]
    fn beside_is_in_the_list_s_order() {
        let list = [7, 2, 9];
        assert_eq!((beside(&list, 2, 1), beside(&list, 2, -1)), (Some(9), Some(7)));
        assert_eq!((beside(&list, 7, -1), beside(&list, 9, 1), beside(&list, 4, 1)), (None, None, None));
    }
}
