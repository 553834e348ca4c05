//! Both opponents, and what each learns in its turn.

use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor, TensorData};

use super::adversary::{self, TwinStart};
use super::items::Items;
use super::{
    AdversarialErasingSettings, Attention, adversary_loss, attention, attention_mining, erase,
    localizer_loss, mask, regularization,
};
use crate::backbone::dropout::Dropout;
use crate::backbone::weights::Source;
use crate::backbone::{Backbone, BackboneConfig};
use crate::error::Result;
use crate::method::cam::{Cam, CamConfig, project};
use crate::method::{
    Batch, Learner, LearnerConfig, MapHead, Maps, Network, ParameterGroup, Setup, StepLoss, mask_loss,
};

/// Backbone, number of foreground classes, and the method's settings.
#[derive(Debug, Clone)]
pub struct AdversarialErasingConfig {
    /// The localizer's feature network.
    pub backbone: BackboneConfig,
    /// Foreground classes.
    pub classes: usize,
    /// The method's settings.
    pub settings: AdversarialErasingSettings,
}

impl AdversarialErasingConfig {
    /// The adversary's feature network, as coarse as it comes: it only says which classes there are. Its
    /// tensors do not depend on that.
    pub fn adversary(&self) -> BackboneConfig {
        let name = self.settings.adversary.unwrap_or(self.backbone.name);
        let coarsest = name.output_strides().iter().copied().max();
        BackboneConfig::new(name, coarsest.unwrap_or(self.backbone.output_stride))
    }

    /// Whether both networks are of one kind, so that one file of weights can start both ([`TwinStart`]).
    pub fn are_twins(&self) -> bool {
        self.adversary().name == self.backbone.name
    }
}

/// The configuration of its network.
pub fn config(setup: &Setup<'_>) -> AdversarialErasingConfig {
    let settings = setup.settings.methods.adversarial_erasing.clone();
    AdversarialErasingConfig { backbone: setup.backbone(), classes: setup.classes, settings }
}

/// Both opponents.
#[derive(Module, Debug)]
pub struct AdversarialErasing {
    /// Says where classes are. It has the plain classifier's shape and tensors.
    pub localizer: Cam,
    /// Looks for classes in erased images; its tensors start with [`PREFIX`].
    pub adversary: Cam,
    #[module(skip)]
    settings: AdversarialErasingSettings,
}

impl LearnerConfig for AdversarialErasingConfig {
    type Learner = AdversarialErasing;

    /// The localizer's: the adversary only teaches.
    fn map_head(&self) -> MapHead {
        CamConfig { backbone: self.backbone, classes: self.classes }.map_head()
    }

    fn init(&self, source: &mut dyn Source, device: &Device) -> Result<AdversarialErasing> {
        let localizer = CamConfig { backbone: self.backbone, classes: self.classes };
        let adversary = CamConfig { backbone: self.adversary(), classes: self.classes };
        Ok(AdversarialErasing {
            localizer: localizer.init(source, device)?,
            adversary: adversary::load(&adversary, source, device)?,
            settings: self.settings.clone(),
        })
    }

    fn init_first(&self, source: &mut dyn Source, device: &Device) -> Result<AdversarialErasing> {
        self.init(&mut TwinStart::new(source, self.are_twins()), device)
    }
}

impl AdversarialErasing {
    /// Where the localizer looks for the class of each item, `[P, 1, height, width]`.
    fn attention(&self, features: Tensor<4>, items: &Items, height: usize, width: usize) -> Tensor<4> {
        let classifier = self.localizer.classifier.val();
        let classifier = match self.settings.attention {
            Attention::GradCam => classifier.inner(),
            Attention::Cam => classifier,
        };
        attention(items.maps(project(features, classifier)), self.settings.attention, height, width)
    }

    /// What the localizer learns: the gradient reaches it through the mask, and passes through the adversary
    /// without reaching its parameters. Where masks are given, [`mask_loss`] beside it.
    fn localizer_step(&self, features: Tensor<4>, batch: &Batch, items: &Items) -> StepLoss {
        let [_, _, height, width] = batch.images.dims();
        let share = items.share(batch.whole.present);
        let given = mask_loss(&project(features.clone(), self.localizer.classifier.val()), batch);
        let logits = self.localizer.logits(features.clone());
        let classification = localizer_loss(logits.clone(), batch.labels.clone()).mul_scalar(batch.weight());
        let attention = self.attention(features, items, height, width);
        let mean = regularization(attention.clone()).mul_scalar(share);
        let erased = erase(items.rows(batch.images.clone()), mask(attention, self.settings.slope));
        let seen = self.adversary.clone().no_grad().logits_of_images(erased, None);
        let mining = attention_mining(seen, items.one_hot(&batch.images.device())).mul_scalar(share);
        let parts =
            [classification.clone().inner(), mining.clone().inner(), activation_of_present(logits, batch)];
        let total =
            classification + mining.mul_scalar(self.settings.alpha) + mean.mul_scalar(self.settings.beta);
        let total = match given {
            Some(given) => total + given,
            None => total,
        };
        StepLoss { total, parts, threshold_step: false, statistics: None }
    }

