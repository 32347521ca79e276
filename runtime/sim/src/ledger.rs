//! Objectives, accounted exactly: what is counted is multiplied at the end, and rates are summed over the stretches of time in
//! which they do not change, node by node (`rate`). An objective with a horizon of its own is closed when the run passes it.
//!
//! Sums run over nodes in the order of ids, so that rounding is the same in every run.

use std::any::TypeId;
use std::collections::BTreeMap;

use foresee_kernel::{
    Amount, Called, Direction, Model, NodeId, Objective, Ran, Sense, ServiceType, Term, View,
};

use crate::engine::Seen;
use crate::exact::key::Key;
use crate::network::nanos;
use crate::rate::{Growing, Rate};
use crate::result::{OverTime, TOTAL};
use crate::worth::Worth;

/// The objectives of a model, as they stand.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    accounts: Vec<One>,
    counts: Vec<Count>,
    rates: Vec<Rate>,
    growing: Vec<Growing>,
    /// When there is something to do before the run goes on: the first horizon of an objective that is still open, or the next look; the
    /// clock's end where there is none.
    closes: u64,
    /// When everything is looked at on the way.
    looks: Option<Looks>,
    /// Whether calls or handlers are counted at all.
    steps: bool,
}

/// Looks on the way: how long after each other, when the next one is, and what was seen.
#[derive(Clone, Debug)]
struct Looks {
    every: u64,
    next: u64,
    seen: OverTime,
}

/// An objective.
#[derive(Clone, Debug)]
struct One {
    objective: Objective,
    worth: Worth,
    /// Where it ends by itself.
    end: u64,
    /// What it came to, once it is closed: in all, and at each node.
    closed: Option<(f64, Vec<f64>)>,
}

/// A term that counts.
#[derive(Clone, Debug)]
struct Count {
    objective: usize,
    amount: Amount,
    of: Counted,
    /// How much of it came up at each node.
    units: Units,
}

/// What a term counts.
#[derive(Clone, Copy, Debug)]
enum Counted {
    Messages(&'static [&'static str]),
    Bytes(&'static [&'static str]),
    Calls(Direction, &'static [(ServiceType, &'static str)]),
    Handlers(&'static [(ServiceType, u16)]),
}

#[derive(Clone, Debug)]
enum Units {
    /// As they are.
    Whole(Vec<u64>),
    /// Each by what it counts at its time.
    Discounted(Vec<f64>),
}

/// Values of objectives: in all, and what came up at each node.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub objectives: BTreeMap<String, f64>,
    pub by_node: BTreeMap<String, Vec<f64>>,
}

impl Ledger {
    pub fn new(model: &Model) -> Self {
        let nodes = model.nodes.len();
        let mut ledger = Ledger {
            accounts: Vec::new(),
            counts: Vec::new(),
            rates: Vec::new(),
            growing: Vec::new(),
            closes: u64::MAX,
            looks: None,
            steps: false,
        };
        for (index, told) in model.objectives.iter().enumerate() {
            let (worth, end) = (Worth::new(told.discount), told.horizon.map_or(u64::MAX, nanos));
            ledger.closes = ledger.closes.min(end);
            for term in told.terms {
                let mut count = |amount: &Amount, of: Counted| {
                    let units = match worth.is_plain() {
                        true => Units::Whole(vec![0; nodes]),
                        false => Units::Discounted(vec![0.0; nodes]),
                    };
                    ledger.counts.push(Count { objective: index, amount: *amount, of, units });
                };
                match term {
                    Term::PerMessage { amount, kinds } => count(amount, Counted::Messages(kinds)),
                    Term::PerByte { amount, kinds } => count(amount, Counted::Bytes(kinds)),
                    Term::PerCall { amount, direction, calls } => {
                        count(amount, Counted::Calls(*direction, calls));
                        ledger.steps = true;
                    }
                    Term::PerHandler { amount, handlers } => {
                        count(amount, Counted::Handlers(handlers));
                        ledger.steps = true;
                    }
                    Term::PerSecond { over, rate, local } => {
                        ledger.rates.push(Rate::new(index, worth, *over, *rate, *local, nodes));
                    }
                    Term::Growing { over, rates, growth, local } => {
                        let one = Growing::new(index, worth, *over, *rates, *growth, *local, nodes);
                        ledger.growing.push(one);
                    }
                    Term::AtHorizon { .. } => {}
                }
            }
            ledger.accounts.push(One { objective: told.clone(), worth, end, closed: None });
        }
        ledger
    }

