//! What comes out, in small pieces: that it means the right thing is shown by running it (`tests/tests/run.rs`).

use expect_test::{Expect, expect};
use foresee_compiler::compile;
use foresee_compiler::source::SourceFile;

const SPEC: &str = "
service Tree {
    uses net: Reliable;
    uses beats: Datagram;
    parameters { peers: BTreeSet<NodeId>; patience: Duration = 0.5s; }
    states { Idle, Busy }
    variables { root: NodeId = me; children: BTreeSet<NodeId>; durable load: u32; }
    messages { Join { joiner: NodeId, hops: u8 } Bye; }
    messages over beats { Beat { load: u32 } }
    timers { retry; resend(slot: u64); beat every patience; }
    transitions {
        upcall start() { retry.set(patience..2 * patience); }
        upcall pass: deliver(_, Join { joiner, hops: mut left }) in Busy choose child in &children when child != joiner && fresh(joiner) {
            left -= 1;
            send(child, Join { joiner, hops: left });
        }
        upcall full: deliver(src, Join { .. }) otherwise { send(src, if load > 3 { Bye } else { Beat { load } }); }
        ignore deliver(_, Bye) in Idle;
        scheduler resend(slot) {
            let to = choose(&children);
            let load = slot as u32;
            self.load = load;
            assert!(children.contains(&to), \"{to} of {children:?} has {load}\");
            grow(to);
        }
        scheduler beat { if random(bernoulli(0.5)) { state = match state { Idle => Busy, Busy => Idle }; } }
    }
    routines {
        fn grow(child: NodeId) { children.insert(child); if more() { load += 1; retry.cancel(); } }
        fn more() -> bool { load < children.len() as u32 && root != me }
        fn fresh(joiner: NodeId) -> bool { joiner != me && !children.contains(&joiner) }
    }
    properties {
        safety apart: forall n in nodes, c in n.children where n.state == Busy: c != n && n.fresh(c) implies c.load < 3;
        local few: children.len() <= 3;
    }
    objectives { minimize waiting: 0.2 per second for n in nodes while n.state == Idle; }
}
system Some3 { parameters { size: usize = 3; } nodes { n[size]: Tree { peers: n, patience: 1s }; } check { within: forall a in n: a.load < size as u32; } }
";

/// The item of the generated file that contains `start`, with its documentation.
fn item(start: &str) -> String {
    let source = SourceFile::new("tree.mace", SPEC);
    let (rust, _) = compile::to_rust(&source, "tree").unwrap_or_else(|found| panic!("{found:?}"));
    let lines: Vec<&str> = rust.lines().collect();
    let at =
        lines.iter().position(|line| line.contains(start)).unwrap_or_else(|| panic!("no {start} in {rust}"));
    let indent = lines[at].len() - lines[at].trim_start().len();
    let first = lines[..at]
        .iter()
        .rposition(|line| !line.trim_start().starts_with("///"))
        .map_or(0, |before| before + 1);
    let closing = |line: &&str| {
        line.len() - line.trim_start().len() == indent && line.trim_start().starts_with(['}', ']'])
    };
    let last = at + lines[at..].iter().position(closing).unwrap_or(0);
    let text: Vec<&str> = lines[first..=last].iter().map(|line| line.get(indent..).unwrap_or("")).collect();
    text.join("\n") + "\n"
}

fn check(start: &str, expected: &Expect) {
    expected.assert_eq(&item(start));
}

#[test]
fn a_head_decides_how_often_its_handler_applies() {
    check(
        "fn take_deliver_Join",
        &expect![[r#"
        /// Which handler takes `deliver Join`.
        fn take_deliver_Join(
            &self,
            this: &mut Variables,
            ctx: &kernel::Ctx<'_, Timer>,
            src: &NodeId,
            message: &Message,
        ) {
            let mut ways_pass = Vec::new();
            if matches!(this.state, State::Busy) {
                if let Message::Join { joiner, .. } = message {
                    ways_pass = kernel::choice::Options::options(&this.children);
                    ways_pass
                        .retain(|child| {
                            let _ = child;
                            (*child) != (*joiner)
                                && self.fresh(ctx.me(), (*joiner), &this.children)
                        });
                }
            }
            let mut ways_full = 0usize;
            if ways_pass.len() == 0 {
                ways_full = 1;
            }
            let alternatives = [
                kernel::ctx::Alternative {
                    handler: 1u16,
                    ways: ways_pass.len(),
                },
                kernel::ctx::Alternative {
                    handler: 2u16,
                    ways: ways_full,
                },
            ];
            match ctx
                .which(
                    &SITES[1],
                    &alternatives,
                    &|taken| match taken.alternative {
                        0usize => {
                            let child = &ways_pass[taken.way];
                            format!("child: {child:?}")
                        }
                        _ => String::new(),
                    },
                )
            {
                Some(kernel::ctx::Taken { alternative: 0usize, way }) => {
                    let child = ways_pass.swap_remove(way);
                    self.handle_pass(this, ctx, src, message, child)
                }
                Some(kernel::ctx::Taken { alternative: 1usize, .. }) => {
                    self.handle_full(this, ctx, src, message)
                }
                _ => ctx.consumed(false),
            }
        }
    "#]],
    );
}

#[test]
fn bodies_bind_what_they_need() {
    check(
        "fn handle_pass",
        &expect![[r#"
        /// `tree.mace:13`: `upcall pass: deliver(_, Join { joiner, hops: mut left }) in Busy choose child in &children when child != joiner && fresh(joiner)`
        fn handle_pass(
            &self,
            _this: &mut Variables,
            ctx: &kernel::Ctx<'_, Timer>,
            _src: &NodeId,
            message: &Message,
            child: NodeId,
        ) {
            let Message::Join { joiner, hops: left, .. } = message else { return };
            let joiner = joiner.clone();
            let mut left = left.clone();
            left -= 1;
            ctx.send(
                0,
                child,
                Message::Join {
                    joiner,
                    hops: left,
                },
            );
        }
    "#]],
    );
    check(
        "fn handle_resend",
        &expect![[r#"
            /// `tree.mace:19`: `scheduler resend(slot)`
            fn handle_resend(
                &self,
                this: &mut Variables,
                ctx: &kernel::Ctx<'_, Timer>,
                slot: &u64,
            ) {
                let slot = slot.clone();
                ctx.touch_all("load");
                let to = ctx.choose(&SITES[4], &this.children);
                let load = slot as u32;
                this.load = load;
                assert!(
                    this.children.contains(& to), "{to} of {children:?} has {load}", children
                    = this.children
                );
                self.grow(ctx, to, &mut this.children, &mut this.load, &this.root);
            }
        "#]],
    );
    check(
        "fn handle_full",
        &expect![[r#"
        /// `tree.mace:17`: `upcall full: deliver(src, Join { .. }) otherwise`
        fn handle_full(
            &self,
            this: &mut Variables,
            ctx: &kernel::Ctx<'_, Timer>,
            src: &NodeId,
            _message: &Message,
        ) {
            let src = src.clone();
            match (
                src,
                if this.load > 3 {
                    Message::Bye
                } else {
                    Message::Beat { load: this.load }
                },
            ) {
                (to, message) => ctx.send(message.carrier(), to, message),
            };
        }
    "#]],
    );
}

#[test]
fn routines_borrow_what_they_name() {
    check(
        "fn grow",
        &expect![[r#"
            /// `tree.mace:29`
            pub fn grow(
                &self,
                ctx: &kernel::Ctx<'_, Timer>,
                child: NodeId,
                this_children: &mut BTreeSet<NodeId>,
                this_load: &mut u32,
                this_root: &NodeId,
            ) {
                ctx.touch_all("load");
                (*this_children).insert(child);
                if self.more(ctx.me(), &*this_children, &*this_load, &*this_root) {
                    (*this_load) += 1;
                    ctx.cancel(Timer::retry);
                }
            }
        "#]],
    );
    check(
        "fn fresh",
        &expect![[r#"
        /// `tree.mace:31`
        pub fn fresh(
            &self,
            me: NodeId,
            joiner: NodeId,
            this_children: &BTreeSet<NodeId>,
        ) -> bool {
            joiner != me && !(*this_children).contains(&joiner)
        }
    "#]],
    );
}

#[test]
fn timers_that_are_always_on_are_armed_again() {
    check(
        "fn step",
        &expect![[r#"
        fn step(
            &self,
            this: &mut Variables,
            event: &kernel::Event,
            ctx: &kernel::Ctx<'_, Timer>,
        ) {
            match event {
                kernel::Event::Start => {
                    ctx.set(Timer::beat, self.patience);
                    self.take_start(this, ctx);
                }
                kernel::Event::Deliver { src, message, .. } => {
                    if let Some(message) = message.get::<Message>() {
                        return match message {
                            Message::Join { .. } => {
                                self.take_deliver_Join(this, ctx, src, message)
                            }
                            Message::Bye { .. } => {
                                self.take_deliver_Bye(this, ctx, src, message)
                            }
                            _ => ctx.consumed(false),
                        };
                    }
                    ctx.consumed(false)
                }
                kernel::Event::Timer(timer) => {
                    match timer.get::<Timer>() {
                        Some(Timer::retry) => ctx.consumed(false),
                        Some(Timer::resend(slot)) => {
                            self.take_timer_resend(this, ctx, slot)
                        }
                        Some(Timer::beat) => {
                            self.take_timer_beat(this, ctx);
                            ctx.set(Timer::beat, self.patience);
                        }
                        None => ctx.consumed(false),
                    }
                }
                _ => ctx.consumed(false),
            }
        }
    "#]],
    );
}

#[test]
fn durable_variables_survive() {
    check(
        "fn recover",
        &expect![[r#"
        fn recover(&self, me: NodeId, before: &Variables) -> Variables {
            Variables {
                load: before.load.clone(),
                ..self.init(me)
            }
        }
    "#]],
    );
}

#[test]
fn properties_are_loops_and_say_what_they_read() {
    check(
        "static PROPERTIES",
        &expect![[r#"
            pub static PROPERTIES: [kernel::Property; 2usize] = [
                kernel::Property {
                    name: "apart",
                    kind: kernel::PropertyKind::Safety,
                    file: FILE,
                    line: 34u32,
                    holds: |view| {
                        let nodes = view.running::<tree::Tree>();
                        ('forall_1: {
                            for n in &nodes {
                                let n = *n;
                                for c in &tree::at(view, n).children {
                                    let c = *c;
                                    if (tree::at(view, n).state == tree::State::Busy) {
                                        if !(!((c != n)
                                            && tree::service(view, n)
                                                .fresh(n, c, &tree::at(view, n).children))
                                            || (tree::at(view, c).load < 3))
                                        {
                                            break 'forall_1 false;
                                        }
                                    }
                                }
                            }
                            true
                        })
                    },
                    why: |view| {
                        let mut this_why: Vec<(&'static str, String)> = Vec::new();
                        {
                            let nodes = view.running::<tree::Tree>();
                            'why_1: {
                                for n in &nodes {
                                    let n = *n;
                                    for c in &tree::at(view, n).children {
                                        let c = *c;
                                        if (tree::at(view, n).state == tree::State::Busy) {
                                            if !(!((c != n)
                                                && tree::service(view, n)
                                                    .fresh(n, c, &tree::at(view, n).children))
                                                || (tree::at(view, c).load < 3))
                                            {
                                                this_why
                                                    .push((
                                                        "a counterexample to `forall n in nodes, c in n.children where n.state == Busy: c != n && n.fresh(c) implies c.load < 3`",
                                                        format!("n: {n:?}, c: {c:?}"),
                                                    ));
                                                this_why.push(("c != n", "true".to_owned()));
                                                this_why.push(("n.fresh(c)", "true".to_owned()));
                                                this_why.push(("c.load < 3", "false".to_owned()));
                                                this_why
                                                    .extend(
                                                        ::foresee::support::seen(
                                                            "c.load",
                                                            || {
                                                                use ::foresee::support::{ByDebug as _, Opaque as _};
                                                                (&::foresee::support::Shown(&tree::at(view, c).load))
                                                                    .shown()
                                                            },
                                                        ),
                                                    );
                                                break 'why_1;
                                            }
                                        }
                                    }
                                }
                            }
                        }
                        this_why
                    },
                    reads: &[
                        kernel::Read {
                            service: || ::std::any::TypeId::of::<tree::Tree>(),
                            digest: |variables, digest| {
                                if let Some(variables) = variables
                                    .downcast_ref::<tree::Variables>()
                                {
                                    ::std::hash::Hash::hash(&variables.children, digest);
                                    ::std::hash::Hash::hash(&variables.load, digest);
                                    ::std::hash::Hash::hash(&variables.state, digest);
                                }
                            },
                        },
                    ],
                    reads_up: false,
                    alone: false,
                    ghosts: false,
                },
                kernel::Property {
                    name: "few",
                    kind: kernel::PropertyKind::Local,
                    file: FILE,
                    line: 35u32,
                    holds: |view| {
                        view
                            .running::<tree::Tree>()
                            .into_iter()
                            .all(|me| (tree::at(view, me).children.len() <= 3))
                    },
                    why: |view| match view
                        .running::<tree::Tree>()
                        .into_iter()
                        .find(|&me| !(tree::at(view, me).children.len() <= 3))
                    {
                        Some(me) => {
                            ::foresee::support::of_node(
                                me,
                                {
                                    let mut this_why: Vec<(&'static str, String)> = Vec::new();
                                    this_why
                                        .extend(
                                            ::foresee::support::seen(
                                                "children.len()",
                                                || {
                                                    use ::foresee::support::{ByDebug as _, Opaque as _};
                                                    (&::foresee::support::Shown(
                                                        &tree::at(view, me).children.len(),
                                                    ))
                                                        .shown()
                                                },
                                            ),
                                        );
                                    this_why
                                },
                            )
                        }
                        None => Vec::new(),
                    },
                    reads: &[
                        kernel::Read {
                            service: || ::std::any::TypeId::of::<tree::Tree>(),
                            digest: |variables, digest| {
                                if let Some(variables) = variables
                                    .downcast_ref::<tree::Variables>()
                                {
                                    ::std::hash::Hash::hash(&variables.children, digest);
                                }
                            },
                        },
                    ],
                    reads_up: false,
                    alone: true,
                    ghosts: false,
                },
            ];
        "#]],
    );
}

#[test]
fn a_system_builds_a_model() {
    check(
        "fn build_some3",
        &expect![[r#"
        /// Builds the system `Some3` (line 39).
        pub fn build_some3(
            this_arguments: &kernel::Arguments,
        ) -> Result<kernel::Model, kernel::ArgumentError> {
            ::foresee::support::build(
                "Some3",
                || {
                    let mut this_model = kernel::model::ModelBuilder::new(
                        &SPEC,
                        "Some3",
                        this_arguments,
                    )?;
                    let size: usize = this_arguments.get("size", Some(3))?;
                    let _ = &size;
                    let n = this_model.group("n", Some((size) as usize))?;
                    this_model
                        .place(
                            &n,
                            |_me| {
                                let this_service = tree::Tree::new((&n).into())
                                    .patience(::std::time::Duration::from_secs(1));
                                kernel::Stack::new(vec![kernel::Layer::new(this_service)])
                            },
                        );
                    this_model.properties(&tree::PROPERTIES);
                    this_model.objectives(&tree::OBJECTIVES);
                    this_model.properties(&system_some3::PROPERTIES);
                    this_model.objectives(&system_some3::OBJECTIVES);
                    this_model
                        .bounds()
                        .within
                        .push(|view| {
                            let n = view.group(0usize);
                            let size: usize = view
                                .model()
                                .arguments
                                .get("size", Some(3))
                                .unwrap_or_default();
                            ('forall_1: {
                                for a in n.iter().copied() {
                                    if !(tree::at(view, a).load < ((size) as u32)) {
                                        break 'forall_1 false;
                                    }
                                }
                                true
                            })
                        });
                    Ok(this_model.finish())
                },
            )
        }
    "#]],
    );
}
