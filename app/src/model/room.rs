//! What gives room once the browser has none left: what is missed least first, of that the oldest.

use tag2mask_core::run::store::{is_measured, round_of};

use super::order;

/// What a kept project has that can go.
#[derive(Debug, Clone, PartialEq)]
pub struct Holder {
    /// Its folder.
    pub id: String,
    /// What the user calls it.
    pub name: String,
    /// Whether nothing was done with it.
    pub is_fresh: bool,
    /// Whether its training is finished.
    pub is_finished: bool,
    /// When it was last saved, milliseconds since 1970.
    pub saved: f64,
    /// Whether it has momentum, which nothing but going on exactly where it was needs.
    pub has_momentum: bool,
    /// Files of earlier rounds, with which masks of these can be made and compared.
    pub rounds: Vec<String>,
}

/// What goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gift {
    /// A project that was only opened.
    Opened {
        /// Its folder.
        id: String,
        /// What the user calls it.
        name: String,
    },
    /// Of another project, the momentum.
    Momentum {
        /// Its folder.
        id: String,
        /// What the user calls it.
        name: String,
    },
    /// Of another project, all earlier rounds.
    Rounds {
        /// Its folder.
        id: String,
        /// What the user calls it.
        name: String,
        /// The files.
        files: Vec<String>,
    },
    /// Of the run that needs room, the masks that shares were measured on.
    Measured {
        /// The files.
        files: Vec<String>,
    },
    /// Of the run that needs room, the network of an earlier round.
    OwnRound {
        /// From 0.
        round: usize,
        /// The file.
        file: String,
    },
}

impl Gift {
    /// What to tell the user.
    pub fn told(&self) -> String {
        let (what, but) = match self {
            Self::Opened { name, .. } => {
                (format!("the copy of {name} was"), "nothing was done with it, and your own files stay")
            }
            Self::Momentum { name, .. } => (
                format!("the training state of {name} was"),
                "its network and masks stay, but its training can no longer go on exactly where it was",
            ),
            Self::Rounds { name, .. } => (
                format!("the networks of earlier rounds of {name} were"),
                "its last network and all its masks stay",
            ),
            Self::Measured { .. } => (
                "the masks that it measured its shares on were".to_owned(),
                "what was measured stays, and nothing else needs them",
            ),
            Self::OwnRound { round, .. } => (
                format!("its network after round {} was", round + 1),
                "training goes on, and masks that were made of that round stay",
            ),
        };
        format!("The browser ran out of room. To keep this run, {what} removed: {but}.")
    }
}

/// What can go for the project `own`, one after the other, the first of all first: projects that were only opened, momentum of finished ones, then
/// earlier rounds of other projects and what the own one can do without, and at last the momentum of projects that are still to go on.
pub fn gifts(own: &str, mut holders: Vec<Holder>) -> Vec<Gift> {
    order::sort_by(&mut holders, |a, b| b.is_finished.cmp(&a.is_finished).then(a.saved.total_cmp(&b.saved)));
    let others = || holders.iter().filter(|holder| holder.id != own);
    let opened = others()
        .filter(|holder| holder.is_fresh)
        .map(|holder| Gift::Opened { id: holder.id.clone(), name: holder.name.clone() });
    let momentum = |is_finished: bool| {
        others()
            .filter(move |holder| holder.has_momentum && holder.is_finished == is_finished)
            .map(|holder| Gift::Momentum { id: holder.id.clone(), name: holder.name.clone() })
    };
    let rounds = others().filter(|holder| !holder.rounds.is_empty()).map(|holder| Gift::Rounds {
        id: holder.id.clone(),
        name: holder.name.clone(),
        files: holder.rounds.clone(),
    });
    let own = holders.iter().filter(|holder| holder.id == own).flat_map(|holder| own_rounds(&holder.rounds));
    opened.chain(momentum(true)).chain(rounds).chain(own).chain(momentum(false)).collect()
}

/// What the run that needs room can do without itself: measured masks, then earlier rounds, the oldest first.
pub fn own_rounds(files: &[String]) -> Vec<Gift> {
    let measured: Vec<String> = files.iter().filter(|name| is_measured(name)).cloned().collect();
    let mut rounds: Vec<(usize, &String)> =
        files.iter().filter_map(|name| Some((round_of(name)?, name))).collect();
    order::sort_by(&mut rounds, Ord::cmp);
    let rounds = rounds.into_iter().map(|(round, name)| Gift::OwnRound { round, file: name.clone() });
    let measured = (!measured.is_empty()).then_some(Gift::Measured { files: measured });
    measured.into_iter().chain(rounds).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(id: &str, is_finished: bool, saved: f64, has_momentum: bool, rounds: &[&str]) -> Holder {
        let rounds = rounds.iter().map(ToString::to_string).collect();
        let (id, name) = (id.into(), format!("The {id}"));
        Holder { id, name, is_fresh: false, is_finished, saved, has_momentum, rounds }
    }

    /// In one word each.
    fn words(gifts: &[Gift]) -> Vec<String> {
        let word = |gift: &Gift| match gift {
            Gift::Opened { id, .. } => id.clone(),
            Gift::Momentum { id, .. } => format!("momentum of {id}"),
            Gift::Rounds { id, files, .. } => format!("{} of {id}", files.join(" ")),
            Gift::Measured { files } => files.join(" "),
            Gift::OwnRound { round, file } => format!("{file} of own {round}"),
        };
        gifts.iter().map(word).collect()
    }

    #[test]
    fn what_is_missed_least_goes_first() {
        let own = ["masks-1.zip", "round-10.safetensors", "round-1.safetensors", "round-0.safetensors"];
        let holders = vec![
            holder("own", false, 9.0, true, &own),
            holder("young", true, 3.0, true, &[]),
            holder("under-way", false, 1.0, true, &["round-0.safetensors"]),
            holder("old", true, 2.0, true, &["round-0.safetensors", "masks-1.zip"]),
            holder("bare", true, 0.0, false, &[]),
            Holder { is_fresh: true, ..holder("opened", false, 8.0, false, &[]) },
        ];
        assert_eq!(
            words(&gifts("own", holders)),
            [
                "opened",
                "momentum of old",
                "momentum of young",
                "round-0.safetensors masks-1.zip of old",
                "round-0.safetensors of under-way",
                "masks-1.zip",
                "round-0.safetensors of own 0",
                "round-1.safetensors of own 1",
                "round-10.safetensors of own 10",
                "momentum of under-way",
            ]
        );
    }

    #[test]
    fn an_only_project_without_rounds_has_nothing_to_give() {
        assert_eq!(gifts("own", vec![holder("own", false, 0.0, true, &[])]), []);
    }

    #[test]
    fn the_user_hears_what_went_and_what_stays() {
        let told = Gift::OwnRound { round: 0, file: String::new() }.told();
        assert!(told.contains("its network after round 1 was removed"), "{told}");
        let told = Gift::Rounds { id: "a".into(), name: "Cats".into(), files: Vec::new() }.told();
        assert!(told.contains("the networks of earlier rounds of Cats were removed"), "{told}");
    }
}