    /// From the beginning on everything is looked at each `every` nanoseconds, which are not 0.
    pub fn look(&mut self, every: u64) {
        self.looks = Some(Looks { every, next: every, seen: OverTime::default() });
    }

    /// What was seen on the way.
    pub fn seen(&mut self) -> OverTime {
        self.looks.as_mut().map(|looks| std::mem::take(&mut looks.seen)).unwrap_or_default()
    }

    /// A message of `bytes` bytes was sent by `src` at `now`.
    #[inline]
    pub fn message(&mut self, src: NodeId, kind: impl Fn() -> &'static str, bytes: u64, now: u64) {
        for count in &mut self.counts {
            let (kinds, units) = match count.of {
                Counted::Messages(kinds) => (kinds, 1),
                Counted::Bytes(kinds) => (kinds, bytes),
                Counted::Calls(..) | Counted::Handlers(_) => continue,
            };
            if kinds.is_empty() || kinds.contains(&kind()) {
                let account = &self.accounts[count.objective];
                count.units.add(src, units, account.worth, now);
            }
        }
    }

    /// What a step of `node` at `now` called, and which handlers ran in it.
    #[inline]
    pub fn ran(&mut self, model: &Model, node: NodeId, ran: &[Ran], called: &[Called], now: u64) {
        if self.steps {
            self.count_steps(model, node, ran, called, now);
        }
    }

    fn count_steps(&mut self, model: &Model, node: NodeId, ran: &[Ran], called: &[Called], now: u64) {
        let layers = model.nodes[node.index()].layers();
        let service = |layer: u8| -> TypeId { layers[usize::from(layer)].service().service_type() };
        for count in &mut self.counts {
            let units = match count.of {
                Counted::Calls(direction, calls) => {
                    let meant = |it: &&Called| {
                        it.direction == direction
                            && calls.iter().any(|(of, name)| *name == it.name && of() == service(it.layer))
                    };
                    called.iter().filter(meant).count()
                }
                Counted::Handlers(handlers) => {
                    let meant = |it: &&Ran| match **it {
                        Ran::Handler { layer, handler } => {
                            handlers.iter().any(|(of, index)| *index == handler && of() == service(layer))
                        }
                        Ran::Consumed { .. } => false,
                    };
                    ran.iter().filter(meant).count()
                }
                Counted::Messages(_) | Counted::Bytes(_) => 0,
            };
            if units > 0 {
                let account = &self.accounts[count.objective];
                count.units.add(node, units as u64, account.worth, now);
            }
        }
    }

    /// The rates in the first state, which is that at `now`. What ended before comes to nothing.
    pub fn start(&mut self, model: &Model, seen: &Seen<'_>, now: u64) {
        let view = View::new(model, seen);
        self.rates.iter_mut().for_each(|rate| rate.all(&view, now));
        self.growing.iter_mut().for_each(|rate| rate.start(&view, now));
        for account in self.accounts.iter_mut().filter(|account| account.end < now) {
            account.closed = Some((0.0, vec![0.0; seen.states.len()]));
        }
        self.passed();
    }

    /// The run comes to `now`, and the state is still that before it: objectives whose horizon lies behind are closed, and looks that lie
    /// behind are taken.
    #[inline]
    pub fn comes(&mut self, model: &Model, seen: &Seen<'_>, now: u64) {
        if now > self.closes {
            self.pass(model, seen, now);
        }
    }

    fn pass(&mut self, model: &Model, seen: &Seen<'_>, now: u64) {
        self.looks_before(model, seen, now);
        let view = View::new(model, seen);
        for index in 0..self.accounts.len() {
            let One { end, closed: None, .. } = self.accounts[index] else { continue };
            if end < now {
                self.accounts[index].closed = Some(self.worth_at(&view, seen.states.len(), index, end));
            }
        }
        self.passed();
    }

    fn passed(&mut self) {
        let open = self.accounts.iter().filter(|one| one.closed.is_none()).map(|one| one.end);
        let look = self.looks.iter().map(|looks| looks.next);
        self.closes = open.chain(look).min().unwrap_or(u64::MAX);
    }

