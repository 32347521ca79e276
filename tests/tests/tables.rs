//! The tables that a generated service carries: what its handlers do, where ids stand, what is open. `info` prints them.

use foresee::kernel::{Deeds, HandlerInfo, Receiver};
use serde_json::Value;

foresee::include_spec!("tables");

fn handler(name: &str) -> &'static HandlerInfo {
    let all = tables::example::INFO.handlers.iter();
    all.into_iter().find(|it| it.name == name).unwrap_or_else(|| panic!("no handler {name}"))
}

fn info(format: &str) -> String {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let line = ["tables", "info", "--format", format].map(Into::into);
    let exit = foresee::app::run(&tables::SPEC, line, &mut out, &mut err);
    assert_eq!(exit as u8, 0, "{}", String::from_utf8_lossy(&err));
    String::from_utf8(out).expect("the output is text")
}

#[test]
fn what_a_handler_does_is_told_routines_included() {
    let Deeds { guard_reads, reads, writes, sends, emits, answers, choices, chances, states, .. } =
        handler("keep").deeds;
    assert_eq!(*guard_reads, ["leader", "log"], "the guard reads through a routine");
    assert_eq!(
        (*states, *reads, *writes),
        (&["Idle", "Leading"][..], &["asked", "log", "term"][..], &["asked", "log"][..])
    );
    assert_eq!((*emits, *answers, *choices, *chances), (&["appended"][..], true, &[][..], &[][..]));
    let sends: Vec<_> =
        sends.iter().map(|it| (it.message, it.carrier, it.to, it.receiver, it.always)).collect();
    assert_eq!(
        sends,
        [("Added", "net", "src", Receiver::Sender, true), ("Added", "net", "by", Receiver::Told, true),]
    );
    let pass = handler("pass").deeds;
    assert_eq!((pass.choices, pass.chances), (&["pass.child"][..], &["fail.random"][..]));
    assert_eq!((pass.enters, pass.sets, pass.writes), (&["Waiting"][..], &["retry"][..], &["state"][..]));
    let append = handler("append").deeds;
    let sends: Vec<_> =
        append.sends.iter().map(|it| (it.message, it.carrier, it.to, it.receiver, it.always)).collect();
    assert_eq!(
        sends,
        [("Add", "net", "to", Receiver::Chosen, true), ("Note", "post", "by", Receiver::Held, false),]
    );
    assert_eq!((append.calls, append.reads), (&["post.post"][..], &["leader", "term"][..]));
}

#[test]
fn the_readable_form_says_all_of_it() {
    let text = info("text");
    let (_, service) = text.split_once("service Example").expect("the service");
    let (service, _) = service.split_once("\n\nsystem").expect("its end");
    let said: Vec<&str> = service.lines().skip(1).map(str::trim_end).collect();
    assert_eq!(said.join("\n"), EXPECTED.trim_matches('\n'), "\n{service}");
    assert!(text.contains("  id order   property low (line "), "{text}");
}

const EXPECTED: &str = r#"
  states     Idle, Waiting, Leading
  variable   state: State
  variable   log: BTreeMap<Slot, Job>
  variable   leader: NodeId
  variable   durable term: u64
  variable   ghost asked: BTreeSet<Slot>
  variable   rounds: u64
  carrier    net: Reliable
  carrier    beats: Datagram
  handler    start                    start                        line 51
    sends      Bye to `me` (itself) over net
    sets       retry
  handler    append                   downcall append              line 52
    reads      leader, term
    sends      Add to `to` (chosen) over net, Note to `by` (held) over post, perhaps
    calls      post.post
    chooses    append.to
  handler    keep                     deliver Add                  line 59
    in         Idle, Leading
    tests      leader, log
    reads      asked, log, term
    writes     asked, log
    sends      Added to `src` (sender) over net, Added to `by` (told) over net
    emits      appended
    answers    a request
  handler    pass                     deliver Add                  line 70
    in         Idle, Leading
    reads      log
    writes     state
    enters     Waiting
    sends      Add to `child` (chosen) over net
    sets       retry
    chooses    pass.child
    draws      fail.random
  handler    full                     deliver Add                  line 75
    writes     state
    enters     Waiting
    sets       retry
    draws      fail.random
  handler    mine                     deliver Added                line 77
    tests      leader
    cancels    resend
  handler    other                    deliver Added                line 78
    writes     leader
  handler    deliver_Bye              deliver Bye                  line 80
    in         Idle
    writes     state
    enters     Leading
  handler    deliver_Beat             deliver Beat                 line 81
    writes     term
  handler    deliver_Hello            deliver Hello                line 82
  handler    post_posted              upcall post.posted           line 84
  handler    retry                    timer retry                  line 85
    sets       resend
  handler    resend                   timer resend                 line 86
    sends      Hello to `to` (chosen) over net
    chooses    resend.to
  handler    beat                     timer beat                   line 87
    reads      rounds, term
    writes     rounds
    sends      Beat to `&members` (held) over beats
    chooses    beat.every
  handler    aspect_leader            aspect leader                line 88
    cancels    retry
  ids        parameter members[*]
  ids        variable log{value}.reply.origin
  ids        variable log{value}.by
  ids        variable log{value}.note?.1
  ids        variable leader
  ids        message Add.job.reply.origin
  ids        message Add.job.by
  ids        message Add.job.note?.1
  ids        message Note.of
  id order   aspect_leader (line 88): ids are compared
  grows      rounds
  unhandled  Bye in Waiting | Leading
  unsent     Never
  overlap    deliver Add in Idle | Leading: keep, pass
"#;

/// The words for receivers are those of the reference.
#[test]
fn the_reference_lists_every_receiver() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/language/tools.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let all = [
        Receiver::Sender,
        Receiver::Itself,
        Receiver::Chosen,
        Receiver::Told,
        Receiver::Held,
        Receiver::Open,
    ];
    for it in all {
        assert!(page.contains(&format!("| `{}` |", it.word())), "{}", it.word());
    }
}

#[test]
fn json_has_the_tables() {
    let json: Value = serde_json::from_str(&info("json")).expect("JSON");
    let service = json["services"].as_array().expect("services").iter().find(|it| it["name"] == "Example");
    let service = service.expect("the service");
    let tables = &service["tables"];
    assert_eq!(tables["grows"], serde_json::json!(["rounds"]));
    assert_eq!(
        tables["unhandled"],
        serde_json::json!([{ "message": "Bye", "states": ["Waiting", "Leading"] }])
    );
    assert_eq!(tables["unsent"], serde_json::json!(["Never"]));
    assert_eq!(tables["overlaps"][0]["handlers"], serde_json::json!(["keep", "pass"]));
    assert_eq!(tables["order_of_ids"].as_array().map(Vec::len), Some(1));
    let beat = service["handlers"].as_array().expect("handlers").iter().find(|it| it["name"] == "beat");
    let sends = &beat.expect("the handler")["sends"][0];
    assert_eq!((&sends["carrier"], &sends["receiver"]), (&"beats".into(), &"held".into()), "{sends}");
    assert_eq!(json["systems"][0]["order_of_ids"][0]["place"], "property low");
}
