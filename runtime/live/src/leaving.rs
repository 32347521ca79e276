//! What steps let out, until whoever took them has let go of the helm: answers, and connections with something to write.
//!
//! Whoever waits for an answer may come at once with the next call, and finds the helm free. Mostly there is one of either.

use std::sync::Arc;

use foresee_kernel::Datum;

use crate::outbox::Outbox;
use crate::service::Done;

/// Beyond so many connections with something to write, each is left to its own task: what other steps send meanwhile then goes along.
const WRITES_MAX: usize = 4;

/// What leaves when the helm is let go.
#[derive(Default)]
pub(crate) struct Leaving {
    answer: Option<(Done<Datum>, Datum)>,
    answers: Vec<(Done<Datum>, Datum)>,
    outbox: Option<Arc<Outbox>>,
    outboxes: Vec<Arc<Outbox>>,
}

impl Leaving {
    /// A program's request is answered.
    pub(crate) fn answer(&mut self, done: Done<Datum>, value: Datum) {
        match self.answer {
            None => self.answer = Some((done, value)),
            Some(_) => self.answers.push((done, value)),
        }
    }

    /// A connection has something to write.
    pub(crate) fn write(&mut self, outbox: Arc<Outbox>) {
        match self.outbox {
            None => self.outbox = Some(outbox),
            Some(_) => self.outboxes.push(outbox),
        }
    }

    /// Lets everything out.
    pub(crate) fn leave(self) {
        let Leaving { answer, answers, outbox, outboxes } = self;
        if let Some((done, value)) = answer {
            // Whoever gave up needs no answer.
            let _ = done.send(Ok(value));
            answers.into_iter().for_each(|(done, value)| drop(done.send(Ok(value))));
        }
        let Some(outbox) = outbox else { return };
        if outboxes.len() < WRITES_MAX {
            outbox.flush();
            outboxes.iter().for_each(|outbox| outbox.flush());
        } else {
            outbox.flush_soon();
            outboxes.iter().for_each(|outbox| outbox.flush_soon());
        }
    }
}
