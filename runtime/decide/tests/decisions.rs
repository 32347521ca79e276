//! Rules, order, sensitivity, elicitation and penalties: properties and small cases by hand.

use foresee_decide::Extended;
use foresee_decide::decision::elicit::{Elicitation, Offer};
use foresee_decide::decision::order::{Comparison, Ordinal, lexicographic};
use foresee_decide::decision::sensitivity::flip_of;
use foresee_decide::decision::{Between, Lottery, Rule, Table, report};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn table(rows: &[Vec<f64>], p: &[f64]) -> Table {
    let rows = rows.iter().map(|row| row.iter().map(|u| Extended::try_from(*u).unwrap()).collect()).collect();
    Table::unnamed(rows, Some(p.to_vec())).unwrap()
}

/// Acts over four states, with probabilities of which some may be 0.
fn tables() -> impl Strategy<Value = (Vec<Vec<f64>>, Vec<f64>)> {
    let rows = prop::collection::vec(prop::collection::vec(-50.0..50.0, 4), 2..5);
    let weights = prop::collection::vec(prop_oneof![Just(0.0), 0.01..1.0], 4)
        .prop_filter("some weight", |w| w.iter().sum::<f64>() > 0.0);
    (rows, weights).prop_map(|(rows, w)| {
        let sum: f64 = w.iter().sum();
        (rows, w.iter().map(|x| x / sum).collect())
    })
}

fn values(rule: &Rule, table: &Table) -> Vec<f64> {
    rule.values(table).unwrap().into_iter().map(Extended::get).collect()
}

