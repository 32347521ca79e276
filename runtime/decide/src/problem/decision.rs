//! The acts of a problem under every rule that applies to them.

use serde::Serialize;

use super::Problem;
use crate::decision::{
    Between, Lottery, Rule, Table, Verdict,
    order::{self, Choice, Ordinal},
    sensitivity,
};
use crate::error::{self, Error, Reason, Result};
use crate::extended::Extended;

/// The acts of a problem, decided.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The acts' names; acts are numbered in this order.
    pub acts: Vec<String>,
    /// The states' names; empty where acts have outcomes of their own.
    pub states: Vec<String>,
    /// What every rule says.
    pub rules: Vec<Row>,
    /// How far the choice by expected utility is from flipping; needs shared states with probabilities.
    pub sensitivity: Option<sensitivity::Report>,
    /// The acts left by expected utility level by level, if there are further levels.
    pub lexicographic: Option<Vec<usize>>,
    /// The choice by ranks alone, if they are given.
    pub qualitative: Option<Choice>,
}

/// What one rule says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The rule with its parameters.
    pub rule: Rule,
    /// Values and choice; none where the rule does not apply.
    pub verdict: Option<Verdict>,
    /// Why it does not apply.
    pub why_not: Option<String>,
}

/// Decides among the acts of a problem.
pub fn report(problem: &Problem) -> Result<Report> {
    let acts: Vec<String> = problem.act.iter().map(|act| act.name.clone()).collect();
    let qualitative = ordinal(problem)?;
    let count = |f: fn(&super::Act) -> bool| problem.act.iter().filter(|act| f(act)).count();
    let (rows, own) = (count(|a| a.utilities.is_some()), count(|a| a.outcomes.is_some()));
    let mut report = Report {
        acts,
        states: problem.states.clone(),
        rules: Vec::new(),
        sensitivity: None,
        lexicographic: None,
        qualitative,
    };
    if rows == problem.act.len() && own == 0 {
        shared(problem, &mut report)?;
    } else if own == problem.act.len() && rows == 0 {
        report.states.clear();
        report.rules = lotteries(problem)?;
    } else if report.qualitative.is_none() || rows + own > 0 {
        let i = problem.act.iter().position(|a| a.utilities.is_some() == a.outcomes.is_some()).unwrap_or(0);
        let why = "must have utilities, or outcomes, as all the other acts have".to_string();
        return Err(Error::new(format!("act[{i}]"), Reason::Malformed(why)));
    }
    Ok(report)
}

/// Acts over shared states: all rules, the sensitivity and the levels.
fn shared(problem: &Problem, report: &mut Report) -> Result<()> {
    let row = |level: &dyn Fn(&super::Act) -> Option<Vec<Extended>>, name: &str| -> Result<Table> {
        let rows: Vec<Vec<Extended>> = problem.act.iter().filter_map(level).collect();
        let names: Vec<String> = problem.act.iter().map(|a| a.name.clone()).collect();
        let states = states(problem, rows.first().map_or(0, Vec::len));
        for (i, row) in rows.iter().enumerate() {
            error::length(&format!("act[{i}].{name}"), row, states.len())?;
        }
        Table::new(names, states, rows, problem.probabilities.clone())
    };
    let table = row(&|act| act.utilities.clone(), "utilities")?;
    report.states = table.states().to_vec();
    let p = problem.probabilities.as_deref();
    report.rules = rules(problem, p)?.into_iter().map(|rule| apply(&rule, |r| r.decide(&table))).collect();
    if p.is_some() {
        report.sensitivity = sensitivity::report(&table, problem.observations).ok();
        let levels = problem.act.iter().map(|act| act.then.len()).max().unwrap_or(0);
        if levels > 0 {
            let mut values = vec![Rule::ExpectedUtility.values(&table)?];
            for level in 0..levels {
                for (i, act) in problem.act.iter().enumerate() {
                    error::length(&format!("act[{i}].then"), &act.then, levels)?;
                }
                let table = row(&|act| act.then.get(level).cloned(), &format!("then[{level}]"))?;
                values.push(Rule::ExpectedUtility.values(&table)?);
            }
            let by_act: Vec<Vec<Extended>> =
                (0..problem.act.len()).map(|i| values.iter().map(|level| level[i]).collect()).collect();
            let mut slack = problem.rules.slack.clone();
            slack.resize(levels + 1, 0.0);
            report.lexicographic = Some(order::lexicographic(&by_act, &slack)?);
        }
    }
    Ok(())
}

