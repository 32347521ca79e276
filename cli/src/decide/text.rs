//! A decision in words: tables for people.

use std::fmt::Write as _;

use foresee_decide::decision::{Rule, Verdict, sensitivity};
use foresee_decide::problem::{Report, decision, delivery};

/// Significant digits of a figure.
const DIGITS: i32 = 9;

/// Everything there is to say about a problem.
pub fn of(report: &Report) -> String {
    let mut text = String::new();
    if let Some(title) = &report.title {
        let _ = writeln!(text, "{title}");
    }
    if let Some(decision) = &report.decision {
        acts(decision, &mut text);
    }
    if let Some(delivery) = &report.delivery {
        link(delivery, &mut text);
    }
    text.trim_start_matches('\n').to_owned()
}

/// The rules with the value of every act, and what the choice hangs on.
fn acts(report: &decision::Report, text: &mut String) {
    let named = |list: &[usize]| list.iter().map(|&i| report.acts[i].as_str()).collect::<Vec<_>>().join(", ");
    let mut rows = Vec::new();
    for row in &report.rules {
        let Some(Verdict { values, best, .. }) = &row.verdict else { continue };
        let cells = values.iter().map(|value| figure(value.get()));
        rows.push([vec![rule(&row.rule)], cells.collect(), vec![named(best)]].concat());
    }
    if !rows.is_empty() {
        rows.insert(0, [vec!["rule".into()], report.acts.clone(), vec!["choice".into()]].concat());
    }
    text.push_str(&table(&rows, Last::Words));
    for row in &report.rules {
        if let Some(why) = &row.why_not {
            let _ = writeln!(text, "  {why}");
        }
    }
    if let Some(left) = &report.lexicographic {
        let _ = writeln!(text, "\nlevel by level: {}", named(left));
    }
    if let Some(choice) = &report.qualitative {
        let _ = writeln!(text, "\nby ranks alone: {}", named(&choice.best));
        for (i, by) in choice.beaten_by.iter().enumerate() {
            if let Some(by) = by {
                let _ = writeln!(text, "  {} is beaten by {}", report.acts[i], report.acts[*by]);
            }
        }
    }
    if let Some(sensitivity) = &report.sensitivity {
        firmness(report, sensitivity, text);
    }
}

/// How far the choice by expected utility is from flipping.
fn firmness(report: &decision::Report, found: &sensitivity::Report, text: &mut String) {
    let best = &report.acts[found.verdict.choice];
    let _ = writeln!(text, "\nhow firm the choice by expected utility is: {best}");
    for rival in &found.rivals {
        let name = &report.acts[rival.act];
        let _ = writeln!(text, "  {name} is behind by {}", figure(rival.lead.get()));
        if let Some(chance) = rival.flip_probability {
            let _ = writeln!(text, "    is better with probability {}, by the evidence", figure(chance));
        }
        for (state, (shift, fall)) in report.states.iter().zip(rival.shifts.iter().zip(&rival.moves)) {
            let probability = match shift {
                Some(by) => format!("its probability changes by {}", signed(*by)),
                None => "no probability of it will do".into(),
            };
            let utility = match fall {
                Some(by) => format!("{best} loses {} there, or {name} gains it", figure(*by)),
                None => "no utility there will do".into(),
            };
            let _ = writeln!(text, "    flips in {state}: {probability}; {utility}");
        }
        if let Some(epsilon) = rival.epsilon {
            let _ = writeln!(text, "    flips at a contamination of {}", figure(epsilon));
        }
    }
    if let Some(evpi) = found.evpi {
        let _ = writeln!(text, "  perfect information is worth {}", figure(evpi.get()));
    }
    for (title, list) in [("not told apart from it", &found.ties), ("dominated", &found.dominated)] {
        if !list.is_empty() {
            let names: Vec<&str> = list.iter().map(|&i| report.acts[i].as_str()).collect();
            let _ = writeln!(text, "  {title}: {}", names.join(", "));
        }
    }
}