fn near(x: &[f64], y: &[f64]) -> bool {
    x.iter().zip(y).all(|(x, y)| (x - y).abs() < 1e-9)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::with_cases(128) })]

    #[test]
    fn rules_meet_at_their_ends((rows, p) in tables(), x in 0.0..1.0) {
        let t = table(&rows, &p);
        let (eu, min, max) =
            (values(&Rule::ExpectedUtility, &t), values(&Rule::Maximin, &t), values(&Rule::Maximax, &t));
        let exact = Between::around(&p, 0.0).unwrap();
        let all = Between { low: vec![0.0; 4], high: vec![1.0; 4] };
        for (rule, expected) in [
            (Rule::Hurwicz { optimism: 0.0 }, &min),
            (Rule::Hurwicz { optimism: 1.0 }, &max),
            (Rule::Contamination { epsilon: 0.0 }, &eu),
            (Rule::Contamination { epsilon: 1.0 }, &min),
            (Rule::Cvar { tail: 1.0 }, &eu),
            (Rule::MeanCvar { tail: 0.2, weight: 0.0 }, &eu),
            (Rule::GammaMaximin { between: exact }, &eu),
            (Rule::GammaMaximin { between: all }, &min),
        ] {
            prop_assert!(near(&values(&rule, &t), expected), "{rule:?}");
        }
        let tail = values(&Rule::Cvar { tail: x }, &t);
        prop_assert!(tail.iter().zip(&eu).all(|(c, e)| *c <= e + 1e-9));
    }

    #[test]
    fn cvar_is_its_variational_form((rows, p) in tables(), tail in 0.01..1.0) {
        // The greatest over t of t - E[(t - u)^+] / tail, attained at an outcome.
        let t = table(&rows, &p);
        let found = values(&Rule::Cvar { tail }, &t);
        for (row, found) in rows.iter().zip(found) {
            let at = |t: f64| t - row.iter().zip(&p).map(|(u, p)| p * (t - u).max(0.0)).sum::<f64>() / tail;
            let best = row.iter().map(|u| at(*u)).fold(f64::NEG_INFINITY, f64::max);
            prop_assert!((found - best).abs() < 1e-9);
        }
    }

    #[test]
    fn no_distribution_in_the_box_is_worse((rows, p) in tables(), radius in 0.0..0.5, moves in prop::collection::vec((0usize..4, 0usize..4, 0.0..0.5), 1..6)) {
        let between = Between::around(&p, radius).unwrap();
        let worst = values(&Rule::GammaMaximin { between: between.clone() }, &table(&rows, &p));
        let mut q = p.clone();
        for (from, to, mass) in moves {
            let mass = f64::min(mass, q[from] - between.low[from]).min(between.high[to] - q[to]).max(0.0);
            q[from] -= mass;
            q[to] += mass;
        }
        for (row, worst) in rows.iter().zip(worst) {
            let here: f64 = row.iter().zip(&q).map(|(u, p)| u * p).sum();
            prop_assert!(here >= worst - 1e-9);
        }
    }

    #[test]
    fn flips_flip((rows, p) in tables()) {
        let t = table(&rows, &p);
        let report = report(&t, Some(25.0)).unwrap();
        let best = report.verdict.choice;
        let eu = |rows: &[Vec<f64>], p: &[f64], act: usize| rows[act].iter().zip(p).map(|(u, p)| u * p).sum::<f64>();
        for rival in &report.rivals {
            let lead = rival.lead.get();
            prop_assert!((lead - (eu(&rows, &p, best) - eu(&rows, &p, rival.act))).abs() < 1e-9);
            for s in 0..4 {
                if let Some(t) = rival.shifts[s] {
                    let rest = 1.0 - p[s];
                    let q: Vec<f64> = (0..4).map(|k| if k == s { p[k] + t } else { p[k] * (1.0 - t / rest) }).collect();
                    prop_assert!(q.iter().all(|x| (-1e-9..=1.0 + 1e-9).contains(x)));
                    prop_assert!((eu(&rows, &q, best) - eu(&rows, &q, rival.act)).abs() < 1e-7);
                }
                if let Some(fall) = rival.moves[s].filter(|fall| *fall < 1e6) {
                    let mut rows = rows.clone();
                    rows[best][s] -= fall;
                    prop_assert!((eu(&rows, &p, best) - eu(&rows, &p, rival.act)).abs() < 1e-6);
                } else {
                    prop_assert!(p[s] < 1e-3);
                }
            }
            if let Some(epsilon) = rival.epsilon {
                let both = values(&Rule::Contamination { epsilon }, &t);
                prop_assert!((both[best] - both[rival.act]).abs() < 1e-9);
            }
            let chance = rival.flip_probability.unwrap();
            prop_assert!((0.0..=0.5 + 1e-12).contains(&chance));
            prop_assert_eq!(rival.tie, chance > 0.025 || report.verdict.best.contains(&rival.act));
        }
        // Perfect information: the best act in every state.
        let informed: f64 = (0..4).map(|s| p[s] * rows.iter().map(|r| r[s]).fold(f64::MIN, f64::max)).sum();
        prop_assert!((report.evpi.unwrap().get() - (informed - eu(&rows, &p, best))).abs() < 1e-9);
        prop_assert!(!report.dominated.contains(&best) || report.verdict.best.len() > 1 || p.contains(&0.0));
    }

    #[test]
    fn the_qualitative_rule_is_a_strict_order_that_numbers_confirm(
        likelihood in prop::collection::vec(0u32..3, 4), ranks in prop::collection::vec(prop::collection::vec(0u32..4, 4), 3),
    ) {
        let ordinal = Ordinal { likelihood: likelihood.clone(), preference: ranks.clone() };
        let compare = |i, j| ordinal.compare(i, j).unwrap();
        let choice = ordinal.decide().unwrap();
        prop_assert!(!choice.best.is_empty());
        // Each rank of likelihood outweighs all lower ones by more than utilities differ.
        let weights: Vec<f64> = likelihood.iter().map(|r| 100_f64.powi(*r as i32)).collect();
        let worth = |i: usize| ranks[i].iter().zip(&weights).map(|(u, w)| f64::from(*u) * w).sum::<f64>();
        for i in 0..3 {
            for j in 0..3 {
                match compare(i, j) {
                    Comparison::Better => {
                        prop_assert_eq!(compare(j, i), Comparison::Worse);
                        prop_assert!(worth(i) > worth(j));
                        for k in 0..3 {
                            if compare(j, k) == Comparison::Better {
                                prop_assert_eq!(compare(i, k), Comparison::Better);
                            }
                        }
                    }
                    Comparison::Equal => prop_assert_eq!(&ranks[i], &ranks[j]),
                    Comparison::Worse | Comparison::Undecided => {}
                }
            }
        }
    }
}

