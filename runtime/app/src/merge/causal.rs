//! In what order the steps of several recordings can have happened: each node's as it recorded them, and no message received before it
//! was sent.
//!
//! A message on the wire has no number, so which sending a receipt belongs to is worked out. An ordered carrier delivers, over each
//! connection, the first of what was sent over it and nothing else; a break, a new life or letting go ends a connection at both ends. So
//! what was received in one such *stretch* is how one stretch of the sender's begins, and stretches keep their order. Of several ways in
//! which that can be, the one is taken that leaves fewest receipts unexplained, and then the earliest. Of datagrams, the n-th with the
//! same contents belongs to the n-th that was sent, or to the first where the network may double them.
//!
//! *Caveats*: an earlier sending than the true one may be taken for a receipt. The order is then still one in which all that was recorded
//! can have happened. The end of a recording is unknown where its node was killed: receipts of what it sent then stay unexplained.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A step, by its place among all.
pub(super) type Place = usize;

/// What travels: the place of its type, and its wire form.
pub(super) type Content = (u16, String);

/// A way that messages take: sender, receiver, carrier.
pub(super) type Way = (usize, usize, usize);

/// Messages of one way between two ends of a connection, each with its step.
pub(super) type Stretch = Vec<(Place, Content)>;

/// How a stretch ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ended {
    /// The node let go of it.
    #[default]
    LetGo,
    /// It was told in this step that the connection broke.
    Told(Place),
    /// Its life ended, with this step as the last that it wrote down.
    Life(Place),
}

/// What was recorded of one way.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    /// What was sent, and whether something may be missing behind it.
    pub sent: Vec<(Stretch, bool)>,
    /// How each of these ended.
    pub sent_ended: Vec<Ended>,
    /// What was received.
    pub received: Vec<Stretch>,
    /// How each of these ended.
    pub received_ended: Vec<Ended>,
    /// Whether order is kept within a stretch.
    pub ordered: bool,
    /// Whether one sending may be received more than once.
    pub doubles: bool,
    /// Whether whole lives of the sender are missing between those that there are.
    pub gaps: bool,
    /// Whether it may have had more lives after those that there are.
    pub later: bool,
}

/// What explains the receipts of a way.
#[derive(Debug, Default)]
pub(super) struct Explained {
    /// For each receipt, the step that sent it; None where that was not recorded.
    pub receipts: Vec<(Place, Option<Place>)>,
    /// Pairs of a step in which one end was told that the connection broke, and the last step before it of the other, whose life ended.
    pub broke: Vec<(Place, Place)>,
}

/// Explains what was received.
///
/// # Errors
/// The first receipt that nothing recorded can explain.
pub(super) fn explain(traffic: &Traffic) -> Result<Explained, Place> {
    match traffic.ordered {
        true => explain_ordered(traffic),
        false => explain_datagrams(traffic),
    }
}

/// How many receipts stay unexplained where a stretch of receipts is taken to belong to one of sendings; None where it cannot.
fn unexplained(received: &Stretch, (sent, open): &(Stretch, bool)) -> Option<usize> {
    let same = received.iter().zip(sent).take_while(|((_, one), (_, other))| one == other).count();
    match received.len() {
        all if same == all => Some(0),
        all if same == sent.len() && *open => Some(all - same),
        _ => None,
    }
}

fn explain_ordered(traffic: &Traffic) -> Result<Explained, Place> {
    let numbered = traffic.received.iter().enumerate().filter(|(_, it)| !it.is_empty());
    let (numbers, received): (Vec<usize>, Vec<&Stretch>) = numbered.unzip();
    let sent = &traffic.sent;
    // least[r][s]: how few of the receipts from stretch r on stay unexplained, with the sendings from stretch s on.
    let mut least = vec![vec![None::<usize>; sent.len() + 1]; received.len() + 1];
    least[received.len()].fill(Some(0));
    for r in (0..received.len()).rev() {
        for s in (0..=sent.len()).rev() {
            let mut best = least[r].get(s + 1).copied().flatten();
            if let Some(stretch) = sent.get(s)
                && let (Some(here), Some(rest)) = (unexplained(received[r], stretch), least[r + 1][s + 1])
            {
                best = Some(best.map_or(here + rest, |best| best.min(here + rest)));
            }
            if (traffic.gaps || traffic.later && s == sent.len())
                && let Some(rest) = least[r + 1][s]
            {
                let all = received[r].len() + rest;
                best = Some(best.map_or(all, |best| best.min(all)));
            }
            least[r][s] = best;
        }
    }
    if least[0][0].is_none() {
        return Err(first_wrong(&received, traffic));
    }
    let (mut found, mut s) = (Explained::default(), 0);
    for (r, receipts) in received.iter().enumerate() {
        let goal = least[r][s];
        let fits = |at: usize| {
            let here = unexplained(receipts, &sent[at])?;
            Some(here + least[r + 1][at + 1]?)
        };
        let belongs = (s..sent.len()).find(|at| fits(*at) == goal);
        let empty = Vec::new();
        // One of a life that is missing: with a gap it may be anywhere, else behind all others.
        let missing = if traffic.gaps { s } else { sent.len() };
        let (senders, next) = belongs.map_or((&empty, missing), |at| (&sent[at].0, at + 1));
        for (place, (receipt, _)) in receipts.iter().enumerate() {
            found.receipts.push((*receipt, senders.get(place).map(|(sender, _)| *sender)));
        }
        if let Some(at) = belongs {
            let ends = (traffic.sent_ended.get(at), traffic.received_ended.get(numbers[r]));
            if let (Some(Ended::Told(told)), Some(Ended::Life(last)))
            | (Some(Ended::Life(last)), Some(Ended::Told(told))) = ends
            {
                found.broke.push((*told, *last));
            }
        }
        s = next;
    }
    Ok(found)
}

