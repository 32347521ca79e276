//! Problems read from TOML, as the command line reads them.

use foresee_decide::problem::Problem;
use foresee_decide::protocol::Protocol;

fn report(text: &str) -> foresee_decide::problem::Report {
    toml::from_str::<Problem>(text).unwrap().report().unwrap()
}

fn wrong(text: &str) -> String {
    toml::from_str::<Problem>(text).unwrap().report().unwrap_err().field
}

const BOB: &str = r#"
title = "Wait for Bob?"
states = ["prompt", "late", "never"]
probabilities = [0.2, 0.5, 0.3]
observations = 40
likelihood = [1, 3, 2]
[[act]]
name = "leave"
utilities = [100, 100, 100]
preference = [2, 2, 2]
then = [[1, 1, 1]]
[[act]]
name = "stay"
utilities = [300, 140, 0]
preference = [4, 3, 1]
then = [[0, 0, 0]]
[rules]
optimism = 0.3
tail = 0.3
slack = [40]
"#;

#[test]
fn acts_over_shared_states() {
    let report = report(BOB);
    let decision = report.decision.as_ref().unwrap();
    let choice = |name: &str| {
        let row = decision.rules.iter().find(|row| row.rule.name() == name).unwrap();
        row.verdict.as_ref().unwrap().choice
    };
    assert_eq!((choice("expected_utility"), choice("maximin"), choice("cvar")), (1, 0, 0));
    assert_eq!(decision.rules.len(), 10);
    let sensitivity = decision.sensitivity.as_ref().unwrap();
    assert_eq!(sensitivity.evpi.unwrap().get(), 30.0);
    // A lead of 30 within a slack of 40: the second level decides.
    assert_eq!(decision.lexicographic, Some(vec![0]));
    assert_eq!(decision.qualitative.as_ref().unwrap().best, [1]);
    assert!(report.delivery.is_none());
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["title"], "Wait for Bob?");
    assert_eq!(json["decision"]["rules"][0]["rule"]["rule"], "expected_utility");
}

#[test]
fn acts_with_outcomes_of_their_own() {
    let report = report(
        r#"
        [[act]]
        name = "sure"
        outcomes = [{ probability = 1, utility = 100 }]
        [[act]]
        name = "gamble"
        outcomes = [{ name = "won", probability = 0.9, utility = 112 }, { probability = 0.1, utility = "-inf" }]
        "#,
    );
    let decision = report.decision.unwrap();
    let eu = &decision.rules[0].verdict.as_ref().unwrap();
    assert_eq!((eu.choice, eu.values[1].get()), (0, f64::NEG_INFINITY));
    let regret = decision.rules.iter().find(|row| row.rule.name() == "minimax_regret").unwrap();
    assert!(regret.verdict.is_none() && regret.why_not.as_ref().unwrap().contains("share no states"));
}

#[test]
fn a_link_with_costs() {
    let report = report(
        r#"
        [link]
        tau = 20
        gamma = 0.1
        sender = { correct = 0.9, crash = 1e-5 }
        receiver = { correct = 0.9, crash = 2e-5 }
        [costs]
        send = 5
        wait = 1
        heartbeat = 1
        [demand]
        sigma = 0.001
        "#,
    );
    let delivery = report.delivery.unwrap();
    let heartbeat = delivery.heartbeat.unwrap();
    // The golden value G12.
    assert_eq!(delivery.delta, 41);
    assert!((heartbeat.exact.per_invocation.get() - 74.3692631144).abs() < 1e-9);
    assert!((heartbeat.paper.per_invocation.get() - 64.4017670177).abs() < 1e-9);
    assert_eq!(delivery.choice, Protocol::Heartbeat, "with uncertainty the others cost without bound");
    assert_eq!(delivery.live_choice, Some(Protocol::Heartbeat));
    assert!(delivery.protocols.iter().filter(|line| line.row.finite).count() == 1);
    assert!(delivery.curve.windows(2).all(|pair| pair[0].delta < pair[1].delta));
    let least = delivery.curve.iter().map(|place| place.long_run[1].get()).fold(f64::INFINITY, f64::min);
    assert!(least >= heartbeat.exact.per_invocation.get() - 1e-12);
    assert!(delivery.thresholds.is_none() && delivery.figures.len() == 10);
}

#[test]
fn a_choice_of_protocol_that_flips() {
    let report = report(
        r#"
        [link]
        tau = 5
        gamma = 0.01
        sender = { correct = 0, crash = 1e-4 }
        receiver = { correct = 0, crash = 1e-4 }
        [costs]
        send = 1
        wait = 1
        [demand]
        delta = 10
        "#,
    );
    let delivery = report.delivery.unwrap();
    assert_eq!(delivery.choice, Protocol::SenderDriven);
    let crash = delivery.figures.iter().find(|f| f.name == "link.receiver.crash").unwrap();
    // The paper's threshold x = delta tau c_wait / ((tau + 1) c_send) = 8.33, where it approximates.
    let exact = crash.flip.above.unwrap() / 1e-4;
    let paper = delivery.thresholds.unwrap().heartbeat_over_sender_above.get();
    assert!((exact / paper - 1.0).abs() < 0.25, "{exact} {paper}");
    assert!(delivery.heartbeat.is_none());
}

#[test]
fn nonsense_names_the_field() {
    assert_eq!(wrong("title = 'nothing'"), "act");
    assert_eq!(
        wrong("probabilities = [1.2, -0.2]\n[[act]]\nname = 'a'\nutilities = [1, 2]"),
        "probabilities[0]"
    );
    assert_eq!(wrong("probabilities = [0.5]\n[[act]]\nname = 'a'\nutilities = [1, 2]"), "probabilities");
    assert_eq!(
        wrong("[[act]]\nname = 'a'\nutilities = [1]\n[[act]]\nname = 'b'\nutilities = [1, 2]"),
        "act[1].utilities"
    );
    assert_eq!(wrong("[[act]]\nname = 'a'"), "act[0]");
    assert_eq!(wrong("[[act]]\nname = 'a'\noutcomes = []"), "act[0].outcomes.probabilities");
    assert_eq!(wrong("likelihood = [1]\n[[act]]\nname = 'a'"), "act[0].preference");
    assert_eq!(wrong("[[act]]\nname = 'a'\nutilities = [1]\n[rules]\noptimism = 2"), "rules.optimism");
    let link = "[link]\ntau = 5\ngamma = G\nsender = { correct = 0, crash = 1e-4 }\nreceiver = { correct = 0, crash = 1e-4 }";
    assert_eq!(wrong(&link.replace('G', "1.2")), "costs");
    let costs = "\n[costs]\nsend = 1\nwait = 1\n";
    assert_eq!(wrong(&(link.replace('G', "1.2") + costs)), "link.gamma");
    assert_eq!(wrong(&(link.replace('G', "0.1") + &costs.replace("wait = 1", "wait = -1"))), "costs.wait");
    assert_eq!(wrong(&(link.replace('G', "0.1") + costs + "[demand]\nsigma = 0")), "demand.sigma");
    assert!(
        toml::from_str::<Problem>("states = ['a']\nprobability = [1]").is_err(),
        "unknown fields are errors"
    );
}