/// The protocols, the periods and the flips.
fn link(report: &delivery::Report, text: &mut String) {
    let _ = writeln!(text, "\nprotocols at a period of {} rounds, one invocation", report.delta);
    let head =
        ["protocol", "sends", "wait", "cost", "with heartbeats", "delivers", "best period", "its cost"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for line in &report.protocols {
        let (row, best) = (&line.row, &line.best);
        rows.push(vec![
            row.protocol.name().into(),
            figure(row.expected.sends.get()),
            figure(row.expected.wait.get()),
            figure(row.cost.get()),
            figure(line.charged.get()),
            if row.live { "yes" } else { "no" }.into(),
            best.cost.finite().map_or("-".to_owned(), |_| best.delta.to_string()),
            figure(best.cost.get()),
        ]);
    }
    text.push_str(&table(&rows, Last::Figures));
    let live = report.live_choice.map_or("none", foresee_decide::protocol::Protocol::name);
    let _ = writeln!(text, "choice: {}; among those that deliver: {live}", report.choice.name());
    approximations(report, text);
    if let Some(beat) = &report.heartbeat {
        let _ = writeln!(text, "\nheartbeats in the long run, share lambda {}", figure(beat.share));
        let mut rows = vec![["objective", "best period", "cost an invocation"].map(str::to_owned).to_vec()];
        for (name, optimum) in [("paper", &beat.paper), ("exact", &beat.exact)] {
            let cells = [figure(optimum.period.get().get()), figure(optimum.per_invocation.get())];
            rows.push([vec![name.to_owned()], cells.to_vec()].concat());
        }
        rows.push(vec!["square-root law".into(), figure(beat.square_root.get())]);
        rows.push(vec!["law below the round trip".into(), figure(beat.smoothed.get())]);
        text.push_str(&table(&rows, Last::Figures));
    }
    flips(report, text);
}

/// The paper's approximations beside the exact figures, where they apply.
fn approximations(report: &delivery::Report, text: &mut String) {
    let head = ["", "sends: paper", "refined", "exact", "wait: paper", "refined", "exact"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for line in &report.protocols {
        let (Some(paper), Some(refined)) = (&line.paper, &line.refined) else { continue };
        let exact = &line.row.expected;
        let sends = [paper.sends, refined.sends, exact.sends].map(|x| figure(x.get()));
        let wait = [paper.wait, refined.wait, exact.wait].map(|x| figure(x.get()));
        rows.push([vec![line.row.protocol.name().to_owned()], sends.to_vec(), wait.to_vec()].concat());
    }
    if rows.len() > 1 {
        let _ = writeln!(text, "\napproximations");
        text.push_str(&table(&rows, Last::Figures));
    }
}

fn flips(report: &delivery::Report, text: &mut String) {
    let _ = writeln!(text, "\nthe choice of {} flips at", report.choice.name());
    let mut rows = vec![["figure", "is", "below", "above"].map(str::to_owned).to_vec()];
    let found = |x: Option<f64>| x.map_or("-".to_owned(), figure);
    for flipping in &report.figures {
        let flip = &flipping.flip;
        rows.push(vec![flipping.name.into(), figure(flip.at), found(flip.below), found(flip.above)]);
    }
    text.push_str(&table(&rows, Last::Figures));
    if let Some(flips) = &report.thresholds {
        let _ = writeln!(text, "by the paper's approximations, at beta_r/beta_s = {}", figure(flips.rho));
        for (what, at) in [
            ("sd is cheaper than rd below", flips.sender_over_receiver_below),
            ("hb, its heartbeats free, is cheaper than sd above", flips.heartbeat_over_sender_above),
        ] {
            let _ = writeln!(text, "  {what} {}", figure(at.get()));
        }
        for (what, at) in [
            ("sd", flips.trivial_over_sender_above),
            ("rd", flips.trivial_over_receiver_above),
            ("hb", flips.trivial_over_heartbeat_above),
        ] {
            let _ =
                writeln!(text, "  trivial is cheaper than {what} above c_send/c_wait = {}", figure(at.get()));
        }
    }
}

/// A rule with its parameters.
fn rule(rule: &Rule) -> String {
    let name = rule.name().replace('_', " ");
    let with = |what: &str, x: &f64| format!("{name}, {what} {}", figure(*x));
    match rule {
        Rule::Hurwicz { optimism } => with("optimism", optimism),
        Rule::Contamination { epsilon } => with("epsilon", epsilon),
        Rule::Cvar { tail } => with("tail", tail),
        Rule::MeanCvar { tail, weight } => format!("{}, weight {}", with("tail", tail), figure(*weight)),
        _ => name,
    }
}

/// A number to so many significant digits, without zeros at its end.
fn figure(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return x.to_string();
    }
    let size = x.abs().log10().floor() as i32;
    if !(-5..DIGITS + 3).contains(&size) {
        return format!("{x:.*e}", (DIGITS - 4) as usize);
    }
    let text = format!("{x:.*}", (DIGITS - 1 - size).max(0) as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn signed(x: f64) -> String {
    if x > 0.0 { format!("+{}", figure(x)) } else { figure(x) }
}

/// Columns aligned: the first to the left, figures to the right, and the last to the left if it holds words.
fn table(rows: &[Vec<String>], last: Last) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = widths[column];
            let left = column == 0 || (column + 1 == columns && last == Last::Words);
            line.push_str("  ");
            let _ = if left { write!(line, "{cell:<width$}") } else { write!(line, "{cell:>width$}") };
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// What stands in a table's last column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Words,
    Figures,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_their_digits_and_lose_their_zeros() {
        for (x, text) in [
            (0.0, "0"),
            (100.0, "100"),
            (-0.141_176_470_588, "-0.141176471"),
            (74.369_263_114_4, "74.3692631"),
            (1e-5, "0.00001"),
            (2.5e-9, "2.50000e-9"),
            (f64::INFINITY, "inf"),
            (1_234_567_890.0, "1234567890"),
        ] {
            assert_eq!(figure(x), text);
        }
    }
}
