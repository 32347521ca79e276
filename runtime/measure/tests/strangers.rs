//! Notes come from the network, and may say anything.

mod support;

use foresee_kernel::NodeId;
use foresee_measure::{Gauge, Told};

/// The fields of a note, as they are on the wire: its number, times, what was heard, calls, answers, what is barred.
type Fields = (u64, u64, Option<(u64, u64)>, (u64, u64), Vec<(f64, f64)>, (u64, u64), f64);

const MOST: u64 = u64::MAX;
const PEER: NodeId = NodeId::new(1);

fn gauge() -> Gauge {
    Gauge::new(&support::beats()).expect("its form is known")
}

fn told(fields: &Fields) -> Told {
    let bytes = postcard::to_allocvec(fields).expect("it has a wire form");
    postcard::from_bytes(&bytes).expect("that is the wire form of a note")
}

/// A note of calls alone.
fn of_calls(calls: Vec<(f64, f64)>) -> Told {
    told(&(0, 0, None, (0, 0), calls, (0, 0), 0.0))
}

/// Whether a node counts a message with this note among those that it has heard.
fn is_taken(note: &Told) -> bool {
    let mut gauge = gauge();
    gauge.hears(1, 0, PEER, note);
    let bytes = postcard::to_allocvec(&gauge.sends(2, 0, PEER, "Data")).expect("it has a wire form");
    let (.., heard, _, _, _): Fields = postcard::from_bytes(&bytes).expect("it has these fields");
    heard.0 == 1
}

#[test]
fn no_figure_is_too_large() {
    let mut gauge = gauge();
    for number in [MOST, 0, MOST, 7, MOST - 1] {
        let most = (MOST, MOST);
        let calls = vec![(f64::MAX, f64::MAX)];
        gauge.hears(1, 0, PEER, &told(&(number, MOST, Some(most), most, calls, (number, MOST), f64::MAX)));
        // What is told in turn is taken by others.
        let note = gauge.sends(2, 0, PEER, "Data");
        assert!(is_taken(&note), "{note:?}");
    }
}

#[test]
fn what_no_honest_node_says_is_not_taken() {
    assert!(is_taken(&of_calls(vec![(1.0, 2.0)])));
    for calls in [(1e300, 1e-300), (f64::NAN, 1.0), (-1.0, 1.0), (1.0, f64::INFINITY)] {
        assert!(!is_taken(&of_calls(vec![calls])), "{calls:?}");
    }
    assert!(!is_taken(&of_calls(vec![])), "it is of another form");
}
