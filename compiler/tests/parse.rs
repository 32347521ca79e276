//! Parsing: the project's own specifications, exact places, recovery, hostile inputs.

use foresee_compiler::ast::*;
use foresee_compiler::diag::Diagnostics;
use foresee_compiler::parse::parse;
use foresee_compiler::source::SourceFile;

fn file(name: &str) -> SourceFile {
    let path = format!("{}/tests/fixtures/language/{name}.mace", env!("CARGO_MANIFEST_DIR"));
    SourceFile::from_bytes(format!("{name}.mace"), std::fs::read(path).unwrap()).unwrap()
}

fn listing(source: &SourceFile, errors: &Diagnostics) -> Vec<String> {
    let line = |at| source.line_column(at);
    errors
        .iter()
        .map(|one| {
            let place = line(one.span.start);
            let under = source.slice(one.span);
            format!("{}:{} {} [{under}] {}", place.line, place.column, one.code, one.message)
        })
        .collect()
}

#[test]
fn the_specifications_of_the_project_parse() {
    for name in ["cheatsheet", "rand_tree", "paxos", "reliable_link", "scribe"] {
        let source = file(name);
        let (ast, errors) = parse(&source);
        assert_eq!(listing(&source, &errors), Vec::<String>::new(), "{name}");
        assert!(ast.broken.is_empty() && ast.services().count() > 0, "{name}");
    }
}

fn at(source: &SourceFile, span: foresee_compiler::source::Span) -> &str {
    source.slice(span)
}

#[test]
fn places_are_exact() {
    let source = file("cheatsheet");
    let (ast, _) = parse(&source);
    let service = ast.services().next().unwrap();
    assert!(
        at(&source, service.span).starts_with("service Example {")
            && at(&source, service.span).ends_with('}')
    );
    let handlers: Vec<&Handler> = service
        .transitions()
        .filter_map(|it| if let Transition::In(group) = it { Some(group) } else { None })
        .flat_map(|group| &group.transitions)
        .filter_map(|it| if let Transition::Handler(handler) = it { Some(handler) } else { None })
        .collect();
    let pass = handlers[1];
    assert_eq!(pass.name.as_ref().unwrap().name, "pass");
    assert_eq!(at(&source, pass.event.span), "deliver(_, Add { job, hops })");
    assert_eq!(at(&source, pass.chooses[0].span), "choose child in tree.children()");
    assert_eq!(pass.chooses[0].set.text, "tree.children()");
    assert_eq!(pass.guard, Some(Guard::When(pass_guard(&source, pass))));
    assert!(pass.body.text.starts_with("{\n") && pass.body.text.ends_with('}'));
    let args = pass.event.args.as_ref().unwrap();
    assert_eq!(
        args.iter().map(|arg| arg.pattern.text.as_str()).collect::<Vec<_>>(),
        ["_", "Add { job, hops }"]
    );
    let timer = service.timers().nth(2).unwrap();
    assert_eq!(timer.every.as_ref().unwrap().text, "choose(doubling(100ms..=10s))");
    let quorum = service.properties().nth(1).unwrap();
    assert!(
        at(&source, quorum.span).starts_with("safety    quorum:")
            && at(&source, quorum.span).ends_with("n.majority();")
    );
    let ExprKind::Quantified(forall) = &quorum.expr.kind else { panic!("no quantifier") };
    let ExprKind::Binary(compare) = &forall.body.kind else {
        panic!("the count is not compared: {:?}", forall.body)
    };
    assert_eq!(compare.op, BinaryOp::Ge);
    assert_eq!(at(&source, compare.left.span), "count m in nodes where m.leader == n");
    assert_eq!(at(&source, compare.right.span), "n.majority()");
    for fragment in service.routines().map(|routine| &routine.fragment) {
        assert_eq!(at(&source, fragment.span), fragment.text);
    }
}

fn pass_guard(source: &SourceFile, handler: &Handler) -> Fragment {
    let text = "hops < HOPS_MAX";
    let start = source.text[handler.span.range()].find(text).unwrap() as u32 + handler.span.start;
    Fragment {
        span: foresee_compiler::source::Span::new(start, start + text.len() as u32),
        text: text.to_owned(),
    }
}

