//! The kernel's small parts: tapes, distributions, arguments, digests, names, traces.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::argument::duration;
use foresee_kernel::choice::{Chance, Options, bernoulli};
use foresee_kernel::trace::{Action, Choice, Ending, Origin, Step};
use foresee_kernel::{
    Argument, Datum, Distribution, Fault, Nature, NodeId, Point, Resolver, ServiceInfo, Shape, SiteInfo,
    Tape, Trace, fault, names,
};

static SITE: SiteInfo = SiteInfo::new("site", 1);
static SERVICE: ServiceInfo = ServiceInfo {
    name: "S",
    file: "s.mace",
    line: 1,
    states: &[],
    variables: &[],
    messages: &[],
    carriers: &[],
    handlers: &[],
    sites: &[],
    tables: &foresee_kernel::Tables::NONE,
};

fn ask(tape: &mut Tape, options: u32) -> u32 {
    tape.resolve(&Point {
        node: NodeId::new(0),
        service: &SERVICE,
        site: &SITE,
        nature: Nature::Choice,
        options,
        weights: &[],
        default: None,
        label: &|_| String::new(),
        handler: &|_| 0,
    })
}

#[test]
fn a_tape_enumerates_choices_that_depend_on_earlier_ones() {
    let mut tape = Tape::default();
    let mut seen = Vec::new();
    loop {
        // The second point exists only after option 1, and is as wide as the first answer says.
        let first = ask(&mut tape, 3);
        let second = (first > 0).then(|| ask(&mut tape, first + 1));
        seen.push((first, second));
        assert_eq!(tape.picks().len(), 1 + usize::from(second.is_some()));
        if !tape.advance() {
            break;
        }
    }
    let expected = [(0, None), (1, Some(0)), (1, Some(1)), (2, Some(0)), (2, Some(1)), (2, Some(2))];
    assert_eq!(seen, expected);
}

#[test]
fn distributions_add_up_and_refuse_nonsense() {
    let coin = bernoulli(0.25);
    assert_eq!(coin.outcomes(), [(true, 0.25), (false, 0.75)]);
    assert_eq!(bernoulli(1.0).outcomes(), [(true, 1.0)]);
    assert_eq!((1..=4).distribution().outcomes().len(), 4);
    assert!(Distribution::weighted([(1, -1.0), (2, 2.0)]).outcomes().is_empty());
    assert!(Distribution::weighted([(1, f64::NAN)]).outcomes().is_empty());
    assert!(Distribution::<u8>::uniform([]).outcomes().is_empty());
}

#[test]
fn options_are_sorted_and_unique() {
    assert_eq!(vec![3, 1, 3, 2].options(), [1, 2, 3]);
    assert_eq!(Some(7).options(), [7]);
    assert_eq!((&BTreeSet::from([2, 1])).options(), [1, 2]);
}

#[test]
fn a_range_without_measure_is_a_fault_and_no_memory_is_asked_for() {
    assert_eq!((0..=9_u64).options().len(), 10);
    let chosen = fault::guard(|| (0..u64::MAX).options().len());
    let drawn = fault::guard(|| (0..=u64::MAX).distribution().outcomes().len());
    for outcome in [chosen, drawn] {
        assert!(outcome.is_err_and(|fault| fault.message.contains("too large to choose or draw from")));
    }
}

#[test]
fn arguments_read_what_they_are_and_say_what_they_expected() {
    assert_eq!(usize::read(" 7 "), Ok(7));
    assert!(usize::read("-1").is_err_and(|message| message.contains("whole number")));
    assert!(f64::read("inf").is_err());
    for (text, nanos) in
        [("5s", 5_000_000_000), ("250ms", 250_000_000), ("1.5s", 1_500_000_000), ("2min", 120_000_000_000)]
    {
        assert_eq!(duration(text), Some(Duration::from_nanos(nanos)), "{text}");
    }
    for text in ["5", "s", "-5s", "5 parsecs", "", "NaNs"] {
        assert_eq!(duration(text), None, "{text}");
    }
}

#[test]
fn data_compare_by_value_and_digest_by_content() {
    let a = Datum::new(BTreeMap::from([(1u8, NodeId::new(2))]));
    let b = Datum::new(BTreeMap::from([(1u8, NodeId::new(2))]));
    let c = Datum::new(BTreeMap::from([(1u8, NodeId::new(3))]));
    assert_eq!(a, b);
    assert_eq!(a.digest(), b.digest());
    assert_ne!(a, c);
    assert_ne!(a.digest(), c.digest());
    assert_ne!(a, Datum::new(5u8), "values of different types differ");
    assert_ne!(Datum::new(5u8).digest(), Datum::new(Some(5u8)).digest());
    assert_ne!(Datum::new((5u8,)).digest(), Datum::new(5u8).digest(), "and so do their digests");
    let renamed = a.renamed(&|id| NodeId::new(id.index() as u32 + 1));
    assert_eq!(renamed, c);
    assert_eq!(a.encoded_len(), a.encode().expect("it encodes").len());
    let mut shared = a.clone();
    *shared.make_mut::<BTreeMap<u8, NodeId>>().expect("its type") = BTreeMap::new();
    assert_eq!(a, b, "a shared value is copied before it changes");
}

