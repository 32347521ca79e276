//! Where a body meets the language: what `send`, `choose`, `set`, messages, assignments and comparisons certainly cannot be given.
//! rustc would refuse the same, in terms of the code that is generated.
//!
//! Only what shows is judged: a type that cannot be followed is taken to be right.

use syn::{BinOp, Expr, Lit};

use super::infer::{is_iterator, variable_at};
use super::survey::Surveyor;
use crate::diag::Diagnostic;
use crate::source::Span;
use crate::types::Type;

/// Whether a value of type `given` may stand where `wanted` is expected; references apart.
pub fn fits(wanted: &Type, given: &Type) -> bool {
    match (wanted.peeled(), given.peeled()) {
        (Type::Unknown, _) | (_, Type::Unknown) => true,
        // Which numbers they are, literals leave open.
        (Type::Int(_) | Type::Float, Type::Int(_) | Type::Float) => true,
        (Type::Node(_), Type::Node(_)) => true,
        (Type::Option(wanted), Type::Option(given))
        | (Type::Set(wanted), Type::Set(given))
        | (Type::Seq(wanted), Type::Seq(given)) => fits(wanted, given),
        (Type::Map(key, value), Type::Map(other, given)) => fits(key, other) && fits(value, given),
        (Type::Tuple(wanted), Type::Tuple(given)) => {
            wanted.len() == given.len() && wanted.iter().zip(given).all(|(wanted, given)| fits(wanted, given))
        }
        (wanted, given) => wanted == given,
    }
}

impl Surveyor<'_> {
    fn mistake(&mut self, place: Span, message: String, help: Option<String>) {
        let found = Diagnostic::error("E0420", place, message);
        self.survey.mistakes.push(match help {
            Some(help) => found.with_help(help),
            None => found,
        });
    }

    /// Reports a value that cannot stand where `wanted` is expected.
    fn expect(&mut self, what: &str, wanted: &Type, value: &Expr) {
        let given = self.scope.of(value);
        let literal_text = matches!(value, Expr::Lit(it) if matches!(it.lit, Lit::Str(_)));
        let text = literal_text && *wanted == Type::Text;
        if fits(wanted, &given) && !text {
            return;
        }
        let (written, place) = (self.written(value), self.place(value));
        let help = match (wanted.peeled(), given.peeled()) {
            _ if text => Some(format!("write `{written}.to_owned()`")),
            (Type::Option(inner), given) if fits(inner, given) => Some(format!("write `Some({written})`")),
            (wanted, Type::Option(inner)) if fits(wanted, inner) => Some(
                "say what holds where there is none: `if let Some(x) = ..`, or `.unwrap_or(..)`".to_owned(),
            ),
            (Type::Set(_), Type::Seq(item))
                if is_iterator(value) && fits(wanted, &Type::Set(item.clone())) =>
            {
                Some(format!("write `{written}.collect()`"))
            }
            (Type::Set(_), Type::Seq(_)) if matches!(value, Expr::Array(_)) => {
                Some(format!("write `{written}.into()`"))
            }
            _ => None,
        };
        let given = if text { "a borrowed one".to_owned() } else { self.named(&given) };
        let message = format!("{what} is {}, and this is {given}", self.named(wanted));
        self.mistake(place, message, help);
    }

    /// A type as people call it, told from others of its kind.
    fn named(&self, ty: &Type) -> String {
        match ty.peeled() {
            Type::Option(inner) => format!("an `Option` of {}", plural(inner)),
            Type::Set(inner) => format!("a set of {}", plural(inner)),
            Type::Seq(inner) => format!("a sequence of {}", plural(inner)),
            Type::Map(..) => "a map".to_owned(),
            other => other.describe(),
        }
    }
}

fn plural(ty: &Type) -> String {
    match ty.peeled() {
        Type::Bool => "truth values".to_owned(),
        Type::Int(_) | Type::Float => "numbers".to_owned(),
        Type::Text => "texts".to_owned(),
        Type::Duration => "durations".to_owned(),
        Type::Node(_) => "nodes".to_owned(),
        Type::State(_) => "control states".to_owned(),
        Type::Option(_) => "`Option`s".to_owned(),
        Type::Set(_) | Type::Seq(_) | Type::Map(..) => "collections".to_owned(),
        Type::Tuple(_) => "tuples".to_owned(),
        Type::Named(name) => format!("`{name}`"),
        _ => "values".to_owned(),
    }
}