/// The first receipt beyond what can be explained from the start.
fn first_wrong(received: &[&Stretch], traffic: &Traffic) -> Place {
    let mut from = 0;
    for receipts in received {
        let mut furthest = 0;
        let mut fit = None;
        for (at, stretch) in traffic.sent.iter().enumerate().skip(from) {
            let same = receipts.iter().zip(&stretch.0).take_while(|((_, one), (_, other))| one == other);
            furthest = furthest.max(same.count());
            if unexplained(receipts, stretch).is_some() {
                fit = Some(at + 1);
                break;
            }
        }
        match fit {
            Some(next) => from = next,
            None => return receipts[furthest.min(receipts.len() - 1)].0,
        }
    }
    received.last().and_then(|it| it.first()).map_or(0, |(place, _)| *place)
}

fn explain_datagrams(traffic: &Traffic) -> Result<Explained, Place> {
    let mut sent: BTreeMap<&Content, VecDeque<Place>> = BTreeMap::new();
    for (place, content) in traffic.sent.iter().flat_map(|(stretch, _)| stretch) {
        sent.entry(content).or_default().push_back(*place);
    }
    let open = traffic.gaps || traffic.later || traffic.sent.iter().any(|(_, open)| *open);
    let mut found = Explained::default();
    for (receipt, content) in traffic.received.iter().flatten() {
        let sender = sent.get_mut(content).and_then(|places| match traffic.doubles {
            true => places.front().copied(),
            false => places.pop_front(),
        });
        if sender.is_none() && !open {
            return Err(*receipt);
        }
        found.receipts.push((*receipt, sender));
    }
    Ok(found)
}

