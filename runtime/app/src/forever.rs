//! Liveness in a check: asked for, decided, told.

use std::io::Write;
use std::sync::Arc;

use foresee_check::liveness::{self, Decision, Judged, Lasso, Limits, LivenessReport};
use foresee_check::{Counterexample, Progress};
use foresee_kernel::trace::Ending;
use foresee_kernel::{Model, names};
use foresee_world::narrate::{self, Narration};
use serde_json::{Value, json};

use crate::args::{CheckArgs, SearchKind};
use crate::exit::Failure;
use crate::{interrupt, story};

/// What is assumed of every run.
const FAIRNESS: &str = "what stays possible for ever and is no fault is done";
/// How it is decided.
const METHOD: &str = "search for fair cycles in the graph of states";

/// What came of the liveness properties.
pub struct Forever {
    report: LivenessReport,
    model: Arc<Model>,
}

impl Forever {
    /// Decides them, where they are asked for and can be decided.
    ///
    /// # Errors
    /// A search that does not see the whole graph, and a predicate that panics.
    pub fn of(model: &Arc<Model>, args: &CheckArgs) -> Result<Option<Forever>, Failure> {
        let asked = args.liveness || !args.properties.is_empty();
        if !asked || model.liveness.is_empty() || liveness::refusal(model).is_some() {
            return Ok(None);
        }
        let partial = matches!(args.search, SearchKind::Predict | SearchKind::Walks);
        if partial || args.from.is_some() || args.from_simulation.is_some() {
            let message = "E0905: liveness is decided from the start and in all states, not along walks, by prediction or from elsewhere";
            return Err(Failure::usage(message));
        }
        let mut model = model.clone();
        if let Some(depth) = args.depth {
            let bounds = &mut Arc::make_mut(&mut model).bounds;
            bounds.depth = Some(bounds.depth.map_or(depth, |known| known.min(depth)));
        }
        let progress = Arc::new(Progress::default());
        let cancelled = progress.clone();
        interrupt::on_interrupt(move || cancelled.cancel());
        let most = usize::try_from(args.liveness_states).unwrap_or(usize::MAX);
        let limits = Limits { states_max: most, time: args.time, max_memory: args.max_memory };
        let report = liveness::decide(&model, limits, &progress);
        let report = report.map_err(|error| Failure::usage(error.to_string()))?;
        Ok(Some(Forever { report, model }))
    }

    /// Whether one is refuted.
    pub fn refutes(&self) -> bool {
        self.first().is_some()
    }

    /// Whether one could not be decided.
    pub fn undecided(&self) -> bool {
        self.report.properties.iter().any(|it| it.decision == Decision::Unknown)
    }

    fn first(&self) -> Option<(&'static str, &Lasso)> {
        self.report.properties.iter().find_map(|it| match &it.decision {
            Decision::Refuted(lasso) => Some((it.name, &**lasso)),
            _ => None,
        })
    }

    /// What happens, and after how many steps the cycle begins: starts that branch are steps too.
    fn told(&self, lasso: &Lasso) -> Result<(Narration, usize), Failure> {
        let story = narrate::narrate(&self.model, &lasso.path);
        let story =
            story.map_err(|error| Failure::internal(format!("what was found cannot be walked: {error}")))?;
        let starts = story.steps.len() - lasso.path.moves.len();
        Ok((story, starts + lasso.cycle))
    }

    /// The run that refutes the first that is refuted.
    ///
    /// # Errors
    /// A lasso that cannot be walked.
    pub fn counterexample(&self) -> Result<Option<Counterexample>, Failure> {
        let Some((property, lasso)) = self.first() else { return Ok(None) };
        let ending = Ending::Cycle { property: property.to_owned(), after: self.told(lasso)?.1 };
        Ok(Some(Counterexample { property, path: lasso.path.clone(), ending }))
    }

    /// The same for people.
    ///
    /// # Errors
    /// A lasso that cannot be walked, and whatever writing meets.
    pub fn lasso(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let Some((name, lasso)) = self.first() else { return Ok(()) };
        let claim = self.model.liveness.iter().find(|claim| claim.name == name);
        let place = claim.map(|claim| format!(" ({}:{})", claim.file, claim.line)).unwrap_or_default();
        let about = match self.about(lasso) {
            about if about.is_empty() => String::new(),
            about => format!(" of {}", about.join(", ")),
        };
        writeln!(out, "`{name}`{place} is refuted{about}, by a fair run:\n")?;
        let (story, cycle) = self.told(lasso)?;
        for (index, told) in story.steps.iter().enumerate() {
            if index == cycle {
                writeln!(out, "      from here on again and again:")?;
            }
            story::write_step(out, index + 1, told)?;
        }
        match story.steps.len() - cycle {
            0 => writeln!(out, "      nothing is owed any more: so it stays for ever\n")?,
            _ => writeln!(out, "      and so on for ever, from after step {cycle}\n")?,
        }
        Ok(())
    }

    fn about(&self, lasso: &Lasso) -> Vec<String> {
        names::scope(&self.model.names, || lasso.about.iter().map(ToString::to_string).collect())
    }

    fn choices(&self) -> String {
        match self.report.fair_choices.as_slice() {
            [] => "adversarial".to_owned(),
            fair => format!("adversarial, but fair {}", fair.join(", ")),
        }
    }

    fn extent(&self) -> String {
        let LivenessReport { states, bounded, complete, .. } = self.report;
        match (complete, bounded) {
            (true, _) => format!("complete, {states} states"),
            (false, 0) => format!("ended after {states} states"),
            (false, bounded) => format!("{states} states, {bounded} cut by bounds"),
        }
    }

    /// One line for each property, and what the verdicts rest on.
    ///
    /// # Errors
    /// Whatever writing meets.
    pub fn text(&self, out: &mut dyn Write) -> Result<(), Failure> {
        for Judged { name, decision } in &self.report.properties {
            writeln!(out, "  liveness   {name:<24} {}", status(decision))?;
        }
        writeln!(out, "  fairness   {FAIRNESS}; choices {}; {}", self.choices(), self.extent())?;
        Ok(())
    }

    /// The same for programs.
    ///
    /// # Errors
    /// A lasso that cannot be walked.
    pub fn json(&self) -> Result<Vec<Value>, Failure> {
        let one = |Judged { name, decision }: &Judged| {
            let lasso = match decision {
                Decision::Refuted(lasso) => {
                    let (story, cycle) = self.told(lasso)?;
                    json!({ "about": self.about(lasso), "cycle": cycle, "steps": story::json(&story) })
                }
                _ => Value::Null,
            };
            let LivenessReport { states, edges, bounded, complete, .. } = self.report;
            Ok(json!({ "name": name, "kind": "liveness", "status": status(decision), "fairness": FAIRNESS,
                       "choices": self.choices(), "method": METHOD, "lasso": lasso,
                       "extent": { "complete": complete, "states": states, "edges": edges, "cut_by_bounds": bounded } }))
        };
        self.report.properties.iter().map(one).collect()
    }
}

fn status(decision: &Decision) -> &'static str {
    match decision {
        Decision::Proved => "proved",
        Decision::Refuted(_) => "refuted",
        Decision::NotRefuted => "not refuted within bounds",
        Decision::Unknown => "unknown: a limit was reached, or it was interrupted",
    }
}
