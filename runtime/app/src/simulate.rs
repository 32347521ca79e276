//! `simulate`: one run a seed on a virtual clock, a line a run, then a summary.

use std::fs;
use std::io::Write;
use std::ops::Range;
use std::path::Path;

use foresee_kernel::{Model, NodeState, SpecInfo};
use foresee_predict::Settings;
use foresee_sim::{Moments, Options, Run, Status, Summary};

use crate::args::{Format, SimulateArgs};
use crate::exit::{Exit, Failure};
use crate::render::map;
use crate::{claims, exact, model, progress, rare, verify};

/// Runs the command.
pub fn run(
    spec: &'static SpecInfo,
    args: &SimulateArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    let model = model::runnable(spec, &args.system)?;
    let ahead = Settings { training_until: args.until, ..args.lookahead.clone() };
    let known = foresee_predict::resolvers(&ahead);
    let named = |name: &str| known.get(name).map_err(|error| Failure::usage(error.to_string()));
    let plain = Options {
        until: args.until,
        resolver: named(&args.resolver)?,
        topology: args.topology.clone(),
        churn: args.churn.clone(),
        ..Options::default()
    };
    if args.exact {
        return exact::run(&model, args, &plain, out);
    }
    let mut asked = args.compare.iter().flatten().chain([&args.resolver]);
    let trained = |name: &String| {
        let measured = *name == foresee_predict::MEASURED;
        foresee_predict::TRAINED.contains(&name.as_str())
            || measured && foresee_predict::leaves_others(&model, &foresee_measure::tunables(&model))
    };
    if ahead.training > 0 && asked.any(trained) {
        let runs = ahead.training;
        writeln!(
            err,
            "note: looking ahead begins with training, {runs} runs for each of some policies; `--lookahead training=0` leaves it out"
        )?;
    }
    if let Some(event) = &args.rare {
        return rare::run(&model, args, event, &plain, out);
    }
    if args.verify {
        return verify::run(&model, args, &plain, out);
    }
    if let Some([first, second]) = args.compare.as_deref() {
        return verify::compare(&model, args, [&named(first)?, &named(second)?], &plain, out);
    }
    let unjudged: Vec<_> = claims::liveness(&model).into_iter().chain(claims::statistical(&model)).collect();
    let seeds = seeds(args);
    let single = seeds.end - seeds.start == 1;
    // A run that violates a property keeps its trace unasked.
    let trace = args.trace_out.is_some() && single;
    let options = Options { trace, last: args.map.is_some(), every: args.every, ..plain };
    let bar = progress::bar(seeds.end - seeds.start);
    let mut summary = Summary::default();
    let (mut kept, mut last) = (None, Vec::new());
    let mut failed: Result<(), Failure> = Ok(());
    foresee_sim::runs(&model, seeds, usize::from(args.threads), &options, &mut |mut run: Run| {
        bar.inc(1);
        if failed.is_ok() {
            failed = tell(&run, args.format, out);
        }
        summary.add(&run);
        if kept.is_none() && (single || run.violation.is_some()) {
            kept = run.trace.take();
        }
        last = std::mem::take(&mut run.last);
    })
    .map_err(|error| Failure::usage(error.to_string()))?;
    bar.finish_and_clear();
    failed?;
    match args.format {
        Format::Json => writeln!(out, "{}", told(&summary, &unjudged)?)?,
        Format::Text => {
            write_summary(&summary, out)?;
            claims::write(out, &unjudged)?;
        }
    }
    if let Some(path) = &args.map {
        draw(&model, args, &last, path)?;
    }
    if let Some(path) = &args.trace_out {
        match kept {
            Some(trace) => fs::write(path, trace.to_json())
                .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?,
            None => writeln!(err, "note: no run violates a property, {} is not written", path.display())?,
        }
    }
    Ok(if !summary.violations.is_empty() { Exit::Violation } else { Exit::Held })
}

