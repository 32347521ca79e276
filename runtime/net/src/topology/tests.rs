//! Topologies that are read, made and measured; mistakes with their places.

use proptest::prelude::*;

use super::graph::Graph;
use super::*;
use crate::draw::{Purpose, Stream};
use crate::loss::Loss;

const CSV: &str = "# of two sites\nrtt_ms, fra, lon\nfra, 1, 13\nlon, 14, 2\n";

fn ms(topology: &Topology, from: u32, to: u32) -> f64 {
    topology.base_nanos(from, to) as f64 / 1e6
}

#[test]
fn a_matrix_is_read_with_its_unit() {
    let topology = Topology::from_csv(CSV).unwrap();
    assert_eq!(topology.sites(), ["fra", "lon"]);
    // Nodes go round the sites: 0 and 2 are in Frankfurt.
    assert_eq!((ms(&topology, 0, 1), ms(&topology, 1, 0), ms(&topology, 0, 2)), (6.5, 7.0, 0.5));
    let one_way = Topology::from_csv(&CSV.replace("rtt_ms", "one_way_ms")).unwrap();
    assert_eq!(ms(&one_way, 0, 1), 13.0);
    assert_eq!(topology.mean_nanos(), 6_750_000);
}

#[test]
fn mistakes_in_a_matrix_are_told_with_their_line() {
    let wrong = |from: &str, to: &str| Topology::from_csv(&CSV.replace(from, to)).unwrap_err().to_string();
    let told = [
        (
            wrong("rtt_ms", "rtt_s"),
            "line 2: the first cell says what is counted, `rtt_ms` or `one_way_ms`, not `rtt_s`",
        ),
        (wrong("13", "13ms"), "line 3: cell 3, `13ms`, is no number"),
        (wrong("14", "-14"), "line 4: the time from `lon` to `fra` is negative: -7 ms"),
        (wrong("14", "NaN"), "line 4: the time from `lon` to `fra` is no number"),
        (
            wrong("14", "1e9"),
            "line 4: the time from `lon` to `fra` is longer than an hour: 500000000 ms; the unit is milliseconds",
        ),
        (wrong("\nlon, 14, 2", ""), "line 3: the matrix ends before the row of `lon`"),
        (wrong(", 14, 2", ", 14"), "line 4: the row of `lon` has 1 values for 2 sites"),
        (wrong("\nlon", "\npar"), "line 4: the row of `lon` is expected here, and this is that of `par`"),
        (wrong("14, 2", "14, 2\npar, 1, 1"), "line 5: there is a row beyond the 2 sites of the first line"),
        (wrong("fra, lon", "fra, fra"), "line 2: sites 1 and 2 are both named `fra`"),
        (Topology::from_csv("\n# nothing\n").unwrap_err().to_string(), "the matrix is empty"),
    ];
    for (found, expected) in told {
        assert_eq!(found, expected);
    }
    let many: Vec<String> = (0..=SITES_MAX).map(|i| i.to_string()).collect();
    let error = Topology::from_csv(&format!("rtt_ms,{}\n", many.join(","))).unwrap_err();
    assert_eq!(error.to_string(), "line 1: there are 4097 sites; 4096 are the most");
}

const JSON: &str = r#"{
  "matrix": { "unit": "one_way_ms", "sites": ["a", "b"], "rows": [[0.5, 10], [12, 0.5]] },
  "nodes": ["b", "a", "a"],
  "path": { "jitter": { "uniform_ms": [0, 1] }, "loss": 0.25 },
  "paths": [ { "from": "a", "to": "b",
               "path": { "loss": { "worsens": 0.1, "recovers": 0.5 },
                         "line": { "mbit_per_second": 8, "buffer_kib": 2 } } } ],
  "uplink": { "mbit_per_second": 0.8 }
}"#;

