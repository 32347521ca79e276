//! `info --observe`: what the checker remembers of a system, observed over the first states of a search.

use std::io::Write;
use std::sync::Arc;

use foresee_check::{Backend, Options, Progress, Report};
use foresee_kernel::Model;
use serde_json::{Value, json};

use crate::exit::Failure;

/// After so many states it is known which network a search would choose, unless inboxes grow late.
const STATES: u64 = 300_000;

/// What a search over the first states, or over all if they are fewer, remembers.
pub struct Observed(Report);

impl Observed {
    /// Searches, breadth first and past violations.
    ///
    /// # Errors
    /// Those of a check.
    pub fn of(model: &Arc<Model>) -> Result<Observed, Failure> {
        crate::claims::refuse(model)?;
        let options = Options { max_states: Some(STATES), keep_going: true, ..Options::default() };
        let report = foresee_check::check(model, &options, &Arc::new(Progress::default()));
        report.map(Observed).map_err(|error| Failure::usage(error.to_string()))
    }

    fn network(&self) -> &'static str {
        match self.0.network.backend {
            Backend::Flat => "flat",
            Backend::Channels | Backend::Observed => "channels",
        }
    }

    /// The share of steps that were answered from memory.
    fn hit_rate(&self) -> f64 {
        let memo = self.0.memo;
        let all = memo.entries + memo.hits + memo.direct;
        if all == 0 { 0.0 } else { memo.hits as f64 / all as f64 }
    }

    /// As an object.
    pub fn json(&self) -> Value {
        let Report { unique_states, memo, network, .. } = &self.0;
        json!({
            "unique_states": unique_states,
            "network": self.network(),
            "parts": network.parts,
            "steps": memo.entries,
            "steps_direct": memo.direct,
            "nodes_direct": memo.nodes_direct,
            "hit_rate": self.hit_rate(),
        })
    }

    /// As lines.
    ///
    /// # Errors
    /// Output that cannot be written.
    pub fn text(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let Report { unique_states, memo, network, .. } = &self.0;
        writeln!(
            out,
            "  checked    over {unique_states} states: {} steps kept, {} executed each time, {:.2} % answered from memory",
            memo.entries,
            memo.direct,
            100.0 * self.hit_rate()
        )?;
        let parts = match self.0.network.backend {
            Backend::Flat => "nodes told apart, messages one by one",
            _ => "nodes told apart, each with its inbox",
        };
        writeln!(out, "  kept as    {}: {} {parts}", self.network(), network.parts)?;
        if memo.nodes_direct > 0 {
            writeln!(
                out,
                "  direct     steps of {} nodes that are hardly ever twice in one state, executed each time",
                memo.nodes_direct
            )?;
        }
        Ok(())
    }
}
