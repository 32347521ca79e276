//! `check`: explore, judge, and tell: a verdict with what it rests on, and the counterexample if there is one.

use std::fs;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use foresee_check::{
    Backend, Counterexample, Cut, Fingerprint, GrowthReport, Measure, Options, Progress, Report, Search,
    Status, Verdict, Walks,
};
use foresee_kernel::trace::{Ending, Origin};
use foresee_kernel::{Model, SpecInfo, Trace};
use foresee_world::Path;
use foresee_world::narrate::{self, Narration};
use serde_json::{Value, json};

use crate::args::{CheckArgs, Format, NetworkKind, Reduction, SearchKind, TraceForm};
use crate::exit::{Exit, Failure};
use crate::forever::Forever;
use crate::progress::Ticker;
use crate::render::Drawn;
use crate::usage::{self, Usage};
use crate::{claims, faults, from, interrupt, model, plain, story};

/// How many moves may be tried to make a counterexample short.
const SHRINK_EFFORT: u64 = 200_000;

/// Runs the command.
pub fn run(
    spec: &'static SpecInfo,
    args: &CheckArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    let mut model = model::runnable(spec, &args.system)?;
    if args.reduce.contains(&Reduction::RetainIgnored) {
        Arc::make_mut(&mut model).bounds.retain_ignored = true;
    }
    let mut model = claims::select(model, &args.properties)?;
    claims::refuse(&model)?;
    faults::apply(Arc::make_mut(&mut model), &args.fault);
    #[expect(clippy::disallowed_methods, reason = "a report says how long the search took")]
    let (started, before) = (Instant::now(), usage::now());
    let from = from::path(spec, &model, args)?;
    let mut report = search(&model, args, from)?;
    // What a simulation did is not within the budgets that are for checking.
    let free = args.from_simulation.is_some();
    let walked = if free { narrate::unbudgeted(&model) } else { model.clone() };
    shorten(&walked, args, &mut report);
    let forever = Forever::of(&model, args)?;
    let after = usage::now();
    let usage = Usage { cpu_seconds: after.cpu_seconds - before.cpu_seconds, ..after };
    // Without a violation, what is written is how a `reachable` property was reached.
    let witness = || report.witnesses.first().filter(|_| args.trace_out.is_some());
    let endless = forever.as_ref().map(Forever::counterexample).transpose()?.flatten();
    let shown = report.counterexample.as_ref().or(endless.as_ref()).or_else(witness);
    let shown = shown.map(|found| Shown::of(&walked, args, found)).transpose()?;
    if let Some(path) = &args.trace_out {
        match &shown {
            Some(shown) => {
                let text = shown.render(&model, args.trace_format)?;
                fs::write(path, text)
                    .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
            }
            None => writeln!(
                err,
                "note: there is neither a counterexample nor a witness, {} is not written",
                path.display()
            )?,
        }
    }
    let told = Told {
        model: &model,
        args,
        report: &report,
        seconds: started.elapsed(),
        usage,
        forever: forever.as_ref(),
    };
    match args.format {
        Format::Json => {
            let mut value = told.json()?;
            let trace = shown.as_ref().map(|shown| &shown.trace);
            value["trace"] =
                serde_json::to_value(trace).map_err(|error| Failure::internal(error.to_string()))?;
            value["counterexample"] = match (&report.counterexample, &shown) {
                (Some(found), Some(Shown { story, .. })) => {
                    let why = narrate::why(&model, &story.world, found.property);
                    json!({ "property": found.property, "steps": story::json(story), "why": story::json_why(&why) })
                }
                _ => Value::Null,
            };
            writeln!(out, "{value}")?;
        }
        Format::Text => told.text(shown.as_ref(), out)?,
    }
    Ok(match told.verdict() {
        Verdict::Held if told.fails_idle() => Exit::Violation,
        Verdict::Held | Verdict::HeldWithinBounds => Exit::Held,
        Verdict::Violated => Exit::Violation,
        Verdict::Inconclusive => Exit::Inconclusive,
    })
}

/// A path that is shown: a counterexample, or a witness.
struct Shown<'f> {
    found: &'f Counterexample,
    story: Narration,
    trace: Trace,
}

