//! The bugs: a text of a spec, what is written in its place, and the search that finds what that breaks.

/// A bug.
pub struct Bug {
    /// Its name, and that of the spec that has it.
    pub name: &'static str,
    /// What is wrong.
    pub what: &'static str,
    /// The file in `specs/`.
    pub spec: &'static str,
    /// What stands there, once, and what is written instead. Where the claims of the spec do not speak of the bug, a claim is added.
    pub edits: &'static [(&'static str, &'static str)],
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
        edits: &[("variables { durable entry: Entry; }", "variables { entry: Entry; }")],
        check: "--system Register --property wrote --property read",
        property: "wrote",
    },
    Bug {
        name: "abd_minority",
        what: "an operation ends when half of the replicas, rounded down, have answered",
        spec: "abd_register.mace",
        edits: &[(
            "fn majority() -> usize { replicas.len() / 2 + 1 }",
            "fn majority() -> usize { replicas.len() / 2 }",
        )],
        check: "--system Register --property wrote --property read",
        property: "wrote",
    },
    Bug {
        name: "abd_overwrites",
        what: "a replica takes what it is told even if it knows something newer",
        spec: "abd_register.mace",
        edits: &[("self.entry = self.entry.max(entry);", "self.entry = entry;")],
        check: "--system Register --property wrote --property read",
        property: "wrote",
    },
    Bug {
        name: "commit_hasty",
        what: "the coordinator commits as soon as one participant is ready",
        spec: "two_phase_commit.mace",
        edits: &[("when ready == participants {", "when !ready.is_empty() {")],
        check: "--property consistent",
        property: "consistent",
    },
    Bug {
        name: "commit_fickle",
        what: "a participant that gave its word aborts by itself",
        spec: "two_phase_commit.mace",
        edits: &[(
            "send(coordinator, Ready);
        }
        scheduler refuse: patience in Working {",
            "send(coordinator, Ready);
            patience.set(10ms..50ms);
        }
        scheduler refuse: patience in Working | Prepared {",
        )],
        check: "--property consistent --search dfs",
        property: "consistent",
    },
    Bug {
        name: "transaction_unbound",
        what: "a participant forgets in a crash that it is bound",
        spec: "atomic_commit.mace",
        edits: &[("durable prepared: BTreeSet<u64>;", "prepared: BTreeSet<u64>;")],
        check: "--system Two --property all_bound",
        property: "all_bound",
    },
    Bug {
        name: "transaction_forgotten",
        what: "the coordinator forgets in a crash what it has committed",
        spec: "atomic_commit.mace",
        edits: &[(
            "durable next: u64;\n        durable committed: BTreeSet<u64>;",
            "durable next: u64;\n        committed: BTreeSet<u64>;",
        )],
        check: "--system Two --property agreed --allow-unfired",
        property: "agreed",
    },
    Bug {
        name: "transaction_presumes_too_soon",
        what: "a participant that asks is told of an abort while votes still come in",
        spec: "atomic_commit.mace",
        edits: &[(
            "deliver(src, Ask { number }) when !ready.contains_key(&number) {",
            "deliver(src, Ask { number }) {",
        )],
        check: "--system Two --property all_bound",
        property: "all_bound",
    },
    Bug {
        name: "decree_unbound",
        what: "a proposer takes the lowest of the votes that it is told of, where one that is not bound counts as none",
        spec: "paxos_single.mace",
        edits: &[(
            "promises.values().copied().max().flatten()",
            "promises.values().copied().min().flatten()",
        )],
        check: "--system Agreement --property agree",
        property: "agree",
    },
    Bug {
        name: "decree_last_promise",
        what: "a proposer takes up the vote of the last promise that came, and not that of the highest ballot",
        spec: "paxos_single.mace",
        edits: &[("let bound = promises.values().copied().max().flatten();", "let bound = accepted;")],
        check: "--system Agreement --property agree",
        property: "agree",
    },
    Bug {
        name: "decree_faithless",
        what: "an acceptor votes below the ballot that it has promised",
        spec: "paxos_single.mace",
        edits: &[(
            "upcall deliver(src, Accept { ballot, proposal }) when promised <= Some(ballot) {",
            "upcall deliver(src, Accept { ballot, proposal }) {",
        )],
        check: "--system Agreement --property agree",
        property: "agree",
    },
    Bug {
        name: "decree_forgetful",
        what: "an acceptor forgets its vote in a crash",
        spec: "paxos_single.mace",
        edits: &[("durable accepted: Option<Vote>;", "accepted: Option<Vote>;")],
        check: "--system Faulty --property quorum",
        property: "quorum",
    },
    Bug {
        name: "paxos_forgets_its_word",
        what: "an acceptor forgets its promise in a crash, and remembers its votes",
        spec: "paxos.mace",
        edits: &[("durable promised: Option<Ballot>;", "promised: Option<Ballot>;")],
        check: "--system Trio --fault crash=1,partition=0,drop=0,duplicate=0 --property kept",
        property: "kept",
    },
    Bug {
        name: "paxos_promises_below",
        what: "an acceptor promises a ballot below the one that it has promised",
        spec: "paxos.mace",
        edits: &[(
            "upcall promise: deliver(src, Prepare { ballot, from }) when promised <= Some(ballot) && known <= from {",
            "upcall promise: deliver(src, Prepare { ballot, from }) when ballot.round > 0 && known <= from {",
        )],
        check: "--system Five --fault crash=0,drop=0 --property kept",
        property: "kept",
    },
    Bug {
        name: "paxos_forgets_the_chosen",
        what: "a replica forgets in a crash what is chosen, and had forgotten its vote for it when it learned that",
        spec: "paxos.mace",
        edits: &[("durable chosen: Entries;", "chosen: Entries;")],
        check: "--system Trio --param depth=99 --fault crash=1,partition=0,drop=0,duplicate=0 --property majority",
        property: "majority",
    },
    Bug {
        name: "swarm_greedy",
        what: "a peer asks for one block more than its window has room for",
        spec: "swarm.mace",
        edits: &[("when wanted.len() < window {", "when wanted.len() <= window {")],
        check: "--system Small --property window",
        property: "window",
    },
    Bug {
        name: "swarm_boastful",
        what: "a peer says that it has all when one block is missing",
        spec: "swarm.mace",
        edits: &[(
            "if have.len() == blocks as usize { state = Seeding; }",
            "if have.len() + 1 >= blocks as usize { state = Seeding; }",
        )],
        check: "--system Small --property honest",
        property: "honest",
    },
    Bug {
        name: "token_by_majority",
        what: "a new token is minted when a majority has agreed, and not everybody",
        spec: "token_ring.mace",
        edits: &[(
            "if agreed == ring { work_with(token); }",
            "if 2 * agreed.len() > ring.len() { work_with(token); }",
        )],
        check: "--system Three --property exclusive",
        property: "exclusive",
    },
    Bug {
        name: "token_forgetful",
        what: "a node forgets in a crash to what it has agreed",
        spec: "token_ring.mace",
        edits: &[("durable newest: Token =", "newest: Token =")],
        check: "--system Three --property exclusive --allow-unfired",
        property: "exclusive",
    },
    Bug {
        name: "tree_children_and_siblings",
        what: "a node takes over as siblings all children of its parent, also one that joined below it before it was reset",
        spec: "rand_tree.mace",
        edits: &[("filter(|s| *s != me && !children.contains(s))", "filter(|s| *s != me)")],
        check: "--system Small --property apart --fault crash=0,reset=1",
        property: "apart",
    },
    Bug {
        name: "tree_forgets_its_heir",
        what: "who abdicates does not add the new root to its peers, and has nobody to ask again",
        spec: "rand_tree.mace",
        edits: &[
            ("peers.insert(target);\n            peers.remove(&me);", "peers.remove(&me);"),
            ("call a.join(n);", "call a.join([n[1]]);"),
            (
                "    properties {\n",
                "    properties {\n        safety hopeful: forall n in nodes where n.state == Joining: !n.peers.is_empty();\n",
            ),
        ],
        check: "--system Small --property hopeful --allow-unfired",
        property: "hopeful",
    },
    Bug {
        name: "mace_children_and_siblings",
        what: "the same in the hard-coded tree",
        spec: "rand_tree_baseline.mace",
        edits: &[("filter(|s| *s != me && !children.contains(s))", "filter(|s| *s != me)")],
        check: "--system Small --property apart --fault crash=0,reset=1",
        property: "apart",
    },
    Bug {
        name: "mace_recovery_timer",
        what: "who joins alone does not arm recovery, and has peers and no timer when it abdicates later",
        spec: "rand_tree_baseline.mace",
        edits: &[
            (
                "start_join(first);
                    }
                    None => state = Joined,
                }
                recovery.set(RECOVERY_PERIOD);",
                "start_join(first);
                        recovery.set(RECOVERY_PERIOD);
                    }
                    None => state = Joined,
                }",
            ),
            ("start_join(joiner);", "start_join(joiner);\n                assert!(recovery.is_set());"),
            ("call a.join(n);", "call a.join([n[1]]);"),
        ],
        check: "--system Small --property no_fault --allow-unfired",
        property: "no_fault",
    },
    Bug {
        name: "chord_still_alone",
        what: "who joined while it took itself for its predecessor goes on to do so",
        spec: "chord.mace",
        edits: &[(
            "predecessor = predecessor.filter(|p| *p != me);\n            state = Joined;",
            "state = Joined;",
        )],
        check: "--system Three --property alone",
        property: "alone",
    },
];
