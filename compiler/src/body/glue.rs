//! Where a body meets the language: what `send`, `choose`, `set`, messages, assignments and comparisons certainly cannot be given.
//! rustc would refuse the same, in terms of the code that is generated.
//!
//! Only what shows is judged: a type that cannot be followed is taken to be right.

use syn::{BinOp, Expr, Lit};

use super::infer::{is_iterator, variable_at};
use super::literal;
use super::survey::Surveyor;
use crate::diag::Diagnostic;
use crate::names::{CallKind, CallRef};
use crate::source::Span;
use crate::types::{Type, is_payload};

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
    pub fn expect(&mut self, what: &str, wanted: &Type, value: &Expr) {
        self.kept(wanted, value);
        if *wanted != Type::Unknown && self.gives_nothing(value) {
            return;
        }
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
            (Type::Duration, _) => literal::bare_number(value).map(|it| format!("give it a unit: `{it}s`")),
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

    /// Reports a command, an upcall or a request of which a value is wanted.
    fn gives_nothing(&mut self, value: &Expr) -> bool {
        let Expr::MethodCall(it) = value else { return false };
        let up = matches!(&*it.receiver, Expr::Path(path) if path.path.is_ident("up"));
        let call = match self.scope.layer_call(it) {
            None if up && self.scope.local("up").is_none() => {
                self.scope.names.upcall(self.scope.service, &it.method.to_string())
            }
            found => found,
        };
        let Some(call) = call.map(|at| self.scope.names.call_at(at)) else { return false };
        let (name, kind) = (&call.name, call.kind);
        let (message, help) = match kind {
            CallKind::Query => return false,
            CallKind::Request => (
                format!("the request `{name}` is answered later, and gives a `Reply` now"),
                format!(
                    "keep the `Reply`, and handle the answer: `upcall {}.{name}(reply, value)`",
                    self.written(&it.receiver)
                ),
            ),
            _ => (
                format!("the {} `{name}` gives no value: it is queued", kind.word()),
                "ask by a query or a request (`-> TYPE`, `-> Reply<TYPE>`)".to_owned(),
            ),
        };
        let place = self.place(value);
        self.mistake(place, message, Some(help));
        true
    }

    /// Reports a guard that is no truth value.
    pub fn truth(&mut self, guard: &Expr) {
        let ty = self.scope.of(guard);
        let help = match ty.peeled() {
            Type::Unknown | Type::Bool => return,
            Type::Option(_) => Some(format!("write `{}.is_some()`", self.written(guard))),
            Type::Set(_) | Type::Map(..) => Some(format!("write `!{}.is_empty()`", self.written(guard))),
            _ => Some("compare it with something".to_owned()),
        };
        let (what, place) = (self.named(&ty), self.place(guard));
        self.mistake(place, format!("a guard is a truth value, and this is {what}"), help);
    }

    /// Reports what is no delay: that of a timer, or the interval of one that is always on.
    pub fn delay(&mut self, what: &str, delay: &Expr) {
        let place = self.place(delay);
        if let Some(number) = literal::bare_number(delay) {
            self.survey.mistakes.push(literal::without_unit(&number, place));
        } else if !matches!(self.scope.of(delay).peeled(), Type::Unknown | Type::Duration) {
            let given = self.named(&self.scope.of(delay));
            let help = Some("write `5s`, a range `1s..2s`, or `Duration::from_secs(..)`".to_owned());
            self.mistake(place, format!("{what} a duration, and this is {given}"), help);
        }
    }

    /// `l.put(x)`, `up.done(x)`: what is passed is what is declared.
    fn passed(&mut self, it: &syn::ExprMethodCall, at: CallRef) {
        let names = self.scope.names;
        let call = names.call_at(at);
        let (declared, given) = (call.params.len(), it.args.len());
        let passes = call.kind == CallKind::Request && given == declared + 1;
        // Another number of them was reported.
        if given != declared && !passes {
            return;
        }
        if passes && !self.passes_reply(it) {
            return;
        }
        for (param, value) in call.params.iter().zip(&it.args) {
            let Some(ty) = &param.ty else { continue };
            if is_payload(ty) {
                self.wrapped(&param.name, value);
            } else {
                self.expect(&format!("`{}` of `{}`", param.name, call.name), &names.types.resolve(ty), value);
            }
        }
    }

    /// A reply that is handed on comes last.
    fn passes_reply(&mut self, it: &syn::ExprMethodCall) -> bool {
        let is_reply = |value: &&Expr| matches!(value, Expr::Path(path) if path.path.is_ident("reply"));
        let own = self.answer.is_some();
        let Some(last) = it.args.last() else { return true };
        let early = it.args.iter().find(is_reply).filter(|_| own && !is_reply(&last));
        if let Some(early) = early {
            let others = it.args.iter().filter(|value| !is_reply(value)).map(|value| self.written(value));
            let others: Vec<String> = others.collect();
            let call = format!("{}.{}", self.written(&it.receiver), it.method);
            let help = format!("write `{call}({}, reply)`", others.join(", "));
            let place = self.place(early);
            self.mistake(place, "a reply that is handed on comes last".to_owned(), Some(help));
            return false;
        }
        let is_own = own && is_reply(&last);
        if !is_own && !matches!(self.scope.of(last).peeled(), Type::Unknown) {
            let what = self.named(&self.scope.of(last));
            let place = self.place(last);
            let message = format!("one argument more than declared hands a `Reply` on, and this is {what}");
            self.mistake(place, message, None);
            return false;
        }
        true
    }

    /// What is passed as a payload is wrapped as one.
    fn wrapped(&mut self, param: &str, value: &Expr) {
        let path = match value {
            Expr::Struct(it) => it.path.get_ident(),
            Expr::Path(it) => it.path.get_ident(),
            _ => None,
        };
        let name = path.map(ToString::to_string).filter(|it| self.scope.local(it).is_none());
        let message = name.and_then(|it| self.scope.names.message(self.scope.service, &it));
        let ty = self.scope.of(value);
        if message.is_none() && matches!(ty.peeled(), Type::Unknown) {
            return;
        }
        let what = if message.is_some() { "a message".to_owned() } else { self.named(&ty) };
        let (written, place) = (self.written(value), self.place(value));
        let help = Some(format!("wrap it: `payload({written})`"));
        self.mistake(place, format!("`{param}` is a `Payload`, and this is {what}"), help);
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
            match survey.answer.clone() {
                Some(wanted) if own => survey.expect("the answer", &wanted, value),
                _ => answered(survey, reply),
            }
        }
        _ => {}
    }
}

