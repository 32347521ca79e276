//! `replay --step`: walks to and fro in a trace, by commands that are read line by line, so that a script can give them.

use std::io::{self, BufRead, Write};

use foresee_kernel::names;
use foresee_kernel::trace::Ending;
use foresee_world::{Direct, Program, World, narrate};

use crate::exit::Failure;
use crate::render::Drawn;
use crate::story;

const HELP: &str = "\
next [N], or an empty line   take N steps, 1 if left out
back [N]                     go back N steps
jump N                       go to the state after step N; 0 is the start
state [NODE]                 the variables of all nodes, or of one, and what is in flight
why                          why the property is false in this state
list                         all steps, a line each
quit                         end
Each may be shortened to its first letter.";

/// Walks as the lines of `input` say. `prompt` is whether somebody is there to be asked.
pub fn run(
    drawn: &Drawn<'_>,
    worlds: &[World<Direct>],
    input: &mut dyn BufRead,
    prompt: bool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let steps = &drawn.narration.steps;
    let mut walk = Walk { drawn, worlds, at: 0, program: Direct::new(drawn.model.clone()) };
    writeln!(out, "{} steps; `help` lists the commands", steps.len())?;
    let mut line = String::new();
    loop {
        if prompt {
            write!(out, "{}/{}> ", walk.at, steps.len())?;
            out.flush()?;
        }
        line.clear();
        let read = input.read_line(&mut line);
        if read.map_err(|error| Failure::usage(format!("the commands cannot be read: {error}")))? == 0 {
            return Ok(());
        }
        let mut words = line.split_whitespace();
        let (command, argument) = (words.next().unwrap_or("next"), words.next());
        match command {
            "q" | "quit" => return Ok(()),
            "h" | "help" | "?" => writeln!(out, "{HELP}")?,
            "l" | "list" => walk.list(out)?,
            "s" | "state" => walk.state(argument, out)?,
            "w" | "why" => walk.why(out)?,
            "n" | "next" => walk.moved(argument, 1, out, |at, by| at.saturating_add(by))?,
            "b" | "back" => walk.moved(argument, 1, out, |at, by| at.saturating_sub(by))?,
            "j" | "jump" => walk.moved(argument, 0, out, |_, to| to)?,
            other => writeln!(out, "there is no command `{other}`; `help` lists them")?,
        }
    }
}

struct Walk<'w> {
    drawn: &'w Drawn<'w>,
    worlds: &'w [World<Direct>],
    program: Direct,
    /// How many steps were taken.
    at: usize,
}

