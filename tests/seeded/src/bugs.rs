//! The bugs: a text of a spec, what is written in its place, and the search that finds what that breaks.

/// A bug.
pub struct Bug {
    /// Its name, and that of the spec that has it.
    pub name: &'static str,
    /// What is wrong.
    pub what: &'static str,
    /// The file in `specs/`.
    pub spec: &'static str,
    /// What stands there, once.
    pub from: &'static str,
    /// What is written instead.
    pub to: &'static str,
    /// The arguments of `check`.
    pub check: &'static str,
    /// The property that is violated.
    pub property: &'static str,
}

/// All of them.
pub const BUGS: &[Bug] = &[
    Bug {
        name: "abd_forgetful",
        what: "a replica forgets in a crash what it has acknowledged",
        spec: "abd_register.mace",
        from: "variables { durable entry: Entry; }",
        to: "variables { entry: Entry; }",
        check: "--system Register --property wrote --property read",
        property: "wrote",
    },
    Bug {
        name: "abd_minority",
        what: "an operation ends when half of the replicas, rounded down, have answered",
        spec: "abd_register.mace",
        from: "fn majority() -> usize { replicas.len() / 2 + 1 }",
        to: "fn majority() -> usize { replicas.len() / 2 }",
        check: "--system Register --property wrote --property read",
        property: "wrote",
    },
    Bug {
        name: "abd_overwrites",
        what: "a replica takes what it is told even if it knows something newer",
        spec: "abd_register.mace",
        from: "self.entry = self.entry.max(entry);",
        to: "self.entry = entry;",
        check: "--system Register --property wrote --property read",
        property: "wrote",
    },
    Bug {
        name: "commit_hasty",
        what: "the coordinator commits as soon as one participant is ready",
        spec: "two_phase_commit.mace",
        from: "when ready == participants {",
        to: "when !ready.is_empty() {",
        check: "--property consistent",
        property: "consistent",
    },
    Bug {
        name: "commit_fickle",
        what: "a participant that gave its word aborts by itself",
        spec: "two_phase_commit.mace",
        from: "send(coordinator, Ready);
        }
        scheduler refuse: patience in Working {",
        to: "send(coordinator, Ready);
            patience.set(10ms..50ms);
        }
        scheduler refuse: patience in Working | Prepared {",
        check: "--property consistent --search dfs",
        property: "consistent",
    },
    Bug {
        name: "transaction_unbound",
        what: "a participant forgets in a crash that it is bound",
        spec: "atomic_commit.mace",
        from: "durable prepared: BTreeSet<u64>;",
        to: "prepared: BTreeSet<u64>;",
        check: "--system Two --property all_bound",
        property: "all_bound",
    },
    Bug {
        name: "transaction_forgotten",
        what: "the coordinator forgets in a crash what it has committed",
        spec: "atomic_commit.mace",
        from: "durable next: u64;\n        durable committed: BTreeSet<u64>;",
        to: "durable next: u64;\n        committed: BTreeSet<u64>;",
        check: "--system Two --property agreed --allow-unfired",
        property: "agreed",
    },
    Bug {
        name: "transaction_presumes_too_soon",
        what: "a participant that asks is told of an abort while votes still come in",
        spec: "atomic_commit.mace",
        from: "deliver(src, Ask { number }) when !ready.contains_key(&number) {",
        to: "deliver(src, Ask { number }) {",
        check: "--system Two --property all_bound",
        property: "all_bound",
    },
    Bug {
        name: "decree_unbound",
        what: "a proposer takes the lowest of the votes that it is told of, where one that is not bound counts as none",
        spec: "paxos_single.mace",
        from: "promises.values().copied().max().flatten()",
        to: "promises.values().copied().min().flatten()",
        check: "--system Agreement --property agree",
        property: "agree",
    },
    Bug {
        name: "decree_faithless",
        what: "an acceptor votes below the ballot that it has promised",
        spec: "paxos_single.mace",
        from: "upcall deliver(src, Accept { ballot, proposal }) when promised <= Some(ballot) {",
        to: "upcall deliver(src, Accept { ballot, proposal }) {",
        check: "--system Agreement --property agree",
        property: "agree",
    },
    Bug {
        name: "decree_forgetful",
        what: "an acceptor forgets its vote in a crash",
        spec: "paxos_single.mace",
        from: "durable accepted: Option<Vote>;",
        to: "accepted: Option<Vote>;",
        check: "--system Faulty --property quorum",
        property: "quorum",
    },
    Bug {
        name: "paxos_forgets_its_word",
        what: "an acceptor forgets its promise in a crash, and remembers its votes",
        spec: "paxos.mace",
        from: "durable promised: Option<Ballot>;",
        to: "promised: Option<Ballot>;",
        check: "--system Trio --fault crash=1,partition=0,drop=0,duplicate=0 --property kept",
        property: "kept",
    },
    Bug {
        name: "paxos_promises_below",
        what: "an acceptor promises a ballot below the one that it has promised",
        spec: "paxos.mace",
        from: "upcall promise: deliver(src, Prepare { ballot, from }) when promised <= Some(ballot) && known <= from {",
        to: "upcall promise: deliver(src, Prepare { ballot, from }) when ballot.round > 0 && known <= from {",
        check: "--system Five --fault crash=0,drop=0 --property kept",
        property: "kept",
    },
    Bug {
        name: "paxos_forgets_the_chosen",
        what: "a replica forgets in a crash what is chosen, and had forgotten its vote for it when it learned that",
        spec: "paxos.mace",
        from: "durable chosen: Entries;",
        to: "chosen: Entries;",
        check: "--system Trio --param depth=99 --fault crash=1,partition=0,drop=0,duplicate=0 --property majority",
        property: "majority",
    },
    Bug {
        name: "swarm_greedy",
        what: "a peer asks for one block more than its window has room for",
        spec: "swarm.mace",
        from: "when wanted.len() < window {",
        to: "when wanted.len() <= window {",
        check: "--system Small --property window",
        property: "window",
    },
    Bug {
        name: "swarm_boastful",
        what: "a peer says that it has all when one block is missing",
        spec: "swarm.mace",
        from: "if have.len() == blocks as usize { state = Seeding; }",
        to: "if have.len() + 1 >= blocks as usize { state = Seeding; }",
        check: "--system Small --property honest",
        property: "honest",
    },
    Bug {
        name: "token_by_majority",
        what: "a new token is minted when a majority has agreed, and not everybody",
        spec: "token_ring.mace",
        from: "if agreed == ring { work_with(token); }",
        to: "if 2 * agreed.len() > ring.len() { work_with(token); }",
        check: "--system Three --property exclusive",
        property: "exclusive",
    },
    Bug {
        name: "token_forgetful",
        what: "a node forgets in a crash to what it has agreed",
        spec: "token_ring.mace",
        from: "durable newest: Token =",
        to: "newest: Token =",
        check: "--system Three --property exclusive --allow-unfired",
        property: "exclusive",
    },
];
