//! `foresee decide`: a problem in TOML, its decision under every rule, how firm that is, and which protocol and period.
//!
//! The mathematics is `foresee-decide`; here a file is read, a mistake gets its place in it, and the answer is put into
//! words, JSON or a plot. Nothing is computed here.

mod place;
mod plot;
mod text;

use std::fs;
use std::path::Path;

use foresee_compiler::diag::{Diagnostic, Diagnostics};
use foresee_compiler::source::{SourceFile, Span};
use foresee_decide::batch::{self, Case};
use foresee_decide::problem::{self, Problem};
use serde::Serialize;

use crate::args::Format;
use crate::exit::{Exit, Failure, Outcome};
use crate::input::{self, Unusable};
use crate::report::Report;

/// Decides the problem of a file; `plot` is where the curves of cost against period are written.
pub fn run(path: &Path, plot: Option<&Path>, report: &mut Report<'_>) -> Outcome {
    let answer = match input::read(path).and_then(|file| decided(file, plot.is_some())) {
        Ok(answer) => answer,
        Err(unusable) => {
            report.unusable(&unusable)?;
            return Ok(Exit::Usage);
        }
    };
    if let (Some(plot), Some(delivery)) = (plot, &answer.delivery) {
        let drawn = plot::svg(delivery, answer.title.as_deref()).map_err(Failure::Told)?;
        fs::write(plot, drawn).map_err(|error| format!("cannot write `{}`: {error}", input::name(plot)))?;
    }
    match report.format {
        Format::Text => write!(report.out, "{}", text::of(&answer))?,
        Format::Json => writeln!(report.out, "{}", json(&answer)?)?,
    }
    Ok(Exit::Held)
}

/// Evaluates a JSON list of cases: a JSON list of answers in the same order, one a line, whatever the format.
pub fn batch(path: &Path, report: &mut Report<'_>) -> Outcome {
    let cases = match input::read(path).and_then(cases) {
        Ok(cases) => cases,
        Err(unusable) => {
            report.unusable(&unusable)?;
            return Ok(Exit::Usage);
        }
    };
    let answers = batch::evaluate(&cases);
    let lines: Vec<String> = answers.iter().map(json).collect::<Result<_, _>>()?;
    writeln!(report.out, "[{}]", lines.join(",\n "))?;
    let wrong = answers.iter().any(|answer| answer.result.is_err());
    Ok(if wrong { Exit::Usage } else { Exit::Held })
}

fn json(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::Told(error.to_string()))
}

fn decided(file: SourceFile, plotted: bool) -> Result<problem::Report, Box<Unusable>> {
    let problem: Problem = match toml::from_str(&file.text) {
        Ok(problem) => problem,
        Err(error) => {
            let span = error.span().map_or(Span::default(), |at| Span::at(at.start, at.end));
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            return Err(refused(file, misshapen(span, message)));
        }
    };
    if plotted && problem.link.is_none() {
        let wanting = "a plot shows what a period costs over a link, and this problem has none";
        let found = Diagnostic::error("E0011", Span::default(), wanting)
            .with_help("add `[link]` and `[costs]`, or leave out `--plot`");
        return Err(refused(file, found));
    }
    problem.report().map_err(|error| {
        let span = place::of(&error.field, &file.text);
        let found = Diagnostic::error("E0011", span, error.to_string())
            .with_help("`foresee explain E0011` tells what must hold of it");
        refused(file, found)
    })
}

fn cases(file: SourceFile) -> Result<Vec<Case>, Box<Unusable>> {
    serde_json::from_str(&file.text).map_err(|error| {
        // Lines and columns of bytes, from 1; line 0 where there is no place.
        let before: usize = file.text.split_inclusive('\n').take(error.line().max(1) - 1).map(str::len).sum();
        let at = (before + error.column().max(1) - 1).min(file.text.len());
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default().to_owned();
        refused(file, misshapen(Span::at(at, at), message))
    })
}

fn misshapen(span: Span, message: String) -> Diagnostic {
    Diagnostic::error("E0010", span, message)
        .with_help("`foresee explain E0010` names all that may stand there")
}

