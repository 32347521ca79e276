//! The kinds of cases: which parameters each takes, and how its fields are computed.

use super::{Field, Params};
use crate::belief::alive::{self, Silence};
use crate::cost::{Benefit, Cost};
use crate::decision::{Rule, Table};
use crate::detector::Detector;
use crate::error::{Error, Reason, Result};
use crate::extended::Extended;
use crate::heartbeat::{Form, Pair, Period, share};
use crate::law::{Delay, Steps};
use crate::protocol::{Link, Prices, Process, Protocol, choose, exact};
use crate::wait::{exponential::Exponential, observed};

type Fields = Vec<(&'static str, Field)>;
type Kind = (&'static str, &'static [&'static str], fn(&Params) -> Result<Fields>);

/// Name, parameters and computation of every kind.
pub(super) const KINDS: &[Kind] = &[
    (
        "protocol",
        &["proto", "tau", "delta", "gamma", "as_", "ar", "bs", "br", "c_send", "c_wait", "D"],
        protocol,
    ),
    ("cost2", &["proto", "tau", "delta", "gamma", "as_", "ar", "bs", "br", "N"], cost2),
    ("lambda", &["as_", "ar", "bs", "br"], lambda),
    (
        "heartbeat_delta",
        &["tau", "gamma", "sigma", "as_", "ar", "bs", "br", "c_wait", "c_send", "c_hb"],
        heartbeat_delta,
    ),
    ("wait_exp", &["mu", "p", "B", "c", "d"], wait_exp),
    ("wait_empirical", &["arrivals", "never", "B", "c"], wait_empirical),
    ("p_alive", &["t", "eta", "k", "gamma", "beta", "alpha"], p_alive),
    ("nfds", &["eta", "shift", "pL", "mean"], nfds),
    ("rules", &["U", "p", "a"], rules),
];

fn protocol(params: &Params) -> Result<Fields> {
    let (protocol, link, delta) = (proto(params)?, link(params)?, params.period("delta")?);
    let expected = exact::expected(protocol, &link, delta)?;
    let mut fields = vec![("sends", number(expected.sends)), ("wait", number(expected.wait))];
    if params.has("c_send") || params.has("c_wait") || params.has("D") {
        let prices = prices(params)?;
        fields.push(("cost1", number(expected.cost(&prices))));
        if params.has("D") {
            let best = choose::best_period(protocol, &link, &prices, params.period("D")?)?;
            fields.push(("best_delta", Field::Count(best.delta)));
            fields.push(("best_cost", number(best.cost)));
        }
    }
    Ok(fields)
}

fn cost2(params: &Params) -> Result<Fields> {
    let growth = params.positive("N")?;
    let grown = exact::growing_wait(proto(params)?, &link(params)?, params.period("delta")?, growth)?;
    Ok(vec![("E_N_wait", number(grown))])
}

fn lambda(params: &Params) -> Result<Fields> {
    let (s, r) = ends(params)?;
    let lam3 = share::lam3(params.positive("bs")?, params.positive("br")?)?;
    let lam = share::lambda(&s, &r)?;
    Ok(vec![("lam3", float(lam3)?), ("lam", float(lam)?)])
}

fn heartbeat_delta(params: &Params) -> Result<Fields> {
    let link = link(params)?;
    let sigma = params.probability("sigma")?;
    params.positive("sigma")?;
    let c_hb = params.non_negative("c_hb")?;
    let pair = Pair { link, sigma_s: sigma, sigma_r: sigma, prices: prices(params)?, c_hb };
    let objective = pair.objective()?;
    let (paper, exact) = (objective.best(Form::Paper)?, objective.best(Form::Exact)?);
    Ok(vec![
        ("lam", float(share::lambda(&link.sender, &link.receiver)?)?),
        ("best_delta_paper", period(paper.period)),
        ("cost_paper", number(paper.per_invocation)),
        ("best_delta_exact", period(exact.period)),
        ("cost_exact", number(exact.per_invocation)),
    ])
}

fn wait_exp(params: &Params) -> Result<Fields> {
    let wait = Exponential {
        mu: params.positive("mu")?,
        never: params.probability("p")?,
        start: params.non_negative_or_zero("d")?,
        benefit: params.non_negative("B")?,
        cost: Cost::linear(params.non_negative("c")?),
    };
    let plan = wait.best()?;
    Ok(vec![("w", number(plan.until)), ("U", number(plan.utility))])
}

fn wait_empirical(params: &Params) -> Result<Fields> {
    let arrivals: Vec<f64> = params.numbers("arrivals")?.into_iter().map(Extended::get).collect();
    let law = Steps::observed(&arrivals, params.non_negative("never")?)?;
    let benefit = Benefit::constant(params.non_negative("B")?);
    let cost = Cost::linear(params.non_negative("c")?);
    let plan = observed::best(&law, &benefit, &cost, 0.0)?;
    Ok(vec![("w", number(plan.until)), ("U", number(plan.utility))])
}

fn p_alive(params: &Params) -> Result<Fields> {
    let silence = Silence {
        t: params.non_negative("t")?,
        eta: params.positive("eta")?,
        k: params.count("k")?,
        gamma: params.probability("gamma")?,
        beta: params.probability("beta")?,
        alpha: if params.has("alpha") { params.probability("alpha")? } else { 0.0 },
    };
    Ok(vec![("p", float(alive::after_misses(&silence)?)?)])
}

fn nfds(params: &Params) -> Result<Fields> {
    let delay = Delay::Exponential { rate: 1.0 / params.positive("mean")? };
    delay.check().map_err(|e| Error::new("mean", e.reason))?;
    let detector = Detector {
        eta: params.positive("eta")?,
        shift: params.non_negative("shift")?,
        loss: params.probability("pL")?,
        delay: &delay,
    };
    let quality = detector.quality()?;
    Ok(vec![
        ("q0", float(quality.q0)?),
        ("ps", float(quality.ps)?),
        ("E_TMR", number(quality.recurrence)),
        ("E_TM", number(quality.duration)),
        ("P_A", float(quality.accuracy)?),
        ("E_TD", float(quality.detection)?),
    ])
}

fn rules(params: &Params) -> Result<Fields> {
    rule_fields(params).map_err(|mut error| {
        // The table's own names for what is `U` and `p` here.
        for (inner, outer) in [("utilities", "U"), ("acts", "U"), ("states", "U[0]"), ("probabilities", "p")]
        {
            if let Some(rest) = error.field.strip_prefix(inner) {
                error.field = format!("{outer}{rest}");
                break;
            }
        }
        error
    })
}

fn rule_fields(params: &Params) -> Result<Fields> {
    let p: Vec<f64> = params.numbers("p")?.into_iter().map(Extended::get).collect();
    let table = Table::unnamed(params.rows("U")?, Some(p))?;
    let a = params.probability("a")?;
    let rules = [
        ("eu", Rule::ExpectedUtility),
        ("maximin", Rule::Maximin),
        ("maximax", Rule::Maximax),
        ("hurwicz", Rule::Hurwicz { optimism: a }),
        ("laplace", Rule::Laplace),
        ("minimax_regret", Rule::MinimaxRegret),
        ("eps_contam", Rule::Contamination { epsilon: a }),
        ("cvar", Rule::Cvar { tail: a }),
        ("mean_cvar", Rule::MeanCvar { tail: a, weight: 0.5 }),
    ];
    let infinite = table.utilities().iter().flatten().any(|u| !u.is_finite());
    let field = |(name, rule): (&'static str, Rule)| {
        if rule == Rule::MinimaxRegret && infinite {
            return Ok((name, Field::Null));
        }
        Ok((name, Field::List(rule.values(&table)?)))
    };
    rules.into_iter().map(field).collect()
}

fn proto(params: &Params) -> Result<Protocol> {
    let name = params.text("proto")?;
    Protocol::named(name).ok_or_else(|| {
        Error::new("proto", Reason::Malformed(format!("must be trivial, sd, rd or hb, and is {name}")))
    })
}

fn link(params: &Params) -> Result<Link> {
    let (sender, receiver) = ends(params)?;
    Ok(Link { tau: params.period("tau")?, gamma: params.probability("gamma")?, sender, receiver })
}

fn ends(params: &Params) -> Result<(Process, Process)> {
    let end = |correct, crash| -> Result<Process> {
        Ok(Process { correct: params.probability(correct)?, crash: params.probability(crash)? })
    };
    Ok((end("as_", "bs")?, end("ar", "br")?))
}

fn prices(params: &Params) -> Result<Prices> {
    Ok(Prices { send: params.non_negative("c_send")?, wait: params.non_negative("c_wait")? })
}

fn number(x: Extended) -> Field {
    Field::Number(x)
}

fn float(x: f64) -> Result<Field> {
    Ok(Field::Number(Extended::new("result", x)?))
}

fn period(period: Period) -> Field {
    match period {
        Period::Every(n) => Field::Count(n),
        Period::Never => Field::Number(Extended::INFINITY),
    }
}