/// `send(..)`, `choose(..)`, `answer(..)`.
pub(super) fn call(survey: &mut Surveyor<'_>, call: &syn::ExprCall) {
    let Expr::Path(path) = &*call.func else { return };
    let Some(name) = path.path.get_ident().map(|it| it.to_string()) else { return };
    if survey.scope.local(&name).is_some() || survey.scope.names.is_rust(survey.scope.service.file, &name) {
        return;
    }
    match (name.as_str(), call.args.iter().collect::<Vec<_>>().as_slice()) {
        ("send", [to, message]) => {
            targets(survey, to);
            if !matches!(survey.scope.of(message).peeled(), Type::Unknown) {
                let what = survey.named(&survey.scope.of(message));
                let place = survey.place(message);
                let help =
                    Some("a message is declared in `messages`, and made as `Name { field, .. }`".to_owned());
                survey.mistake(place, format!("`send` takes a message, and this is {what}"), help);
            }
        }
        ("choose", [set]) | ("choose_or", [set, _]) => options(survey, set, &name),
        ("answer", [reply, value]) => {
            let own = matches!(reply, Expr::Path(path) if path.path.is_ident("reply"));
            if let (true, Some(wanted)) = (own, survey.answer.clone()) {
                survey.expect("the answer", &wanted, value);
            }
        }
        _ => {}
    }
}

fn targets(survey: &mut Surveyor<'_>, to: &Expr) {
    let ty = survey.scope.of(to);
    let written = survey.written(to);
    let help = match ty.peeled() {
        Type::Unknown | Type::Node(_) => return,
        Type::Seq(item) if is_iterator(to) && fits(&Type::Node(None), item) => {
            format!("collect them: `send({written}.collect::<BTreeSet<_>>(), ..)`")
        }
        Type::Option(item) | Type::Set(item) | Type::Seq(item) if fits(&Type::Node(None), item) => return,
        Type::Map(key, _) if fits(&Type::Node(None), key) => {
            let written = written.trim_start_matches('&');
            format!("send to its keys: `{written}.keys().copied().collect::<BTreeSet<_>>()`")
        }
        _ => "give a `NodeId`, an `Option` of one, or a collection of them".to_owned(),
    };
    let what = if is_iterator(to) { "an iterator".to_owned() } else { survey.named(&ty) };
    let place = survey.place(to);
    survey.mistake(place, format!("`send` goes to nodes, and this is {what}"), Some(help));
}

/// The set of a choice.
pub(super) fn options(survey: &mut Surveyor<'_>, set: &Expr, name: &str) {
    let ty = survey.scope.of(set);
    let written = survey.written(set);
    let help = match ty.peeled() {
        Type::Unknown => return,
        Type::Seq(item) if is_iterator(set) => {
            let owned = if item.references() > 0 { ".cloned()" } else { "" };
            format!("collect it: `{written}{owned}.collect::<Vec<_>>()`")
        }
        Type::Set(_) | Type::Seq(_) | Type::Option(_) => return,
        Type::Map(..) => {
            format!("choose a key: `{}.keys().cloned().collect::<Vec<_>>()`", written.trim_start_matches('&'))
        }
        _ => "give a set, a sequence, an `Option` or a range of whole numbers".to_owned(),
    };
    let what = if is_iterator(set) { "an iterator".to_owned() } else { survey.named(&ty) };
    let place = survey.place(set);
    survey.mistake(place, format!("`{name}` picks from a collection, and this is {what}"), Some(help));
}

