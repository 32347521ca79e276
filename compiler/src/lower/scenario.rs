//! Scenarios: every command becomes a function of the state in which its turn comes. Messages, timers and calls are found
//! here, at the service of the node that they are about; how steps are pinned is in `pin.rs`, what an expectation shows where
//! it fails in `seen.rs`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::ast::{self, Command, CommandKind, Dotted, Expr, ExprKind, RunUntil, Transfer};
use crate::check::{Checked, Trigger, unknown};
use crate::diag::{Diagnostic, Diagnostics};
use crate::ir::{Scenario, ScenarioLine};
use crate::names::{CallKind, CallRef, FieldName, MessageRef};
use crate::tokens::identifier;
use crate::types::Type;

use super::value::{Home, Lowerer};
use super::{one_line, seen, system};

pub(super) fn lower(
    checked: &Checked<'_>,
    scenario: &ast::Scenario,
    diagnostics: &mut Diagnostics,
) -> Option<Scenario> {
    let systems = || checked.ast.systems().map(|it| it.name.name.as_str());
    let Some(of) = checked.ast.systems().find(|it| it.name.name == scenario.system.name) else {
        let found = unknown("E0530", scenario.system.span, "system", &scenario.system.name, systems());
        diagnostics.push(found.with_label("a scenario runs in a system of this file"));
        return None;
    };
    let scope = system::scope(checked, of);
    let lines = scenario.commands.iter().filter_map(|command| {
        let mut script = Script { lowerer: Lowerer::new(checked, Home::System(&scope), diagnostics) };
        let command_tokens = script.command(command)?;
        let text = one_line(checked.places.file.slice(command.span));
        Some(ScenarioLine {
            text: text.trim_end_matches(';').trim_end().to_owned(),
            line: checked.places.line(command.span),
            command: command_tokens,
        })
    });
    Some(Scenario {
        name: scenario.name.name.clone(),
        doc: scenario.doc.clone(),
        system: scenario.system.name.clone(),
        line: checked.places.line(scenario.name.span),
        lines: lines.collect(),
    })
}

/// One command.
pub(super) struct Script<'c, 'a, 'd> {
    pub(super) lowerer: Lowerer<'c, 'a, 'd>,
}

/// An event that a command makes happen at a node.
pub(super) struct At {
    /// The id, as Rust.
    pub node: TokenStream,
    /// The service, where it is known.
    pub service: Option<usize>,
}

/// Who takes a call.
enum Callee {
    /// The top of the node.
    Top,
    /// The layer at the slot, with the interface at the index.
    Layer(usize, usize),
}