#[test]
fn renaming_keeps_collections_in_order() {
    let mut set = BTreeSet::from([NodeId::new(0), NodeId::new(1), NodeId::new(2)]);
    set.rename(&|id| NodeId::new(10 - id.index() as u32));
    assert_eq!(set, BTreeSet::from([NodeId::new(8), NodeId::new(9), NodeId::new(10)]));
}

#[test]
fn nodes_print_by_the_names_in_scope() {
    let names: Arc<[String]> = Arc::from(["rm[0]".to_owned(), "tm".to_owned()]);
    assert_eq!(names::scope(&names, || format!("{:?} {}", NodeId::new(1), NodeId::new(0))), "tm rm[0]");
    assert_eq!(NodeId::new(1).to_string(), "node[1]");
}

#[test]
fn a_guarded_panic_is_a_fault_with_its_place() {
    let Fault { message, place } = fault::guard(|| assert_eq!(1, 2, "sums")).expect_err("it panics");
    assert!(message.contains("sums"), "{message}");
    assert!(place.is_some_and(|place| place.contains("kernel.rs:")));
    let raised = fault::guard(|| fault::raise("on purpose")).expect_err("it is raised");
    assert_eq!(raised, Fault { message: "on purpose".into(), place: None });
    assert_eq!(fault::guard(|| 7), Ok(7));
}

fn trace() -> Trace {
    let origin = Origin {
        spec: "s".into(),
        spec_hash: "00".into(),
        system: "Two".into(),
        parameters: vec![("size".into(), "2".into())],
        writer: "check".into(),
        scenario: None,
        faults: Vec::new(),
        unbudgeted: false,
        seed: Some(u64::MAX),
    };
    let fire = |timer: &str| Action::Fire { node: "n[0]".into(), layer: 0, timer: timer.into() };
    let choice = Choice { site: "retry".into(), option: "again".into(), picked: 0, of: 2 };
    let steps = vec![
        Step::new(None, fire("retry"), vec![choice], 7),
        Step::new(Some(3), fire("beat"), Vec::new(), 8),
    ];
    Trace::new(origin, Ending::Violation { property: "p".into() }, steps)
}

#[test]
fn a_trace_survives_a_round_trip() {
    assert_eq!(Trace::from_json(&trace().to_json()), Ok(trace()));
}

#[test]
fn a_trace_has_the_version_of_what_is_in_it_and_a_newer_one_is_named_whatever_it_holds() {
    let plan = foresee_kernel::trace::Plan { text: "crash n".into(), line: 3, index: 0 };
    let crash = Action::Crash { nodes: vec!["n[1]".into()], plan };
    let old = trace();
    let new = Trace::new(old.origin.clone(), Ending::Run, vec![Step::new(None, crash, Vec::new(), 1)]);
    assert!(old.to_json().contains("\"version\": 1") && new.to_json().contains("\"version\": 2"));
    let cycle = Ending::Cycle { property: "p".into(), after: 1 };
    let endless = Trace::new(old.origin.clone(), cycle, old.steps.clone());
    assert!(endless.to_json().contains("\"version\": 3"));
    for trace in [&new, &endless] {
        assert_eq!(Trace::from_json(&trace.to_json()).as_ref(), Ok(trace));
    }
    let newer = new.to_json().replace("\"version\": 2", "\"version\": 4").replace("crash\"", "melt\"");
    let error = Trace::from_json(&newer).expect_err("it is newer");
    assert!(error.place == "version" && error.message.contains("version 4"), "{error}");
}

#[test]
fn a_trace_that_was_touched_is_refused_with_the_place() {
    let text = trace().to_json();
    let refuse = |text: &str| Trace::from_json(text).expect_err("it was touched").place;
    assert_eq!(refuse(&text.replace("\"beat\"", "\"boat\"")), "step 2");
    assert_eq!(refuse(&text.replace("\"again\"", "\"other\"")), "step 1");
    assert_eq!(refuse(&text.replace("\"property\": \"p\"", "\"property\": \"q\"")), "end");
    assert_eq!(refuse(&text.replace("\"version\": 1", "\"version\": 4")), "version");
    for end in 0..text.trim_end().len() {
        assert!(Trace::from_json(&text[..end]).is_err(), "the first {end} bytes pass for a trace");
    }
}
