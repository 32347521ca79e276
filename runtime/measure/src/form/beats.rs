//! **Heartbeats for which calls wait** (Theorem 5.1 of Chu and Halpern). The timer's messages are beats. Where a beat arrives, its
//! receiver sends what it has not been acknowledged: the *answers*, which are acknowledged or not. An objective pays by the
//! second for what a call has begun, until an answer has arrived; and the call sends none itself, so it waits for the next beat. Then
//! with `rate` calls a second the cost of a second is
//!
//! ```text
//! beat/period + rate (wait E[wait] + send E[sends])
//! ```
//!
//! in which the loss, the round trip and the rate are what must be measured.

use foresee_kernel::{HandlerInfo, ServiceInfo, WaitInfo};

use super::{Place, is_call, is_of, sent, unique, writes};

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

/// The form of a choice whose timer sends these messages at this price, or why they are no beats.
pub(super) fn find(place: &Place<'_>, messages: &[&'static str], price: f64) -> Result<Beats, String> {
    // What a beat brings about where it arrives: in its own service, and in those that are told.
    let heard = place.on_arrival(messages);
    let told: Vec<String> =
        heard.iter().flat_map(|(_, it)| it.deeds.emits).map(|it| format!(".{it}")).collect();
    let above = place.services.iter().flat_map(|it| it.handlers).filter(|it| {
        it.event.starts_with("upcall ") && told.iter().any(|call| it.event.ends_with(call.as_str()))
    });
    let answers = unique(heard.iter().map(|(_, it)| *it).chain(above).flat_map(sent));
    let arriving = place.on_arrival(&answers);
    let acknowledgements = unique(arriving.iter().flat_map(|(_, it)| sent(it)));
    let demand = |waiting: &'static ServiceInfo, wait: &'static WaitInfo| {
        let ended = arriving.iter().any(|(at, it)| std::ptr::eq(*at, waiting) && writes(it, wait.until));
        // Calls begin what is waited for, and send none of the answers themselves; only acknowledgements end it.
        let changing = || waiting.handlers.iter().enumerate().filter(|(_, it)| writes(it, wait.over));
        let beginners = || changing().filter(|(_, it)| is_call(it));
        let sends_none = |it: &HandlerInfo| sent(it).all(|kind| !answers.contains(&kind));
        let called = beginners().next().is_some()
            && beginners().all(|(_, it)| sends_none(it))
            && changing().all(|(_, it)| is_call(it) || is_of(it, &acknowledgements));
        if !(ended && called) {
            return None;
        }
        Some(Demand {
            service: waiting.name,
            handlers: beginners().map(|(place, _)| place as u16).collect(),
            objective: wait.objective,
            wait: place.price_of(wait)?,
            answers: answers.clone(),
            answer: place.prices(&answers).ok()?,
            acknowledgements: acknowledgements.clone(),
            acknowledgement: place.prices(&acknowledgements).ok()?,
        })
    };
    let waits = place.services.iter().flat_map(|it| it.tables.waits.iter().map(move |wait| (*it, wait)));
    let demands: Vec<Demand> = waits.filter_map(|(waiting, wait)| demand(waiting, wait)).collect();
    match demands.is_empty() {
        true => {
            Err(format!("nothing that is paid for by the second is seen to wait for {}", messages.join(", ")))
        }
        false => Ok(Beats { messages: messages.to_vec(), price, demands }),
    }
}
