//! **Retransmission** (the sender-driven protocol of Chu and Halpern). A call sends a message at once, and the timer's handler sends it
//! again every period until an acknowledgement comes: that is sent whenever a copy arrives, and disarms the timer. An objective
//! pays by the second for what the call has begun, until a copy has arrived, or until the acknowledgement has. Then a call costs
//!
//! ```text
//! message E[copies] + acknowledgement E[copies that arrive] + wait E[wait]
//! ```
//!
//! in which the loss and the round trip are what must be measured. How often calls come makes no difference: nothing is shared by them.
//!
//! # Caveats
//! Which of the two ends the waiting is told by the names of variables: what is changed where a copy arrives is taken for that of the
//! receiver. A period is one for all peers, and what they make of it is weighed alike for each.

use foresee_kernel::HandlerInfo;

use super::{Place, is_call, is_of, writes};

/// The period of retransmission.
#[derive(Clone, Debug, PartialEq)]
pub struct Resends {
    /// The service whose calls send.
    pub service: &'static str,
    /// The handlers of these calls, by their places in [`foresee_kernel::ServiceInfo::handlers`].
    pub handlers: Vec<u16>,
    /// What is sent again.
    pub messages: Vec<&'static str>,
    /// What a copy costs.
    pub price: f64,
    /// What is sent where a copy arrives, and disarms the timer.
    pub acknowledgements: Vec<&'static str>,
    /// What these cost together.
    pub acknowledgement: f64,
    /// What is paid for by the second.
    pub waits: Vec<Waiting>,
}

/// What an objective pays for by the second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Waiting {
    /// The objective.
    pub objective: &'static str,
    /// What waiting costs a second.
    pub wait: f64,
    /// When it is over.
    pub ends: Ends,
}

/// When what is waited for is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// When a copy has arrived.
    Arrival,
    /// When an acknowledgement has come back.
    Acknowledgement,
}

/// The form of a choice whose timer sends these messages at this price, or why that is no retransmission.
pub(super) fn find(place: &Place<'_>, messages: &[&'static str], price: f64) -> Result<Resends, String> {
    let (service, timer, kinds) = (place.service, place.tuning.timer, messages.join(", "));
    if !place.tuning.each {
        return Err(format!("`{timer}` is one timer for all calls, so theirs are no periods of their own"));
    }
    let calls = calls(place, messages)?;
    let heard = place.on_arrival(messages);
    let ends = |kind: &&'static str| {
        let disarms = |it: &HandlerInfo| is_of(it, &[*kind]) && it.deeds.cancels.contains(&timer);
        service.handlers.iter().any(disarms)
    };
    let acknowledgements = super::unique(heard.iter().flat_map(|(_, it)| super::sent(it)).filter(ends));
    if acknowledgements.is_empty() {
        return Err(format!("nothing that is sent where {kinds} arrives disarms `{timer}`"));
    }
    let always = |it: &HandlerInfo| {
        it.deeds.sends.iter().any(|it| it.always && acknowledgements.contains(&it.message))
    };
    if let Some((_, silent)) = heard.iter().find(|(_, it)| !always(it)) {
        return Err(format!("`{}` does not always acknowledge {kinds}", silent.name));
    }
    let waits: Vec<Waiting> = service
        .tables
        .waits
        .iter()
        .filter_map(|wait| {
            let changing = || service.handlers.iter().enumerate().filter(|(_, it)| writes(it, wait.over));
            let begun = changing().filter(|(_, it)| is_call(it)).map(|(place, _)| place as u16);
            let acknowledges = |it: &HandlerInfo| is_of(it, &acknowledgements);
            if !begun.eq(calls.iter().copied()) || !changing().all(|(_, it)| is_call(it) || acknowledges(it))
            {
                return None;
            }
            let arrives = heard.iter().any(|(at, it)| std::ptr::eq(*at, service) && writes(it, wait.until));
            let comes_back =
                |it: &HandlerInfo| acknowledges(it) && (writes(it, wait.until) || writes(it, wait.over));
            let ends = match arrives {
                true => Ends::Arrival,
                false if service.handlers.iter().any(comes_back) => Ends::Acknowledgement,
                false => return None,
            };
            Some(Waiting { objective: wait.objective, wait: place.price_of(wait)?, ends })
        })
        .collect();
    if waits.is_empty() {
        return Err(format!(
            "nothing that is paid for by the second is seen to begin with a call and to end when {kinds} has arrived or is acknowledged"
        ));
    }
    Ok(Resends {
        service: service.name,
        handlers: calls,
        messages: messages.to_vec(),
        price,
        acknowledgement: place.prices(&acknowledgements)?,
        acknowledgements,
        waits,
    })
}

/// The calls that arm the timer, which send the messages themselves; nothing else but the timer's own handler arms it, and all by this
/// choice.
fn calls(place: &Place<'_>, messages: &[&'static str]) -> Result<Vec<u16>, String> {
    let (timer, firing) = (place.tuning.timer, place.firing());
    let mut calls = Vec::new();
    for (at, it) in place.service.handlers.iter().enumerate() {
        if !it.deeds.sets.contains(&timer) {
            continue;
        }
        if !it.deeds.choices.contains(&place.tuning.choice) {
            return Err(format!("`{}` arms `{timer}` by something else than this choice", it.name));
        }
        if it.event == firing {
            continue;
        }
        if !is_call(it) {
            return Err(format!("`{}` arms `{timer}` too, and is no call", it.name));
        }
        let sends = |kind: &&str| it.deeds.sends.iter().any(|it| it.always && it.message == *kind);
        if !messages.iter().all(sends) {
            return Err(format!("`{}` does not always send {}", it.name, messages.join(", ")));
        }
        calls.push(at as u16);
    }
    match calls.is_empty() {
        true => Err(format!("no call arms `{timer}`")),
        false => Ok(calls),
    }
}