    /// The looks up to `before`, which is not among them. They leave no mark on the sums.
    fn looks_before(&mut self, model: &Model, seen: &Seen<'_>, before: u64) {
        // What was seen so far is no part of the copies.
        let Some(mut looks) = self.looks.take() else { return };
        while looks.next < before {
            let at = looks.next;
            looks.seen.add(at, &self.clone().close(model, seen, at).objectives);
            looks.next = at.saturating_add(looks.every);
        }
        self.looks = Some(looks);
    }

    /// The rates in the state after a step of `node`.
    #[inline]
    pub fn stepped(&mut self, model: &Model, seen: &Seen<'_>, node: NodeId, now: u64) {
        if !self.rates.is_empty() || !self.growing.is_empty() {
            self.take_rates(model, seen, node, now);
        }
    }

    fn take_rates(&mut self, model: &Model, seen: &Seen<'_>, node: NodeId, now: u64) {
        let view = View::new(model, seen);
        self.rates.iter_mut().for_each(|rate| rate.stepped(&view, node, now));
        self.growing.iter_mut().for_each(|rate| rate.stepped(&view, node, now));
    }

    /// What everything came to at `now`, in the last state. A look at that moment is taken.
    pub fn close(&mut self, model: &Model, seen: &Seen<'_>, now: u64) -> Account {
        self.looks_before(model, seen, now.saturating_add(1));
        self.comes(model, seen, now);
        let view = View::new(model, seen);
        let mut account = Account::default();
        let mut values = Vec::with_capacity(self.accounts.len());
        for index in 0..self.accounts.len() {
            let (value, by_node) = match self.accounts[index].closed.take() {
                Some(closed) => closed,
                None => self.worth_at(&view, seen.states.len(), index, now),
            };
            let name = self.accounts[index].objective.name.to_owned();
            values.push(value);
            account.by_node.insert(name, by_node);
        }
        account.objectives = totals(&self.accounts, &values);
        let names = self.accounts.iter().map(|one| one.objective.name.to_owned());
        account.objectives.extend(names.zip(values));
        account
    }

    /// The sums of objectives at `now`, one a level, less being better.
    pub fn levels(&mut self, model: &Model, seen: &Seen<'_>, now: u64) -> Vec<f64> {
        self.comes(model, seen, now);
        let view = View::new(model, seen);
        let mut levels: BTreeMap<u32, f64> = BTreeMap::new();
        for index in 0..self.accounts.len() {
            let value = match self.accounts[index].closed.take() {
                Some((value, _)) => value,
                None => self.worth_at(&view, seen.states.len(), index, now).0,
            };
            let objective = &self.accounts[index].objective;
            *levels.entry(objective.level).or_default() += cost(objective, value);
        }
        levels.into_values().collect()
    }

    /// Takes out what came up to `now`, as if the run began there in the last state: by the names of objectives, and of their sums. What is
    /// to come is the same as before, and so is what objectives come to in all. Those for which `keeps` says so are left as they are.
    pub fn draw_off(
        &mut self,
        model: &Model,
        seen: &Seen<'_>,
        now: u64,
        keeps: &dyn Fn(&Objective) -> bool,
    ) -> BTreeMap<String, f64> {
        self.comes(model, seen, now);
        let (view, nodes) = (View::new(model, seen), seen.states.len());
        let mut values = Vec::with_capacity(self.accounts.len());
        for index in 0..self.accounts.len() {
            let stays = keeps(&self.accounts[index].objective);
            let came = match &mut self.accounts[index].closed {
                Some(_) if stays => 0.0,
                Some((value, by_node)) => {
                    by_node.iter_mut().for_each(|share| *share = 0.0);
                    std::mem::take(value)
                }
                // The rates are summed up to now in any case: so equal states are equal.
                None => self.came_at(&view, nodes, index, now).0,
            };
            values.push(if stays { 0.0 } else { came });
            if !stays {
                self.forget(index);
            }
        }
        let names = self.accounts.iter().map(|one| one.objective.name.to_owned());
        let mut came = totals(&self.accounts, &values);
        came.extend(names.zip(values));
        came
    }

    /// Lets an objective begin anew.
    fn forget(&mut self, index: usize) {
        for count in self.counts.iter_mut().filter(|count| count.objective == index) {
            match &mut count.units {
                Units::Whole(sums) => sums.fill(0),
                Units::Discounted(sums) => sums.fill(0.0),
            }
        }
        self.rates.iter_mut().filter(|rate| rate.objective == index).for_each(Rate::forget);
        self.growing.iter_mut().filter(|rate| rate.objective == index).for_each(Growing::forget);
    }

