//! The workload of a system, made by real nodes: each process makes the calls of its own node at the moments that the system says.
//!
//! All processes draw the same moments and ways from the seed that they share, and each makes those calls that are its node's. So a
//! line that calls any of several nodes is called as often as the system says, over all processes together. In its later lives a
//! node makes what the system says is called after a restart, from that moment on.
//!
//! *Caveats*: a service that faults and starts again within its process is not called anew. Moments count from the start of each
//! process, or from the one that `--begin` names.

use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::{Model, NodeId, Port};
use foresee_net::{Draw, Purpose, Stream};
use foresee_world::Plans;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::exit::Failure;

/// Draws of a workload, as those of a simulation: by line and number.
const PURPOSE: Purpose = Purpose(6);

/// The calls of one node that are still to be made.
pub(crate) struct Workload {
    model: Arc<Model>,
    plans: Plans,
    me: NodeId,
    seed: u64,
    /// Which life it is, from 0.
    life: u32,
    began: Instant,
    lines: Vec<Line>,
    calls: JoinSet<()>,
}

/// A line of the workload.
struct Line {
    plan: usize,
    /// Moments to come in nanoseconds, the next one last.
    moments: Vec<u64>,
    spent: u32,
    drawn: u64,
}

impl Workload {
    /// The workload of `me`, which begins at `began`, in its life of that number.
    ///
    /// # Errors
    /// A call of a layer that is not the topmost: a program can call that one alone.
    pub(crate) fn new(
        model: &Arc<Model>,
        me: NodeId,
        seed: u64,
        life: u32,
        began: Instant,
    ) -> Result<Self, Failure> {
        let mut workload = Workload {
            model: model.clone(),
            plans: Plans::new(model),
            me,
            seed,
            life,
            began,
            lines: Vec::new(),
            calls: JoinSet::new(),
        };
        for (plan, call) in model.calls.iter().enumerate() {
            let mine = |way: &&foresee_kernel::Way| way.node == me;
            if call.ways.iter().filter(mine).any(|way| way.layer != 0) {
                return Err(Failure::usage(format!(
                    "line {}: `{}` calls a layer below the topmost, which a live node does not let a program do; leave out --workload",
                    call.line, call.text
                )));
            }
            if !call.ways.iter().any(|way| way.node == me) || life > 0 && !call.after_restart {
                continue;
            }
            let mut line = Line { plan, moments: Vec::new(), spent: 0, drawn: 0 };
            match call.timing.rate {
                Some(_) => workload.draw_next(&mut line, 0),
                None => {
                    for _ in 0..call.most.unwrap_or(1) {
                        let at = foresee_sim::moment(call.timing, None, &mut workload.draw(&mut line));
                        line.moments.push(at);
                    }
                    line.moments.sort_unstable_by(|one, other| other.cmp(one));
                }
            }
            workload.lines.push(line);
        }
        Ok(workload)
    }

    /// A workload without calls.
    pub(crate) fn none(model: &Arc<Model>, me: NodeId) -> Self {
        let (plans, began) = (Plans::new(model), Instant::now());
        let model = model.clone();
        Workload { model, plans, me, seed: 0, life: 0, began, lines: Vec::new(), calls: JoinSet::new() }
    }

    fn draw(&self, line: &mut Line) -> Stream {
        let number = line.drawn;
        line.drawn += 1;
        Stream::new(self.seed, PURPOSE, (line.plan as u32, self.life), number)
    }

    fn draw_next(&self, line: &mut Line, since: u64) {
        let timing = self.model.calls[line.plan].timing;
        let mut draw = self.draw(line);
        line.moments.extend(foresee_sim::arrival(timing, 0, since, &mut draw));
    }

    fn first(&self) -> Option<(u64, usize)> {
        let next = |(place, line): (usize, &Line)| Some((*line.moments.last()?, place));
        self.lines.iter().enumerate().filter_map(next).min()
    }

    /// Waits for the next call and makes it through `port`; waits for ever where there is none. Whoever stops waiting loses nothing.
    pub(crate) async fn turn(&mut self, port: &Arc<dyn Port>) {
        let Some((at, place)) = self.first() else { return std::future::pending().await };
        sleep_until(self.began + Duration::from_nanos(at)).await;
        while self.calls.try_join_next().is_some() {}
        let mut line = std::mem::replace(
            &mut self.lines[place],
            Line { plan: 0, moments: Vec::new(), spent: 0, drawn: 0 },
        );
        line.moments.pop();
        self.make(&mut line, port);
        let call = &self.model.calls[line.plan];
        if call.timing.rate.is_some() {
            self.draw_next(&mut line, at);
        }
        self.lines[place] = line;
    }

    fn make(&mut self, line: &mut Line, port: &Arc<dyn Port>) {
        let model = self.model.clone();
        let call = &model.calls[line.plan];
        if call.most.is_some_and(|most| line.spent >= most) {
            return;
        }
        line.spent += 1;
        let weights: Vec<f64> = call.ways.iter().map(|way| way.probability).collect();
        let place = match weights.len() {
            1 => 0,
            _ => self.draw(line).weighted(&weights),
        };
        let way = &call.ways[place];
        if way.node != self.me {
            return;
        }
        let (make, text) = (way.call.clone(), call.text);
        let numbered = self.plans.is_numbered(line.plan as u32, place as u32);
        let port = port.clone();
        tracing::info!(node = model.name(self.me), call = text, "the workload calls");
        self.calls.spawn(async move {
            let ended = match numbered {
                true => port.request(Box::new(move |number| make(number))).await.map(drop),
                false => port.command(make(0)).await,
            };
            if let Err(lost) = ended {
                tracing::warn!(call = text, %lost, "a call of the workload has no result");
            }
        });
    }
}