#[test]
fn a_file_says_where_nodes_are_and_what_paths_are_like() {
    let topology = Topology::from_json(JSON).unwrap();
    let sites: Vec<usize> = (0..5).map(|node| topology.site(node)).collect();
    assert_eq!(sites, [1, 0, 0, 1, 0]);
    assert!(!topology.steady());
    let (mut memory, mut arrived) = (Memory::default(), Vec::new());
    for at in [0, 0] {
        // From a to b: 1,000 bytes take 10 ms out of the node and 1 ms along the path, which takes 10.
        let passage = Passage { from: 1, to: 0, bytes: 1_000, at };
        arrived.push(topology.fate(passage, &mut memory, &mut Stream::new(1, Purpose(0), (0, 0), 2)));
    }
    assert_eq!(arrived, [Fate::Arrives(21_000_000), Fate::Arrives(31_000_000)]);
    // The other way there is jitter and loss.
    let mut lost = 0;
    for number in 0..1_000 {
        let passage = Passage { from: 0, to: 1, bytes: 0, at: 0 };
        match topology.fate(passage, &mut memory, &mut Stream::new(1, Purpose(0), (0, 0), number)) {
            Fate::Arrives(nanos) => assert!((12_000_000..=13_000_000).contains(&nanos)),
            _ => lost += 1,
        }
    }
    assert!((200..300).contains(&lost));
}