    /// Writes down what was not taken out by the last [`Ledger::draw_off`], and what runs on from there.
    pub fn write(&self, key: &mut Key) {
        for (index, account) in self.accounts.iter().enumerate() {
            key.flag(account.closed.is_some());
            if let Some((value, _)) = &account.closed {
                key.number(*value);
                continue;
            }
            for count in self.counts.iter().filter(|count| count.objective == index) {
                (0..count.units.len()).for_each(|node| key.number(count.units.of(node)));
            }
            self.rates.iter().filter(|rate| rate.objective == index).for_each(|rate| rate.write(key));
            self.growing.iter().filter(|rate| rate.objective == index).for_each(|rate| rate.write(key));
        }
    }

    /// What an objective has come to at `now`: in all, and at each node without the value of the state.
    fn worth_at(&mut self, view: &View<'_>, nodes: usize, index: usize, now: u64) -> (f64, Vec<f64>) {
        let (came, by_node) = self.came_at(view, nodes, index, now);
        let One { objective, worth, .. } = &self.accounts[index];
        let value = |term: &Term| match term {
            Term::AtHorizon { value } => value(view),
            _ => 0.0,
        };
        let at_horizon = objective.terms.iter().map(value).sum::<f64>() * worth.at(now) + 0.0;
        (came + at_horizon, by_node)
    }

    /// What has come up of an objective at `now`: in all, and at each node.
    fn came_at(&mut self, view: &View<'_>, nodes: usize, index: usize, now: u64) -> (f64, Vec<f64>) {
        let (mut by_node, mut all) = (vec![0.0; nodes], 0.0);
        for count in self.counts.iter().filter(|count| count.objective == index) {
            by_node.iter_mut().enumerate().for_each(|(node, sum)| *sum += count.at(view, node));
            all += count.total(view);
        }
        let mut lasted = 0.0;
        for rate in self.rates.iter_mut().filter(|rate| rate.objective == index) {
            lasted += rate.close(now, &mut by_node);
        }
        for rate in self.growing.iter_mut().filter(|rate| rate.objective == index) {
            lasted += rate.close(now, &mut by_node);
        }
        (all + lasted, by_node)
    }
}

impl Units {
    fn add(&mut self, node: NodeId, units: u64, worth: Worth, now: u64) {
        match self {
            Units::Whole(sums) => sums[node.index()] += units,
            Units::Discounted(sums) => sums[node.index()] += units as f64 * worth.at(now),
        }
    }

    fn of(&self, node: usize) -> f64 {
        match self {
            Units::Whole(sums) => sums[node] as f64,
            Units::Discounted(sums) => sums[node],
        }
    }

    fn len(&self) -> usize {
        match self {
            Units::Whole(sums) => sums.len(),
            Units::Discounted(sums) => sums.len(),
        }
    }
}

impl Count {
    /// What it came to at a node. One that counts nothing is not asked for its amount: it may run another service.
    fn at(&self, view: &View<'_>, node: usize) -> f64 {
        match self.units.of(node) {
            0.0 => 0.0,
            units => self.amount.at(view, NodeId::new(node as u32)) * units,
        }
    }

    /// What it came to: multiplied out once where the amount is the same everywhere.
    fn total(&self, view: &View<'_>) -> f64 {
        match (&self.amount, &self.units) {
            (Amount::Number(amount), Units::Whole(units)) => amount * units.iter().sum::<u64>() as f64,
            _ => (0..self.units.len()).map(|node| self.at(view, node)).sum(),
        }
    }
}

/// What a value of an objective adds to the sum of its level, less being better.
fn cost(objective: &Objective, value: f64) -> f64 {
    let sign = match objective.sense {
        Sense::Minimize => 1.0,
        Sense::Maximize => -1.0,
    };
    sign * objective.weight * value
}

fn totals(accounts: &[One], values: &[f64]) -> BTreeMap<String, f64> {
    let mut levels: BTreeMap<u32, f64> = BTreeMap::new();
    for (One { objective, .. }, value) in accounts.iter().zip(values) {
        *levels.entry(objective.level).or_default() += cost(objective, *value);
    }
    let name = |(place, (level, sum)): (usize, (u32, f64))| match place {
        0 => (TOTAL.to_owned(), sum + 0.0),
        _ => (format!("{TOTAL}_level_{level}"), sum + 0.0),
    };
    levels.into_iter().enumerate().map(name).collect()
}
