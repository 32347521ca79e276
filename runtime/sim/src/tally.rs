//! Counts of what ran: handlers, and messages that met none.

use std::collections::BTreeMap;

use foresee_kernel::{Datum, Model, NodeId, NodeState, Ran, ServiceInfo};

use crate::result::{HandlerRuns, Ignored};

#[derive(Clone, Debug)]
pub(crate) struct Tally {
    /// The services of the model, each once, with the place of its first handler in `runs`.
    services: Vec<(&'static ServiceInfo, usize)>,
    runs: Vec<u64>,
    /// For every node, its kind of stack.
    kinds: Vec<u32>,
    /// For every kind of stack, where the handlers of each layer start in `runs`.
    starts: Vec<Vec<usize>>,
    ignored: BTreeMap<(&'static str, &'static str, &'static str), u64>,
}

impl Tally {
    pub fn new(model: &Model) -> Self {
        let mut tally = Tally {
            services: Vec::new(),
            runs: Vec::new(),
            kinds: Vec::with_capacity(model.nodes.len()),
            starts: Vec::new(),
            ignored: BTreeMap::new(),
        };
        for stack in &model.nodes {
            let infos = stack.layers().iter().map(|layer| layer.service().info());
            let starts: Vec<usize> = infos.map(|info| tally.service(info)).collect();
            let known = tally.starts.iter().position(|known| *known == starts);
            let kind = known.unwrap_or_else(|| {
                tally.starts.push(starts);
                tally.starts.len() - 1
            });
            tally.kinds.push(kind as u32);
        }
        tally
    }

    fn service(&mut self, info: &'static ServiceInfo) -> usize {
        if let Some((_, start)) = self.services.iter().find(|(known, _)| std::ptr::eq(*known, info)) {
            return *start;
        }
        let start = self.runs.len();
        self.services.push((info, start));
        self.runs.resize(start + info.handlers.len(), 0);
        start
    }

    /// Counts what ran at `node`, whose state after it is `state`; `message` is what it was about, if it was one.
    #[inline]
    pub fn count(
        &mut self,
        model: &Model,
        node: NodeId,
        state: &NodeState,
        ran: &[Ran],
        message: Option<&Datum>,
    ) {
        for ran in ran {
            match *ran {
                Ran::Handler { layer, handler } => {
                    // Where all stacks are of one kind it need not be looked up, which would be far for many nodes.
                    let kind = if self.starts.len() == 1 { 0 } else { self.kinds[node.index()] };
                    let starts = &self.starts[kind as usize];
                    self.runs[starts[usize::from(layer)] + usize::from(handler)] += 1;
                }
                Ran::Consumed { layer, meant: false } => {
                    let Some(message) = message else { continue };
                    let layer = usize::from(layer);
                    let service = model.nodes[node.index()].layers()[layer].service();
                    let key = (service.info().name, message.kind(), service.control(&state[layer]));
                    *self.ignored.entry(key).or_default() += 1;
                }
                Ran::Consumed { meant: true, .. } => {}
            }
        }
    }

    pub fn handlers(&self) -> Vec<HandlerRuns> {
        let of = |(info, start): &(&'static ServiceInfo, usize)| {
            let runs = self.runs[*start..].to_vec();
            let service = info.name;
            info.handlers.iter().zip(runs).map(move |(handler, runs)| HandlerRuns {
                service,
                name: handler.name,
                runs,
            })
        };
        self.services.iter().flat_map(of).collect()
    }

    pub fn ignored(&self) -> Vec<Ignored> {
        let told = |(&(service, message, state), &count): (&(_, _, _), &u64)| Ignored {
            service,
            message,
            state,
            count,
        };
        self.ignored.iter().map(told).collect()
    }
}