impl Walk<'_> {
    fn steps(&self) -> &[narrate::Told] {
        &self.drawn.narration.steps
    }

    /// The state at which the walk stands. Starts that branch are steps that lead to the first one together.
    fn world(&self) -> &World<Direct> {
        let starts = self.steps().len() + 1 - self.worlds.len();
        &self.worlds[self.at.saturating_sub(starts)]
    }

    fn moved(
        &mut self,
        argument: Option<&str>,
        otherwise: usize,
        out: &mut dyn Write,
        to: impl Fn(usize, usize) -> usize,
    ) -> io::Result<()> {
        let number = match argument.map(str::parse) {
            None => otherwise,
            Some(Ok(number)) => number,
            Some(Err(_)) => return writeln!(out, "a whole number is expected"),
        };
        let (before, last) = (self.at, self.steps().len());
        self.at = to(self.at, number).min(last);
        if self.at > before {
            for (index, told) in self.steps()[before..self.at].iter().enumerate() {
                // Of a long way only its last step is shown.
                if before + index + 1 == self.at || number <= 1 {
                    story::write_step(out, before + index + 1, told)?;
                }
            }
        } else if self.at == 0 {
            writeln!(out, "   0. the start")?;
        } else if self.at < before || number > 0 {
            let told = &self.steps()[self.at - 1];
            if self.at == before && self.at == last {
                return writeln!(out, "this is the end: {}", story::ending(self.drawn.ending));
            }
            story::write_step(out, self.at, told)?;
        }
        if self.at == last && self.at > before {
            writeln!(out, "      {}", story::ending(self.drawn.ending))?;
        }
        Ok(())
    }

    fn list(&self, out: &mut dyn Write) -> io::Result<()> {
        for (index, told) in self.steps().iter().enumerate() {
            let here = if index + 1 == self.at { "*" } else { " " };
            writeln!(out, "{here}{:>3}. {}", index + 1, story::headline(told))?;
        }
        Ok(())
    }

    fn state(&self, node: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
        let world = self.world();
        names::scope(&self.drawn.model.names, || {
            let mut known = false;
            for (state, stack) in world.nodes.iter().zip(&self.program.model().nodes) {
                let name = state.id.to_string();
                if node.is_some_and(|node| node != name) {
                    continue;
                }
                known = true;
                let down = if world.ambient.up(state.id) { "" } else { ", which is down" };
                writeln!(out, "{name}{down}")?;
                for (layer, state) in stack.layers().iter().zip(&state.layers) {
                    for (variable, value) in layer.service().fields(state) {
                        writeln!(out, "    {}.{variable} = {value}", layer.service().info().name)?;
                    }
                }
            }
            if !known {
                return writeln!(out, "there is no node `{}`", node.unwrap_or_default());
            }
            for envelope in world.carriers.iter().flatten() {
                let (from, to) = (envelope.route.src, envelope.route.dst);
                writeln!(out, "in flight from {from} to {to}: {:?}", envelope.message)?;
            }
            Ok(())
        })
    }

    fn why(&self, out: &mut dyn Write) -> io::Result<()> {
        let Ending::Violation { property } = self.drawn.ending else {
            return writeln!(out, "the trace ends in no property that is violated");
        };
        let reasons = narrate::why(self.drawn.model, self.world(), property);
        if reasons.is_empty() {
            return writeln!(out, "`{property}` holds here, or says nothing of itself");
        }
        story::write_why(out, &reasons)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use foresee_check::{Options, Progress, check};
    use foresee_tests::two_phase_commit;
    use foresee_world::narrate;

    use super::run;
    use crate::render::Drawn;

    /// What is printed for `commands` on a shortest way to a violation.
    fn printed(commands: &str) -> String {
        let model = Arc::new(two_phase_commit::model(2, true));
        let report = check(&model, &Options::default(), &Arc::new(Progress::default())).expect("it ends");
        let found = report.counterexample.expect("it is violated");
        let narration = narrate::narrate(&model, &found.path).expect("it can be walked");
        let worlds = narrate::worlds(&model, &found.path).expect("it can be walked");
        let drawn = Drawn { model: &model, path: &found.path, narration: &narration, ending: &found.ending };
        let mut out = Vec::new();
        run(&drawn, &worlds, &mut commands.as_bytes(), false, &mut out).expect("it can be written");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn a_trace_is_walked_to_and_fro() {
        let out = printed("\nn\nback\njump 99\nn\nj 0\nlist\nnonsense\nn x\nq\nn\n");
        let heads: Vec<&str> =
            out.lines().filter(|line| line.trim_start().starts_with(char::is_numeric)).collect();
        let number = |line: &str| line.trim_start().split(['.', ' ']).next().unwrap_or_default().to_owned();
        let numbers: Vec<String> = heads.iter().map(|line| number(line)).collect();
        let last = numbers[0].clone();
        let steps: usize = last.parse().expect("how many steps there are");
        let mut expected = vec![last.clone(), "1".into(), "2".into(), "1".into(), last, "0".into()];
        expected.extend((1..=steps).map(|step| step.to_string()));
        assert_eq!(numbers, expected, "{out}");
        for said in ["this is the end: `consistent` is violated", "no command `nonsense`", "a whole number"] {
            assert!(out.contains(said), "{said}: {out}");
        }
    }

    #[test]
    fn a_state_is_the_one_after_the_step() {
        let out = printed("s rm[0]\nj 99\ns\ns nobody\n");
        let first = out.find("Participant.state = Working").expect("at the start");
        assert!(out[first..].contains("Participant.state = Committed"), "{out}");
        assert!(out.contains("in flight from") && out.contains("there is no node `nobody`"), "{out}");
    }
}
