//! The golden values G1 to G18 of the reference, to their printed digits, through the batch evaluator.

use foresee_decide::batch::{self, Case};
use serde_json::Value;

/// Whether two values agree to so many parts; the text `inf` only with itself.
fn close(found: &Value, expected: &Value, accuracy: f64) -> bool {
    match (found, expected) {
        (Value::Number(x), Value::Number(y)) => {
            let (x, y) = (x.as_f64().unwrap(), y.as_f64().unwrap());
            (x - y).abs() <= accuracy * y.abs()
        }
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| close(x, y, accuracy))
        }
        _ => found == expected,
    }
}

#[test]
fn every_golden_value_is_reproduced() {
    let table: Vec<Value> = serde_json::from_str(include_str!("golden.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(include_str!("golden.json")).unwrap();
    let answers = serde_json::to_value(batch::evaluate(&cases)).unwrap();
    assert_eq!(table.len(), 18);
    for (golden, answer) in table.iter().zip(answers.as_array().unwrap()) {
        let fields = golden["expected"].as_object().unwrap();
        // The reference integrated the detector's numerically.
        let accuracy = if golden["kind"] == "nfds" { 1e-6 } else { 1e-9 };
        for (name, expected) in fields {
            let found = &answer[name];
            assert!(close(found, expected, accuracy), "{}: {name} is {found}, not {expected}", golden["id"]);
        }
        // Nothing but id, kind and these fields, in their order.
        let names: Vec<&str> = answer.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names.len(), fields.len() + 2, "{answer}");
    }
}

#[test]
fn what_is_wrong_names_its_field_and_spoils_no_other_case() {
    let wrong = |text: &str| -> (String, String) {
        let case: Case = serde_json::from_str(text).unwrap();
        let error = batch::fields(&case).unwrap_err();
        (error.field.clone(), error.to_string())
    };
    let link = r#""tau":1,"delta":1,"gamma":0.1,"as_":0,"ar":0,"bs":0.1,"br":0.1"#;
    for (text, field) in [
        (r#"{"kind":"protocl","params":{}}"#.into(), "kind"),
        (r#"{"kind":"protocol","params":{}}"#.into(), "proto"),
        (format!(r#"{{"kind":"protocol","params":{{"proto":"tcp",{link}}}}}"#), "proto"),
        (
            format!(r#"{{"kind":"protocol","params":{{"proto":"sd",{link},"c_send":-1,"c_wait":1}}}}"#),
            "c_send",
        ),
        (format!(r#"{{"kind":"protocol","params":{{"proto":"sd",{link},"gama":1}}}}"#), "gama"),
        (format!(r#"{{"kind":"cost2","params":{{"proto":"sd",{link},"N":0.5}}}}"#), "N"),
        (r#"{"kind":"lambda","params":{"as_":1.2,"ar":0,"bs":0.1,"br":0.1}}"#.into(), "as_"),
        (r#"{"kind":"lambda","params":{"as_":0.2,"ar":0,"bs":0,"br":0.1}}"#.into(), "bs"),
        (r#"{"kind":"wait_exp","params":{"mu":0,"p":0.2,"B":1,"c":1}}"#.into(), "mu"),
        (r#"{"kind":"wait_exp","params":{"mu":1,"p":0.2,"B":1,"c":"inf"}}"#.into(), "c"),
        (
            r#"{"kind":"wait_empirical","params":{"arrivals":[1,-2],"never":1,"B":1,"c":1}}"#.into(),
            "arrivals[1]",
        ),
        (r#"{"kind":"wait_empirical","params":{"arrivals":[],"never":0,"B":1,"c":1}}"#.into(), "arrivals"),
        (r#"{"kind":"p_alive","params":{"t":5,"eta":10,"k":3,"gamma":0.1,"beta":0.1}}"#.into(), "k"),
        (r#"{"kind":"nfds","params":{"eta":1,"shift":1,"pL":0.1,"mean":0}}"#.into(), "mean"),
        (r#"{"kind":"rules","params":{"U":[],"p":[1],"a":0.1}}"#.into(), "U"),
        (r#"{"kind":"rules","params":{"U":[[1,2]],"p":[1.2,-0.2],"a":0.1}}"#.into(), "p[0]"),
        (r#"{"kind":"rules","params":{"U":[[1,2],[1]],"p":[0.5,0.5],"a":0.1}}"#.into(), "U[1]"),
        (r#"{"kind":"rules","params":{"U":[[1,2]],"p":[0.5,0.4],"a":0.1}}"#.into(), "p"),
        (r#"{"kind":"rules","params":{"U":[["inf","-inf"]],"p":[0.5,0.5],"a":0.1}}"#.into(), "U"),
    ] {
        let text: String = text;
        let (found, message) = wrong(&text);
        assert_eq!(found, field, "{text}: {message}");
    }
    let cases: Vec<Case> = serde_json::from_str(
        r#"[{"kind":"x","params":{}},{"kind":"p_alive","params":{"t":0,"eta":1,"k":0,"gamma":0,"beta":0}}]"#,
    )
    .unwrap();
    let text = serde_json::to_string(&batch::evaluate(&cases)).unwrap();
    assert!(text.contains(r#""field":"kind""#) && text.contains(r#"{"kind":"p_alive","p":1.0}"#), "{text}");
}

#[test]
fn infinite_utilities_are_decided_where_they_can_be() {
    let text = r#"{"kind":"rules","params":{"U":[["-inf",5],[1,1]],"p":[0,1],"a":0.5}}"#;
    let answer = &batch::evaluate(&[serde_json::from_str(text).unwrap()])[0];
    let json = serde_json::to_value(answer).unwrap();
    assert_eq!(json["eu"], serde_json::json!([5.0, 1.0]));
    assert_eq!(json["maximin"], serde_json::json!(["-inf", 1.0]));
    assert_eq!(json["minimax_regret"], Value::Null);
}
