//! A map as SVG: the sites of a topology as far apart as their times say, the nodes at them, and what nodes hold of each other as
//! arrows, such as the tree that they have built.

use std::collections::BTreeMap;
use std::fmt::Write;

use foresee_kernel::{Model, NodeId, NodeState, names};
use foresee_net::Topology;

use super::svg::escaped;

const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 760.0;
const MARGIN: f64 = 70.0;

/// So many nodes, or sites, are named.
const NAMED_MOST: usize = 120;

const STYLE: &str = "text{font:11px ui-monospace,monospace;fill:#222}.p{fill:#8a8a8a;font-size:10.5px}.s{fill:#e4e4e4;stroke:#b5b5b5}\
.n{fill:#1f5fa8}.a{stroke:#c86e00;fill:none;stroke-width:1.4;opacity:.8}";

/// The picture. `links` is the name of a variable: each id in it is an arrow. None where no service of the system has such a variable.
pub(crate) fn write(
    model: &Model,
    topology: Option<&Topology>,
    states: &[NodeState],
    links: Option<&str>,
    title: &str,
) -> Option<String> {
    let (places, sites) = places(model, topology);
    let arrows = match links {
        Some(variable) => arrows(model, states, variable)?,
        None => Vec::new(),
    };
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = draw(model, &places, &sites, &arrows, title, &mut out);
    Some(out)
}

/// A place on the map.
type Place = (f64, f64);

/// Where nodes are, and the sites that they are at with their names.
fn places(model: &Model, topology: Option<&Topology>) -> (Vec<Place>, Vec<(String, Place)>) {
    let count = model.nodes.len();
    let Some(topology) = topology else {
        return (
            (0..count).map(|node| on_circle((WIDTH / 2.0, HEIGHT / 2.0), 280.0, node, count)).collect(),
            Vec::new(),
        );
    };
    // A node of each site that has one stands for the site.
    let mut at: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    (0..count).for_each(|node| at.entry(topology.site(node as u32)).or_default().push(node));
    let deputies: Vec<u32> = at.values().map(|nodes| nodes[0] as u32).collect();
    let far = |one: usize, two: usize| {
        let (one, two) = (deputies[one], deputies[two]);
        if one == two {
            0.0
        } else {
            (topology.base_nanos(one, two) + topology.base_nanos(two, one)) as f64 / 2e6
        }
    };
    let centres = fitted(&scaled(deputies.len(), far));
    let mut places = vec![(0.0, 0.0); count];
    for (centre, nodes) in centres.iter().zip(at.values()) {
        for (index, node) in nodes.iter().enumerate() {
            places[*node] =
                if nodes.len() == 1 { *centre } else { on_circle(*centre, 14.0, index, nodes.len()) };
        }
    }
    let sites = at.keys().map(|site| topology.sites()[*site].clone()).zip(centres).collect();
    (places, sites)
}

fn on_circle(centre: Place, radius: f64, index: usize, count: usize) -> Place {
    let angle = std::f64::consts::TAU * index as f64 / count.max(1) as f64;
    (centre.0 + radius * angle.sin(), centre.1 - radius * angle.cos())
}

/// Points in the plane whose distances are near to those given: classical multidimensional scaling (Torgerson, Psychometrika 17, 1952).
fn scaled(count: usize, far: impl Fn(usize, usize) -> f64) -> Vec<Place> {
    let n = count as f64;
    let squares: Vec<Vec<f64>> =
        (0..count).map(|i| (0..count).map(|j| far(i, j).powi(2)).collect()).collect();
    let means: Vec<f64> = squares.iter().map(|row| row.iter().sum::<f64>() / n).collect();
    let all = means.iter().sum::<f64>() / n;
    let mut centred: Vec<Vec<f64>> = (0..count)
        .map(|i| (0..count).map(|j| -0.5 * (squares[i][j] - means[i] - means[j] + all)).collect())
        .collect();
    let mut axes = [vec![0.0; count], vec![0.0; count]];
    for (number, axis) in axes.iter_mut().enumerate() {
        // The main axis by power iteration, from a start that is not across it but by accident.
        let mut vector: Vec<f64> = (0..count).map(|i| 1.0 + ((i + number) as f64 * 0.7).sin()).collect();
        let mut value = 0.0;
        for _ in 0..200 {
            let next: Vec<f64> =
                centred.iter().map(|row| row.iter().zip(&vector).map(|(a, b)| a * b).sum()).collect();
            let length = next.iter().map(|x| x * x).sum::<f64>().sqrt();
            if length <= f64::EPSILON {
                break;
            }
            value = length;
            vector = next.iter().map(|x| x / length).collect();
        }
        for (i, row) in centred.iter_mut().enumerate() {
            row.iter_mut().enumerate().for_each(|(j, x)| *x -= value * vector[i] * vector[j]);
        }
        *axis = vector.iter().map(|x| x * value.sqrt()).collect();
    }
    axes[0].iter().copied().zip(axes[1].iter().copied()).collect()
}

/// Points moved and scaled into the picture.
fn fitted(points: &[Place]) -> Vec<Place> {
    let range = |of: fn(&Place) -> f64| {
        let low = points.iter().map(of).fold(f64::INFINITY, f64::min);
        (low, points.iter().map(of).fold(f64::NEG_INFINITY, f64::max) - low)
    };
    let ((left, wide), (top, high)) = (range(|it| it.0), range(|it| it.1));
    let (room_x, room_y) = (WIDTH - 2.0 * MARGIN, HEIGHT - 2.0 * MARGIN - 30.0);
    let scale = (room_x / wide.max(1e-9)).min(room_y / high.max(1e-9)).min(1e6);
    let into = |(x, y): &Place| {
        let x = MARGIN + (room_x - wide * scale) / 2.0 + (x - left) * scale;
        (x, MARGIN + 30.0 + (room_y - high * scale) / 2.0 + (y - top) * scale)
    };
    points.iter().map(into).collect()
}