#[test]
fn a_file_says_what_happens_at_receivers() {
    let with =
        |more: &str| Topology::from_json(&JSON.replacen("\"uplink\"", &format!("{more}, \"uplink\""), 1));
    let work = r#""downlink": { "mbit_per_second": 8 }, "connections": { "timeout_ms": 1500 },
        "processing": { "each": { "constant_ms": 2 }, "waiting": 3, "slow": [ { "node": 1, "times": 2.5 } ] }"#;
    let topology = with(work).unwrap();
    assert_eq!((topology.patience(), topology.ends_on_the_way()), (Some(1_500_000_000), false));
    let mut desk = crate::Desk::default();
    let draw = &mut Stream::new(1, Purpose(0), (0, 0), 0);
    let taken = topology.intake().unwrap().take(1, 1_000, 0, false, &mut desk, draw);
    assert_eq!(taken, Some(6_000_000), "a millisecond on the line, then 2.5 times two");
    assert!(with(r#""downlink": { "mbit_per_second": 8 }"#).unwrap().patience().is_none());
    let wrong = |more: &str| with(more).unwrap_err().to_string();
    let told = [
        (
            wrong(r#""processing": { "each": { "constant_ms": -2 } }"#),
            "a time of `processing.each` is negative: -2 ms",
        ),
        (
            wrong(r#""processing": { "each": { "constant_ms": 2 }, "waiting": 0 }"#),
            "`processing.waiting` counts the message that is worked on, and so is at least 1",
        ),
        (
            wrong(r#""processing": { "each": { "constant_ms": 2 }, "slow": [ { "node": 1, "times": 0 } ] }"#),
            "`processing.slow[0].times` is above 0 and finite, not 0",
        ),
        (
            wrong(
                r#""processing": { "each": { "constant_ms": 2 }, "slow": [ { "node": 1, "times": 2 }, { "node": 1, "times": 3 } ] }"#,
            ),
            "`processing.slow[1]`: node 1 stands there twice",
        ),
        (wrong(r#""connections": { "timeout_ms": 0 }"#), "`connections.timeout_ms` is above 0"),
        (
            wrong(r#""connections": { "timeout_ms": 1e300 }"#),
            "`connections.timeout_ms` is longer than an hour: 1",
        ),
        (
            wrong(r#""downlink": { "mbit_per_second": 0 }"#),
            "`downlink.mbit_per_second` is above 0 and finite, not 0",
        ),
    ];
    for (found, expected) in told {
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn mistakes_in_a_file_are_told_with_their_place() {
    let wrong =
        |from: &str, to: &str| Topology::from_json(&JSON.replacen(from, to, 1)).unwrap_err().to_string();
    let told = [
        (
            wrong("one_way_ms", "one_way_s"),
            "line 2: unknown variant `one_way_s`, expected `rtt_ms` or `one_way_ms` (column 33)",
        ),
        (wrong("\"b\", \"a\", \"a\"", "\"b\", \"c\""), "there is no site `c`"),
        (wrong("0.25", "1.25"), "`path.loss` is a probability, and 1.25 is none"),
        (wrong("0.1", "-0.1"), "`paths[0].loss.worsens` is a probability, and -0.1 is none"),
        (wrong("[0, 1]", "[0, -1]"), "a time of `path.jitter` is negative: -1 ms"),
        (wrong("0.8", "0"), "`uplink.mbit_per_second` is above 0 and finite, not 0"),
        (
            wrong("\"buffer_kib\": 2", "\"buffer_kib\": -2"),
            "`paths[0].line.buffer_kib` is above 0 and finite, not -2",
        ),
        (wrong("[12, 0.5]", "[12]"), "the row of `b` has 1 values for 2 sites"),
        (
            wrong("\"matrix\"", "\"regions\": true, \"matrix\""),
            "one of `matrix`, `transit_stub`, `inet` and `regions` says where the sites are",
        ),
        (
            Topology::from_json("{}").unwrap_err().to_string(),
            "one of `matrix`, `transit_stub`, `inet` and `regions` says where the sites are",
        ),
    ];
    for (found, expected) in told {
        assert_eq!(found, expected);
    }
    for cut in 0..JSON.len() {
        assert!(Topology::from_json(&JSON[..cut]).is_err(), "cut at {cut}");
    }
    let unknown = wrong("\"uplink\"", "\"crosslink\"");
    assert!(unknown.starts_with("line 8: unknown field `crosslink`"), "{unknown}");
}

#[test]
fn the_regions_are_those_of_the_source() {
    let topology = regions();
    let node = |name: &str| REGIONS.iter().position(|it| *it == name).unwrap() as u32;
    assert_eq!(ms(&topology, node("frankfurt"), node("london")), 6.5);
    assert_eq!(ms(&topology, node("sao-paulo"), node("sydney")), 164.0);
    assert_eq!(ms(&topology, 3, 13), 1.0);
}

#[test]
fn transit_stub_topologies_have_two_levels() {
    let shape = TransitStub::default();
    let topology = shape.build().unwrap();
    assert_eq!(topology.sites().len(), 2 * 4 * 3 * 4);
    // Sites of one stub are near; of another, beyond two accesses; what is behind another transit router, a link more.
    let place = |site: &str| topology.sites().iter().position(|it| it == site).unwrap() as u32;
    let (here, same, other) = (place("0.0.0.0"), place("0.0.0.3"), place("0.0.1.0"));
    let (behind, far) = (place("0.1.0.0"), place("1.0.0.0"));
    assert!(ms(&topology, here, same) <= 3.0);
    assert!((20.0..30.0).contains(&ms(&topology, here, other)));
    assert!(ms(&topology, here, behind) >= 120.0 && ms(&topology, here, far) >= 120.0);
    for node in 0..topology.sites().len() as u32 {
        assert_eq!(topology.base_nanos(here, node), topology.base_nanos(node, here));
    }
    assert_eq!(shape.build().unwrap().base, topology.base);
    assert_ne!(TransitStub { seed: 2, ..shape }.build().unwrap().base, topology.base);
}

#[test]
fn inet_topologies_have_few_routers_with_many_links() {
    let inet = Inet { routers: 2_000, sites: 300, ..Inet::default() };
    let topology = inet.build().unwrap();
    assert_eq!(topology.sites().len(), 300);
    let all = Inet { sites: 2_000, ..inet.clone() }.build().unwrap();
    assert!(all.base.iter().all(|micros| *micros < 1_000_000), "each site reaches each");
    // Between two points of a square the straight way is half its side on average, and no way is straighter.
    let mean = topology.mean_nanos() as f64 / 1e6;
    assert!((0.52 * 60.0..120.0).contains(&mean), "{mean}");
    assert_eq!(inet.build().unwrap().base, topology.base);
    assert!(Inet { seed: 2, ..inet }.build().unwrap().base != topology.base);
}

/// Degrees of preferential attachment: P(at least k links) is near (links / k)^2.
#[test]
fn degrees_follow_the_power_law() {
    let inet = Inet { routers: 20_000, ..Inet::default() };
    let graph = inet.graph(60_000);
    let degrees: Vec<usize> = (0..inet.routers).map(|router| graph.degree(router)).collect();
    let share =
        |k: usize| degrees.iter().filter(|degree| **degree >= k).count() as f64 / degrees.len() as f64;
    for k in [4, 8, 16, 32] {
        // Exactly m (m + 1) / (k (k + 1)) for m links (Dorogovtsev, Mendes and Samukhin 2000).
        let expected = 6.0 / (k * (k + 1)) as f64;
        assert!((share(k) / expected - 1.0).abs() < 0.2, "{k}: {} for {expected}", share(k));
    }
}

#[test]
fn nonsense_makes_no_topology() {
    let stub = |change: fn(&mut TransitStub)| {
        let mut shape = TransitStub::default();
        change(&mut shape);
        shape.build().unwrap_err().to_string()
    };
    assert_eq!(stub(|it| it.domains = 0), "a transit-stub topology has at least one of each of its parts");
    assert_eq!(stub(|it| it.routers = u32::MAX), "more than 4096 routers in stubs");
    assert_eq!(stub(|it| it.more = 1.5), "`more` is a probability, and 1.5 is none");
    assert_eq!(stub(|it| it.access_ms = -1.0), "`access_ms` is negative: -1 ms");
    let inet = |change: fn(&mut Inet)| {
        let mut shape = Inet::default();
        change(&mut shape);
        shape.build().is_err()
    };
    assert!(inet(|it| it.links = 0) && inet(|it| it.sites = 1_001) && inet(|it| it.routers = 2));
    assert!(inet(|it| it.across_ms = f64::NAN) && inet(|it| it.sites = 0));
    assert!(Topology::new(Vec::new(), &[]).is_err());
}

#[test]
fn losses_of_a_path_stay_with_its_direction() {
    let always = Path { loss: Loss::Independent(1.0), ..Path::default() };
    let topology = Topology::from_csv(CSV).unwrap().with_path_between("fra", "lon", always).unwrap();
    let fate = |from, to| {
        let passage = Passage { from, to, bytes: 10, at: 0 };
        topology.fate(passage, &mut Memory::default(), &mut Stream::new(1, Purpose(0), (0, 0), 0))
    };
    assert_eq!((fate(0, 1), fate(1, 0)), (Fate::Lost, Fate::Arrives(7_000_000)));
    assert!(Topology::from_csv(CSV).unwrap().with_path_between("fra", "rom", Path::default()).is_err());
}

proptest! {
    #[test]
    fn no_text_makes_the_readers_panic(text in "\\PC{0,200}", csv in "(rtt_ms)?(,[a-c]){0,3}(\n[a-c](,-?[0-9.e]{0,4}){0,3}){0,4}") {
        let _ = (Topology::from_csv(&text), Topology::from_json(&text), Topology::from_csv(&csv));
    }

    #[test]
    fn ways_are_the_shortest(n in 2_usize..12, links in prop::collection::vec((0_u32..12, 0_u32..12, 1_u32..100), 0..40)) {
        let mut graph = Graph::default();
        for _ in 0..n {
            graph.router();
        }
        // By Floyd and Warshall.
        let mut times = vec![vec![u32::MAX; n]; n];
        for (i, row) in times.iter_mut().enumerate() {
            row[i] = 0;
        }
        for (a, b, micros) in links {
            let (a, b) = (a as usize % n, b as usize % n);
            graph.link(a as u32, b as u32, micros);
            times[a][b] = times[a][b].min(micros);
            times[b][a] = times[b][a].min(micros);
        }
        for via in 0..n {
            for a in 0..n {
                for b in 0..n {
                    times[a][b] = times[a][b].min(times[a][via].saturating_add(times[via][b]));
                }
            }
        }
        for (from, row) in times.iter().enumerate() {
            prop_assert_eq!(&graph.times(from as u32), row);
        }
    }
}