/// All steps in an order that keeps `before`, pairs of what comes first and what comes later; of those that could come next, the one with
/// the least time.
///
/// # Errors
/// Steps of which each waits for the one after it, and the last for the first.
pub(super) fn order(times: &[u64], before: &[(Place, Place)]) -> Result<Vec<Place>, Vec<Place>> {
    let mut waits = vec![0_usize; times.len()];
    let mut frees: Vec<Vec<Place>> = vec![Vec::new(); times.len()];
    for (first, later) in before {
        waits[*later] += 1;
        frees[*first].push(*later);
    }
    let ready = (0..times.len()).filter(|place| waits[*place] == 0);
    let mut ready: BTreeSet<(u64, Place)> = ready.map(|place| (times[place], place)).collect();
    let mut ordered = Vec::with_capacity(times.len());
    while let Some((_, place)) = ready.pop_first() {
        ordered.push(place);
        for later in &frees[place] {
            waits[*later] -= 1;
            if waits[*later] == 0 {
                ready.insert((times[*later], *later));
            }
        }
    }
    if ordered.len() == times.len() {
        return Ok(ordered);
    }
    // Everything that is left waits for something that is left: going back from any step comes to a ring.
    let left: BTreeSet<Place> = (0..times.len()).filter(|place| waits[*place] > 0).collect();
    let of_ring = |(first, later): &&(Place, Place)| left.contains(first) && left.contains(later);
    let mut back: BTreeMap<Place, Place> = BTreeMap::new();
    for (first, later) in before.iter().filter(of_ring) {
        // The last one that is given stands: receipts come after what nodes say themselves.
        back.insert(*later, *first);
    }
    let (mut at, mut seen) = (*left.first().unwrap_or(&0), Vec::new());
    while !seen.contains(&at) {
        seen.push(at);
        at = back.get(&at).copied().unwrap_or(at);
    }
    let begins = seen.iter().position(|place| *place == at).unwrap_or(0);
    Err(seen.split_off(begins))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stretches of messages; each step's place is told by its own number.
    fn stretch(from: usize, texts: &str) -> Stretch {
        texts.chars().enumerate().map(|(at, letter)| (from + at, (0, letter.to_string()))).collect()
    }

    fn ordered(sent: &[(&str, bool)], received: &[&str]) -> Traffic {
        let sent = sent.iter().enumerate().map(|(at, (texts, open))| (stretch(10 * at, texts), *open));
        let received = received.iter().enumerate().map(|(at, texts)| stretch(100 + 10 * at, texts));
        Traffic { sent: sent.collect(), received: received.collect(), ordered: true, ..Traffic::default() }
    }

    fn senders(traffic: &Traffic) -> Option<Vec<Option<Place>>> {
        Some(explain(traffic).ok()?.receipts.into_iter().map(|(_, sender)| sender).collect())
    }

    fn wrong(traffic: &Traffic) -> Option<Place> {
        explain(traffic).err()
    }

    #[test]
    fn who_is_told_of_a_break_is_told_after_the_other_end_ended() {
        let mut traffic = ordered(&[("ab", false), ("c", false)], &["", "ab", "c"]);
        traffic.sent_ended = vec![Ended::Life(1), Ended::Told(11)];
        traffic.received_ended = vec![Ended::Told(90), Ended::Told(102), Ended::Life(120)];
        assert_eq!(explain(&traffic).expect("it fits").broke, [(102, 1), (11, 120)]);
    }

    #[test]
    fn what_a_connection_delivers_is_how_a_stretch_begins() {
        let all = ordered(&[("abc", false)], &["abc"]);
        assert_eq!(senders(&all), Some(vec![Some(0), Some(1), Some(2)]));
        assert_eq!(senders(&ordered(&[("abc", false)], &["ab"])), Some(vec![Some(0), Some(1)]));
        assert_eq!(wrong(&ordered(&[("abc", false)], &["ac"])), Some(101), "one in the middle is missing");
        assert_eq!(wrong(&ordered(&[("abc", false)], &["b"])), Some(100), "the first is missing");
        assert_eq!(wrong(&ordered(&[("abc", false)], &["abcd"])), Some(103), "one was never sent");
        // Everything of the first connection was lost; the second delivered.
        let second = ordered(&[("ab", false), ("xa", false)], &["x"]);
        assert_eq!(senders(&second), Some(vec![Some(10)]));
        // The earliest that explains all: the first could be of either.
        let either = ordered(&[("a", false), ("a", false), ("b", false)], &["a", "b"]);
        assert_eq!(senders(&either), Some(vec![Some(0), Some(20)]));
        // But not one that leaves the next without any.
        let tight = ordered(&[("ab", false), ("ac", false)], &["a", "ac"]);
        assert_eq!(senders(&tight), Some(vec![Some(0), Some(10), Some(11)]));
        assert_eq!(wrong(&ordered(&[("ac", false), ("ab", false)], &["ab", "ac"])), Some(110), "order");
    }

    #[test]
    fn what_a_killed_sender_did_not_write_down_stays_unexplained() {
        let killed = ordered(&[("ab", true), ("xy", false)], &["abc", "x"]);
        assert_eq!(senders(&killed), Some(vec![Some(0), Some(1), None, Some(10)]));
        // An end that may be missing explains anything, and is taken last.
        let better = ordered(&[("", true), ("c", false)], &["c"]);
        assert_eq!(senders(&better), Some(vec![Some(10)]));
        let gaps = Traffic { gaps: true, ..ordered(&[("ab", false)], &["z", "a"]) };
        assert_eq!(senders(&gaps), Some(vec![None, Some(0)]));
        assert_eq!(wrong(&ordered(&[("ab", false)], &["z", "a"])), Some(100));
        let later = Traffic { later: true, ..ordered(&[("ab", false), ("c", true)], &["a", "z", "y"]) };
        assert_eq!(senders(&later), Some(vec![Some(0), None, None]));
        let early = Traffic { later: true, ..ordered(&[("ab", false)], &["z", "a"]) };
        assert_eq!(senders(&early), Some(vec![None, None]), "a life that came later sends nothing before");
    }

    #[test]
    fn datagrams_are_told_apart_by_their_contents() {
        let datagrams = |sent, received| Traffic { ordered: false, ..ordered(sent, received) };
        let swapped = datagrams(&[("aba", false)], &["baa"]);
        assert_eq!(senders(&swapped), Some(vec![Some(1), Some(0), Some(2)]));
        let twice = datagrams(&[("a", false)], &["aa"]);
        assert_eq!(wrong(&twice), Some(101));
        assert_eq!(senders(&Traffic { doubles: true, ..twice }), Some(vec![Some(0), Some(0)]));
        assert_eq!(senders(&datagrams(&[("", true)], &["q"])), Some(vec![None]));
    }

    #[test]
    fn steps_come_by_their_times_as_far_as_causes_allow() {
        // Two nodes, 0 1 and 2 3, of which the second's clock is early: 3 receives what 1 sent.
        let before = [(0, 1), (2, 3), (1, 3)];
        assert_eq!(order(&[10, 20, 1, 2], &before), Ok(vec![2, 0, 1, 3]));
        assert_eq!(order(&[3, 1, 2], &[]), Ok(vec![1, 2, 0]));
        let ring = [(0, 1), (2, 3), (1, 2), (3, 0)];
        assert_eq!(order(&[0, 1, 2, 3], &ring), Err(vec![0, 3, 2, 1]));
        assert_eq!(order(&[0, 1, 2, 3, 4], &[ring.to_vec(), vec![(1, 4)]].concat()), Err(vec![0, 3, 2, 1]));
    }
}