/// From each node to all whose ids stand in a variable of it.
fn arrows(model: &Model, states: &[NodeState], variable: &str) -> Option<Vec<(usize, usize)>> {
    names::scope(&model.names, || {
        let known: BTreeMap<String, usize> =
            (0..model.nodes.len()).map(|node| (NodeId::new(node as u32).to_string(), node)).collect();
        let (mut arrows, mut found) = (Vec::new(), false);
        for (node, state) in states.iter().enumerate() {
            for (layer, state) in model.nodes[node].layers().iter().zip(state) {
                let fields = layer.service().fields(state).into_iter();
                for (_, text) in fields.filter(|(name, _)| *name == variable) {
                    found = true;
                    let ids = words(&text).filter_map(|word| known.get(word));
                    arrows.extend(ids.filter(|other| **other != node).map(|other| (node, *other)));
                }
            }
        }
        found.then_some(arrows)
    })
}

/// What could be the name of a node: `coordinator`, `n[3]`.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let begins = rest.find(|c: char| c.is_alphabetic() || c == '_')?;
        rest = &rest[begins..];
        let ends = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        // An index belongs to the name.
        let index = rest[ends..].strip_prefix('[').and_then(|tail| tail.find(']'));
        let ends = match index {
            Some(length) if rest[ends + 1..ends + 1 + length].chars().all(|c| c.is_ascii_digit()) => {
                ends + length + 2
            }
            _ => ends,
        };
        let (word, after) = rest.split_at(ends);
        rest = after;
        Some(word)
    })
}

fn draw(
    model: &Model,
    places: &[Place],
    sites: &[(String, Place)],
    arrows: &[(usize, usize)],
    title: &str,
    out: &mut String,
) -> std::fmt::Result {
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\">"
    )?;
    writeln!(out, "<title>{0}</title>\n<style>{STYLE}</style>", escaped(title))?;
    writeln!(
        out,
        "<defs><marker id=\"m\" markerWidth=\"9\" markerHeight=\"9\" refX=\"8\" refY=\"4\" orient=\"auto\">\
         <path d=\"M0,1 L8,4 L0,7 z\" fill=\"#c86e00\"/></marker></defs>"
    )?;
    writeln!(out, "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>")?;
    writeln!(out, "<text x=\"20\" y=\"28\">{}</text>", escaped(title))?;
    for (name, (x, y)) in sites {
        writeln!(out, "<circle class=\"s\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"20\"/>")?;
        if sites.len() <= NAMED_MOST {
            let y = y + 33.0;
            writeln!(
                out,
                "<text class=\"p\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{}</text>",
                escaped(name)
            )?;
        }
    }
    for (from, to) in arrows {
        let ((x1, y1), (x2, y2)) = (places[*from], places[*to]);
        // It ends at the rim of its dot.
        let length = ((x2 - x1).powi(2) + (y2 - y1).powi(2)).sqrt().max(1e-9);
        let (x2, y2) = (x2 - (x2 - x1) / length * 5.0, y2 - (y2 - y1) / length * 5.0);
        writeln!(
            out,
            "<line class=\"a\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" marker-end=\"url(#m)\"/>"
        )?;
    }
    for (node, (x, y)) in places.iter().enumerate() {
        let name = names::scope(&model.names, || NodeId::new(node as u32).to_string());
        writeln!(
            out,
            "<circle class=\"n\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"><title>{}</title></circle>",
            escaped(&name)
        )?;
        if places.len() <= NAMED_MOST {
            // Away from what else is at its site.
            let crowded =
                places.iter().any(|(other, at)| (0.5..30.0).contains(&(other - x)) && (at - y).abs() < 8.0);
            let (x, anchor) = if crowded { (x - 6.0, "end") } else { (x + 6.0, "start") };
            let y = y + 4.0;
            writeln!(
                out,
                "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>",
                escaped(&name)
            )?;
        }
    }
    writeln!(out, "</svg>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_as_far_apart_as_they_should_be() {
        let plane = [(0.0, 0.0), (3.0, 0.0), (3.0, 4.0), (-1.0, 2.0)];
        let far = |a: Place, b: Place| ((a.0 - b.0).powi(2) + (a.1 - b.1).powi(2)).sqrt();
        let found = scaled(plane.len(), |i, j| far(plane[i], plane[j]));
        for i in 0..plane.len() {
            for j in 0..plane.len() {
                assert!((far(found[i], found[j]) - far(plane[i], plane[j])).abs() < 1e-6, "{found:?}");
            }
        }
        let pictured = fitted(&found);
        assert!(pictured.iter().all(|(x, y)| (0.0..=WIDTH).contains(x) && (0.0..=HEIGHT).contains(y)));
        assert_eq!(fitted(&scaled(1, |_, _| 0.0)).len(), 1, "a single site has a place");
    }

    #[test]
    fn ids_are_found_in_what_variables_hold() {
        let of = |text| words(text).collect::<Vec<_>>();
        assert_eq!(of("Some(n[3])"), ["Some", "n[3]"]);
        assert_eq!(of("{n[1], root, n[12]: [4]}"), ["n[1]", "root", "n[12]"]);
        assert!(of("[1, 2]").is_empty() && of("").is_empty());
    }
}
