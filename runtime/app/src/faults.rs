//! `--fault crash=1,drop=2`: what the environment may do in a check, said on the command line instead of by the system.

use std::time::Duration;

use foresee_kernel::{Carrier, CarrierKind, FaultKind, FaultPlan, FaultTarget, Model, NodeId, Timing};

/// So many faults of a kind, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultArg {
    kind: Kind,
    most: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Crash,
    Reset,
    Cut,
    Partition,
    Drop,
    Duplicate,
}

const KINDS: [(&str, Kind); 6] = [
    ("crash", Kind::Crash),
    ("reset", Kind::Reset),
    ("cut", Kind::Cut),
    ("partition", Kind::Partition),
    ("drop", Kind::Drop),
    ("duplicate", Kind::Duplicate),
];

/// The loss of a network that the system says loses nothing: how probable it is does not matter to a check.
const LOSS: f64 = 0.01;

impl FaultArg {
    /// Reads `crash=1`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected = || {
            let kinds: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
            format!("expected KIND=COUNT, such as crash=1; the kinds are {}", kinds.join(", "))
        };
        let (name, most) = text.split_once('=').ok_or_else(expected)?;
        let (_, kind) = KINDS.iter().find(|(known, _)| *known == name.trim()).ok_or_else(expected)?;
        let most = most.trim().parse().map_err(|_| expected())?;
        Ok(FaultArg { kind: *kind, most })
    }

    /// As it is written.
    pub fn text(self) -> String {
        let (name, _) = KINDS[self.kind as usize];
        format!("{name}={}", self.most)
    }

    /// Puts it into `model`, in the place of what the system says of the same kind. Nodes that crash come back, partitions heal.
    fn apply(self, model: &mut Model) {
        let (kind, text) = match self.kind {
            Kind::Drop => {
                model.bounds.drops = Some(self.most);
                let silent = |carrier: &&mut Carrier| carrier.loss == 0.0;
                datagrams(model).filter(silent).for_each(|carrier| carrier.loss = LOSS);
                return;
            }
            Kind::Duplicate => {
                model.bounds.duplicates = Some(self.most);
                datagrams(model).for_each(|carrier| {
                    carrier.duplicates.get_or_insert(Carrier::DUPLICATES_DEFAULT);
                });
                return;
            }
            Kind::Crash => (FaultKind::Crash, "crash any"),
            Kind::Reset => (FaultKind::Reset, "reset any"),
            Kind::Cut => (FaultKind::Cut, "cut"),
            Kind::Partition => (FaultKind::Partition, "partition any"),
        };
        model.faults.retain(|plan| plan.kind != kind);
        model.bounds.faults.retain(|budget| budget.kind != kind);
        let nodes = (0..model.nodes.len() as u32).map(NodeId::new);
        model.faults.push(FaultPlan {
            text,
            line: 0,
            kind,
            target: FaultTarget::OneOf(nodes.collect()),
            most: Some(self.most),
            timing: Timing::default(),
            chance: None,
            back: Some((Duration::ZERO, Duration::ZERO)),
        });
    }
}

fn datagrams(model: &mut Model) -> impl Iterator<Item = &mut Carrier> {
    model.carriers.iter_mut().filter(|carrier| carrier.kind == CarrierKind::Datagram)
}

/// Puts all of `faults` into `model`.
pub fn apply(model: &mut Model, faults: &[FaultArg]) {
    faults.iter().for_each(|fault| fault.apply(model));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_and_written_or_refused() {
        for text in ["crash=1", "reset=0", "cut=2", "partition=1", "drop=12", "duplicate=3"] {
            assert_eq!(FaultArg::parse(text).map(FaultArg::text), Ok(text.to_owned()));
        }
        for text in ["crash", "crash=", "crash=-1", "burn=1", "=1"] {
            let error = FaultArg::parse(text).expect_err(text);
            assert!(error.contains("partition"), "{error}");
        }
    }
}