/// What `answer` is told first.
fn answered(survey: &mut Surveyor<'_>, reply: &Expr) {
    let ty = survey.scope.of(reply);
    let written = survey.written(reply);
    let help = match ty.peeled() {
        Type::Unknown => return,
        Type::Option(_) => Some(format!("take it out first: `if let Some(reply) = {written} {{ .. }}`")),
        Type::Set(_) | Type::Seq(_) => Some(format!("answer one by one: `for reply in {written} {{ .. }}`")),
        _ => None,
    };
    let (what, place) = (survey.named(&ty), survey.place(reply));
    survey.mistake(place, format!("`answer` takes a `Reply` first, and this is {what}"), help);
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

/// `t.set(..)`, `l.put(..)`, `up.x(..)`
pub(super) fn method(survey: &mut Surveyor<'_>, it: &syn::ExprMethodCall) {
    let (of, given) = match &*it.receiver {
        Expr::Call(timer) => (&*timer.func, Some(&timer.args)),
        other => (other, None),
    };
    let Expr::Path(path) = of else { return };
    let Some(name) = path.path.get_ident().map(|it| it.to_string()) else { return };
    if survey.scope.local(&name).is_some() {
        return;
    }
    if let Some(call) = survey.scope.layer_call(it) {
        return survey.passed(it, call);
    }
    let service = survey.scope.service;
    if name == "up"
        && let Some(call) = survey.scope.names.upcall(service, &it.method.to_string())
    {
        return survey.passed(it, call);
    }
    let Some(timer) = service.timer(&name).filter(|_| service.variable(&name).is_none()) else { return };
    for (param, value) in timer.params.iter().zip(given.into_iter().flatten()) {
        if let Some(ty) = &param.ty {
            let wanted = survey.scope.names.types.resolve(ty);
            survey.expect(&format!("`{}` of `{name}`", param.name), &wanted, value);
        }
    }
    if let ("set", Some(delay)) = (it.method.to_string().as_str(), it.args.first())
        && literal::bare_number(delay).is_none()
    {
        survey.delay("a timer is set to", delay);
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
