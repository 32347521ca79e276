//! What is recognised by its tables, and what is not, with the reason.

use foresee_kernel::{Deeds, Receiver, SendInfo, Tables};

use super::*;

const TIMER: &str = "resend";
const CHOICE: &str = "attempt.every";

/// A handler, by what is looked at of it.
#[derive(Clone, Default)]
struct Sketch {
    name: &'static str,
    event: &'static str,
    /// What it sends, and whether always.
    sends: Vec<(&'static str, bool)>,
    arms: bool,
    disarms: bool,
    /// Whether it arms by the choice.
    chooses: bool,
    writes: Vec<&'static str>,
}

/// A service that sends again, with what objectives pay for.
#[derive(Clone)]
struct Case {
    handlers: Vec<Sketch>,
    /// Whether the timer has arguments, and whether its handler arms it again.
    each: bool,
    again: bool,
    /// By what waiting begins, and by what it ends.
    over: Vec<&'static str>,
    until: Vec<&'static str>,
    paid: Vec<&'static str>,
    wait: Option<f64>,
}

fn leak<T>(of: Vec<T>) -> &'static [T] {
    Vec::leak(of)
}

/// A call that sends at once, and all that makes it the form.
fn sender() -> Case {
    let sends = |kind| vec![(kind, true)];
    let attempt = Sketch { sends: sends("Data"), arms: true, chooses: true, ..Sketch::default() };
    let handlers = vec![
        Sketch {
            name: "transmit",
            event: "downcall transmit",
            writes: vec!["said", "unacked"],
            ..attempt.clone()
        },
        Sketch { name: "resend", event: "timer resend", ..attempt },
        Sketch {
            name: "data",
            event: "deliver Data",
            sends: sends("Ack"),
            writes: vec!["got"],
            ..Sketch::default()
        },
        Sketch {
            name: "ack",
            event: "deliver Ack",
            disarms: true,
            writes: vec!["unacked"],
            ..Sketch::default()
        },
    ];
    let (over, until, paid) = (vec!["said"], vec!["got"], vec!["Data", "Ack"]);
    Case { handlers, each: true, again: true, over, until, paid, wait: Some(2.0) }
}

impl Case {
    fn handler(&mut self, name: &str) -> &mut Sketch {
        self.handlers.iter_mut().find(|it| it.name == name).expect("there is one")
    }

    fn form(self) -> Result<Form, String> {
        let deeds = |it: &Sketch| {
            let sends = it.sends.iter().map(|(message, always)| SendInfo {
                message,
                carrier: "net",
                to: "peer",
                receiver: Receiver::Held,
                always: *always,
                line: 1,
            });
            let timer = |is: bool| if is { &[TIMER][..] } else { &[] };
            let deeds = Deeds {
                sends: leak(sends.collect()),
                sets: timer(it.arms),
                cancels: timer(it.disarms),
                choices: if it.chooses { &[CHOICE] } else { &[] },
                writes: leak(it.writes.clone()),
                ..Deeds::NONE
            };
            HandlerInfo::new(it.name, it.event, 1).doing(Box::leak(Box::new(deeds)))
        };
        let (over, until) = (leak(self.over), leak(self.until));
        let wait = WaitInfo { objective: "waiting", price: self.wait, over, until };
        let tuning = TuningInfo { choice: CHOICE, timer: TIMER, again: self.again, each: self.each };
        let tables = Tables { waits: leak(vec![wait]), tunings: leak(vec![tuning]), ..Tables::NONE };
        let service: &'static ServiceInfo = Box::leak(Box::new(ServiceInfo {
            name: "Sender",
            file: "",
            line: 1,
            states: &[],
            variables: &[],
            messages: &[],
            carriers: &[],
            handlers: leak(self.handlers.iter().map(deeds).collect()),
            sites: &[],
            tables: Box::leak(Box::new(tables)),
        }));
        let paid = Term::PerMessage { amount: Amount::Number(1.0), kinds: leak(self.paid) };
        let objectives = [
            Objective { weight: 0.25, ..Objective::minimize("sending", leak(vec![paid])) },
            Objective::minimize("waiting", &[]),
        ];
        let tuning = &service.tables.tunings[0];
        Place { objectives: &objectives, services: &[service], service, tuning }.form()
    }
}

fn resends(case: Case) -> Resends {
    match case.form() {
        Ok(Form::Resends(it)) => it,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_call_sends_and_a_timer_sends_again_is_retransmission() {
    let found = resends(sender());
    assert_eq!((found.service, found.handlers.as_slice()), ("Sender", &[0][..]));
    assert_eq!((found.messages.as_slice(), found.price), (&["Data"][..], 0.25));
    assert_eq!((found.acknowledgements.as_slice(), found.acknowledgement), (&["Ack"][..], 0.25));
    assert_eq!(found.waits, [Waiting { objective: "waiting", wait: 2.0, ends: Ends::Arrival }]);
    // Acknowledgements may be free.
    let mut case = sender();
    case.paid = vec!["Data"];
    assert_eq!(resends(case).acknowledgement, 0.0);
}

#[test]
fn what_is_waited_for_until_it_is_acknowledged_is_told_from_what_only_has_to_arrive() {
    // Whatever has not been acknowledged is paid for.
    let mut case = sender();
    (case.over, case.until) = (vec!["unacked"], vec![]);
    assert_eq!(resends(case.clone()).waits[0].ends, Ends::Acknowledgement);
    // The same, until it has arrived.
    case.until = vec!["got"];
    assert_eq!(resends(case).waits[0].ends, Ends::Arrival);
}

#[test]
fn what_is_nearly_retransmission_is_told_why_it_is_not() {
    type Change = fn(&mut Case);
    let cases: [(Change, &str); 14] = [
        (|it| it.again = false, "it ends a wait"),
        (|it| it.handler("resend").sends.clear(), "the timer `resend` sends nothing"),
        (|it| it.paid = vec!["Ack"], "no objective pays for Data"),
        (|it| it.each = false, "`resend` is one timer for all calls"),
        // Sometimes it waits for the timer.
        (|it| it.handler("transmit").sends = vec![("Data", false)], "`transmit` does not always send Data"),
        // It waits for the timer, as for a beat; and nothing answers that.
        (|it| it.handler("transmit").sends.clear(), "seen to wait for Data"),
        (|it| it.handler("transmit").chooses = false, "`transmit` arms `resend` by something else"),
        (|it| it.handler("transmit").arms = false, "no call arms `resend`"),
        (|it| (it.handler("ack").arms, it.handler("ack").chooses) = (true, true), "`ack` arms `resend` too"),
        (|it| it.handler("ack").disarms = false, "nothing that is sent where Data arrives disarms `resend`"),
        (|it| it.handler("data").sends.clear(), "nothing that is sent where Data arrives disarms `resend`"),
        // Of what it has had before it says nothing.
        (|it| it.handler("data").sends = vec![("Ack", false)], "`data` does not always acknowledge Data"),
        (|it| it.wait = None, "nothing that is paid for by the second"),
        // It ends by itself.
        (|it| it.handler("resend").writes = vec!["said"], "nothing that is paid for by the second"),
    ];
    for (place, (change, why)) in cases.iter().enumerate() {
        let mut case = sender();
        change(&mut case);
        match case.form() {
            Err(found) => assert!(found.contains(why), "case {place}: {found}, not {why}"),
            Ok(form) => panic!("case {place} is taken for {form:?}, though {why}"),
        }
    }
}
