//! One setting as a form field.

use leptos::prelude::*;

use crate::model::fields::{self, Field, Group, Kind};
use crate::state::State;

/// A labelled field with its unit, one line of help, and what is wrong with it.
#[component]
pub fn SettingField(
    /// Which setting.
    field: &'static Field,
) -> impl IntoView {
    let state = State::use_here();
    let text = Memo::new(move |_| state.form.with(|form| form.text(field)));
    let fault = Memo::new(move |_| state.form.with(|form| form.fault(field)));
    let shown = Memo::new(move |_| state.form.with(|form| fields::is_shown(field, form.valid())));
    let help_id = format!("{}-help", field.id);
    let described = help_id.clone();
    let control = move || {
        let described = described.clone();
        match field.kind {
            Kind::Choice(choices) => view! {
                <select
                    id=field.id
                    aria-describedby=described
                    on:change=move |event| state.enter(field, event_target_value(&event))
                >
                    {choices()
                        .into_iter()
                        .map(|(value, name)| {
                            view! {
                                <option value=value selected=move || text.with(|text| text == value)>{name}</option>
                            }
                        })
                        .collect_view()}
                </select>
            }
            .into_any(),
            Kind::Toggle => view! {
                <input
                    type="checkbox"
                    id=field.id
                    aria-describedby=described
                    prop:checked=move || text.with(|text| text == "true")
                    on:change=move |event| state.enter(field, event_target_checked(&event).to_string())
                />
            }
            .into_any(),
            Kind::Number(_) | Kind::Numbers => {
                let (kind, step) = match field.kind {
                    Kind::Number(step) => ("number", Some(step)),
                    _ => ("text", None),
                };
                view! {
                    <input
                        type=kind
                        step=step
                        id=field.id
                        autocomplete="off"
                        inputmode="decimal"
                        aria-describedby=described
                        aria-invalid=move || fault.with(Option::is_some).then_some("true")
                        prop:value=move || text.get()
                        on:change=move |event| state.enter(field, event_target_value(&event))
                    />
                }
                .into_any()
            }
        }
    };
    view! {
        <Show when=move || shown.get()>
            <div class="field" class:toggle=matches!(field.kind, Kind::Toggle)>
                <label for=field.id>
                    {field.label}
                    {(!field.unit.is_empty()).then(|| view! { " " <span class="unit">{field.unit}</span> })}
                </label>
                {control()}
                <p class="help" id=help_id.clone()>{field.help}</p>
                <Show when=move || fault.with(Option::is_some)>
                    <p class="fault" role="alert">{move || fault.get()}</p>
                </Show>
            </div>
        </Show>
    }
}

/// Groups of settings under their titles, folded away.
#[component]
pub fn FieldGroups(
    /// What to click on.
    title: &'static str,
    /// Which, in order. One of which no field applies is left out.
    groups: Vec<Group>,
) -> impl IntoView {
    let state = State::use_here();
    let group = move |group: Group| {
        let applies = move || {
            state.form.with(|form| fields::of_group(group).any(|field| fields::is_shown(field, form.valid())))
        };
        view! {
            <Show when=applies>
                <h3>{fields::title(group)}</h3>
                <div class="fields">
                    {fields::of_group(group).map(|field| view! { <SettingField field=field /> }).collect_view()}
                </div>
            </Show>
        }
    };
    view! {
        <details class="more">
            <summary>{title}</summary>
            {groups.into_iter().map(group).collect_view()}
        </details>
    }
}