#[test]
fn precedence_is_as_documented() {
    let shape = |text: &str| {
        let source = SourceFile::new("a", format!("service A {{ properties {{ safety p: {text}; }} }}"));
        let (ast, errors) = parse(&source);
        assert_eq!(listing(&source, &errors), Vec::<String>::new(), "{text}");
        let property = ast.services().next().unwrap().properties().next().unwrap().clone();
        shape_of(&property.expr)
    };
    assert_eq!(shape("a || b && c == d | e + f * -g"), "(a || (b && (c == (d | (e + (f * -g))))))");
    assert_eq!(shape("a implies b implies c iff d"), "((a implies (b implies c)) iff d)");
    assert_eq!(shape("a leads to b && c"), "(a leads to (b && c))");
    assert_eq!(
        shape("count m in s where m.a == 1 && m.b == 2 >= 3 || x"),
        "((count[s if ((m.a == 1) && (m.b == 2))] >= 3) || x)"
    );
    assert_eq!(shape("count m in s >= 3"), "(count[s] >= 3)");
    assert_eq!(shape("count m in s where (exists v in m: a) >= 3"), "(count[s if (exists[m] a)] >= 3)");
    assert_eq!(shape("count m in s where up(m) >= 2"), "(count[s if up(m)] >= 2)");
    assert_eq!(shape("count m in s where !m.a == 2"), "(count[s if !m.a] == 2)");
    assert_eq!(shape("max m in s: m.a + 1 <= 3"), "(max[s] (m.a + 1) <= 3)");
    assert_eq!(shape("forall n in s: n.a leads to n.b"), "forall[s] (n.a leads to n.b)");
    assert_eq!(shape("x in_s..=2 + 3".replace(" in_s", "").as_str()), "(x..=(2 + 3))");
    assert_eq!(shape("f(.., 1.., ..2)"), "f(.., (1..), (..2))".replace("f(.., ", "f((..), "));
    assert_eq!(
        shape("always eventually a.(b)+.c(d).0[1] as u64 < e"),
        "always eventually ((a.(b)+.c(d).0[1] as u64) < e)"
    );
    assert_eq!(shape("max(a, b) > min(c, count)"), "(max(a, b) > min(c, count))");
}

/// An expression with all parentheses written out.
fn shape_of(expr: &Expr) -> String {
    let list = |list: &[Expr]| list.iter().map(shape_of).collect::<Vec<_>>().join(", ");
    let binders = |binders: &Binders| {
        let domains: Vec<_> = binders.list.iter().map(|it| shape_of(&it.domain)).collect();
        let filter = binders.filter.as_ref().map_or(String::new(), |it| format!(" if {}", shape_of(it)));
        format!("[{}{filter}]", domains.join(", "))
    };
    match &expr.kind {
        ExprKind::Literal(literal) => literal.text.clone(),
        ExprKind::Path(path) => {
            path.segments.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join("::")
        }
        ExprKind::Unary(op, inner) => format!("{}{}", op.sign(), shape_of(inner)),
        ExprKind::Binary(it) => format!("({} {} {})", shape_of(&it.left), it.op.sign(), shape_of(&it.right)),
        ExprKind::Cast(inner, ty) => format!("({} as {})", shape_of(inner), ty.text),
        ExprKind::Range { start, end, inclusive } => {
            let side = |it: &Option<Box<Expr>>| it.as_deref().map_or(String::new(), shape_of);
            format!("({}{}{})", side(start), if *inclusive { "..=" } else { ".." }, side(end))
        }
        ExprKind::Field(base, name) => format!("{}.{}", shape_of(base), name.name),
        ExprKind::TupleField(base, index, _) => format!("{}.{index}", shape_of(base)),
        ExprKind::Index(base, index) => format!("{}[{}]", shape_of(base), shape_of(index)),
        ExprKind::Method(it) => format!("{}.{}({})", shape_of(&it.base), it.name.name, list(&it.args)),
        ExprKind::Call(callee, args) => format!("{}({})", shape_of(callee), list(args)),
        ExprKind::Closure(it) => {
            let path: Vec<_> = it.path.iter().map(|it| it.name.as_str()).collect();
            format!("{}.({}){}", shape_of(&it.base), path.join("."), if it.reflexive { "*" } else { "+" })
        }
        ExprKind::Quantified(it) => {
            format!("{}{} {}", it.quantifier.word(), binders(&it.binders), shape_of(&it.body))
        }
        ExprKind::Aggregate(it) => {
            let body = it.body.as_ref().map_or(String::new(), |it| format!(" {}", shape_of(it)));
            format!("{}{}{body}", it.op.word(), binders(&it.binders))
        }
        ExprKind::Paren(inner) => match &inner.kind {
            ExprKind::Binary(_) => shape_of(inner),
            _ => format!("({})", shape_of(inner)),
        },
        ExprKind::Up(inner) => format!("up({})", shape_of(inner)),
        ExprKind::Temporal(op, inner) => format!("{} {}", op.word(), shape_of(inner)),
        other => format!("{other:?}"),
    }
}

