//! Which choices of durations have a form with a known optimum, and what must be measured for it: what `info` says of them, and what
//! the resolver goes by.
//!
//! What is looked at is tables alone: those of the services that stand on each other, and the prices of the model's objectives. The
//! choice is the period of a timer whose handler sends messages that an objective pays for. Two forms are known of it, each
//! with its module: [`Beats`], for which calls wait, and [`Resends`], of what a call has sent at once.

mod beats;
mod resends;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use foresee_kernel::{Amount, HandlerInfo, Model, Objective, Sense, ServiceInfo, Term, TuningInfo, WaitInfo};

use crate::brake::Brake;

pub use beats::{Beats, Demand};
pub use resends::{Ends, Resends, Waiting};

/// A choice of a duration.
#[derive(Clone, Debug, PartialEq)]
pub struct Tunable {
    /// The service in which it stands.
    pub service: &'static str,
    /// The name of its site.
    pub choice: &'static str,
    /// The timer that it sets.
    pub timer: &'static str,
    /// Its form, or why there is no formula for it.
    pub form: Result<Form, String>,
}

/// What has a known optimum.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// The period of heartbeats for which calls wait.
    Beats(Beats),
    /// The period of retransmission.
    Resends(Resends),
}

impl Form {
    /// The handlers of each kind of call, by their places in the service that is called.
    pub(crate) fn calls(&self) -> impl Iterator<Item = (&'static str, &[u16])> {
        let (demands, resends) = match self {
            Form::Beats(it) => (it.demands.as_slice(), None),
            Form::Resends(it) => (&[][..], Some(it)),
        };
        let demands = demands.iter().map(|it| (it.service, it.handlers.as_slice()));
        demands.chain(resends.map(|it| (it.service, it.handlers.as_slice())))
    }

    /// Of how many kinds of calls peers must know how often they come.
    pub(crate) fn told(&self) -> usize {
        match self {
            Form::Beats(it) => it.demands.len(),
            Form::Resends(_) => 0,
        }
    }

    /// Whether messages of a kind are what a call may take more than one of: answers to beats, or what is sent again.
    pub(crate) fn is_copy(&self, kind: &str) -> bool {
        match self {
            Form::Beats(it) => it.demands.iter().any(|demand| demand.answers.contains(&kind)),
            Form::Resends(it) => it.messages.contains(&kind),
        }
    }

    /// What keeps it clear of lines that overflow.
    pub(crate) fn brake(&self) -> Brake {
        match self {
            Form::Beats(it) => {
                let dearest = |of: fn(&Demand) -> f64| it.demands.iter().map(of).fold(0.0, f64::max);
                let copy = dearest(|it| it.answer + it.acknowledgement);
                Brake::new((dearest(|it| it.wait), copy))
            }
            Form::Resends(it) => {
                let wait = it.waits.iter().map(|waiting| waiting.wait).sum();
                Brake::new((wait, it.price + it.acknowledgement))
            }
        }
    }
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
                let place = Place { objectives: &model.objectives, services: &services, service, tuning };
                found.push(Tunable {
                    service: service.name,
                    choice: tuning.choice,
                    timer: tuning.timer,
                    form: place.form(),
                });
            }
        }
    }
    found
}

/// A choice, and all that is looked at to find its form.
#[derive(Clone, Copy)]
struct Place<'a> {
    objectives: &'a [Objective],
    /// The layers of the node.
    services: &'a [&'static ServiceInfo],
    /// The one in which it stands.
    service: &'static ServiceInfo,
    tuning: &'static TuningInfo,
}

impl Place<'_> {
    /// Its form, or why there is none.
    fn form(&self) -> Result<Form, String> {
        let timer = self.tuning.timer;
        if !self.tuning.again {
            return Err("it ends a wait, and what that is worth depends on the state".to_owned());
        }
        let event = self.firing();
        let ticks = self.service.handlers.iter().filter(|it| it.event == event);
        let messages = unique(ticks.flat_map(sent));
        if messages.is_empty() {
            return Err(format!("the timer `{timer}` sends nothing"));
        }
        let price = self.prices(&messages)?;
        if price <= 0.0 {
            return Err(format!("no objective pays for {}", messages.join(", ")));
        }
        // What a call has sent at once, the timer sends again.
        let at_once = |it: &HandlerInfo| is_call(it) && sent(it).any(|kind| messages.contains(&kind));
        let again = self.service.handlers.iter().any(at_once);
        match beats::find(self, &messages, price) {
            Err(_) if again => resends::find(self, &messages, price).map(Form::Resends),
            found => found.map(Form::Beats),
        }
    }

    /// The event that is its timer's.
    fn firing(&self) -> String {
        format!("timer {}", self.tuning.timer)
    }

    /// The handlers of messages of these kinds, with their services.
    fn on_arrival(&self, kinds: &[&str]) -> Vec<(&'static ServiceInfo, &'static HandlerInfo)> {
        let all = self.services.iter().flat_map(|it| it.handlers.iter().map(move |handler| (*it, handler)));
        all.filter(|(_, it)| is_of(it, kinds)).collect()
    }

    /// What waiting costs a second, where that is a number above 0.
    fn price_of(&self, wait: &WaitInfo) -> Option<f64> {
        let objective = self.objectives.iter().find(|it| it.name == wait.objective);
        let price = objective.and_then(plain).zip(wait.price).map(|(weight, price)| weight * price);
        price.filter(|it| *it > 0.0)
    }

    /// What one message of each of the kinds costs, together.
    fn prices(&self, kinds: &[&str]) -> Result<f64, String> {
        let mut sum = 0.0;
        for objective in self.objectives {
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
}

fn is_call(handler: &HandlerInfo) -> bool {
    handler.event.starts_with("downcall ")
}

/// Whether it handles messages of these kinds.
fn is_of(handler: &HandlerInfo, kinds: &[&str]) -> bool {
    handler.event.strip_prefix("deliver ").is_some_and(|kind| kinds.contains(&kind))
}

fn writes(handler: &HandlerInfo, variables: &[&str]) -> bool {
    variables.iter().any(|it| handler.deeds.writes.contains(it))
}

fn sent(handler: &HandlerInfo) -> impl Iterator<Item = &'static str> + use<> {
    handler.deeds.sends.iter().map(|it| it.message)
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
