//! Which choices of durations have a form with a known optimum, and what must be measured for it: what `info` says of them, and what
//! the resolver goes by.
//!
//! **Heartbeats for which calls wait** (Theorem 5.1 of Chu and Halpern). The choice is the period of a timer whose handler sends a
//! message, the beat, at a price. Where a beat arrives, its receiver sends what it has not been acknowledged: the *answers*,
//! which are acknowledged or not. An objective pays by the second for what a call has begun, until an answer has arrived; and the call
//! sends none itself, so it waits for the next beat. Then with `rate` calls a second the cost of a second is
//!
//! ```text
//! beat/period + rate (wait E[wait] + send E[sends])
//! ```
//!
//! in which the loss, the round trip and the rate are what must be measured.

use std::collections::BTreeSet;

use foresee_kernel::{Amount, HandlerInfo, Model, Objective, Sense, ServiceInfo, Term};

/// A choice of a duration.
#[derive(Clone, Debug, PartialEq)]
pub struct Tunable {
    /// The service in which it stands.
    pub service: &'static str,
    /// The name of its site.
    pub choice: &'static str,
    /// The timer that it sets.
    pub timer: &'static str,
    /// Its form.
    pub form: Form,
}

/// What is known of the best option.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// The period of heartbeats for which calls wait.
    Beats(Beats),
    /// There is no formula for it; why not.
    Open(String),
}

/// Heartbeats for which calls wait.
#[derive(Clone, Debug, PartialEq)]
pub struct Beats {
    /// The messages that are beats.
    pub messages: Vec<&'static str>,
    /// What the beats to one peer cost each time.
    pub price: f64,
    /// What waits for them.
    pub demands: Vec<Demand>,
}

/// Calls that wait for the next beat.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// The service that is called.
    pub service: &'static str,
    /// The handlers that begin what is waited for, by their places in [`ServiceInfo::handlers`].
    pub handlers: Vec<u16>,
    /// The objective that pays for the waiting.
    pub objective: &'static str,
    /// What waiting costs a second.
    pub wait: f64,
    /// What is sent when a beat has come.
    pub answers: Vec<&'static str>,
    /// What an answer costs.
    pub answer: f64,
    /// What is sent when an answer has come.
    pub acknowledgements: Vec<&'static str>,
    /// What these cost together.
    pub acknowledgement: f64,
}

/// The choices of durations in a model, by services.
pub fn tunables(model: &Model) -> Vec<Tunable> {
    let mut found: Vec<Tunable> = Vec::new();
    for stack in &model.nodes {
        let services: Vec<&'static ServiceInfo> =
            stack.layers().iter().map(|layer| layer.service().info()).collect();
        for service in &services {
            for tuning in service.tables.tunings {
                if found.iter().any(|it| it.service == service.name && it.choice == tuning.choice) {
                    continue;
                }
                let form = match tuning.again {
                    true => beats(model, &services, service, tuning.timer),
                    false => Err("it ends a wait, and what that is worth depends on the state".to_owned()),
                };
                found.push(Tunable {
                    service: service.name,
                    choice: tuning.choice,
                    timer: tuning.timer,
                    form: form.map_or_else(Form::Open, Form::Beats),
                });
            }
        }
    }
    found
}

