//! A choice whose form is known.

// Every test file uses its own part of this.
#![allow(dead_code)]

use foresee_measure::{Beats, Demand, Form, Tunable};

/// What a beat costs.
pub const BEAT: f64 = 0.05;
/// What an answer costs, and an acknowledgement.
pub const SEND: f64 = 0.2;

/// The period of beats for which the calls of a link wait.
pub fn tunable() -> Tunable {
    let demand = Demand {
        service: "Link",
        handlers: vec![0],
        objective: "waiting",
        wait: 1.0,
        answers: vec!["Data"],
        answer: SEND,
        acknowledgements: vec!["Ack"],
        acknowledgement: SEND,
    };
    let beats = Beats { messages: vec!["Beat"], price: BEAT, demands: vec![demand] };
    Tunable { service: "Link", choice: "beat.period", timer: "beat", form: Form::Beats(beats) }
}