fn refused(file: SourceFile, found: Diagnostic) -> Box<Unusable> {
    Box::new(Unusable { file, diagnostics: Diagnostics::from(found) })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use foresee_compiler::render::Style;
    use serde_json::Value;

    use super::*;

    const BOB: &str = "title = \"Wait for Bob?\"\nstates = [\"prompt\", \"late\", \"never\"]\nprobabilities = [0.2, 0.5, 0.3]\n\
        [[act]]\nname = \"leave\"\nutilities = [100, 100, 100]\n[[act]]\nname = \"stay\"\nutilities = [300, 140, 0]\n";

    const LINK: &str = "[link]\ntau = 20\ngamma = 0.1\nsender = { correct = 0.9, crash = 1e-5 }\n\
        receiver = { correct = 0.9, crash = 2e-5 }\n[costs]\nsend = 5\nwait = 1\nheartbeat = 1\n[demand]\nsigma = 0.001\n";

    type Command<'a> = &'a dyn Fn(&Path, &mut Report<'_>) -> Outcome;

    fn told(command: Command<'_>, text: &str, format: Format) -> (Exit, String, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("problem.toml");
        fs::write(&path, text).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut report = Report { format, out: &mut out, err: &mut err, style: Style::Plain };
        let exit = command(&path, &mut report).unwrap();
        (exit, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    const DECIDE: Command<'static> = &|path, report| run(path, None, report);

    #[test]
    fn text_and_json_tell_the_same_choice() {
        let (exit, out, err) = told(DECIDE, BOB, Format::Text);
        assert_eq!((exit, err.as_str()), (Exit::Held, ""));
        let row = |name: &str| out.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
        assert!(row("expected utility").ends_with("stay"), "{out}");
        assert!(row("maximin").ends_with("leave"), "{out}");
        let (_, out, _) = told(DECIDE, BOB, Format::Json);
        let value: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(value["decision"]["rules"][0]["verdict"]["choice"], 1);
        assert_eq!(value["decision"]["sensitivity"]["evpi"], 30.0);
    }

    #[test]
    fn a_link_is_told_with_its_periods_and_plotted() {
        let folder = tempfile::tempdir().unwrap();
        let plot: PathBuf = folder.path().join("cost.svg");
        let (exit, out, _) = told(&|path, report| run(path, Some(&plot), report), LINK, Format::Text);
        assert_eq!(exit, Exit::Held);
        assert!(out.contains("74.369263"), "the golden value G12: {out}");
        let drawn = fs::read_to_string(&plot).unwrap();
        assert!(drawn.starts_with("<svg") && drawn.matches("<polyline").count() >= 4, "{drawn}");
        let (exit, _, err) = told(&|path, report| run(path, Some(&plot), report), BOB, Format::Text);
        assert!(exit == Exit::Usage && err.contains("E0011"), "{err}");
    }

    #[test]
    fn mistakes_have_their_field_and_their_place() {
        let place = |text: &str| {
            let (exit, out, _) = told(DECIDE, text, Format::Json);
            assert_eq!(exit, Exit::Usage, "{text}");
            let value: Value = serde_json::from_str(&out).unwrap();
            let span = &value["spans"][0];
            let text = value["message"].as_str().unwrap().to_owned();
            (
                value["code"].as_str().unwrap().to_owned(),
                text,
                span["line"].as_u64().unwrap(),
                span["column"].as_u64().unwrap(),
            )
        };
        let (code, message, line, column) = place(&BOB.replace("0.2, 0.5", "1.2, -0.5"));
        assert_eq!((code.as_str(), line, column), ("E0011", 3, 18));
        assert!(message.contains("`probabilities[0]` must be a probability"), "{message}");
        let (_, message, line, column) = place(&BOB.replace("300, 140, 0", "300, 140"));
        assert!(message.contains("`act[1].utilities` must have 3 elements"), "{message}");
        assert_eq!((line, column), (9, 13));
        let (_, message, line, _) = place(&LINK.replace("crash = 2e-5", "crash = 2"));
        assert!(message.contains("`link.receiver.crash`") && line == 5, "{message}");
        let (_, message, line, _) = place(&LINK.replace("wait = 1\n", "wait = -1\n"));
        assert!(message.contains("`costs.wait`") && line == 8, "{message}");
        // What is missing has the place of what it is missing from.
        let (_, message, line, _) = place(&BOB.replace("utilities = [300, 140, 0]", ""));
        assert!(message.contains("`act[1]`") && line == 7, "{line}: {message}");
        let (code, message, line, _) = place(&LINK.replace("gamma", "gama"));
        assert!(code == "E0010" && message.contains("gama") && line == 3, "{line}: {message}");
        assert_eq!(place("states = [").0, "E0010");
        assert_eq!(place("title = 'nothing to decide'").0, "E0011");
    }

    #[test]
    fn a_batch_has_an_answer_for_every_case() {
        let good =
            r#"{"id":"G16","kind":"p_alive","params":{"t":35,"eta":10,"k":3,"gamma":0.1,"beta":0.001}}"#;
        let (exit, out, _) = told(&batch, &format!("[{good}]"), Format::Text);
        let value: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((exit, &value[0]["id"]), (Exit::Held, &Value::from("G16")));
        assert!((value[0]["p"].as_f64().unwrap() - 0.0804072041609).abs() < 1e-12);
        let (exit, out, _) = told(
            &batch,
            &format!("[{good},{}]", good.replace("\"gamma\":0.1", "\"gamma\":1.2")),
            Format::Text,
        );
        let value: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((exit, &value[1]["field"]), (Exit::Usage, &Value::from("gamma")));
        assert_eq!(value[0]["p"], serde_json::from_str::<Value>(&out).unwrap()[0]["p"]);
        let (exit, _, err) = told(&batch, "[{\"kind\":\"lambda\",\n\"params\":}]", Format::Text);
        assert!(exit == Exit::Usage && err.contains(":2:"), "{err}");
    }
}