fn beats(
    model: &Model,
    services: &[&'static ServiceInfo],
    service: &'static ServiceInfo,
    timer: &str,
) -> Result<Beats, String> {
    let event = format!("timer {timer}");
    let ticks: Vec<_> = service.handlers.iter().filter(|it| it.event == event).collect();
    let messages: Vec<&'static str> = ticks.iter().flat_map(|it| sent(it)).collect();
    if messages.is_empty() {
        return Err(format!("the timer `{timer}` sends nothing"));
    }
    let price = prices(model, &messages)?;
    if price <= 0.0 {
        return Err(format!("no objective pays for {}", messages.join(", ")));
    }
    // What a beat brings about where it arrives: in its own service, and in those that are told.
    let heard = on_arrival(services, &messages);
    let told: Vec<String> =
        heard.iter().flat_map(|(_, it)| it.deeds.emits).map(|it| format!(".{it}")).collect();
    let above = services.iter().flat_map(|it| it.handlers).filter(|it| {
        it.event.starts_with("upcall ") && told.iter().any(|call| it.event.ends_with(call.as_str()))
    });
    let answering: Vec<&HandlerInfo> = heard.iter().map(|(_, it)| *it).chain(above).collect();
    let answers: Vec<&'static str> = unique(answering.iter().flat_map(|it| sent(it)));
    let arriving = on_arrival(services, &answers);
    let acknowledgements: Vec<&'static str> = unique(arriving.iter().flat_map(|(_, it)| sent(it)));
    let demands: Vec<Demand> = services
        .iter()
        .flat_map(|it| it.tables.waits.iter().map(move |wait| (*it, wait)))
        .filter_map(|(waiting, wait)| {
            let ended = arriving.iter().any(|(at, it)| {
                std::ptr::eq(*at, waiting) && wait.until.iter().any(|until| it.deeds.writes.contains(until))
            });
            // Calls begin what is waited for, and send none of the answers themselves; only acknowledgements end it.
            let changes = |it: &HandlerInfo| wait.over.iter().any(|over| it.deeds.writes.contains(over));
            let is_call = |it: &HandlerInfo| it.event.starts_with("downcall ");
            let acknowledges =
                |it: &HandlerInfo| acknowledgements.iter().any(|kind| it.event == format!("deliver {kind}"));
            let changing = || waiting.handlers.iter().enumerate().filter(|(_, it)| changes(it));
            let beginners = || changing().filter(|(_, it)| is_call(it));
            let called = beginners().next().is_some()
                && beginners().all(|(_, it)| sent(it).iter().all(|kind| !answers.contains(kind)))
                && changing().all(|(_, it)| is_call(it) || acknowledges(it));
            let objective = model.objectives.iter().find(|it| it.name == wait.objective);
            let price = objective.and_then(plain).zip(wait.price).map(|(weight, price)| weight * price);
            let price = price.filter(|it| ended && called && *it > 0.0)?;
            Some(Demand {
                service: waiting.name,
                handlers: beginners().map(|(place, _)| place as u16).collect(),
                objective: wait.objective,
                wait: price,
                answers: answers.clone(),
                answer: prices(model, &answers).ok()?,
                acknowledgements: acknowledgements.clone(),
                acknowledgement: prices(model, &acknowledgements).ok()?,
            })
        })
        .collect();
    match demands.is_empty() {
        true => {
            Err(format!("nothing that is paid for by the second is seen to wait for {}", messages.join(", ")))
        }
        false => Ok(Beats { messages, price, demands }),
    }
}

/// The handlers of messages of these kinds, with their services.
fn on_arrival(
    services: &[&'static ServiceInfo],
    kinds: &[&str],
) -> Vec<(&'static ServiceInfo, &'static HandlerInfo)> {
    let all = services.iter().flat_map(|it| it.handlers.iter().map(move |handler| (*it, handler)));
    let arrives = |event: &str| event.strip_prefix("deliver ").is_some_and(|kind| kinds.contains(&kind));
    all.filter(|(_, it)| arrives(it.event)).collect()
}

fn sent(handler: &HandlerInfo) -> Vec<&'static str> {
    handler.deeds.sends.iter().map(|it| it.message).collect()
}

fn unique(kinds: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    kinds.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The factor of an objective among the others, where it counts for all time alike and on the first level.
fn plain(objective: &Objective) -> Option<f64> {
    let Objective { sense, weight, level, discount, horizon, .. } = objective;
    (*level == 1 && *discount == 1.0 && horizon.is_none()).then(|| match sense {
        Sense::Minimize => *weight,
        Sense::Maximize => -*weight,
    })
}

/// What one message of each of the kinds costs, together.
fn prices(model: &Model, kinds: &[&str]) -> Result<f64, String> {
    let mut sum = 0.0;
    for objective in &model.objectives {
        for term in objective.terms {
            let (amount, counted) = match term {
                Term::PerMessage { amount, kinds } => (Some(amount), *kinds),
                Term::PerByte { kinds, .. } => (None, *kinds),
                _ => continue,
            };
            let count = kinds.iter().filter(|kind| counted.is_empty() || counted.contains(kind)).count();
            if count == 0 {
                continue;
            }
            let unknown = || {
                format!(
                    "what `{}` pays for {} is no plain number a message",
                    objective.name,
                    kinds.join(", ")
                )
            };
            match (amount, plain(objective)) {
                (Some(Amount::Number(amount)), Some(weight)) => sum += count as f64 * amount * weight,
                _ => return Err(unknown()),
            }
        }
    }
    Ok(sum)
}
