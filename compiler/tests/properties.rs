//! Properties of the front half: nothing panics, printing and parsing are inverse, formatting is stable.

use foresee_compiler::ast::*;
use foresee_compiler::parse::parse;
use foresee_compiler::print::{format, print, print_made};
use foresee_compiler::render::{Style, all_json, all_text};
use foresee_compiler::source::SourceFile;
use foresee_compiler::tokens::TokenIndex;
use proptest::prelude::*;

fn fixture(index: usize) -> String {
    let name = ["cheatsheet", "rand_tree", "paxos", "reliable_link", "scribe"][index];
    let path = format!("{}/tests/fixtures/language/{name}.mace", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// Texts that change the meaning of what is around them.
const SHARDS: [&str; 40] = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "'",
    "/*",
    "*/",
    "//",
    "\n",
    ";",
    ",",
    ":",
    "::",
    "=",
    "|",
    "<",
    ">",
    "..",
    ".",
    "!",
    "&",
    " in ",
    " when ",
    " choose ",
    " forall ",
    " count x in y where ",
    "service A {",
    "\n}\n",
    "/// doc\n",
    "// c\n",
    "/* d */",
    "é",
    "'a'",
    "r#\"",
    "0x",
    "5s",
    "#[a]",
];

fn cut(text: &str, at: usize) -> usize {
    let mut at = at % (text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn changed(mut text: String, changes: &[(u8, usize, usize)]) -> String {
    for (kind, at, amount) in changes {
        let start = cut(&text, *at);
        let end = cut(&text, start + amount % 30).max(start);
        match kind {
            0 => text.replace_range(start..end, ""),
            1 => text.insert_str(start, SHARDS[amount % SHARDS.len()]),
            _ => {
                let copy = text[start..end].to_owned();
                text.insert_str(cut(&text, amount * 7919), &copy);
            }
        }
    }
    text
}

proptest! {
    #[test]
    fn damaged_specifications_are_survived(
        index in 0usize..5,
        changes in prop::collection::vec((0u8..3, 0usize..20_000, 0usize..1000), 1..6),
    ) {
        let source = SourceFile::new("a.mace", changed(fixture(index), &changes));
        let (ast, errors) = parse(&source);
        for error in &errors {
            prop_assert!(error.span.end as usize <= source.text.len() && error.span.start <= error.span.end);
            prop_assert!(foresee_compiler::codes::find(error.code).is_some(), "{}", error.code);
        }
        prop_assert_eq!(ast.broken.is_empty(), !errors.has_errors() || ast.broken.is_empty());
        all_text(&errors, &source, Style::Coloured);
        all_json(&errors, &source);
        let _ = TokenIndex::of_source(&source);
        if !errors.has_errors() {
            let printed = print(&source, &ast);
            let once = format(&source).unwrap();
            // A documentation comment in the middle of a head would change its meaning when it moves.
            let distrusted = printed != once && once == source.text;
            prop_assert!(!distrusted || source.text.contains("/// doc"), "distrusted: {}", printed);
            let again = SourceFile::new("a.mace", once.clone());
            prop_assert_eq!(format(&again).unwrap(), once);
        }
    }

    #[test]
    fn expressions_survive_printing(expr in expression()) {
        let text = print_made(&with_property(expr.clone()));
        let source = SourceFile::new("a.mace", text);
        let (ast, errors) = parse(&source);
        prop_assert!(errors.is_empty(), "{}\n{}", source.text, all_text(&errors, &source, Style::Plain));
        let back = ast.services().next().unwrap().properties().next().unwrap().expr.clone();
        prop_assert_eq!(shape(&back), shape(&expr), "{}", source.text);
        prop_assert_eq!(format(&source).unwrap(), source.text);
    }
}

fn with_property(expr: Expr) -> Ast {
    let span = Default::default();
    let kind = PropertyKind::Safety;
    let property =
        Property { doc: Some("A claim.".to_owned()), kind, name: Ident::made("claim"), expr, span };
    let section = Section { entries: vec![property], span };
    let members = vec![Member::Properties(section)];
    let service = Service { doc: None, name: Ident::made("A"), members, span };
    Ast { items: vec![Item::Service(service)], ..Ast::default() }
}

/// A tree without places and parentheses.
fn shape(expr: &Expr) -> String {
    let debug = format!("{expr:?}");
    let mut out = String::new();
    let mut rest = debug.as_str();
    while let Some(at) = rest.find('@') {
        out.push_str(&rest[..at]);
        rest = rest[at + 1..].trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    }
    out.push_str(rest);
    // Parentheses nest as `Paren(Expr { kind: X, span:  })`; taking their words away from both sides is enough.
    while let Some(at) = out.find("Paren(Expr { kind: ") {
        let start = at + "Paren(Expr { kind: ".len();
        let mut depth = 0;
        let inner = out[start..].char_indices().find(|(_, c)| match c {
            '(' | '{' | '[' => {
                depth += 1;
                false
            }
            ')' | '}' | ']' => {
                depth -= 1;
                false
            }
            ',' => depth == 0,
            _ => false,
        });
        let end = start + inner.expect("the kind ends with a comma").0;
        let kind = out[start..end].to_owned();
        out.replace_range(at..end + ", span:  })".len(), &kind);
    }
    out
}

fn made(kind: ExprKind) -> Expr {
    Expr::made(kind)
}

fn name() -> impl Strategy<Value = Ident> {
    prop::sample::select(vec!["a", "b", "n", "count", "max", "leads", "within", "where_", "r#in", "up_to"])
        .prop_map(Ident::made)
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let span = Default::default();
    let leaf = prop_oneof![
        Just(Pattern { kind: PatternKind::Wild, span }),
        name().prop_map(move |name| Pattern { kind: PatternKind::Bind(name), span }),
    ];
    leaf.prop_recursive(2, 6, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3)
                .prop_map(move |list| Pattern { kind: PatternKind::Tuple(list), span }),
            inner
                .prop_filter("no double reference", |it| !matches!(it.kind, PatternKind::Ref(_)))
                .prop_map(move |it| Pattern { kind: PatternKind::Ref(Box::new(it)), span }),
        ]
    })
}