#[test]
fn levels_go_strictly_before_each_other() {
    let values = |rows: &[[f64; 2]]| -> Vec<Vec<Extended>> {
        rows.iter().map(|row| row.iter().map(|x| Extended::try_from(*x).unwrap()).collect()).collect()
    };
    let safety_first = values(&[[-1.0, 100.0], [0.0, 1.0], [0.0, 3.0]]);
    assert_eq!(lexicographic(&safety_first, &[0.0, 0.0]).unwrap(), [2]);
    assert_eq!(lexicographic(&safety_first, &[2.0, 0.0]).unwrap(), [0]);
    let unsafe_ = values(&[[f64::NEG_INFINITY, 100.0], [-1e300, 1.0]]);
    assert_eq!(lexicographic(&unsafe_, &[1e9, 0.0]).unwrap(), [1]);
    assert_eq!(lexicographic(&safety_first, &[0.0]).unwrap_err().field, "acts[0]");
    assert_eq!(lexicographic(&[], &[]).unwrap_err().field, "acts");
}

#[test]
fn rules_without_probabilities_need_none_and_the_others_say_so() {
    let rows = vec![vec![Extended::from(1), Extended::from(5)], vec![Extended::from(2), Extended::from(3)]];
    let t = Table::unnamed(rows, None).unwrap();
    assert_eq!(Rule::Maximin.decide(&t).unwrap().choice, 1);
    assert_eq!(Rule::MinimaxRegret.decide(&t).unwrap().choice, 0);
    assert_eq!(Rule::ExpectedUtility.decide(&t).unwrap_err().field, "probabilities");
}

#[test]
fn nonsense_names_its_field() {
    let one = Extended::from(1);
    let field = |result: foresee_decide::Result<Lottery>| result.unwrap_err().field;
    assert_eq!(field(Lottery::new(&[1.2], &[one])), "probabilities[0]");
    assert_eq!(field(Lottery::new(&[0.5, 0.4], &[one, one])), "probabilities");
    assert_eq!(field(Lottery::new(&[1.0], &[])), "utilities");
    assert_eq!(field(Lottery::new(&[f64::NAN], &[one])), "probabilities[0]");
    assert_eq!(Table::unnamed(vec![], None).unwrap_err().field, "acts");
    assert_eq!(Table::unnamed(vec![vec![]], None).unwrap_err().field, "states");
    let sure = Lottery::sure(one);
    assert_eq!(sure.hurwicz(1.5).unwrap_err().field, "optimism");
    assert_eq!(sure.tail_mean(-0.1).unwrap_err().field, "tail");
    let low = Between { low: vec![0.7, 0.7], high: vec![0.8, 0.8] };
    assert_eq!(Lottery::new(&[0.5, 0.5], &[one, one]).unwrap().worst_within(&low).unwrap_err().field, "low");
}

#[test]
fn a_sure_catastrophe_decides_and_an_impossible_one_does_not() {
    let inf = Extended::NEG_INFINITY;
    let lottery = Lottery::new(&[0.0, 1.0], &[inf, Extended::from(7)]).unwrap();
    assert_eq!(lottery.expected().unwrap(), Extended::from(7));
    assert_eq!(lottery.tail_mean(0.0).unwrap(), Extended::from(7));
    assert_eq!(lottery.least(), inf);
    let lottery = Lottery::new(&[1e-12, 1.0 - 1e-12], &[inf, Extended::from(7)]).unwrap();
    assert_eq!(lottery.expected().unwrap(), inf);
    let both = Lottery::new(&[0.5, 0.5], &[inf, Extended::INFINITY]).unwrap();
    assert_eq!(both.expected().unwrap_err().field, "utilities");
    let rows = vec![vec![inf, Extended::from(7)], vec![Extended::from(1), Extended::from(1)]];
    let report = report(&Table::unnamed(rows, Some(vec![0.1, 0.9])).unwrap(), None).unwrap();
    assert_eq!((report.verdict.choice, report.rivals[0].lead), (1, Extended::INFINITY));
    assert_eq!(report.rivals[0].shifts, [None, None]);
}

#[test]
fn the_box_of_observations_shrinks_around_the_estimate() {
    let p = [0.2, 0.5, 0.3];
    let width = |n: f64| {
        let between = Between::of_observations(&p, n).unwrap();
        between.check(3).unwrap();
        assert!((0..3).all(|i| between.low[i] <= p[i] && p[i] <= between.high[i]));
        between.high[0] - between.low[0]
    };
    assert!(width(0.0) > 0.5 && width(100.0) < width(10.0) && width(10_000.0) < 0.02);
}