impl Shown<'_> {
    fn of<'f>(model: &Arc<Model>, args: &CheckArgs, found: &'f Counterexample) -> Result<Shown<'f>, Failure> {
        let story = narrate::narrate(model, &found.path)
            .map_err(|error| Failure::internal(format!("what was found cannot be walked: {error}")))?;
        let seed = (args.search == SearchKind::Walks).then(|| args.seed.unwrap_or(0)).or(args.seed);
        let trace = narrate::to_trace(model, &found.path, "check", seed, found.ending.clone());
        let trace = trace.map_err(|error| Failure::internal(error.to_string()))?;
        let faults = args.fault.iter().map(|fault| fault.text()).collect();
        let origin = Origin { faults, unbudgeted: args.from_simulation.is_some(), ..trace.origin };
        Ok(Shown { found, story, trace: Trace::new(origin, trace.ending, trace.steps) })
    }

    fn render(&self, model: &Arc<Model>, form: TraceForm) -> Result<String, Failure> {
        let Counterexample { path, ending, .. } = self.found;
        match form {
            TraceForm::Json => Ok(self.trace.to_json()),
            form => Drawn { model, path, narration: &self.story, ending }.render(form),
        }
    }
}

fn search(model: &Arc<Model>, args: &CheckArgs, from: Option<Path>) -> Result<Report, Failure> {
    let search = match args.search {
        SearchKind::Bfs => Search::BreadthFirst,
        SearchKind::Dfs => Search::DepthFirst,
        SearchKind::Ids => Search::IterativeDeepening,
        SearchKind::Predict => Search::Consequences,
        SearchKind::Walks => Search::Walks,
        SearchKind::Reference if from.is_some() => {
            return Err(Failure::usage("the reference explorer begins at the start"));
        }
        SearchKind::Reference => return plain::check(model, args),
    };
    if matches!(search, Search::Consequences | Search::Walks) && args.threads > 1 {
        return Err(Failure::usage("what this search finds depends on its order: it has one thread"));
    }
    let walks = Walks { seed: args.seed.unwrap_or(0), count: args.walks, length: args.length };
    let network = match args.network {
        NetworkKind::Observed => Backend::Observed,
        NetworkKind::Channels => Backend::Channels,
        NetworkKind::Flat => Backend::Flat,
    };
    let options = Options {
        search,
        network,
        fingerprint: if args.fingerprint == 128 { Fingerprint::Wide } else { Fingerprint::Narrow },
        threads: usize::from(args.threads),
        max_depth: args.depth,
        max_states: args.max_states,
        time: args.time,
        max_memory: args.max_memory,
        spill_dir: args.spill_dir.clone(),
        keep_going: args.keep_going,
        walks,
        from,
    };
    let progress = Arc::new(Progress::default());
    let (watched, cancelled) = (progress.clone(), progress.clone());
    interrupt::on_interrupt(move || cancelled.cancel());
    let _ticker = Ticker::start(move || {
        let (states, depth, waiting) = (watched.unique_states(), watched.depth(), watched.frontier());
        format!("{states} states, depth {depth}, {waiting} waiting")
    });
    foresee_check::check(model, &options, &progress).map_err(|error| Failure::usage(error.to_string()))
}

/// From which probability on it is said that a state may have been missed.
const MISSED_TOLD: f64 = 1e-9;

/// Breadth first and by deepening from the start, a counterexample is a shortest one. Others are made short, what leads to where
/// the search began included.
fn shorten(model: &Arc<Model>, args: &CheckArgs, report: &mut Report) {
    let shortest = matches!(args.search, SearchKind::Bfs | SearchKind::Ids | SearchKind::Reference);
    if !(shortest && args.from.is_none() && args.from_simulation.is_none())
        && let Some(found) = &mut report.counterexample
    {
        found.path = foresee_world::shrink(model, &found.path, &found.ending, SHRINK_EFFORT);
    }
}

/// A report with what it was asked of.
struct Told<'a> {
    model: &'a Arc<Model>,
    args: &'a CheckArgs,
    report: &'a Report,
    seconds: Duration,
    usage: Usage,
    forever: Option<&'a Forever>,
}

