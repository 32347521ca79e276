//! Draws states and transitions: states in a row, what leads forward above them, what leads back below.
//!
//! An edge is a bracket: up from its state, along, and down into the other. Short edges lie inside long ones, the ends at a
//! state are ordered so that nested edges never cross, and a state moves right until the labels of its edges have room. So no
//! label ever lies on a state or on another label, however many there are. Colours come from the page's style.

use super::html::escape;

/// Width of a character of a label, in pixels: labels are set in a fixed pitch.
const CHARACTER: f64 = 7.85;
/// Height of a line of a label.
const LINE: f64 = 18.5;
/// Height of a state.
const STATE_HEIGHT: f64 = 58.0;
/// The least room between two states.
const GAP: f64 = 64.0;
/// Room between two ends at a state.
const PORT: f64 = 18.0;
/// Room between a line and whatever lies further out.
const CLEARANCE: f64 = 13.0;
/// How round a corner is.
const ROUND: f64 = 10.0;
/// Room around everything.
const MARGIN: f64 = 14.0;
/// The most labels of one edge that are drawn; the others are counted.
const LABELS_MAX: usize = 7;

/// What is drawn.
#[derive(Clone, Debug, Default)]
pub struct Diagram {
    /// From left to right.
    pub nodes: Vec<Node>,
    /// Between them, at most one for each pair and direction.
    pub edges: Vec<Edge>,
}

/// A state.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// A small line below it.
    pub remark: String,
    /// Its class in the style: `state`, `any`.
    pub class: &'static str,
    /// Whether nodes start here.
    pub initial: bool,
    /// Where a click leads; may be empty.
    pub href: String,
}

/// A transition, or several between the same states.
#[derive(Clone, Debug)]
pub struct Edge {
    /// The index of the node where it starts.
    pub from: usize,
    /// The index of the node where it ends.
    pub to: usize,
    /// What leads there, one a line.
    pub labels: Vec<Label>,
}

/// One line at an edge.
#[derive(Clone, Debug)]
pub struct Label {
    /// The text.
    pub text: String,
    /// Its class in the style.
    pub class: &'static str,
    /// Where a click leads.
    pub href: String,
    /// What is shown on hovering.
    pub title: String,
}

/// An edge with its place: `left` and `right` are where its vertical parts stand, `level` is how far out it runs.
#[derive(Clone, Debug, Default)]
struct Route {
    edge: usize,
    /// The nodes at its ends, the left one first; equal for a loop.
    ends: (usize, usize),
    above: bool,
    left: f64,
    right: f64,
    level: f64,
    label: f64,
    width: f64,
    height: f64,
}

impl Diagram {
    /// The picture, as an `svg` element. `title` says what it shows to those who cannot see it.
    pub fn svg(&self, title: &str) -> String {
        let mut routes = self.routes();
        let widths = self.widths(&routes);
        let lefts = self.place(&mut routes, &widths);
        for above in [true, false] {
            stack(&mut routes, above);
        }
        place_labels(&mut routes);
        self.draw(title, &routes, &lefts, &widths)
    }

    fn routes(&self) -> Vec<Route> {
        let route = |(at, edge): (usize, &Edge)| {
            let lines = edge.labels.len().min(LABELS_MAX);
            let characters = shown(edge).map(|(text, _)| text.chars().count()).max().unwrap_or(0);
            Route {
                edge: at,
                ends: (edge.from.min(edge.to), edge.from.max(edge.to)),
                above: edge.from <= edge.to,
                width: characters as f64 * CHARACTER + 12.0,
                height: lines as f64 * LINE,
                ..Route::default()
            }
        };
        self.edges.iter().enumerate().map(route).collect()
    }

    /// Gives each end its place from the left border of its node, and returns the widths of the nodes.
    fn widths(&self, routes: &[Route]) -> Vec<f64> {
        let width = |(at, node): (usize, &Node)| {
            let name = node.name.chars().count() as f64 * 9.6 + 40.0;
            let remark = node.remark.chars().count() as f64 * 6.8 + 30.0;
            let sides =
                [true, false].map(|above| ports(routes, at, above).last().map_or(0.0, |last| last.1 + PORT));
            name.max(remark).max(sides[0]).max(sides[1])
        };
        self.nodes.iter().enumerate().map(width).collect()
    }