/// Acts with outcomes of their own: the rules that judge an act by itself.
fn lotteries(problem: &Problem) -> Result<Vec<Row>> {
    let mut acts = Vec::with_capacity(problem.act.len());
    for (i, act) in problem.act.iter().enumerate() {
        let outcomes = act.outcomes.as_deref().unwrap_or_default();
        let p: Vec<f64> = outcomes.iter().map(|o| o.probability).collect();
        let u: Vec<Extended> = outcomes.iter().map(|o| o.utility).collect();
        acts.push(Lottery::new(&p, &u).map_err(|e| e.within(format_args!("act[{i}].outcomes")))?);
    }
    let rows = rules(problem, None)?.into_iter().map(|rule| apply(&rule, |r| r.decide_lotteries(&acts)));
    Ok(rows.collect())
}

fn apply(rule: &Rule, decide: impl Fn(&Rule) -> Result<Verdict>) -> Row {
    match decide(rule) {
        Ok(verdict) => Row { rule: rule.clone(), verdict: Some(verdict), why_not: None },
        Err(error) => Row { rule: rule.clone(), verdict: None, why_not: Some(error.to_string()) },
    }
}

/// Every rule with the problem's parameters, checked; gamma-maximin only over known probabilities.
fn rules(problem: &Problem, p: Option<&[f64]>) -> Result<Vec<Rule>> {
    let chosen = |name: &str, given: Option<f64>, default: f64| {
        error::probability(name, given.unwrap_or(default)).map_err(|e| e.within("rules"))
    };
    if let Some(n) = problem.observations {
        error::non_negative("observations", n)?;
    }
    let given = &problem.rules;
    let epsilon = problem.observations.map_or(0.1, |n| 1.0 / (1.0 + n));
    let tail = chosen("tail", given.tail, 0.1)?;
    let mut rules = vec![
        Rule::ExpectedUtility,
        Rule::Maximin,
        Rule::Maximax,
        Rule::Hurwicz { optimism: chosen("optimism", given.optimism, 0.5)? },
        Rule::Laplace,
        Rule::MinimaxRegret,
        Rule::Contamination { epsilon: chosen("epsilon", given.epsilon, epsilon)? },
        Rule::Cvar { tail },
        Rule::MeanCvar { tail, weight: chosen("weight", given.weight, 0.5)? },
    ];
    if let Some(p) = p {
        let radius = chosen("radius", given.radius, 0.1)?;
        let between = match (given.radius, problem.observations) {
            (None, Some(n)) => Between::of_observations(p, n)?,
            _ => Between::around(p, radius)?,
        };
        rules.push(Rule::GammaMaximin { between });
    }
    Ok(rules)
}

/// The choice by ranks, if the problem has any.
fn ordinal(problem: &Problem) -> Result<Option<Choice>> {
    let Some(likelihood) = &problem.likelihood else {
        return match problem.act.iter().position(|act| act.preference.is_some()) {
            Some(_) => Err(Error::new("likelihood", Reason::Missing)),
            None => Ok(None),
        };
    };
    let mut preference = Vec::with_capacity(problem.act.len());
    for (i, act) in problem.act.iter().enumerate() {
        let field = format!("act[{i}].preference");
        let ranks = act.preference.as_ref().ok_or_else(|| Error::new(field.clone(), Reason::Missing))?;
        error::length(&field, ranks, likelihood.len())?;
        preference.push(ranks.clone());
    }
    Ordinal { likelihood: likelihood.clone(), preference }.decide().map(Some)
}

/// The states' names, or their numbers from 1 where the problem has none.
fn states(problem: &Problem, count: usize) -> Vec<String> {
    if problem.states.is_empty() {
        (1..=count).map(|i| i.to_string()).collect()
    } else {
        problem.states.clone()
    }
}