impl Told<'_> {
    fn unjudged(&self) -> Vec<claims::Unjudged> {
        let runs = if self.forever.is_some() { Vec::new() } else { claims::liveness(self.model) };
        runs.into_iter().chain(claims::statistical(self.model)).collect()
    }

    /// What the search and the liveness properties come to together.
    fn verdict(&self) -> Verdict {
        match (self.report.verdict, self.forever) {
            (_, Some(forever)) if forever.refutes() => Verdict::Violated,
            (Verdict::Held | Verdict::HeldWithinBounds, Some(forever)) if forever.undecided() => {
                Verdict::Inconclusive
            }
            (verdict, _) => verdict,
        }
    }

    /// The names of the reductions that the search was under.
    fn reductions(&self) -> &'static [&'static str] {
        if self.model.bounds.retain_ignored { &["retain-ignored"] } else { &[] }
    }

    /// Whether what was planned and never came about is a failing: where everything was explored it never can.
    fn fails_idle(&self) -> bool {
        self.report.complete && !self.args.allow_unfired && self.report.idle().next().is_some()
    }

    fn json(&self) -> Result<Value, Failure> {
        let report = self.report;
        let runs = self.forever.map(Forever::json).transpose()?.unwrap_or_default();
        let properties = report.properties.iter().map(|property| {
            json!({ "name": property.name, "kind": property.kind.keyword(), "status": status(property.status),
                    "violations": property.violations })
        });
        let handlers = report.handlers.iter().map(|handler| {
            json!({ "name": handler.name, "service": handler.service, "line": handler.line, "runs": handler.runs })
        });
        let choices = report.choices.iter().map(|choice| {
            json!({ "name": choice.name, "service": choice.service, "line": choice.line, "made": choice.made })
        });
        let ignored = report.ignored.iter().map(|ignored| {
            json!({ "message": ignored.message, "state": ignored.state, "service": ignored.service,
                    "count": ignored.count })
        });
        Ok(json!({
            "spec": self.model.spec.name,
            "system": self.model.system,
            "verdict": verdict(self.verdict()),
            "complete": report.complete,
            "unique_states": report.unique_states,
            "fingerprint_bits": report.fingerprint_bits,
            "missed_probability": report.missed_probability(),
            "transitions": report.transitions,
            "lookups": report.lookups,
            "depth": report.depth,
            "depth_histogram": report.depth_histogram,
            "seconds": self.seconds.as_secs_f64(),
            "cpu_seconds": self.usage.cpu_seconds,
            "peak_rss_bytes": self.usage.peak_rss_bytes,
            "properties": properties.chain(runs).chain(claims::json(&self.unjudged())).collect::<Vec<_>>(),
            "handlers": handlers.collect::<Vec<_>>(),
            "choices": choices.collect::<Vec<_>>(),
            "ignored": ignored.collect::<Vec<_>>(),
            "plans": report.plans.iter()
                .map(|plan| json!({ "kind": plan.kind, "text": plan.text, "line": plan.line, "fired": plan.fired }))
                .collect::<Vec<_>>(),
            "reductions": self.reductions(),
            "network": network(report),
            "memo": {
                "steps": report.memo.entries,
                "hits": report.memo.hits,
                "direct": report.memo.direct,
                "nodes_direct": report.memo.nodes_direct,
            },
            "unfired": report.idle().map(|plan| plan.text.as_str()).collect::<Vec<_>>(),
            "seed": (self.args.search == SearchKind::Walks).then(|| self.args.seed.unwrap_or(0)),
            "cut_by": report.cut_by.iter()
                .map(|cut| json!({ "by": cut.by.to_string(), "bound": cut.by.is_bound(), "states": cut.states }))
                .collect::<Vec<_>>(),
            "growth": report.growth.iter()
                .map(|it| json!({ "service": it.service, "name": it.name, "measure": it.measure.to_string(),
                                  "from": it.from, "to": it.to, "depth": it.depth }))
                .collect::<Vec<_>>(),
        }))
    }

    fn text(&self, shown: Option<&Shown<'_>>, out: &mut dyn Write) -> Result<(), Failure> {
        let report = self.report;
        if let (Some(found), Some(Shown { story, .. })) = (&report.counterexample, shown) {
            let property = self.model.properties.iter().find(|property| property.name == found.property);
            let place = property
                .map(|property| format!(" ({}:{})", property.file, property.line))
                .unwrap_or_default();
            writeln!(out, "`{}`{place} is violated. {} from the start:\n", found.property, steps(story))?;
            story::write(out, story)?;
            writeln!(out, "      {}", story::ending(&found.ending))?;
            story::write_why(out, &narrate::why(self.model, &story.world, found.property))?;
            writeln!(out)?;
        }
        if let Some(forever) = self.forever {
            forever.lasso(out)?;
        }
        let witness = shown.is_some_and(|Shown { found, .. }| matches!(found.ending, Ending::Witness { .. }));
        if let (Some(_), false, Some(path), TraceForm::Json) =
            (shown, witness, &self.args.trace_out, self.args.trace_format)
        {
            writeln!(out, "replay it: replay {}\n", path.display())?;
        }
        let name = format!("{} {}", self.model.spec.name, self.model.system);
        let runs = match self.verdict() {
            verdict if verdict == report.verdict => "",
            Verdict::Violated => "a liveness property is refuted; of states: ",
            _ => "a liveness property is undecided; of states: ",
        };
        writeln!(out, "{name}: {runs}{}", sentence(report))?;
        writeln!(
            out,
            "  {} unique states, {} transitions, depth {}, {:.2} s ({:.2} s CPU), {:.0} MiB at most",
            grouped(report.unique_states),
            grouped(report.transitions),
            report.depth,
            self.seconds.as_secs_f64(),
            self.usage.cpu_seconds,
            self.usage.peak_rss_bytes as f64 / f64::from(1 << 20),
        )?;
        let missed = report.missed_probability();
        if missed >= MISSED_TOLD {
            writeln!(
                out,
                "  missed     a state with probability {missed:.1e}: states are told apart by {} bits",
                report.fingerprint_bits
            )?;
        }
        for reduction in self.reductions() {
            writeln!(out, "  reduced    by {reduction}")?;
        }
        if report.network.backend == Backend::Flat {
            writeln!(out, "  network    flat: messages in no order are kept one by one")?;
        }
        let bounded = report.cut_by.iter().any(|cut| cut.by.is_bound());
        for property in &report.properties {
            let (kind, status) = (property.kind.keyword(), status(property.status));
            let within = if bounded && property.status == Status::Unreached { " within bounds" } else { "" };
            writeln!(out, "  {kind:<10} {:<24} {status}{within}", property.name)?;
        }
        if let (true, Some(Shown { found, .. }), Some(path)) = (witness, shown, &self.args.trace_out) {
            writeln!(out, "  witness    of {}: {}", found.property, path.display())?;
        }
        if let Some(forever) = self.forever {
            forever.text(out)?;
        }
        claims::write(out, &self.unjudged())?;
        for handler in report.handlers.iter().filter(|handler| handler.runs == 0) {
            writeln!(out, "  never ran  {}.{} (line {})", handler.service, handler.name, handler.line)?;
        }
        for choice in report.choices.iter().filter(|choice| choice.made == 0) {
            writeln!(out, "  no choice  {}.{} (line {})", choice.service, choice.name, choice.line)?;
        }
        for ignored in &report.ignored {
            let times = grouped(ignored.count);
            let state =
                if ignored.state.is_empty() { String::new() } else { format!(" in {}", ignored.state) };
            writeln!(out, "  unhandled  {} at {}{state}: {times} times", ignored.message, ignored.service)?;
        }
        self.plans(out)?;
        for cut in &report.cut_by {
            let states = grouped(cut.states);
            match cut.by {
                Cut::Consequences => writeln!(out, "  left out   steps of {states} states, by prediction")?,
                Cut::Walks => {
                    let CheckArgs { walks, length, .. } = self.args;
                    let (walks, length) = (grouped(*walks), grouped(u64::from(*length)));
                    let seed = self.args.seed.unwrap_or(0);
                    writeln!(
                        out,
                        "  walks      {walks} at most, of {length} steps at most, from seed {seed}; {states} were cut at their length"
                    )?;
                }
                by if by.is_bound() => writeln!(out, "  bounded    by {by}: {states} states")?,
                by => writeln!(out, "  stopped    by {by}: {states} states")?,
            }
        }
        self.growth(out)
    }
}