impl Script<'_, '_, '_> {
    fn checked(&self) -> &Checked<'_> {
        self.lowerer.checked
    }

    fn command(&mut self, command: &Command) -> Option<TokenStream> {
        let act = |act: TokenStream| quote!(kernel::script::Command::Do(|view| #act));
        Some(match &command.kind {
            CommandKind::Run(RunUntil::Quiet) => quote!(kernel::script::Command::RunQuiet),
            CommandKind::Run(RunUntil::For(time)) => {
                let time = self.duration(time)?;
                quote!(kernel::script::Command::RunFor(|view| #time))
            }
            CommandKind::Run(RunUntil::Holds(claim)) => {
                let claim = self.lowerer.truth(claim)?;
                let claim = self.lowerer.finish(claim);
                quote!(kernel::script::Command::RunUntil(|view| #claim))
            }
            CommandKind::Expect(claim) => {
                let claim = seen::claim(&mut self.lowerer, claim)?;
                quote!(kernel::script::Command::Expect(|view| #claim))
            }
            CommandKind::Refuse(inner) => {
                let may = !matches!(
                    inner.kind,
                    CommandKind::Run(_) | CommandKind::Expect(_) | CommandKind::Refuse(_)
                );
                if !may {
                    let message = "`refuse` takes something that happens at a node or to a message";
                    let found = Diagnostic::error("E0534", inner.span, message);
                    self.lowerer.report(found.with_help(
                        "such as `refuse deliver Add to n[1];`; what must not hold is `expect !(..);`",
                    ));
                    return None;
                }
                let act = self.act(inner)?;
                quote!(kernel::script::Command::Refuse(|view| #act))
            }
            _ => act(self.act(command)?),
        })
    }

    /// What a command makes happen, as an expression over `view`.
    fn act(&mut self, command: &Command) -> Option<TokenStream> {
        let act = match &command.kind {
            CommandKind::Deliver { transfer, pin } => {
                let (wanted, top, messages) = self.wanted(transfer);
                // A message that is not there was reported.
                if messages.is_empty() {
                    return None;
                }
                let pin = self.pin(pin.as_ref(), top, &messages)?;
                let wanted = wanted?;
                quote!(Deliver(#wanted, #pin))
            }
            CommandKind::Drop(transfer) => {
                let wanted = self.wanted(transfer).0?;
                quote!(Drop(#wanted))
            }
            CommandKind::Duplicate(transfer) => {
                let wanted = self.wanted(transfer).0?;
                quote!(Duplicate(#wanted))
            }
            CommandKind::Fire { timer, args, at, pin } => {
                self.fire(timer, args.as_deref(), at, pin.as_ref())?
            }
            CommandKind::Call { call, pin } => self.call(call, pin.as_ref())?,
            CommandKind::Crash(node) => self.fault("Crash", node)?,
            CommandKind::Restart(node) => self.fault("Restart", node)?,
            CommandKind::Reset(node) => self.fault("Reset", node)?,
            CommandKind::Partition(these, those) => {
                let (these, those) = (self.nodes(these), self.nodes(those));
                let (these, those) = (these?, those?);
                quote!(Partition(#these, #those))
            }
            CommandKind::Cut(one, other) => {
                let (one, other) = (self.at(one), self.at(other));
                let (one, other) = (one?.node, other?.node);
                quote!(Cut(#one, #other))
            }
            CommandKind::Heal => quote!(Heal),
            CommandKind::Run(_) | CommandKind::Refuse(_) | CommandKind::Expect(_) => return None,
        };
        Some(self.lowerer.finish(quote!(kernel::script::Act::#act)))
    }

    fn fault(&mut self, what: &str, node: &Expr) -> Option<TokenStream> {
        let (what, node) = (format_ident!("{what}"), self.at(node)?.node);
        Some(quote!(#what(#node)))
    }

    fn duration(&mut self, expr: &Expr) -> Option<TokenStream> {
        let value = self.lowerer.expr(expr, Some(&Type::Duration))?;
        let value = self.lowerer.by_value(value);
        if !matches!(value.ty.peeled(), Type::Duration | Type::Unknown) {
            let message = format!("a duration is needed here, and this is {}", value.ty.describe());
            let found = Diagnostic::error("E0510", expr.span, message);
            self.lowerer.report(found.with_help("write a unit: `run 10s;`"));
            return None;
        }
        Some(self.lowerer.finish(value.tokens))
    }

    /// A node.
    pub(super) fn at(&mut self, expr: &Expr) -> Option<At> {
        let value = self.lowerer.expr(expr, None)?;
        let value = self.lowerer.by_value(value);
        match value.ty.peeled() {
            Type::Node(service) => Some(At { node: value.tokens, service: *service }),
            Type::Unknown => {
                let tokens = value.tokens;
                Some(At { node: quote!(::foresee::support::id(#tokens)), service: None })
            }
            other => {
                let message = format!("a node is needed here, and this is {}", other.describe());
                let mut found = Diagnostic::error("E0513", expr.span, message);
                if matches!(other, Type::Group(_)) {
                    let text = self.checked().places.file.slice(expr.span);
                    found = found.with_help(format!("write `{text}[0]` for its first node"));
                }
                self.lowerer.report(found);
                None
            }
        }
    }

    /// Nodes: a list, a group, a set, or one.
    fn nodes(&mut self, expr: &Expr) -> Option<TokenStream> {
        if let ExprKind::Array(parts) = &expr.peeled().kind {
            let parts: Vec<Option<At>> = parts.iter().map(|part| self.at(part)).collect();
            let parts: Vec<TokenStream> =
                parts.into_iter().map(|part| part.map(|it| it.node)).collect::<Option<_>>()?;
            return Some(quote!(vec![#(#parts),*]));
        }
        let value = self.lowerer.expr(expr, None)?;
        let nodes = match value.ty.peeled() {
            Type::Node(_) | Type::Group(_) | Type::Unknown => true,
            other => other.element().is_some_and(|it| matches!(it.peeled(), Type::Node(_) | Type::Unknown)),
        };
        if !nodes {
            let message = format!("nodes are needed here, and this is {}", value.ty.describe());
            self.lowerer.report(
                Diagnostic::error("E0513", expr.span, message).with_help("write a list: `[n[0], n[1]]`"),
            );
            return None;
        }
        let tokens = value.tokens;
        let tokens = if value.place { quote!(&#tokens) } else { tokens };
        Some(quote!(::foresee::support::ids(#tokens)))
    }

    /// The message of a command, the service on top of its receiver, and the handlers' events that it may be.
    fn wanted(&mut self, transfer: &Transfer) -> (Option<TokenStream>, Option<usize>, Vec<(usize, Trigger)>) {
        let to = self.at(&transfer.to);
        let top = to.as_ref().and_then(|it| it.service);
        let from = match &transfer.from {
            Some(from) => self.at(from).map(|it| Some(it.node)),
            None => Some(None),
        };
        let names = &self.lowerer.checked.names;
        let seen = |index: usize, name: &ast::Ident| {
            let found = names.message(&names.services[index], &name.name)?;
            Some((index, found))
        };
        let has = |index: usize, name: &ast::Ident| seen(index, name).is_some();
        let Some((name, services)) = self.layered(&transfer.message, top, has) else {
            return (None, top, Vec::new());
        };
        let found: Vec<(usize, MessageRef)> = services.iter().filter_map(|it| seen(*it, name)).collect();
        if found.is_empty() {
            self.unknown_message(name, &services);
            return (None, top, Vec::new());
        }
        let token = self.checked().places.ident(name);
        let mut patterns: Vec<TokenStream> = Vec::new();
        for (service, message) in &found {
            let declared = names.message_at(&names.services[*service], *message);
            let ty = self.message_type(*service, *message);
            let variant = identifier(&declared.name, token.span());
            let test = quote!(matches!(message.get::<#ty>(), Some(#ty::#variant { .. })));
            if !patterns.iter().any(|known| known.to_string() == test.to_string()) {
                patterns.push(test);
            }
        }
        let triggers =
            found.into_iter().map(|(service, message)| (service, Trigger::Deliver(message))).collect();
        let kind = &name.name;
        let wanted = to.zip(from).map(|(to, from)| {
            let to = to.node;
            let from = from.map_or_else(|| quote!(None), |from| quote!(Some(#from)));
            let is = quote!(|message| #(#patterns)||*);
            quote!(kernel::script::Wanted { kind: #kind, is: #is, from: #from, to: #to })
        });
        (wanted, top, triggers)
    }

    /// The type of a message, from the file's own module.
    fn message_type(&self, service: usize, message: MessageRef) -> TokenStream {
        let names = &self.checked().names;
        let declared = names.message_at(&names.services[service], message);
        if !message.shared {
            let module = self.lowerer.module(service);
            return quote!(#module::Message);
        }
        let path = names.files.path(declared.file).into_iter().flatten();
        let path = path.map(|it| format_ident!("{it}"));
        quote!(#(#path::)* Message)
    }

    /// The last part of a name with dots, and the services at which it may be declared. Without a path that is the top of the
    /// node, or the only layer below it that `has` the name.
    fn layered<'n>(
        &mut self,
        name: &'n Dotted,
        service: Option<usize>,
        has: impl Fn(usize, &ast::Ident) -> bool,
    ) -> Option<(&'n ast::Ident, Vec<usize>)> {
        let (last, layers) = name.split_last();
        let services = match service {
            Some(top) if layers.is_empty() && !has(top, last) => {
                let below = self.lowerer.further_down(top, |it| has(it, last));
                match below.as_slice() {
                    [] => vec![top],
                    [(_, one)] => vec![*one],
                    several => {
                        let ways: Vec<String> =
                            several.iter().map(|(path, _)| format!("`{path}.{}`", last.name)).collect();
                        let message = format!("several layers of this node have `{}`", last.name);
                        let found = Diagnostic::error("E0503", last.span, message);
                        self.lowerer.report(found.with_help(format!("write {}", ways.join(" or "))));
                        return None;
                    }
                }
            }
            Some(service) => vec![self.lowerer.below(service, layers)?],
            None => {
                self.no_path(layers)?;
                (0..self.checked().names.services.len()).collect()
            }
        };
        Some((last, services))
    }

    /// That no path of layers is given, where it is not known which service it would start from.
    pub(super) fn no_path(&mut self, layers: &[ast::Ident]) -> Option<()> {
        let Some(layer) = layers.first() else { return Some(()) };
        let found =
            Diagnostic::error("E0554", layer.span, "which service this layer is below is not known here");
        self.lowerer.report(found.with_help("name the node: `n[0]`"));
        None
    }

    fn unknown_message(&mut self, name: &ast::Ident, services: &[usize]) {
        let names = &self.checked().names;
        let of = services.iter().map(|it| &names.services[*it]);
        let known = of.flat_map(|it| it.messages.iter().chain(names.messages_beside(it)));
        let known: Vec<String> = known.map(|it| it.name.clone()).collect();
        let what = match services {
            [one] => format!("message of `{}` named", names.services[*one].name),
            _ => "message".to_owned(),
        };
        let found = unknown("E0531", name.span, &what, &name.name, known.iter().map(String::as_str));
        self.lowerer.report(found);
    }

    /// `fire retry(3) at n[0]`
    fn fire(
        &mut self,
        timer: &Dotted,
        args: Option<&[Expr]>,
        at: &Expr,
        pin: Option<&ast::Pin>,
    ) -> Option<TokenStream> {
        let at = self.at(at);
        let top = at.as_ref().and_then(|it| it.service);
        let names = &self.lowerer.checked.names;
        let place = |index: usize, name: &ast::Ident| {
            names.services[index].timers.iter().position(|it| it.name == name.name)
        };
        let (name, services) = self.layered(timer, top, |index, name| place(index, name).is_some())?;
        let found: Vec<(usize, usize)> =
            services.iter().filter_map(|index| Some((*index, place(*index, name)?))).collect();
        let [(service, index)] = found.as_slice() else {
            self.no_timer(name, &services, found.len());
            return None;
        };
        let (service, index) = (*service, *index);
        let params = names.services[service].timers[index].params.clone();
        let span = names.services[service].timers[index].span;
        let args = self.arguments(name, args.unwrap_or_default(), &params, span, "E0532");
        let pin = self.pin(pin, top, &[(service, Trigger::Timer(index))])?;
        let (at, args) = (at?.node, args?);
        let (module, ident) = (self.lowerer.module(service), self.lowerer.service_ident(service));
        let timer = self.checked().places.ident(name);
        let timer = if args.is_empty() { quote!(#timer) } else { quote!(#timer(#(#args),*)) };
        Some(quote! {
            Fire {
                node: #at,
                layer: ::foresee::support::layer::<#module::#ident>(view, #at),
                timer: kernel::Datum::new(#module::Timer::#timer),
                pin: #pin,
            }
        })
    }

    fn no_timer(&mut self, name: &ast::Ident, services: &[usize], found: usize) {
        let names = &self.checked().names;
        if found > 1 {
            let message = format!("several services have a timer `{}`", name.name);
            let found = Diagnostic::error("E0503", name.span, message);
            self.lowerer.report(
                found
                    .with_label("which of them runs on this node is not known here")
                    .with_help("name the node: `n[0]`"),
            );
            return;
        }
        let known: Vec<String> =
            services.iter().flat_map(|it| &names.services[*it].timers).map(|it| it.name.clone()).collect();
        let what = match services {
            [one] => format!("timer of `{}` named", names.services[*one].name),
            _ => "timer".to_owned(),
        };
        let found = unknown("E0532", name.span, &what, &name.name, known.iter().map(String::as_str));
        self.lowerer.report(found);
    }

    /// `n[0].append(Command(1))`, `n[0].log.append(Command(1))`
    fn call(&mut self, call: &Expr, pin: Option<&ast::Pin>) -> Option<TokenStream> {
        let ExprKind::Method(method) = &call.peeled().kind else {
            let found = Diagnostic::error("E0533", call.span, "this is no command of a scenario");
            self.lowerer.report(found.with_help(
                "the application calls a node: `n[0].append(Command(1));`; a claim is `expect ..;`",
            ));
            return None;
        };
        let (at, callee) = self.callee(&method.base)?;
        let name = &method.name;
        let Some((service, found)) = self.downcall(&at, &callee, name) else {
            self.no_downcall(name, &at, &callee);
            return None;
        };
        let names = &self.checked().names;
        let declared = names.call_at(found).clone();
        let module = names.interface_path(found.interface, proc_macro2::Span::call_site());
        if declared.kind == CallKind::Query {
            let message = format!("`{}` is a query: it changes nothing", name.name);
            let text = self.checked().places.file.slice(call.span);
            self.lowerer.report(
                Diagnostic::error("E0533", name.span, message)
                    .with_secondary(declared.span, "declared here")
                    .with_help(format!("ask it: `expect {text} == ..;`")),
            );
            return None;
        }
        let args = self.arguments(name, &method.args, &declared.params, declared.span, "E0533");
        let events: Vec<(usize, Trigger)> =
            service.map(|it| (it, Trigger::Call(found))).into_iter().collect();
        let pin = self.pin(pin, at.service, &events)?;
        let (node, args) = (at.node, args?);
        let variant = Ident::new(&declared.type_name(), self.checked().places.ident(name).span());
        let fields = declared.params.iter().map(|it| format_ident!("{}", it.name));
        let bound: Vec<Ident> = (0..args.len()).map(|at| format_ident!("this_argument_{at}")).collect();
        let given =
            fields.zip(&bound).map(|(field, value)| quote!(#field: ::std::clone::Clone::clone(&#value)));
        let request = declared.kind == CallKind::Request;
        let reply = request.then(
            || quote!(reply: kernel::Reply::new(this_node, kernel::Reply::<()>::APPLICATION, this_number)),
        );
        let number = if request { quote!(this_number) } else { quote!(_) };
        let layer = match callee {
            Callee::Top => quote!(0),
            Callee::Layer(slot, _) => quote!(::foresee::support::lower(view, this_node, #slot)),
        };
        Some(quote! {
            Call {
                node: #node,
                layer: { let this_node: NodeId = #node; #layer },
                call: {
                    let this_node: NodeId = #node;
                    #(let #bound = #args;)*
                    ::std::sync::Arc::new(move |#number: u64| {
                        kernel::Datum::new(#module::Downcall::#variant { #(#given,)* #reply })
                    })
                },
                pin: #pin,
            }
        })
    }

    /// Who is called: a node, or a layer below the top of one.
    fn callee(&mut self, base: &Expr) -> Option<(At, Callee)> {
        if let ExprKind::Field(inner, layer) = &base.peeled().kind {
            let names = &self.checked().names;
            let is_layer = names.services.iter().any(|it| it.layer(&layer.name).is_some());
            if is_layer && let Some(at) = self.at(inner) {
                let names = &self.checked().names;
                let slot = at.service.and_then(|it| Some((it, names.services[it].layer(&layer.name)?)));
                if let Some((service, slot)) = slot
                    && let Some(interface) = names.services[service].layers[slot].interface
                {
                    return Some((at, Callee::Layer(slot, interface)));
                }
            }
        }
        Some((self.at(base)?, Callee::Top))
    }

    /// The downcall of that name, and the service whose handlers take it, where that is known.
    fn downcall(&self, at: &At, callee: &Callee, name: &ast::Ident) -> Option<(Option<usize>, CallRef)> {
        let names = &self.checked().names;
        if let Callee::Layer(slot, interface) = callee {
            let mut calls = names.calls(*interface);
            let (call, _) = calls.find(|(_, it)| it.kind.is_down() && it.name == name.name)?;
            return Some((at.service.and_then(|it| self.lowerer.filled(it, *slot)), call));
        }
        let services = match at.service {
            Some(service) => service..service + 1,
            None => 0..names.services.len(),
        };
        let mut found =
            services.filter_map(|it| Some((it, names.downcall(&names.services[it], &name.name)?)));
        let (service, call) = found.next()?;
        match found.all(|(_, other)| other == call) {
            true => Some((Some(service), call)),
            false => None,
        }
    }

    fn no_downcall(&mut self, name: &ast::Ident, at: &At, callee: &Callee) {
        let names = &self.checked().names;
        let (what, known): (String, Vec<&str>) = match (callee, at.service) {
            (Callee::Layer(_, interface), _) => {
                let calls = names.calls(*interface).filter(|(_, it)| it.kind.is_down());
                let what = format!("downcall of `{}` named", names.interfaces[*interface].name);
                (what, calls.map(|(_, it)| it.name.as_str()).collect())
            }
            (Callee::Top, Some(service)) => {
                let calls = names.provided(&names.services[service]).filter(|(_, it)| it.kind.is_down());
                let what = format!("downcall of `{}` named", names.services[service].name);
                (what, calls.map(|(_, it)| it.name.as_str()).collect())
            }
            (Callee::Top, None) => ("downcall".to_owned(), Vec::new()),
        };
        let found = unknown("E0533", name.span, &what, &name.name, known);
        self.lowerer.report(found.with_label("the application calls what an interface of the service has"));
    }

    /// The arguments of a timer or a call, in the order of its parameters.
    fn arguments(
        &mut self,
        name: &ast::Ident,
        args: &[Expr],
        params: &[FieldName],
        declared: crate::source::Span,
        code: &'static str,
    ) -> Option<Vec<TokenStream>> {
        if args.len() != params.len() {
            let message = crate::check::arity(&name.name, args.len(), params.len());
            self.lowerer.report(
                Diagnostic::error(code, name.span, message).with_secondary(declared, "declared here"),
            );
            return None;
        }
        let values = args.iter().zip(params).map(|(arg, param)| {
            let ty = param.ty.as_ref().map_or(Type::Unknown, |ty| self.checked().names.types.resolve(ty));
            self.argument(arg, &ty)
        });
        let values: Vec<Option<TokenStream>> = values.collect();
        values.into_iter().collect()
    }

    /// A value where one of a known type is wanted: a list or a group stands for a set.
    fn argument(&mut self, expr: &Expr, wanted: &Type) -> Option<TokenStream> {
        let value = self.lowerer.fitting(expr, wanted)?;
        let (tokens, place) = (value.tokens, value.place);
        let keyed = matches!(wanted, Type::Set(_) | Type::Map(..));
        let many = keyed || matches!(wanted, Type::Seq(_));
        Some(match value.ty.peeled() {
            Type::Group(_) if many => quote!(#tokens.iter().copied().collect()),
            Type::Seq(_) if keyed && place => {
                quote!(#tokens.iter().cloned().collect())
            }
            Type::Seq(_) if many && (keyed || matches!(expr.peeled().kind, ExprKind::Array(_))) => {
                quote!(#tokens.into_iter().collect())
            }
            Type::Text if matches!(wanted, Type::Text) => quote!(#tokens.to_owned()),
            ty if place && !ty.is_copy() => quote!(#tokens.clone()),
            _ => tokens,
        })
    }
}
