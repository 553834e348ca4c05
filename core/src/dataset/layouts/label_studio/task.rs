//! One entry of an export: a task with its annotations, or, in JSON-MIN, one annotation.

use super::super::annotated::Said;
use super::super::json::Value;
use super::{image_name, region};
use crate::files::{is_foreign_image_name, is_image_name};

/// What an entry says.
pub(super) struct Task {
    /// The path of the image, as it is written.
    pub(super) image: String,
    /// What the annotation that counts says; `None` where nobody annotated.
    pub(super) said: Option<Said>,
    /// Annotations that were not cancelled.
    pub(super) annotations: usize,
    /// What in it cannot be used.
    pub(super) wrong: Vec<String>,
}

/// Names of the data that is an image, where several members could be.
const IMAGE: [&str; 6] = ["image", "img", "photo", "picture", "url", "image_url"];
/// Names of results that are labels, wherever they stand in an entry of JSON-MIN.
const LABELS: [&str; 8] = ["choice", "choices", "label", "labels", "class", "classes", "category", "tag"];
/// Members that JSON-MIN writes behind the results.
const BEHIND: [&str; 6] =
    ["annotator", "annotation_id", "completion_id", "created_at", "updated_at", "lead_time"];

/// Reads an entry.
///
/// # Errors
/// Why nothing of it can be used.
pub(super) fn read(entry: &Value) -> Result<Task, String> {
    if !matches!(entry, Value::Object(_)) {
        return Err("it is no object".into());
    }
    match entry.get("data") {
        Some(data) => of_json(entry, data),
        None => of_json_min(entry),
    }
}

fn of_json(entry: &Value, data: &Value) -> Result<Task, String> {
    let upload = || entry.get("file_upload").and_then(Value::text).map(str::to_owned);
    let image = image(data).or_else(upload).ok_or("it names no image")?;
    let all = entry.get("annotations").or_else(|| entry.get("completions"));
    let all = all.map(Value::elements).unwrap_or_default();
    let counting = || {
        all.iter().filter(|annotation| !annotation.is("was_cancelled") && annotation.get("result").is_some())
    };
    let chosen = counting().find(|annotation| annotation.is("ground_truth")).or_else(|| counting().next());
    let mut wrong = Vec::new();
    let said = chosen.map(|annotation| {
        let mut said = Said::default();
        for result in annotation.get("result").map(Value::elements).unwrap_or_default() {
            let value = result.get("value").unwrap_or(&Value::Nothing);
            wrong.extend(region::take(result, value, &mut said).err());
        }
        said
    });
    Ok(Task { image, said, annotations: counting().count(), wrong })
}

fn of_json_min(entry: &Value) -> Result<Task, String> {
    let image = image(entry).ok_or("it names no image")?;
    let (mut said, mut wrong) = (Said::default(), Vec::new());
    // The task's own data stands before `id`, what a run of the tool adds behind the results.
    let mut is_among_results = false;
    for (name, value) in entry.members() {
        match name.as_str() {
            "id" => is_among_results = true,
            name if BEHIND.contains(&name) => is_among_results = false,
            name => match value {
                Value::Text(text) if is_among_results || LABELS.contains(&name) => {
                    let is_image = image_name::path_of(text).is_some_and(|path| path == image);
                    if !is_image {
                        said.label(text, "choices");
                    }
                }
                Value::Object(_) if value.get("choices").is_some() => {
                    wrong.extend(region::take(value, value, &mut said).err());
                }
                Value::List(regions) if is_among_results || LABELS.contains(&name) => {
                    for region in regions {
                        match region {
                            Value::Text(text) => drop(said.label(text, "choices")),
                            _ => wrong.extend(region::take(region, region, &mut said).err()),
                        }
                    }
                }
                _ => {}
            },
        }
    }
    Ok(Task { image, said: Some(said), annotations: 1, wrong })
}

/// The path of the image in a task's data: of the members that are called so, else of any that is named as
/// images are.
fn image(data: &Value) -> Option<String> {
    let path = |value: &Value| image_name::path_of(value.text()?).filter(|path| !path.is_empty());
    let is_image = |path: &String| is_image_name(path) || is_foreign_image_name(path);
    let called = || IMAGE.iter().filter_map(|name| path(data.get(name)?));
    let any = || data.members().iter().filter_map(|(_, value)| path(value));
    called().find(is_image).or_else(|| any().find(is_image)).or_else(|| called().next())
}