impl Told<'_> {
    /// What was still growing when the search was cut.
    fn growth(&self, out: &mut dyn Write) -> Result<(), Failure> {
        for GrowthReport { service, name, measure, from, to, depth } in &self.report.growth {
            let (what, of) = match measure {
                Measure::Elements => (format!("{service}.{name}"), " elements"),
                Measure::Magnitude => (format!("{service}.{name}"), ""),
                Measure::Messages => (format!("{name} to {service}"), " messages"),
            };
            let (from, to) = (grouped(*from), grouped(*to));
            writeln!(out, "  grows      {what:<24} from {from} to {to}{of}, the last at depth {depth}")?;
        }
        Ok(())
    }

    /// What was planned, a line for each of the spec, and how often it came about.
    fn plans(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let mut lines: Vec<(&str, &str, Option<u32>, u64)> = Vec::new();
        for plan in self.report.plans.iter().filter(|plan| plan.allowed) {
            match lines.iter_mut().find(|line| plan.is_of(line.0, line.1, line.2)) {
                Some(line) => line.3 += plan.fired,
                None => lines.push((plan.kind, &plan.text, plan.line, plan.fired)),
            }
        }
        for (kind, text, line, fired) in lines {
            let place = line.map(|line| format!(" (line {line})")).unwrap_or_default();
            let often = match fired {
                0 => "never fired".to_owned(),
                1 => "fired once".to_owned(),
                _ => format!("fired {} times", grouped(fired)),
            };
            writeln!(out, "  {kind:<10} {:<24} {often}", format!("{text}{place}"))?;
        }
        if self.fails_idle() {
            writeln!(
                out,
                "  what never fired was tested by nothing: mend it, or accept it with --allow-unfired"
            )?;
        } else if self.report.idle().next().is_some() && !self.report.complete {
            writeln!(out, "  note: the search was cut, so what never fired may yet do so")?;
        }
        Ok(())
    }
}

