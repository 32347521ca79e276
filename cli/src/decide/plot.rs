//! Cost against period as an SVG: one panel for a single invocation, and one for the long run if there is a demand.
//!
//! Both axes are logarithmic, since a period may span a round and a thousand round trips. Costs without bound are left
//! out, and so is what lies far above all that anybody would choose.

use std::error::Error;

use foresee_decide::extended::Extended;
use foresee_decide::heartbeat::optimum::Optimum;
use foresee_decide::problem::delivery::{Place, Report};
use foresee_decide::protocol::Protocol;
use plotters::prelude::*;

/// Width of the picture, and height of a panel, in pixels.
const SIZE: (u32, u32) = (860, 430);

/// How many times the least cost the greatest shown is, at most.
const SHOWN: f64 = 60.0;

/// A curve with its name, colour, dashes, and the best of it.
struct Curve {
    name: String,
    colour: RGBColor,
    dashed: bool,
    points: Vec<(f64, f64)>,
    best: Option<(f64, f64)>,
}

/// Colours that differ in lightness too, for eyes and printers that know none.
const COLOURS: [RGBColor; 4] =
    [RGBColor(120, 120, 120), RGBColor(0, 90, 180), RGBColor(200, 110, 0), RGBColor(0, 130, 80)];

/// The picture; an error in words if it cannot be drawn.
pub fn svg(report: &Report, title: Option<&str>) -> Result<String, String> {
    let mut text = String::new();
    let panels = 1 + u32::from(report.heartbeat.is_some());
    draw(report, title, panels, &mut text).map_err(|error| format!("cannot draw the plot: {error}"))?;
    Ok(text)
}

fn draw(report: &Report, title: Option<&str>, panels: u32, text: &mut String) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::with_string(text, (SIZE.0, SIZE.1 * panels + 30)).into_drawing_area();
    root.fill(&WHITE)?;
    let root = root.titled(title.unwrap_or("Cost against period"), ("sans-serif", 20))?;
    let areas = root.split_evenly((panels as usize, 1));
    panel(&areas[0], "one invocation, heartbeats free", &once(report))?;
    if let Some(area) = areas.get(1) {
        panel(area, "in the long run, heartbeats charged to the invocations", &long_run(report))?;
    }
    root.present()?;
    Ok(())
}

/// The protocols' curves for one invocation, heartbeats free.
fn once(report: &Report) -> Vec<Curve> {
    let of = |(i, line): (usize, &foresee_decide::problem::delivery::Line)| {
        let points = points(report, |place| place.once.get(i));
        let best =
            (line.row.protocol != Protocol::Trivial).then_some((line.best.delta as f64, line.best.cost));
        Curve {
            name: line.row.protocol.name().to_owned(),
            colour: COLOURS[i % COLOURS.len()],
            dashed: line.row.protocol == Protocol::Trivial,
            points,
            best: best.and_then(|(delta, cost)| Some((delta, cost.finite()?))),
        }
    };
    report.protocols.iter().enumerate().map(of).collect()
}

/// The heartbeat protocol's curves in the long run, by Theorem 5.1 and exactly.
fn long_run(report: &Report) -> Vec<Curve> {
    let Some(beat) = &report.heartbeat else { return Vec::new() };
    let of = |(i, name, optimum): (usize, &str, &Optimum)| Curve {
        name: format!("hb, {name}"),
        colour: if i == 0 { COLOURS[2] } else { COLOURS[3] },
        dashed: i == 0,
        points: points(report, |place| place.long_run.get(i)),
        best: optimum.period.get().finite().zip(optimum.per_invocation.finite()),
    };
    vec![of((0, "paper", &beat.paper)), of((1, "exact", &beat.exact))]
}

fn points(report: &Report, of: impl Fn(&Place) -> Option<&Extended>) -> Vec<(f64, f64)> {
    let point = |place: &Place| Some((place.delta as f64, of(place)?.finite()?));
    report.curve.iter().filter_map(point).collect()
}

type Area<'t> = DrawingArea<SVGBackend<'t>, plotters::coord::Shift>;

fn panel(area: &Area<'_>, title: &str, curves: &[Curve]) -> Result<(), Box<dyn Error>> {
    let all = || curves.iter().flat_map(|curve| curve.points.iter().copied());
    let costs = || all().map(|point| point.1).filter(|cost| *cost > 0.0);
    let least = costs().fold(f64::INFINITY, f64::min);
    if !least.is_finite() {
        area.titled(&format!("{title}: nothing here costs a finite amount"), ("sans-serif", 15))?;
        return Ok(());
    }
    let most = costs().fold(0.0, f64::max).min(SHOWN * least);
    let last = all().map(|point| point.0).fold(2.0, f64::max);
    let (low, high) = (least / 1.15, most.max(1.2 * least) * 1.15);
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 15))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(64)
        .build_cartesian_2d((1.0..last).log_scale(), (low..high).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("period, in rounds")
        .y_desc("cost of an invocation")
        .x_label_formatter(&short)
        .y_label_formatter(&short)
        .light_line_style(TRANSPARENT)
        .bold_line_style(RGBColor(225, 225, 225))
        .draw()?;
    for curve in curves.iter().filter(|curve| !curve.points.is_empty()) {
        let style = curve.colour.stroke_width(2);
        let visible = curve.points.iter().copied().filter(|point| point.1 <= high);
        let series = if curve.dashed {
            chart.draw_series(DashedLineSeries::new(visible, 6, 4, style))?
        } else {
            chart.draw_series(LineSeries::new(visible, style))?
        };
        let best = curve.best.filter(|best| best.0 <= last && best.1 <= high);
        let name = match best {
            Some((delta, cost)) => format!("{}: best {} at {}", curve.name, short(&cost), short(&delta)),
            None => curve.name.clone(),
        };
        series.label(name).legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        if let Some(best) = best {
            chart.draw_series([Circle::new(best, 4, curve.colour.filled())])?;
        }
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.85))
        .border_style(RGBColor(200, 200, 200))
        .draw()?;
    Ok(())
}

/// A number in few characters.
fn short(x: &f64) -> String {
    let size = x.abs().log10().floor();
    let digits = if size < 0.0 { 2.0 - size } else { (2.0 - size).max(0.0) };
    let text = format!("{x:.*}", digits as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
