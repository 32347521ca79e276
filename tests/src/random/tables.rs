//! Handlers as tables, drawn from bytes.

/// How many control states there are.
pub(super) const STATES: usize = 3;
/// How many kinds of message, and how many keys of timers.
pub(super) const KINDS: usize = 2;
/// The greatest value of the counter.
pub(super) const COUNT_MAX: u8 = 2;
/// The most handlers for an event in a control state.
pub(super) const ALTERNATIVES_MAX: usize = 3;

/// Where choices are drawn from.
pub(super) struct Draw<'b> {
    pub(super) bytes: &'b [u8],
}

impl Draw<'_> {
    /// A number below `bound`; 0 when all bytes are used up.
    pub(super) fn below(&mut self, bound: u8) -> u8 {
        match self.bytes.split_first() {
            Some((byte, rest)) => {
                self.bytes = rest;
                byte % bound
            }
            None => 0,
        }
    }

    pub(super) fn list<T>(&mut self, least: u8, most: u8, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let length = least + self.below(most - least + 1);
        (0..length).map(|_| item(self)).collect()
    }
}

/// Whom a message is sent to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    Me,
    Sender,
    Next,
    All,
    Chosen,
    Node(u32),
}

/// One thing that a handler does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    Goto(u8),
    Count,
    Reset,
    Remember,
    Send { carrier: u8, kind: u8, target: Target },
    Set(u8),
    Cancel(u8),
    Choose,
    Chance,
    Fault { at: u8 },
}

/// A handler in a table.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    /// It applies only while the counter is at most so much.
    pub(super) at_most: u8,
    /// In how many ways its head goes; each adds to the counter as much as its place.
    pub(super) ways: u8,
    pub(super) ops: Vec<Op>,
}

/// The handlers of a layer.
#[derive(Debug)]
pub struct Tables {
    pub(super) start: Vec<Op>,
    /// By kind of message, or past those by key of timer; then by control state.
    pub(super) events: Vec<Vec<Vec<Cell>>>,
    pub(super) nodes: u32,
}

impl Tables {
    /// Where a carrier is preferred, almost all is sent over it.
    pub(super) fn draw(draw: &mut Draw<'_>, nodes: u32, preferred: Option<u8>) -> Self {
        let preferred = preferred.filter(|_| draw.below(4) != 3);
        let op = |draw: &mut Draw<'_>| match Op::draw(draw) {
            Op::Send { carrier, kind, target } => {
                Op::Send { carrier: preferred.unwrap_or(carrier), kind, target }
            }
            op => op,
        };
        let start = draw.list(1, 4, op);
        let cell = |draw: &mut Draw<'_>| Cell {
            at_most: COUNT_MAX - draw.below(COUNT_MAX + 1),
            ways: 1 + draw.below(4) / 3 * 2,
            ops: draw.list(0, 3, op),
        };
        let states = |draw: &mut Draw<'_>| {
            (0..STATES)
                .map(|_| {
                    let most = [1, 0, 1, ALTERNATIVES_MAX as u8][usize::from(draw.below(4))];
                    draw.list(most.min(1), most, cell)
                })
                .collect()
        };
        let events = (0..2 * KINDS).map(|_| states(draw)).collect();
        Tables { start, events, nodes }
    }
}

impl Op {
    fn draw(draw: &mut Draw<'_>) -> Self {
        match draw.below(20) {
            0..=3 => Op::Goto(draw.below(STATES as u8)),
            4 | 5 => Op::Count,
            6 => Op::Reset,
            7 => Op::Remember,
            8..=12 => {
                let (carrier, kind) = (draw.below(3), draw.below(KINDS as u8));
                let targets =
                    [Target::Next, Target::Sender, Target::Me, Target::All, Target::Chosen, Target::Next];
                Op::Send { carrier, kind, target: targets[usize::from(draw.below(6))] }
            }
            13..=15 => Op::Set(draw.below(KINDS as u8)),
            16 => Op::Cancel(draw.below(KINDS as u8)),
            17 => Op::Choose,
            18 => Op::Chance,
            _ => Op::Fault { at: draw.below(COUNT_MAX + 3) },
        }
    }
}
