//! The second stage: one round on masks, and the model that it leaves.

use super::Session;
use crate::backbone::weights::FileSource;
use crate::error::Result;
use crate::export::model::{self, ModelCard};
use crate::method::LearnerConfig;
use crate::method::deeplab::DeepLabConfig;
use crate::run::checkpoint::{Position, Stage, Trained};
use crate::run::host::Host;
use crate::run::round::Ended;
use crate::run::store::RunStore;

impl<H: Host, S: RunStore> Session<'_, H, S> {
    pub(super) fn segmenter_config(&self) -> DeepLabConfig {
        DeepLabConfig { backbone: self.backbone, classes: self.classes() }
    }

    /// Trains the segmentation network, from pretrained weights or from where it was, and writes the model.
    pub(super) async fn segmenter(&mut self, trained: Option<&Trained>, start: Position) -> Result<Ended> {
        let config = self.segmenter_config();
        let names = config.names(&self.device)?;
        let mut ended = Ended::Finished;
        if start.step < self.steps_of(0) {
            let learner = match trained {
                Some(trained) => config.init(&mut FileSource::all(&trained.weights), &self.device)?,
                None => config.init(self.first_weights().as_mut(), &self.device)?,
            };
            ended = self.round(learner, names, Stage::Deeplab, start, Vec::new()).await?.1;
        }
        // Of a training that was stopped too: what it has learned can be used.
        let store = &mut *self.journal.store;
        if let Some(trained) = Trained::load(store, None)? {
            let card = ModelCard::new(self.run.settings, &self.run.dataset.classes, config.rates());
            model::save(store, &card, &trained.weights, config.scale())?;
        }
        Ok(ended)
    }
}