    /// What the adversary learns from erased images, which are held.
    fn adversary_step(&self, features: Tensor<4>, batch: &Batch, items: &Items) -> StepLoss {
        let [_, _, height, width] = batch.images.dims();
        let share = items.share(batch.whole.present);
        let held = self.valid();
        let features = features.inner();
        let attention = held.attention(features.clone(), items, height, width);
        let images = items.rows(batch.images.clone().inner());
        let erased = Tensor::from_inner(erase(images, mask(attention, self.settings.slope)));
        let dropout = items_dropout(&batch.dropout, items);
        let logits = self.adversary.logits_of_images(erased, Some(&dropout));
        let total = adversary_loss(logits.clone(), items.rows(batch.labels.clone())).mul_scalar(share);
        let logits = logits.inner();
        let mining = attention_mining(logits.clone(), items.one_hot(&logits.device())).mul_scalar(share);
        let activation = activation_of_present(held.localizer.logits(features), batch);
        let parts = [total.clone().inner(), mining, activation];
        StepLoss { total, parts, threshold_step: true, statistics: None }
    }

    /// Normalised images, each erased where the localizer looks for its first present class; an image
    /// without one stays as it is. What the adversary gets to see, for a picture of it.
    ///
    /// # Shapes
    /// - `images`: `[N, 3, H, W]`
    /// - `labels`: `[N, C]` row-major, 0 or 1
    /// - result: `[N, 3, H, W]`
    pub fn erased_images(&self, images: Tensor<4>, labels: &[f32]) -> Tensor<4> {
        let [count, _, height, width] = images.dims();
        let classes = (labels.len() / count.max(1)).max(1);
        let mut first = vec![0.0; count * classes];
        let mut is_erased = vec![0.0f32; count];
        for (image, labels) in labels.chunks_exact(classes).enumerate().take(count) {
            let class = labels.iter().position(|&label| label > 0.5);
            is_erased[image] = f32::from(u8::from(class.is_some()));
            first[image * classes + class.unwrap_or(0)] = 1.0;
        }
        let features = self.localizer.backbone.forward(images.clone(), None);
        let attention = self.attention(features, &Items::of(&first, classes), height, width);
        let is_erased = TensorData::new(is_erased, [count, 1, 1, 1]);
        let is_erased = Tensor::from_data(is_erased, &images.device());
        erase(images, mask(attention, self.settings.slope) * is_erased)
    }
}

/// The mean activation of present classes, over the whole batch's; untracked, `[1]`.
fn activation_of_present(logits: Tensor<2>, batch: &Batch) -> Tensor<1> {
    let present = batch.labels.clone().inner();
    (sigmoid(logits.inner()) * present).sum().div_scalar(batch.whole.present.max(1) as f32)
}

/// A seed per item, from its image's and its class.
fn items_dropout(dropout: &Dropout, items: &Items) -> Dropout {
    let seed = |(image, class): (usize, usize)| {
        let seed = dropout.seeds.get(image)?;
        Some(seed ^ (class as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    };
    Dropout { seeds: items.images().zip(items.classes()).map_while(seed).collect() }
}

impl Network for AdversarialErasing {
    /// The localizer's class maps.
    fn maps(&self, images: Tensor<4>) -> Maps {
        self.localizer.maps(images)
    }

    fn altered(&self, images: Tensor<4>, labels: &[f32]) -> Option<Tensor<4>> {
        Some(self.erased_images(images, labels))
    }
}

impl Learner for AdversarialErasing {
    fn backbone(&self) -> &Backbone {
        &self.localizer.backbone
    }

    fn features(&self, batch: &Batch, step: usize) -> Tensor<4> {
        if !self.settings.is_adversary_step(step) {
            return self.backbone().forward(batch.images.clone(), Some(&batch.dropout));
        }
        let held = self.backbone().valid();
        Tensor::from_inner(held.forward(batch.images.clone().inner(), Some(&batch.dropout)))
    }

    /// Parts: cross-entropy of whoever learns, what the adversary sees of the erased classes, and the
    /// localizer's mean activation of present classes. `threshold_step` tells the adversary's steps.
    fn loss(&self, features: Tensor<4>, batch: &Batch, step: usize) -> StepLoss {
        let items = Items::of(&batch.labels_host, batch.labels.dims()[1]);
        match self.settings.is_adversary_step(step) {
            false => self.localizer_step(features, batch, &items),
            true => self.adversary_step(features, batch, &items),
        }
    }

    fn group(name: &str) -> ParameterGroup {
        ParameterGroup { head: adversary::is_of_head(name), decay: true }
    }
}
