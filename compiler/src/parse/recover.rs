//! Recovery: a file with syntax errors is read piece by piece, so that all errors appear and the rest survives.
//!
//! A piece that its rule does not accept is opened if it is a block (an item, a section, a group) and read entry by
//! entry; a piece that cannot be opened gets one error and goes into [`Ast::broken`]. Where delimiters do not match,
//! the file is first cut at lines that begin, without indentation, with the word of an item, and only the cuts that
//! are unbalanced are given up.

use std::cell::Cell;

use pest::Parser;
use pest::iterators::Pair;

use super::build::{Builder, Built};
use super::build_handlers::GROUP_NESTING_MAX;
use super::expect::syntax_error;
use super::grammar::{Grammar, Rule};
use super::scan::{Scan, scan};
use super::split::{Context, block_of, first_word, split};
use crate::ast::*;
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::{SourceFile, Span};

/// How many syntax errors are reported for one file.
pub const SYNTAX_ERRORS_MAX: usize = 100;

/// Words that begin an item and never stand inside of one.
const CUTS: [&str; 4] = ["interface", "service", "system", "scenario"];

/// Reads a file whose delimiters match but whose text the grammar refuses.
pub fn balanced(source: &SourceFile, index: usize, scan: Scan) -> (Ast, Diagnostics) {
    // A brace that one item lacks and another has too many is two mistakes that hide each other.
    let mut regions = regions(source, index, &CUTS).into_iter();
    if regions.any(|region| self::scan(source.slice(region), 0).error.is_some()) {
        return unbalanced(source, index);
    }
    let mut whole = blank_before(source.span_of(index));
    whole.masked.push_str(&scan.masked);
    whole.comments = scan.comments;
    read(source, index, &whole, Diagnostics::new(), vec![])
}

/// Blanks in place of what stands before a file, so that places in the masked text are those of the source.
fn blank_before(place: Span) -> Scan {
    Scan { masked: " ".repeat(place.start as usize), ..Scan::default() }
}

/// Reads a file whose delimiters do not match, or in which a literal or comment has no end.
pub fn unbalanced(source: &SourceFile, index: usize) -> (Ast, Diagnostics) {
    let mut whole = blank_before(source.span_of(index));
    let mut errors = Diagnostics::new();
    let mut broken = vec![];
    let words = CUTS.iter().chain(&["import", "use", "pub", "type", "struct", "enum", "impl"]);
    for region in regions(source, index, &words.copied().collect::<Vec<_>>()) {
        let text = source.slice(region);
        let part = if errors.len() < SYNTAX_ERRORS_MAX { scan(text, region.start) } else { Scan::default() };
        match part.error {
            None if part.masked.len() == text.len() => whole.masked.push_str(&part.masked),
            error => {
                errors.extend(error);
                whole.masked.extend(std::iter::repeat_n(' ', text.len()));
                broken.push(Fragment { span: region, text: text.to_owned() });
            }
        }
        whole.comments.extend(part.comments);
    }
    read(source, index, &whole, errors, broken)
}

/// Cuts a file before every line that begins, without indentation, with one of these words.
fn regions(source: &SourceFile, index: usize, words: &[&str]) -> Vec<Span> {
    let place = source.span_of(index);
    let starts = source.line_starts_of(index).iter().copied().filter(|start| {
        let word = first_word(&source.text[*start as usize..place.end as usize]);
        *start == place.start || words.contains(&word)
    });
    let starts: Vec<u32> = starts.collect();
    let ends = starts.iter().copied().skip(1).chain(std::iter::once(place.end));
    starts.iter().zip(ends).map(|(start, end)| Span::new(*start, end)).collect()
}