#[test]
fn flips_of_a_figure_are_found_on_both_sides() {
    // Chosen while 2 <= x < 5.
    let choice = |x: f64| Ok(usize::from((2.0..5.0).contains(&x)));
    let flip = flip_of(&choice, 3.0, 0.0, 100.0).unwrap();
    assert!((flip.below.unwrap() - 2.0).abs() < 1e-9 && (flip.above.unwrap() - 5.0).abs() < 1e-9);
    assert!((flip.relative.unwrap() - 1.0 / 3.0).abs() < 1e-9);
    assert_eq!(flip_of(&|_| Ok(0), 3.0, 0.0, 10.0).unwrap().relative, None);
    assert_eq!(flip_of(&|_| Ok(0), 3.0, 4.0, 10.0).unwrap_err().field, "at");
}

/// Answers by the truth until so many questions, each the most informative.
fn interview(truth: &[f64], questions: usize) -> Elicitation {
    let mut asked = Elicitation::new(truth.len(), 0.2).unwrap();
    for _ in 0..questions {
        let question = asked.next(1).unwrap().remove(0);
        let worth = |offer: &Offer| offer.parts().iter().map(|(i, p)| truth[*i] * p).sum::<f64>();
        if worth(&question.first) >= worth(&question.second) {
            asked.prefers(&question.first, &question.second).unwrap();
        } else {
            asked.prefers(&question.second, &question.first).unwrap();
        }
    }
    asked
}

#[test]
fn few_good_questions_reveal_the_order_and_the_distances() {
    let truth = [0.1, 1.0, 0.3, 0.0, 0.85];
    let utilities = interview(&truth, 30).utilities();
    assert_eq!(utilities.ranking(), [1, 4, 2, 0, 3]);
    assert!(utilities.contradicted.is_empty());
    let scaled = utilities.scaled();
    let worst = scaled.iter().zip(truth).map(|(u, v)| (u - v).abs()).fold(0.0, f64::max);
    assert!(worst < 0.2, "{scaled:?}");
    // Each answer narrows what is unknown, and the next is worth less.
    let bits = |n: usize| interview(&truth, n).next(1).unwrap()[0].bits;
    assert!(bits(0) > bits(10) && bits(10) > bits(30));
    assert!(utilities.deviations().iter().all(|d| *d < 1.0));
}

#[test]
fn a_chosen_question_is_worth_more_than_a_settled_one() {
    let mut asked = Elicitation::new(3, 0.4).unwrap();
    for _ in 0..12 {
        asked.prefers(&Offer::sure(0), &Offer::sure(1)).unwrap();
    }
    let settled = asked.worth(&Offer::sure(0), &Offer::sure(1)).unwrap();
    let next = &asked.next(1).unwrap()[0];
    assert!(next.bits > 2.0 * settled.bits, "{next:?} {settled:?}");
    assert!(settled.expected > 0.9);
    assert!(next.first.parts().iter().chain(next.second.parts()).any(|part| part.0 == 2));
}

#[test]
fn contradictions_are_reported_and_survive() {
    let mut asked = Elicitation::new(3, 0.5).unwrap();
    let [a, b, c] = [0, 1, 2].map(Offer::sure);
    for (x, y) in [(&a, &b), (&a, &b), (&b, &c), (&b, &c), (&a, &c), (&c, &a)] {
        asked.prefers(x, y).unwrap();
    }
    let utilities = asked.utilities();
    assert_eq!(utilities.contradicted, [5]);
    assert_eq!(utilities.ranking(), [0, 1, 2]);
    assert_eq!(asked.prefers(&Offer::sure(3), &a).unwrap_err().field, "outcome");
    assert_eq!(Elicitation::new(0, 1.0).unwrap_err().field, "outcomes");
}

#[test]
fn an_indifferent_gamble_places_the_middle() {
    // Sometimes the one, sometimes the other: 1 is worth as much as 2 or 0 at even odds 3 to 1.
    let mut asked = Elicitation::new(3, 0.1).unwrap();
    let gamble = Offer::gamble(2, 0, 0.75).unwrap();
    asked.prefers(&Offer::sure(2), &Offer::sure(0)).unwrap();
    asked.prefers(&Offer::sure(2), &Offer::sure(0)).unwrap();
    for _ in 0..40 {
        asked.prefers(&Offer::sure(1), &gamble).unwrap();
        asked.prefers(&gamble, &Offer::sure(1)).unwrap();
    }
    assert!((asked.utilities().scaled()[1] - 0.75).abs() < 0.05);
}