    /// Places nodes and ends from left to right, so that every label fits between the ends of its edge.
    fn place(&self, routes: &mut [Route], widths: &[f64]) -> Vec<f64> {
        let mut lefts: Vec<f64> = vec![];
        for (at, width) in widths.iter().enumerate() {
            let start = MARGIN + if self.nodes[at].initial { 34.0 } else { 0.0 };
            let mut left = lefts.last().map_or(start, |last| last + widths[at - 1] + GAP);
            let offsets = [true, false].map(|above| centred(ports(routes, at, above), *width));
            for (end, offset) in offsets.iter().flatten() {
                if let End::Right(route) = end {
                    let needed = routes[*route].left + routes[*route].width + 2.0 * ROUND;
                    left = left.max(needed - offset);
                }
            }
            for (end, offset) in offsets.into_iter().flatten() {
                match end {
                    End::Left(route) => routes[route].left = left + offset,
                    End::Right(route) => routes[route].right = left + offset,
                }
            }
            lefts.push(left);
        }
        lefts
    }

    fn draw(&self, title: &str, routes: &[Route], lefts: &[f64], widths: &[f64]) -> String {
        let outermost = |above: bool| {
            let side = routes.iter().filter(|route| route.above == above);
            side.map(|route| route.level + route.height).fold(0.0, f64::max)
        };
        let top = MARGIN + outermost(true) + 4.0;
        let bottom = top + STATE_HEIGHT;
        let right = lefts.iter().zip(widths).map(|(left, width)| left + width);
        let right =
            routes.iter().map(|route| route.label + route.width / 2.0).chain(right).fold(0.0, f64::max);
        let (width, height) = (right + MARGIN, bottom + outermost(false) + MARGIN + 4.0);
        let mut svg = format!(
            "<svg class=\"diagram\" role=\"img\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\"><title>{}</title>\
             <defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"6.5\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
             orient=\"auto\"><path d=\"M0.5 0.8 7 4 0.5 7.2 2 4z\"/></marker></defs>\n",
            escape(title)
        );
        for route in routes {
            svg.push_str(&line(&self.edges[route.edge], route, top, bottom));
        }
        for ((node, left), width) in self.nodes.iter().zip(lefts).zip(widths) {
            svg.push_str(&state(node, *left, *width, top));
        }
        for route in routes {
            svg.push_str(&labels(&self.edges[route.edge], route, top, bottom));
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// One end of a route at a node: the route's index, by the side of the route that stands here.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Left(usize),
    Right(usize),
}

/// The ends at a node from left to right: edges from the left, short ones first; loops; edges to the right, long ones first.
fn ports(routes: &[Route], node: usize, above: bool) -> Vec<(End, f64)> {
    let span = |route: &Route| route.ends.1 - route.ends.0;
    let mine = routes.iter().enumerate().filter(|(_, route)| route.above == above);
    let mut from_left: Vec<(usize, &Route)> =
        mine.clone().filter(|(_, route)| route.ends.1 == node && span(route) > 0).collect();
    let mut to_right: Vec<(usize, &Route)> =
        mine.clone().filter(|(_, route)| route.ends.0 == node && span(route) > 0).collect();
    from_left.sort_by_key(|(at, route)| (span(route), *at));
    to_right.sort_by_key(|(at, route)| (std::cmp::Reverse(span(route)), *at));
    let mut ends = vec![];
    let mut offset = PORT;
    for (at, _) in from_left {
        ends.push((End::Right(at), offset));
        offset += PORT;
    }
    for (at, route) in mine.filter(|(_, route)| route.ends == (node, node)) {
        ends.push((End::Left(at), offset));
        ends.push((End::Right(at), offset + route.width + 2.0 * ROUND));
        offset += route.width + 2.0 * ROUND + PORT;
    }
    for (at, _) in to_right {
        ends.push((End::Left(at), offset));
        offset += PORT;
    }
    ends
}

/// Shifts the ends so that they stand in the middle of a node of this width.
fn centred(ports: Vec<(End, f64)>, width: f64) -> Vec<(End, f64)> {
    let used = ports.last().map_or(0.0, |last| last.1 + PORT);
    ports.into_iter().map(|(end, offset)| (end, offset + (width - used) / 2.0)).collect()
}

/// Finds how far out each edge of a side runs: beyond all shorter ones that share some of its way.
fn stack(routes: &mut [Route], above: bool) {
    let mut order: Vec<usize> = (0..routes.len()).filter(|at| routes[*at].above == above).collect();
    order.sort_by(|a, b| {
        let length = |at: &usize| routes[*at].right - routes[*at].left;
        length(a).total_cmp(&length(b)).then(a.cmp(b))
    });
    let mut done: Vec<usize> = vec![];
    for at in order {
        let (left, right) = (routes[at].left, routes[at].right);
        let under = done.iter().map(|other| &routes[*other]);
        let under = under.filter(|other| other.left < right + PORT && left < other.right + PORT);
        routes[at].level = under.map(|other| other.level + other.height).fold(8.0, f64::max) + CLEARANCE;
        done.push(at);
    }
}

/// Puts each label into the widest part of its run that no other edge crosses.
fn place_labels(routes: &mut [Route]) {
    for at in 0..routes.len() {
        let route = &routes[at];
        let crossing = routes.iter().filter(|other| other.above == route.above && other.level > route.level);
        let mut stops: Vec<f64> = crossing.flat_map(|other| [other.left, other.right]).collect();
        stops.retain(|x| route.left < *x && *x < route.right);
        stops.extend([route.left, route.right]);
        stops.sort_by(f64::total_cmp);
        let widest = stops.windows(2).max_by(|a, b| (a[1] - a[0]).total_cmp(&(b[1] - b[0])));
        routes[at].label = widest.map_or(route.left, |part| (part[0] + part[1]) / 2.0);
    }
}

/// The texts of an edge's lines with their labels; the last may stand for several.
fn shown(edge: &Edge) -> impl Iterator<Item = (String, Option<&Label>)> {
    let hidden = edge.labels.len().saturating_sub(LABELS_MAX);
    let drawn = if hidden > 0 { LABELS_MAX - 1 } else { edge.labels.len() };
    let lines = edge.labels.iter().take(drawn).map(|label| (label.text.clone(), Some(label)));
    lines.chain((hidden > 0).then(|| (format!("and {} more", hidden + 1), None)))
}

fn line(edge: &Edge, route: &Route, top: f64, bottom: f64) -> String {
    let (start, sign) = if route.above { (top, -1.0) } else { (bottom, 1.0) };
    let y = start + sign * route.level;
    let (left, right) = (route.left, route.right);
    let forward = edge.from <= edge.to;
    let (from, to, step) = if forward { (left, right, ROUND) } else { (right, left, -ROUND) };
    format!(
        "<path class=\"edge\" marker-end=\"url(#arrow)\" d=\"M{from:.1} {start:.1} V{:.1} Q{from:.1} {y:.1} {:.1} {y:.1} \
         H{:.1} Q{to:.1} {y:.1} {to:.1} {:.1} V{:.1}\"/>\n",
        y - sign * ROUND,
        from + step,
        to - step,
        y - sign * ROUND,
        start + sign * 2.0,
    )
}

fn labels(edge: &Edge, route: &Route, top: f64, bottom: f64) -> String {
    let first = match route.above {
        true => top - route.level - route.height + LINE * 0.5 - 3.0,
        false => bottom + route.level + LINE * 0.5 + 4.0,
    };
    let mut svg = String::new();
    for (at, (text, label)) in shown(edge).enumerate() {
        let y = first + at as f64 * LINE;
        let class = label.map_or("", |label| label.class);
        let inner = format!(
            "<text class=\"label {class}\" x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
            route.label,
            escape(&text)
        );
        match label {
            Some(label) => svg.push_str(&format!(
                "<a href=\"{}\"><title>{}</title>{inner}</a>\n",
                escape(&label.href),
                escape(&label.title)
            )),
            None => svg.push_str(&inner),
        }
    }
    svg
}

fn state(node: &Node, left: f64, width: f64, top: f64) -> String {
    let middle = left + width / 2.0;
    let mut svg = String::new();
    if node.initial {
        let y = top + STATE_HEIGHT / 2.0;
        let (dot, from, to) = (left - 32.0, left - 27.0, left - 2.0);
        svg.push_str(&format!(
            "<circle class=\"start\" cx=\"{dot:.1}\" cy=\"{y:.1}\" r=\"5\"/>\
             <path class=\"edge\" marker-end=\"url(#arrow)\" d=\"M{from:.1} {y:.1} H{to:.1}\"/>\n"
        ));
    }
    let inner = format!(
        "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{STATE_HEIGHT}\" rx=\"12\"/>\
         <text class=\"name\" x=\"{middle:.1}\" y=\"{:.1}\">{}</text>\
         <text class=\"remark\" x=\"{middle:.1}\" y=\"{:.1}\">{}</text>",
        top + if node.remark.is_empty() { STATE_HEIGHT / 2.0 } else { 23.0 },
        escape(&node.name),
        top + 42.0,
        escape(&node.remark),
    );
    match node.href.is_empty() {
        true => svg.push_str(&format!("<g class=\"{}\">{inner}</g>\n", node.class)),
        false => {
            svg.push_str(&format!(
                "<a href=\"{}\"><g class=\"{}\">{inner}</g></a>\n",
                escape(&node.href),
                node.class
            ));
        }
    }
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagram(nodes: usize, edges: &[(usize, usize, usize)]) -> Diagram {
        let node = |at: usize| Node {
            name: format!("S{at}"),
            remark: String::new(),
            class: "state",
            initial: at == 0,
            href: String::new(),
        };
        let edge = |&(from, to, labels): &(usize, usize, usize)| Edge {
            from,
            to,
            labels: (0..labels)
                .map(|at| Label {
                    text: format!("label_{from}_{to}_{at}"),
                    class: "deliver",
                    href: String::new(),
                    title: String::new(),
                })
                .collect(),
        };
        Diagram { nodes: (0..nodes).map(node).collect(), edges: edges.iter().map(edge).collect() }
    }

    fn laid_out(diagram: &Diagram) -> Vec<Route> {
        let mut routes = diagram.routes();
        let widths = diagram.widths(&routes);
        diagram.place(&mut routes, &widths);
        stack(&mut routes, true);
        stack(&mut routes, false);
        place_labels(&mut routes);
        routes
    }

    #[test]
    fn labels_have_room_and_never_meet() {
        let mut edges = vec![];
        for from in 0..5 {
            for to in 0..5 {
                edges.push((from, to, 1 + (from * 3 + to) % 9));
            }
        }
        let diagram = diagram(5, &edges);
        let routes = laid_out(&diagram);
        for (at, one) in routes.iter().enumerate() {
            assert!(one.right - one.left >= one.width, "{one:?}");
            for other in routes[at + 1..].iter().filter(|other| other.above == one.above) {
                let apart_x = (one.label - other.label).abs() >= (one.width + other.width) / 2.0;
                let apart_y =
                    one.level >= other.level + other.height || other.level >= one.level + one.height;
                assert!(apart_x || apart_y, "{one:?} meets {other:?}");
            }
        }
    }

    #[test]
    fn nested_edges_do_not_cross() {
        let routes = laid_out(&diagram(4, &[(0, 1, 1), (0, 2, 1), (0, 3, 1), (1, 3, 1), (2, 3, 1)]));
        let crossings = |one: &Route| {
            let cross = |x: f64| one.left < x && x < one.right;
            let higher = routes.iter().filter(|other| other.level > one.level);
            higher.filter(|other| cross(other.left) || cross(other.right)).count()
        };
        // 0->2 and 1->3 overlap without one being within the other: that crossing cannot be avoided.
        assert_eq!(routes.iter().map(crossings).sum::<usize>(), 1);
    }

    #[test]
    fn many_labels_are_counted_and_text_is_escaped() {
        let mut diagram = diagram(2, &[(0, 1, 20)]);
        diagram.nodes[0].name = "A<B>".to_owned();
        let svg = diagram.svg("a & b");
        assert!(
            svg.contains("and 14 more") && svg.contains("A&lt;B&gt;") && svg.contains("a &amp; b"),
            "{svg}"
        );
        assert!(!svg.contains("NaN"));
    }

    #[test]
    fn a_service_without_edges_is_drawn_too() {
        assert!(diagram(1, &[]).svg("one").contains("S0"));
        assert!(Diagram::default().svg("nothing").contains("<svg"));
    }
}
