//! Durable variables: what bodies note of their changes, and what becomes of data under a later version of its spec.

use std::collections::BTreeMap;

use foresee::kernel::durable::Change;
use foresee::kernel::{Changes, Datum, Embedded, Event, NodeEvent, NodeState, Rows, Scratch, Stack, Tape};
use foresee::net::{Draw, Purpose, Stream};
use live_tests::id;
use live_tests::ledger::Ledger;
use live_tests::ledger::changes::Downcall;

/// A ledger, and the rows that a driver would have written of it.
struct Kept {
    stack: Stack,
    state: NodeState,
    written: NodeState,
    rows: Rows,
}

impl Kept {
    fn new() -> Self {
        let (stack, _) = Ledger::new().stack(id(0)).alone();
        let state = stack.init(id(0));
        let mut kept = Kept { stack, written: state.clone(), state, rows: Rows::new() };
        let mut out = Changes::default();
        kept.stack.layers()[0].service().save(None, &kept.state[0], &mut out);
        kept.apply(out);
        kept
    }

    fn apply(&mut self, out: Changes) -> usize {
        let list = out.into_list().expect("everything has a wire form");
        let count = list.len();
        for Change { variable, key, value } in list {
            let rows = self.rows.entry(variable.to_owned()).or_default();
            match value {
                Some(value) => drop(rows.insert(key, value)),
                None => drop(rows.remove(&key)),
            }
        }
        count
    }

    /// Makes a call, and gives how many rows it wrote; None where it touched nothing.
    fn call(&mut self, call: Downcall) -> Option<usize> {
        let event = NodeEvent::Layer(0, Event::Call(Datum::new(call)));
        let mut scratch = Scratch::noting();
        let stepped =
            self.stack.step_in_place(id(0), &mut self.state, &event, &mut Tape::default(), &mut scratch);
        stepped.expect("no step faults");
        let touched = scratch.touched().filter(|touched| touched.any(0))?;
        let mut out = Changes::default();
        let service = self.stack.layers()[0].service();
        service.save(Some((&mut self.written[0], touched.layer(0))), &self.state[0], &mut out);
        Some(self.apply(out))
    }

    /// The durable variables, as they are and as they would be read back.
    fn both(&self) -> [BTreeMap<&'static str, String>; 2] {
        let service = self.stack.layers()[0].service();
        let durable = |state: &Datum| {
            let kept = service.info().variables.iter().filter(|it| it.durable).map(|it| it.name);
            let kept: Vec<&str> = kept.collect();
            service.fields(state).into_iter().filter(|(name, _)| kept.contains(name)).collect()
        };
        let read = service.load(id(0), &self.rows, 0).expect("the rows fit");
        [durable(&self.state[0]), durable(&read)]
    }
}

fn any(draws: &mut Stream) -> Downcall {
    let name = format!("n{}", draws.below(6));
    let amount = draws.below(9) as i64;
    let (one, other) = (draws.below(4) as u32, draws.below(4) as u32);
    match draws.below(14) {
        0 => Downcall::Put { name, amount },
        1 => Downcall::Drop { name },
        2 => Downcall::Raise { name, by: amount },
        3 => Downcall::KeepBelow { amount: amount + 4 },
        4 => Downcall::AllUp { by: 1 },
        5 => Downcall::Index { name, amount },
        6 => Downcall::SwapOut {},
        7 => Downcall::Mark { one, other },
        8 => Downcall::Unmark {},
        9 => Downcall::Walk { step: one },
        10 => Downcall::Note { amount },
        11 => Downcall::Bump {},
        12 => Downcall::Hide { total: amount },
        _ => Downcall::Far { name, amount },
    }
}

#[test]
fn what_is_written_is_what_the_variables_are_however_they_change() {
    let mut kept = Kept::new();
    for turn in 0..3000 {
        let call = any(&mut Stream::new(3, Purpose(220), (0, 0), turn));
        let shown = format!("{call:?}");
        kept.call(call);
        let [is, read] = kept.both();
        assert_eq!(is, read, "after turn {turn}, {shown}");
    }
}

#[test]
fn a_change_by_key_writes_and_looks_at_that_entry_alone() {
    let mut kept = Kept::new();
    for number in 0..1000 {
        let rows = kept.call(Downcall::Put { name: format!("{number}"), amount: number });
        assert_eq!(rows, Some(1));
    }
    // What the driver wrote before is changed behind its back: an entry that nobody touches is not looked at.
    let elsewhere = Kept::new().written.remove(0);
    kept.written[0] = elsewhere;
    assert_eq!(kept.call(Downcall::Put { name: "5".into(), amount: 0 }), Some(1));
    assert_eq!(kept.call(Downcall::Drop { name: "6".into() }), Some(0));
    assert_eq!(kept.call(Downcall::Hide { total: 1 }), None);
    assert_eq!(kept.call(Downcall::KeepBelow { amount: 2000 }), Some(998), "this one looks everywhere");
}
