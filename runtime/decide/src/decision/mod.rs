//! Acts, states, utilities, and the rules that choose.
//!
//! A [`Table`] gives every act a utility in every state; where the acts do not share their states, each act is a
//! [`Lottery`] of its own. [`rules`] has the rules that need numbers, [`order`] those that need only an order,
//! [`sensitivity`] says how far a choice is from flipping, [`elicit`] learns utilities from preferences.
//!
//! Which rule when: reliable probabilities and repeated choice, expected utility; probabilities from `n` observations,
//! contamination with `1/(1+n)` or the worst of a box around them; catastrophic tails, CVaR or a penalty; no
//! probabilities, minimax regret; no numbers at all, the qualitative rule. The crate never switches silently: a rule
//! is named by the caller and returned with the choice.

pub mod elicit;
pub mod lottery;
pub mod order;
pub mod rules;
pub mod sensitivity;
pub mod table;

pub use lottery::Lottery;
pub use rules::{Rule, Verdict};
pub use sensitivity::{Report, report};
pub use table::{Between, Table};