fn read(
    source: &SourceFile,
    index: usize,
    scan: &Scan,
    errors: Diagnostics,
    broken: Vec<Fragment>,
) -> (Ast, Diagnostics) {
    let place = source.span_of(index);
    let mut recovery = Recovery { source, scan, errors, broken, groups: 0 };
    let items = recovery.entries(Context::Items, place, Rule::only_item, &Builder::item, Recovery::open_item);
    let doc = recovery.builder(0).file_doc();
    let Recovery { mut errors, broken, .. } = recovery;
    errors.sort();
    if errors.len() >= SYNTAX_ERRORS_MAX {
        let mut list: Vec<_> = errors.into_iter().take(SYNTAX_ERRORS_MAX).collect();
        let last = list.pop().map(|last| last.with_note("further syntax errors are not shown"));
        errors = Diagnostics::new();
        errors.extend(list.into_iter().chain(last));
    }
    (Ast { doc, items, broken, span: place }, errors)
}

struct Recovery<'a> {
    source: &'a SourceFile,
    scan: &'a Scan,
    errors: Diagnostics,
    broken: Vec<Fragment>,
    /// How many groups of handlers are open.
    groups: usize,
}

/// How a part of the tree is built from a pair.
type Build<'b, 'a, T> = &'b dyn Fn(&Builder<'a>, Pair<'_, Rule>) -> Built<T>;