/// How what was under way was kept: by which backend, and how many nodes, with what that keeps with them, were told apart.
fn network(report: &Report) -> Value {
    let backend = match report.network.backend {
        Backend::Flat => "flat",
        Backend::Channels => "channels",
        Backend::Observed => return Value::Null,
    };
    json!({ "backend": backend, "parts": report.network.parts })
}

fn steps(story: &Narration) -> String {
    match story.steps.len() {
        1 => "1 step".to_owned(),
        count => format!("{count} steps"),
    }
}

fn sentence(report: &Report) -> &'static str {
    match report.verdict {
        Verdict::Held => "held in every reachable state",
        Verdict::HeldWithinBounds => "held within bounds",
        Verdict::Violated => "violated",
        Verdict::Inconclusive => match report.cut_by.last().map(|cut| cut.by) {
            Some(Cut::Walks) => "inconclusive: random walks met no violation, which proves nothing",
            Some(Cut::Consequences) => "inconclusive: no violation among the consequences that were explored",
            Some(Cut::Cancelled) => "inconclusive: interrupted before everything was explored",
            _ => "inconclusive: a budget was spent before everything was explored",
        },
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Held => "held",
        Verdict::HeldWithinBounds => "held_within_bounds",
        Verdict::Violated => "violated",
        Verdict::Inconclusive => "inconclusive",
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Held => "held",
        Status::HeldWithinBounds => "held within bounds",
        Status::Violated => "violated",
        Status::Reached => "reached",
        Status::Unreached => "never reached",
        Status::Unknown => "unknown",
    }
}

/// A whole number with its digits grouped by three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn digits_are_grouped_by_three() {
        assert_eq!([0, 12, 288, 8832, 1_745_408].map(grouped), ["0", "12", "288", "8,832", "1,745,408"]);
    }
}