#[test]
fn every_mistake_is_reported_and_the_rest_survives() {
    let source = SourceFile::new(
        "a.mace",
        "service A {
    states { B, C }
    variables {
        count u64;
        a: u8
        b: BTreeMap<u8, Vec<u8>> = x::<u8>();
        durable type: u8;
    }
    timers { retry every 5s }
    transitions {
        upcall deliver(src, Join { a, .. }) wehn a == b { x }
        in B { upcall a(b,) { } foo bar { } upcall c(x) {} }
        upcall d() {}
    }
    properties {
        safety a: forall n in nodes n.x == 1;
        safety b: n.x = 1;
        safety d: 1 < 2 < 3;
        safety e: true;
    }
}
sytem B { nodes { n[3]: A; } }
service D { states { A }
system C {
    network { net: dealy 3ms; net: loss 0.1 duplicates; net: loss 0.2; }
}
use b::c
service E {}
",
    );
    let (ast, errors) = parse(&source);
    let expected = expect_test::expect![[r#"
        4:15 E0101 [u64] expected `:`, found `u64`
        5:13 E0101 [8] expected `;` or `=` after this
        7:17 E0101 [type] expected a modifier or a name, found `type`
        9:27 E0101 [s] expected `;` after this
        11:45 E0101 [wehn] expected `when` or `otherwise`, a block `{ .. }`, `choose` or `in`, found `wehn`
        12:33 E0101 [foo] expected a handler (`downcall`, `upcall`, `scheduler` or `aspect`), `first`, `ignore` or `in`, found `foo`
        16:37 E0101 [n] expected `,`, `:`, `where` or an operator, found `n`
        17:23 E0101 [=] expected `;` or an operator, found `=`
        18:25 E0103 [<] comparisons do not chain
        22:1 E0101 [sytem] expected a Rust item, `allow`, `import`, `interface`, `messages`, `scenario`, `service` or `system`, found `sytem`
        23:11 E0005 [{] `{` is never closed
        25:20 E0104 [dealy] a link has no clause `dealy`
        25:45 E0101 [duplicates] expected `;`, `,` or an operator, found `duplicates`
        27:8 E0101 [c] expected `;` after this
    "#]];
    expected.assert_eq(&(listing(&source, &errors).join("\n") + "\n"));
    let service = ast.services().next().unwrap();
    let names: Vec<_> = service.variables().map(|it| it.name.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(service.timers().count(), 1);
    assert_eq!(service.states().count(), 2);
    assert_eq!(service.transitions().count(), 2);
    assert_eq!(service.properties().map(|it| it.name.name.as_str()).collect::<Vec<_>>(), ["e"]);
    assert_eq!(ast.systems().next().unwrap().network().count(), 1);
    assert_eq!(ast.services().map(|it| it.name.name.as_str()).collect::<Vec<_>>(), ["A", "E"]);
    assert!(
        ast.may_declare("count") && ast.may_declare("D") && !ast.may_declare("coun") && !ast.may_declare("E")
    );
}

#[test]
fn words_stay_usable_as_names() {
    let source = SourceFile::new(
        "a.mace",
        "service first {
    variables { check: u8; over: u8; export: u8; durable ghost: u8; weight: u8; every: u8; }
    timers { choose; within(at: u8) every within; }
    messages { Message { state: u8, to: u8 } message; }
    transitions {
        downcall when(first) in State choose over in set(|x| x < 'a') when check != 'b' && a < b { let first = over; }
        upcall first: deliver(_, Message { state, to: 1..=2 }) otherwise {}
        ignore upcall up.ignore(_) in In;
    }
    properties { safety safety: count > max && n.exists.count(|a| a.forall) && sum(level, weight); }
    objectives { minimize level: weight per message level | Weight weight 2 level 3; }
}
scenario run in check { run.run(); within[0].x() as a.b(call: d); drop a.b from c to d; run; expect expect.c == 1; }",
    );
    let (ast, errors) = parse(&source);
    assert_eq!(listing(&source, &errors), Vec::<String>::new());
    let service = ast.services().next().unwrap();
    let names: Vec<_> = service.variables().map(|it| it.name.name.as_str()).collect();
    assert_eq!(names, ["check", "over", "export", "ghost", "weight", "every"]);
    let objective = service.objectives().next().unwrap();
    assert!(objective.scale.weight.is_some() && objective.scale.level.is_some());
}

// The clock measures; nothing depends on it.
#[allow(clippy::disallowed_methods)]
#[test]
fn hostile_texts_give_an_error_in_good_time() {
    let property = |text: String| format!("service A {{ properties {{ safety a: {text}; }} }}");
    let nested =
        |open: &str, inside: &str, close: &str, times| open.repeat(times) + inside + &close.repeat(times);
    let mut texts = vec![
        ("braces", "{".repeat(10 << 20)),
        ("closing braces", "}".repeat(10 << 20)),
        ("mixed", "([{".repeat(3 << 20)),
        ("pairs", "{}".repeat(1 << 20)),
        ("semicolons", ";".repeat(1 << 20)),
        ("words", "a ".repeat(1 << 20)),
        ("one word", "a".repeat(2 << 20)),
        ("services", "service A {\n".repeat(100_000)),
        ("quotes", "'".repeat(1 << 20)),
        ("open string", format!("service A {{ \"{}", "x".repeat(1 << 20))),
        ("comments", "/*".repeat(1 << 20)),
        ("groups", format!("service A {{ transitions {{ {} }} }}", nested("in B { ", "", "}", 250))),
        ("broken groups", format!("service A {{ transitions {{ {} }} }}", nested("in B { ", "x", "}", 250))),
        ("not", property("!".repeat(100_000) + "a")),
        ("negations", property("- ".repeat(100_000) + "a")),
        ("sum", property("a + ".repeat(8_000) + "a")),
        ("implications", property("a implies ".repeat(8_000) + "a")),
        ("fields", property("a".to_owned() + &".b".repeat(8_000))),
        ("quantifiers", property("forall a in b: ".repeat(100_000) + "a")),
        ("always", property("always ".repeat(100_000) + "a")),
        ("counts", property("count a in b where ".repeat(100_000) + "a")),
        ("lambdas", property("|a| ".repeat(100_000) + "a")),
        ("parentheses", property("(".repeat(200) + "a" + &")".repeat(200))),
        ("references", property("forall ".to_owned() + &"&".repeat(100_000) + "a in b: c")),
        ("angles", format!("service A {{ variables {{ a: {}; }} }}", "A<".repeat(100_000))),
        ("arrows", format!("service A {{ variables {{ a: {}B }} }}", "A->".repeat(8_000))),
        ("refusals", format!("scenario a in B {{ {} heal; }}", "refuse ".repeat(100_000))),
        ("a long line", format!("service A {{ variables {{ {} c d; }} }}", "a: u8; ".repeat(15_000))),
    ];
    texts.push(("a broken tail", format!("service A {{ {} x y z }}", "states { B }\n".repeat(10_000))));
    for (name, text) in texts {
        let source = SourceFile::new("a.mace", text);
        let start = std::time::Instant::now();
        let (_, errors) = parse(&source);
        let taken = start.elapsed();
        assert!(errors.has_errors(), "{name}");
        assert!(taken.as_secs() < 30, "{name} took {taken:?}");
    }
}

#[test]
fn what_is_within_the_limits_is_read() {
    let nested =
        |open: &str, inside: &str, close: &str, times| open.repeat(times) + inside + &close.repeat(times);
    let property = |text: String| format!("service A {{ properties {{ safety a: {text}; }} }}");
    let texts = [
        format!("service A {{ transitions {{ {} }} }}", nested("in B { ", "", "}", 16)),
        format!("service A {{ routines {{ fn a() {} }} }}", nested("{", "", "}", 250)),
        format!("service A {{ variables {{ a: {}; }} }}", nested("A<", "B", ">", 90)),
        property(nested("(", "a", ")", 90)),
        property("forall a in b: ".repeat(90) + "a"),
        property("a && ".repeat(240) + "a"),
        property("!".repeat(250) + "a"),
        property(format!("forall {} in b: c", nested("(", "a", ",)", 200))),
    ];
    for text in texts {
        let source = SourceFile::new("a.mace", text);
        let (ast, errors) = parse(&source);
        assert_eq!(listing(&source, &errors), Vec::<String>::new());
        assert!(!foresee_compiler::print::print(&source, &ast).is_empty());
    }
}