impl<'a> Recovery<'a> {
    fn builder(&self, base: u32) -> Builder<'a> {
        Builder { text: &self.source.text, comments: &self.scan.comments, base, depth: Cell::new(0) }
    }

    fn masked(&self, span: Span) -> &'a str {
        &self.scan.masked[span.range()]
    }

    /// Reads one piece by its rule. Of a piece that only lacks its last sign, the tree is kept beside the error.
    fn piece<T>(
        &self,
        span: Span,
        rule: Rule,
        build: Build<'_, 'a, T>,
    ) -> Result<T, (Diagnostic, Option<T>)> {
        let masked = self.masked(span);
        let error = match self.parse(masked, span.start, rule, build) {
            Ok(built) => return built.map_err(|error| (error, None)),
            Err(error) => error,
        };
        let diagnostic = syntax_error(&error, rule, masked, self.source.slice(span), span.start);
        let patched = if masked.ends_with([';', '}']) { None } else { Some(format!("{masked};")) };
        let kept = patched.and_then(|text| self.parse(&text, span.start, rule, build).ok()?.ok());
        Err((diagnostic, kept))
    }

    fn parse<T>(
        &self,
        masked: &str,
        base: u32,
        rule: Rule,
        build: Build<'_, 'a, T>,
    ) -> Result<Built<T>, Box<pest::error::Error<Rule>>> {
        let mut pairs = Grammar::parse(rule, masked).map_err(Box::new)?;
        let pair = pairs.next().expect("a rule that matches has a pair");
        Ok(build(&self.builder(base), pair))
    }

    fn give_up(&mut self, span: Span, error: Diagnostic) {
        self.errors.push(error);
        self.broken.push(Fragment { span, text: self.source.slice(span).to_owned() });
    }

    /// Reads all pieces of a place; a piece that its rule refuses is opened, or given up.
    fn entries<T>(
        &mut self,
        context: Context,
        span: Span,
        rule: Rule,
        build: Build<'_, 'a, T>,
        open: fn(&mut Self, Span) -> Option<T>,
    ) -> Vec<T> {
        let mut list = vec![];
        for piece in split(&self.scan.masked, span, context) {
            if self.errors.len() >= SYNTAX_ERRORS_MAX {
                break;
            }
            let (error, kept) = match self.piece(piece, rule, build) {
                Ok(entry) => {
                    list.push(entry);
                    continue;
                }
                Err(failed) => failed,
            };
            if let Some(entry) = kept {
                self.errors.push(error);
                list.push(entry);
                continue;
            }
            let errors_before = self.errors.len();
            let opened = open(self, piece);
            if self.errors.len() == errors_before {
                self.give_up(piece, error);
            }
            list.extend(opened);
        }
        list
    }

    /// The inside of a block and its head read as an empty block; `None` where there is no block or the head is wrong.
    fn block<T>(&mut self, piece: Span, rule: Rule, build: Build<'_, 'a, T>) -> Option<(T, Span)> {
        let inside = block_of(&self.scan.masked, piece)?;
        let head = Span::new(piece.start, inside.start);
        let masked = format!("{}}}", self.masked(head));
        match self.parse(&masked, piece.start, rule, build) {
            Ok(Ok(built)) => Some((built, inside)),
            Ok(Err(error)) => {
                self.give_up(piece, error);
                None
            }
            Err(error) => {
                let text = format!("{}}}", self.source.slice(head));
                self.give_up(piece, syntax_error(&error, rule, &masked, &text, piece.start));
                None
            }
        }
    }

    fn open_item(&mut self, piece: Span) -> Option<Item> {
        let word = first_word(self.masked(piece)).to_owned();
        if !matches!(word.as_str(), "interface" | "messages" | "service" | "system" | "scenario") {
            return None;
        }
        let (mut item, inside) = self.block(piece, Rule::only_item, &Builder::item)?;
        match &mut item {
            Item::Interface(it) => {
                let call: Build<'_, 'a, Call> = &|builder, pair| Ok(builder.interface_call(pair));
                it.span = piece;
                it.calls =
                    self.entries(Context::Calls, inside, Rule::only_interface_call, call, Self::closed);
            }
            Item::Messages(it) => {
                it.span = piece;
                it.messages = self.messages(inside);
            }
            Item::Service(it) => {
                it.span = piece;
                let build: Build<'_, 'a, Member> = &Builder::member;
                it.members =
                    self.entries(Context::Members, inside, Rule::only_member, build, Self::open_member);
            }
            Item::System(it) => {
                it.span = piece;
                let (rule, build): (_, Build<'_, 'a, SystemMember>) =
                    (Rule::only_system_member, &Builder::system_member);
                it.members =
                    self.entries(Context::SystemMembers, inside, rule, build, Self::open_system_member);
            }
            Item::Scenario(it) => {
                it.span = piece;
                it.commands = self.plain(Context::Commands, inside, Rule::only_command, &Builder::command);
            }
            Item::Import(_) | Item::Rust(_) | Item::Allow(_) => {}
        }
        Some(item)
    }

    fn messages(&mut self, inside: Span) -> Vec<Message> {
        let build: Build<'_, 'a, Message> = &|builder, pair| Ok(builder.message(pair));
        self.plain(Context::Messages, inside, Rule::only_message, build)
    }

    /// Entries that are no blocks themselves.
    fn plain<T>(&mut self, context: Context, inside: Span, rule: Rule, build: Build<'_, 'a, T>) -> Vec<T> {
        self.entries(context, inside, rule, build, Self::closed)
    }

    fn closed<T>(&mut self, _: Span) -> Option<T> {
        None
    }

    fn open_member(&mut self, piece: Span) -> Option<Member> {
        let word = first_word(self.masked(piece));
        if !Context::Members.begins(word)
            || matches!(word, "states" | "provides" | "uses" | "const" | "fair" | "allow")
        {
            return None;
        }
        let (mut member, inside) = self.block(piece, Rule::only_member, &Builder::member)?;
        match &mut member {
            Member::Parameters(it) => self.parameters(it, piece, inside),
            Member::Variables(it) => {
                it.span = piece;
                it.entries =
                    self.plain(Context::Declarations, inside, Rule::only_variable, &Builder::variable);
            }
            Member::Messages(it) => {
                it.span = piece;
                it.messages = self.messages(inside);
            }
            Member::Timers(it) => {
                it.span = piece;
                it.entries = self.plain(Context::Timers, inside, Rule::only_timer, &Builder::timer);
            }
            Member::Transitions(it) => {
                it.span = piece;
                it.entries = self.transitions(inside);
            }
            Member::Routines(it) => {
                it.span = piece;
                it.entries = self.plain(Context::Routines, inside, Rule::only_routine, &Builder::routine);
            }
            Member::Properties(it) => self.properties(it, piece, inside),
            Member::Objectives(it) => {
                it.span = piece;
                it.entries =
                    self.plain(Context::Objectives, inside, Rule::only_objective, &Builder::objective);
            }
            Member::Generic(it) => {
                it.span = piece;
                it.entries = self.plain(Context::Messages, inside, Rule::only_sendable, &Builder::sendable);
            }
            Member::Provides(_) | Member::Uses(_) | Member::Const(_) | Member::States(_) => {}
            Member::Fair(_) | Member::Allow(_) => {}
        }
        Some(member)
    }

    fn parameters(&mut self, section: &mut Section<Parameter>, piece: Span, inside: Span) {
        section.span = piece;
        section.entries =
            self.plain(Context::Declarations, inside, Rule::only_parameter, &Builder::parameter);
    }

    fn properties(&mut self, section: &mut Section<Property>, piece: Span, inside: Span) {
        section.span = piece;
        section.entries = self.plain(Context::Properties, inside, Rule::only_property, &Builder::property);
    }

    fn transitions(&mut self, inside: Span) -> Vec<Transition> {
        let build: Build<'_, 'a, Transition> = &Builder::transition;
        self.entries(Context::Transitions, inside, Rule::only_transition, build, Self::open_transition)
    }

    fn open_transition(&mut self, piece: Span) -> Option<Transition> {
        if !matches!(first_word(self.masked(piece)), "in" | "first") {
            return None;
        }
        if self.groups == GROUP_NESTING_MAX {
            return None;
        }
        let (mut transition, inside) = self.block(piece, Rule::only_transition, &Builder::transition)?;
        self.groups += 1;
        match &mut transition {
            Transition::In(group) => {
                group.span = piece;
                group.transitions = self.transitions(inside);
            }
            Transition::First(group) => {
                group.span = piece;
                group.transitions = self.transitions(inside);
            }
            Transition::Handler(_) | Transition::Ignore(_) => {}
        }
        self.groups -= 1;
        Some(transition)
    }

    fn open_system_member(&mut self, piece: Span) -> Option<SystemMember> {
        let word = first_word(self.masked(piece));
        if !Context::SystemMembers.begins(word) || word == "horizon" {
            return None;
        }
        let (mut member, inside) = self.block(piece, Rule::only_system_member, &Builder::system_member)?;
        match &mut member {
            SystemMember::Parameters(it) => self.parameters(it, piece, inside),
            SystemMember::Nodes(it) => {
                it.span = piece;
                it.entries =
                    self.plain(Context::Declarations, inside, Rule::only_node_group, &Builder::node_group);
            }
            SystemMember::Network(it) => {
                it.span = piece;
                it.entries = self.plain(Context::Declarations, inside, Rule::only_link, &Builder::link);
            }
            SystemMember::Faults(it) => {
                it.span = piece;
                it.entries = self.plain(Context::Faults, inside, Rule::only_fault, &Builder::fault);
            }
            SystemMember::Workload(it) => {
                it.span = piece;
                it.entries = self.plain(Context::Workload, inside, Rule::only_work, &Builder::work);
            }
            SystemMember::Objectives(it) => {
                let build: Build<'_, 'a, SystemObjective> = &Builder::system_objective;
                it.span = piece;
                it.entries = self.plain(Context::Objectives, inside, Rule::only_system_objective, build);
            }
            SystemMember::Properties(it) => self.properties(it, piece, inside),
            SystemMember::Check(it) => {
                it.span = piece;
                it.entries = self.plain(Context::Declarations, inside, Rule::only_bound, &Builder::bound);
            }
            SystemMember::Horizon(_) => {}
        }
        Some(member)
    }
}