/// Draws where nodes are, and what they hold of each other.
fn draw(model: &Model, args: &SimulateArgs, last: &[NodeState], path: &Path) -> Result<(), Failure> {
    let links = args.links.as_deref();
    let over = links.map(|links| format!(", {links}")).unwrap_or_default();
    let title = format!("{} of {}, seed {}{over}", model.system, model.spec.name, args.seed.unwrap_or(0));
    let picture = map::write(model, args.topology.as_deref(), last, links, &title);
    let picture = picture.ok_or_else(|| {
        let variable = links.unwrap_or_default();
        Failure::usage(format!("--links: no service of `{}` has a variable `{variable}`", model.system))
    })?;
    fs::write(path, picture).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}

fn seeds(args: &SimulateArgs) -> Range<u64> {
    match (&args.seeds, args.seed) {
        (Some(seeds), _) => seeds.clone(),
        (None, seed) => {
            let seed = seed.unwrap_or(0);
            seed..seed.saturating_add(1)
        }
    }
}

fn tell(run: &Run, format: Format, out: &mut dyn Write) -> Result<(), Failure> {
    match format {
        Format::Json => writeln!(out, "{}", json(run)?)?,
        Format::Text => write_run(run, out)?,
    }
    Ok(())
}

/// The summary, with the claims that no run judges.
fn told(summary: &Summary, unjudged: &[claims::Unjudged]) -> Result<String, Failure> {
    if unjudged.is_empty() {
        return json(summary);
    }
    let mut value = serde_json::to_value(summary).map_err(|error| Failure::internal(error.to_string()))?;
    value["not_checked"] = claims::json(unjudged).into();
    json(&value)
}

fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::internal(error.to_string()))
}

fn write_run(run: &Run, out: &mut dyn Write) -> Result<(), Failure> {
    let Run { seed, events, virtual_seconds, messages, ending, .. } = run;
    write!(
        out,
        "seed {seed:>4}: {events} events in {virtual_seconds:.3} s, {messages} messages, ended by {ending}"
    )?;
    for (name, value) in &run.objectives {
        write!(out, ", {name} {value:.3}")?;
    }
    writeln!(out)?;
    for (place, seconds) in run.over_time.seconds.iter().enumerate() {
        let values = run.over_time.objectives.iter().filter_map(|(name, of)| Some((name, of.get(place)?)));
        let values: Vec<String> = values.map(|(name, value)| format!("{name} {value:.3}")).collect();
        writeln!(out, "  {seconds:>9.3} s  {}", values.join(", "))?;
    }
    if let Some(violation) = &run.violation {
        writeln!(out, "           {violation}")?;
    }
    Ok(())
}

fn write_summary(summary: &Summary, out: &mut dyn Write) -> Result<(), Failure> {
    let Summary { runs, events, messages, virtual_seconds, .. } = summary;
    writeln!(
        out,
        "\n{runs} runs, {events} events, {messages} messages, {virtual_seconds:.3} virtual seconds"
    )?;
    for (name, moments) in &summary.objectives {
        let Moments { n, mean, standard_deviation, min, max, .. } = moments;
        writeln!(
            out,
            "  objective  {name:<24} mean {mean:.3}, sd {standard_deviation:.3}, {min:.3} to {max:.3}, n {n}"
        )?;
    }
    let mut figures = summary.resolver.clone();
    if figures.remove("guarded").is_some() {
        writeln!(
            out,
            "  resolver   in training the author's default did better than looking ahead, and resolved every choice"
        )?;
    }
    for (name, Moments { mean, min, max, .. }) in &figures {
        writeln!(out, "  resolver   {name:<24} mean {mean:.1}, {min:.0} to {max:.0}")?;
    }
    for (name, counts) in &summary.properties {
        let counts: Vec<String> =
            counts.iter().map(|(status, runs)| format!("{} in {runs}", said(*status))).collect();
        writeln!(out, "  property   {name:<24} {}", counts.join(", "))?;
    }
    if let Some(first) = summary.violations.first() {
        let seeds = summary.violations.len();
        writeln!(
            out,
            "  {seeds} runs violate a property; the first: `{}` in seed {}",
            first.property, first.seed
        )?;
        writeln!(out, "  see it: simulate --seed {} --trace-out FILE, then replay FILE", first.seed)?;
    }
    Ok(())
}

pub(crate) fn said(status: Status) -> &'static str {
    match status {
        Status::Held => "held",
        Status::Violated => "violated",
        Status::Reached => "reached",
        Status::Unreached => "not reached",
    }
}