/// `t.set(..)`, `up.x(..)`
pub(super) fn method(survey: &mut Surveyor<'_>, it: &syn::ExprMethodCall) {
    let of = match &*it.receiver {
        Expr::Call(timer) => &timer.func,
        other => other,
    };
    let Expr::Path(path) = of else { return };
    let Some(name) = path.path.get_ident().map(|it| it.to_string()) else { return };
    if survey.scope.local(&name).is_some() {
        return;
    }
    let is_timer =
        survey.scope.service.timer(&name).is_some() && survey.scope.service.variable(&name).is_none();
    if let (true, "set", Some(delay)) = (is_timer, it.method.to_string().as_str(), it.args.first())
        && !matches!(survey.scope.of(delay).peeled(), Type::Unknown | Type::Duration)
        && !matches!(delay, Expr::Lit(_))
    {
        let what = survey.named(&survey.scope.of(delay));
        let place = survey.place(delay);
        let help = Some("write `5s`, a range `1s..2s`, or `Duration::from_secs(..)`".to_owned());
        survey.mistake(place, format!("a timer is set to a duration, and this is {what}"), help);
    }
}

/// `Join { joiner: me, hops: 0 }`
pub(super) fn constructor(survey: &mut Surveyor<'_>, it: &syn::ExprStruct) {
    let Some(name) = it.path.get_ident().map(|it| it.to_string()) else { return };
    let scope = &survey.scope;
    let message = scope.names.message(scope.service, &name);
    for field in &it.fields {
        let syn::Member::Named(member) = &field.member else { continue };
        let member = member.to_string();
        let wanted = match message {
            Some(message) => {
                let fields = &survey.scope.names.message_at(survey.scope.service, message).fields;
                let ty = fields.iter().find(|it| it.name == member).and_then(|it| it.ty.as_ref());
                ty.map(|it| survey.scope.names.types.resolve(it))
            }
            None => {
                let key = survey.scope.key(&name);
                survey.scope.names.types.field(&key, &member)
            }
        };
        if let Some(wanted) = wanted {
            survey.expect(&format!("`{member}` of `{name}`"), &wanted, &field.expr);
        }
    }
}

/// `x = value`
pub(super) fn assign(survey: &mut Surveyor<'_>, it: &syn::ExprAssign) {
    let name = match &*it.left {
        Expr::Path(path) => {
            path.path.get_ident().map(|it| it.to_string()).filter(|it| survey.scope.local(it).is_none())
        }
        Expr::Field(field) => match (&*field.base, &field.member) {
            (Expr::Path(base), syn::Member::Named(member)) if base.path.is_ident("self") => {
                Some(member.to_string())
            }
            _ => None,
        },
        _ => None,
    };
    let Some(name) = name else { return };
    // What is no control state was said already.
    if name == "state" {
        return;
    }
    if survey.scope.service.variable(&name).is_some()
        && let Some(wanted) = survey.scope.member(&name)
    {
        survey.expect(&format!("`{name}`"), &wanted, &it.right);
    }
}

/// `a == b`, `a < b`
pub(super) fn comparison(survey: &mut Surveyor<'_>, it: &syn::ExprBinary) {
    let (left, right) = (survey.scope.of(&it.left), survey.scope.of(&it.right));
    let own = |ty: &Type| matches!(ty.peeled(), Type::Named(_));
    let stored = |side: &Expr, ty: &Type| ty.has_instant() && variable_at(&survey.scope, side).is_some();
    if stored(&it.left, &left) && stored(&it.right, &right) {
        let place = survey.place(&it.left).to(survey.place(&it.right));
        let help = "compare each with the present: `now() - since >= 5s`, or `now() >= deadline`".to_owned();
        survey.mistake(
            place,
            "instants that were kept are never compared with each other".to_owned(),
            Some(help),
        );
        return;
    }
    // Types of the file may compare with whatever they say.
    if own(&left) || own(&right) || fits(&left, &right) {
        return;
    }
    let help = match (left.peeled(), right.peeled()) {
        (Type::Option(inner), other) if fits(inner, other) => {
            Some(format!("compare with `Some({})`", survey.written(&it.right)))
        }
        (other, Type::Option(inner)) if fits(inner, other) => {
            Some(format!("compare with `Some({})`", survey.written(&it.left)))
        }
        _ => None,
    };
    let place = survey.place(&it.left).to(survey.place(&it.right));
    let verb = if matches!(it.op, BinOp::Eq(_) | BinOp::Ne(_)) { "equals" } else { "is compared with" };
    let message = format!("{} never {verb} {}", survey.named(&left), survey.named(&right));
    survey.mistake(place, message, help);
}
