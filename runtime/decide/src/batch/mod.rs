//! Cases by kind and parameters, evaluated one after the other: so that others can check the mathematics.
//!
//! A case is `{"kind": .., "params": {..}}`, with an `id` if wanted; what else it has is ignored. An answer repeats id
//! and kind and has the fields of its kind, or `error` and the `field` at fault: one bad case does not spoil the
//! others. Infinities are the texts `inf` and `-inf` in both directions. Names are the reference's, section 6:
//! `as_`, `ar` for alpha, `bs`, `br` for beta.
//!
//! | kind | parameters (optional ones in brackets) | fields |
//! |--|--|--|
//! | `protocol` | `proto` (trivial, sd, rd, hb), `tau`, `delta`, `gamma`, `as_`, `ar`, `bs`, `br`, [`c_send`, `c_wait`, `D`] | `sends`, `wait`, [`cost1`, `best_delta`, `best_cost`] |
//! | `cost2` | the same without prices, `N` | `E_N_wait` |
//! | `lambda` | `as_`, `ar`, `bs`, `br` | `lam3`, `lam` |
//! | `heartbeat_delta` | `tau`, `gamma`, `sigma`, `as_`, `ar`, `bs`, `br`, `c_wait`, `c_send`, `c_hb` | `lam`, `best_delta_paper`, `cost_paper`, `best_delta_exact`, `cost_exact` |
//! | `wait_exp` | `mu`, `p`, `B`, `c`, \[`d`\] | `w`, `U` |
//! | `wait_empirical` | `arrivals`, `never`, `B`, `c` | `w`, `U` |
//! | `p_alive` | `t`, `eta`, `k`, `gamma`, `beta`, \[`alpha`\] | `p` |
//! | `nfds` | `eta`, `shift`, `pL`, `mean` | `q0`, `ps`, `E_TMR`, `E_TM`, `P_A`, `E_TD` |
//! | `rules` | `U` (a row an act), `p`, `a` | `eu`, `maximin`, `maximax`, `hurwicz`, `laplace`, `minimax_regret`, `eps_contam`, `cvar`, `mean_cvar` |
//!
//! In `rules` the parameter `a` is Hurwicz's optimism, the contamination and the tail; the weight of `mean_cvar` is a
//! half; `minimax_regret` is null where a utility is infinite. `D` asks for the best period from 1 to `D`.

mod kinds;
mod params;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::error::{Error, Reason, Result};
use crate::extended::Extended;
pub use params::{Params, Value};

/// A case to evaluate.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Case {
    /// Its name, repeated in the answer.
    #[serde(default)]
    pub id: Option<String>,
    /// What to compute: see the module.
    pub kind: String,
    /// With which figures.
    pub params: Params,
}

/// A field's value in an answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Field {
    /// A number, possibly infinite.
    Number(Extended),
    /// A whole number.
    Count(u64),
    /// Numbers, one for each act.
    List(Vec<Extended>),
    /// Not defined for these figures.
    Null,
}

/// What a case came to. Written as one map: id, kind, then the fields or the error.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The case's name.
    pub id: Option<String>,
    /// The case's kind.
    pub kind: String,
    /// The fields in the order of the reference, or what is wrong.
    pub result: Result<Vec<(&'static str, Field)>>,
}

/// Evaluates all cases, in order.
#[must_use]
pub fn evaluate(cases: &[Case]) -> Vec<Answer> {
    let answer = |case: &Case| Answer { id: case.id.clone(), kind: case.kind.clone(), result: fields(case) };
    cases.iter().map(answer).collect()
}

/// The fields of one case.
pub fn fields(case: &Case) -> Result<Vec<(&'static str, Field)>> {
    let Some((_, known, compute)) = kinds::KINDS.iter().find(|(name, _, _)| *name == case.kind) else {
        let names: Vec<&str> = kinds::KINDS.iter().map(|k| k.0).collect();
        return Err(Error::new("kind", Reason::Malformed(format!("must be one of {}", names.join(", ")))));
    };
    case.params.only(known)?;
    compute(&case.params)
}

impl Answer {
    /// The value of a field, if the case has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Field> {
        self.result.as_ref().ok()?.iter().find(|(field, _)| *field == name).map(|(_, value)| value)
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        if let Some(id) = &self.id {
            map.serialize_entry("id", id)?;
        }
        map.serialize_entry("kind", &self.kind)?;
        match &self.result {
            Ok(fields) => {
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
            }
            Err(error) => {
                map.serialize_entry("error", &error.to_string())?;
                map.serialize_entry("field", &error.field)?;
            }
        }
        map.end()
    }
}