fn leaf() -> impl Strategy<Value = Expr> {
    let literal =
        |kind, text: &'static str| Just(made(ExprKind::Literal(Literal { kind, text: text.to_owned() })));
    prop_oneof![
        name().prop_map(|name| {
            let path = Path { segments: vec![name], span: Default::default() };
            made(ExprKind::Path(path))
        }),
        literal(LiteralKind::Int, "5"),
        literal(LiteralKind::Int, "0xfe_u64"),
        literal(LiteralKind::Float, "1.5e-3"),
        literal(LiteralKind::Duration, "100ms"),
        literal(LiteralKind::Str, "\"a // \\\" {}\""),
        literal(LiteralKind::Char, "'\\''"),
        literal(LiteralKind::Bool, "true"),
    ]
}

fn expression() -> impl Strategy<Value = Expr> {
    leaf().prop_recursive(5, 40, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let list = prop::collection::vec(inner.clone(), 0..3);
        let some = prop::option::of(boxed.clone());
        prop_oneof![
            4 => (binary_op(), inner.clone(), inner.clone()).prop_map(|(op, left, right)| {
                made(ExprKind::Binary(Box::new(Binary { op, op_span: Default::default(), left, right })))
            }),
            2 => (unary_op(), boxed.clone()).prop_map(|(op, it)| made(ExprKind::Unary(op, it))),
            1 => (some.clone(), some, any::<bool>())
                .prop_map(|(start, end, inclusive)| made(ExprKind::Range { start, end, inclusive })),
            1 => boxed.clone().prop_map(|it| made(ExprKind::Cast(it, Fragment::made("u64")))),
            1 => (boxed.clone(), name()).prop_map(|(it, name)| made(ExprKind::Field(it, name))),
            1 => (boxed.clone(), 0u32..3).prop_map(|(it, at)| made(ExprKind::TupleField(it, at, Default::default()))),
            1 => (boxed.clone(), boxed.clone()).prop_map(|(it, at)| made(ExprKind::Index(it, at))),
            1 => (inner.clone(), name(), list.clone()).prop_map(|(base, name, args)| {
                made(ExprKind::Method(Box::new(MethodCall { base, name, turbofish: None, args })))
            }),
            1 => (boxed.clone(), list.clone()).prop_map(|(it, args)| made(ExprKind::Call(it, args))),
            1 => list.clone().prop_map(|list| made(ExprKind::Array(list))),
            1 => prop::collection::vec(inner.clone(), 0..3).prop_map(|list| made(ExprKind::Tuple(list))),
            1 => (inner.clone(), any::<bool>()).prop_map(|(base, reflexive)| {
                made(ExprKind::Closure(Box::new(Closure { base, path: vec![Ident::made("p")], reflexive })))
            }),
            1 => (prop::collection::vec(pattern(), 0..3), inner.clone())
                .prop_map(|(params, body)| made(ExprKind::Lambda(Box::new(Lambda { params, body })))),
            2 => (any::<bool>(), binders(inner.clone().boxed()), inner.clone()).prop_map(|(all, binders, body)| {
                let quantifier = if all { Quantifier::Forall } else { Quantifier::Exists };
                made(ExprKind::Quantified(Box::new(Quantified { quantifier, binders, body })))
            }),
            3 => (0u8..4, binders(inner.clone().boxed()), inner.clone()).prop_map(|(op, binders, body)| {
                let op = [AggregateOp::Count, AggregateOp::Max, AggregateOp::Min, AggregateOp::Sum][op as usize];
                let body = (op != AggregateOp::Count).then_some(body);
                made(ExprKind::Aggregate(Box::new(Aggregate { op, binders, body })))
            }),
            1 => (any::<bool>(), boxed.clone()).prop_map(|(always, it)| {
                made(ExprKind::Temporal(if always { TemporalOp::Always } else { TemporalOp::Eventually }, it))
            }),
            1 => boxed.clone().prop_map(|it| made(ExprKind::Up(it))),
            1 => (boxed, any::<bool>()).prop_map(|(value, finite)| made(ExprKind::Expected { value, finite })),
            1 => (inner.clone(), prop::option::of(inner.clone()), prop::option::of(inner)).prop_map(|(event, within, given)| {
                // `1.. within a` would take `within` for the end of the range.
                let shut = |expr: Expr| match format!("{expr:?}").contains("end: None") {
                    true => made(ExprKind::Paren(Box::new(expr))),
                    false => expr,
                };
                let (event, within) = (shut(event), within.map(shut));
                made(ExprKind::Probability(Box::new(Probability { event, within, given })))
            }),
        ]
    })
}

fn binders(inner: BoxedStrategy<Expr>) -> impl Strategy<Value = Binders> {
    let binder = (pattern(), inner.clone()).prop_map(|(pattern, domain)| Binder {
        pattern,
        domain,
        span: Default::default(),
    });
    (prop::collection::vec(binder, 1..3), prop::option::of(inner))
        .prop_map(|(list, filter)| Binders { list, filter })
}

fn unary_op() -> impl Strategy<Value = UnaryOp> {
    prop::sample::select(vec![UnaryOp::Not, UnaryOp::Negate, UnaryOp::Deref, UnaryOp::Ref])
}

fn binary_op() -> impl Strategy<Value = BinaryOp> {
    use BinaryOp::*;
    prop::sample::select(vec![
        LeadsTo, Iff, Implies, Or, And, Eq, Ne, Lt, Le, Gt, Ge, BitOr, BitXor, BitAnd, Shl, Shr, Add, Sub,
        Mul, Div, Rem,
    ])
}
