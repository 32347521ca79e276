//! A figure of an experiment as an SVG: boxes side by side, or distribution functions.

use std::collections::BTreeMap;
use std::error::Error;

use plotters::prelude::*;

use super::store::{self, Series};
use super::summary::Figure;
use crate::args::PlotForm;

/// Colours that differ in lightness too, for eyes and printers that know none; they repeat.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 90, 180),
    RGBColor(200, 110, 0),
    RGBColor(0, 130, 80),
    RGBColor(120, 60, 150),
    RGBColor(180, 40, 60),
    RGBColor(110, 110, 110),
];

/// The picture; an error in words if it cannot be drawn.
pub(super) fn svg(series: &[Series], figure: &str, form: PlotForm) -> Result<String, String> {
    let mut text = String::new();
    let drawn = match form {
        PlotForm::Box => boxes(series, figure, &mut text),
        PlotForm::Cdf => distributions(series, figure, &mut text),
    };
    drawn.map_err(|error| format!("cannot draw the plot: {error}"))?;
    Ok(text)
}

/// The range of all values, with a margin.
fn range(series: &[Series]) -> (f64, f64) {
    let all = || series.iter().flat_map(|it| it.values.iter().copied());
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let margin = if high > low { 0.05 * (high - low) } else { 0.5 * high.abs().max(1.0) };
    (low - margin, high + margin)
}

/// The quantile at `q` of sorted values, linear between neighbours.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q * (sorted.len() - 1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// A box from quartile to quartile, a line at the median, whiskers to what lies within one and a half boxes of it, and a dot for
/// each value beyond (Tukey 1977).
fn boxes(series: &[Series], figure: &str, text: &mut String) -> Result<(), Box<dyn Error>> {
    let height = 90 + 34 * series.len() as u32;
    let root = SVGBackend::with_string(text, (900, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let (low, high) = range(series);
    let count = series.len();
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(330)
        .build_cartesian_2d(low..high, 0.0..count as f64)?;
    // The first cell stands on top.
    let name = |y: &f64| {
        let row = count as f64 - y - 0.5;
        let whole = (row - row.round()).abs() < 1e-6 && row >= -0.1;
        let series = whole.then(|| series.get(row.round() as usize)).flatten();
        series.map_or_else(String::new, |it| it.name.clone())
    };
    chart
        .configure_mesh()
        .x_desc(figure)
        .disable_y_mesh()
        .y_labels(0)
        .y_label_formatter(&name)
        .light_line_style(TRANSPARENT)
        .bold_line_style(RGBColor(225, 225, 225))
        .draw()?;
    for (row, it) in series.iter().enumerate() {
        let middle = count as f64 - row as f64 - 0.5;
        let at = chart.backend_coord(&(low, middle));
        let style =
            TextStyle::from(("sans-serif", 13).into_font()).pos(plotters::style::text_anchor::Pos::new(
                plotters::style::text_anchor::HPos::Right,
                plotters::style::text_anchor::VPos::Center,
            ));
        root.draw(&Text::new(it.name.clone(), (at.0 - 8, at.1), style))?;
        if it.values.is_empty() {
            continue;
        }
        let (values, colour) = (sorted(&it.values), COLOURS[row % COLOURS.len()]);
        let [first, median, third] = [0.25, 0.5, 0.75].map(|q| quantile(&values, q));
        let reach = 1.5 * (third - first);
        let inside = || values.iter().copied().filter(|x| (first - reach..=third + reach).contains(x));
        let (least, most) =
            (inside().fold(f64::INFINITY, f64::min), inside().fold(f64::NEG_INFINITY, f64::max));
        let line = |points: Vec<(f64, f64)>, width| PathElement::new(points, colour.stroke_width(width));
        chart.draw_series([
            Rectangle::new([(first, middle - 0.28), (third, middle + 0.28)], colour.mix(0.25).filled()),
            Rectangle::new([(first, middle - 0.28), (third, middle + 0.28)], colour.stroke_width(1)),
        ])?;
        chart.draw_series([
            line(vec![(median, middle - 0.28), (median, middle + 0.28)], 3),
            line(vec![(least, middle), (first, middle)], 1),
            line(vec![(third, middle), (most, middle)], 1),
        ])?;
        let beyond = values.iter().copied().filter(|x| *x < least || *x > most);
        chart.draw_series(beyond.map(|x| Circle::new((x, middle), 2, colour.stroke_width(1))))?;
    }
    root.present()?;
    Ok(())
}

/// The share of runs at or below each value.
fn distributions(series: &[Series], figure: &str, text: &mut String) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::with_string(text, (900, 520)).into_drawing_area();
    root.fill(&WHITE)?;
    let (low, high) = range(series);
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(56)
        .build_cartesian_2d(low..high, 0.0..1.0)?;
    chart
        .configure_mesh()
        .x_desc(figure)
        .y_desc("share of runs")
        .light_line_style(TRANSPARENT)
        .bold_line_style(RGBColor(225, 225, 225))
        .draw()?;
    for (row, it) in series.iter().enumerate().filter(|(_, it)| !it.values.is_empty()) {
        let (values, colour) = (sorted(&it.values), COLOURS[row % COLOURS.len()]);
        let n = values.len() as f64;
        let mut steps = vec![(low, 0.0)];
        for (place, value) in values.iter().enumerate() {
            steps.push((*value, place as f64 / n));
            steps.push((*value, (place + 1) as f64 / n));
        }
        steps.push((high, 1.0));
        let style = colour.stroke_width(2);
        let line = chart.draw_series(LineSeries::new(steps, style))?;
        line.label(&it.name).legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.85))
        .border_style(RGBColor(200, 200, 200))
        .draw()?;
    root.present()?;
    Ok(())
}

/// A mean at a place of an axis, with half of its interval.
type Mean = (f64, f64, f64);

/// Means along an axis, with Student's intervals of 95 %: a line for each combination of the other axes.
pub(super) fn lines(series: &[Series], figure: &str, axis: &str) -> Result<String, String> {
    let mut groups: BTreeMap<String, Vec<Mean>> = BTreeMap::new();
    for it in series.iter().filter(|it| !it.values.is_empty()) {
        let value = it.labels.iter().find(|(name, _)| name == axis).map(|(_, value)| value);
        let value = value.ok_or_else(|| format!("there is no axis `{axis}` with several values"))?;
        let place = number(value)
            .ok_or_else(|| format!("`{value}` on the axis `{axis}` is no number and no duration"))?;
        let others: Vec<_> = it.labels.iter().filter(|(name, _)| name != axis).cloned().collect();
        let Some(of) = Figure::of(it.values.clone()) else { continue };
        let half = of.interval.map_or(0.0, |[low, high]| (high - low) / 2.0);
        groups.entry(store::named(&others)).or_default().push((place, of.mean, half));
    }
    groups.values_mut().for_each(|means| means.sort_by(|a, b| a.0.total_cmp(&b.0)));
    let mut text = String::new();
    lines_of(&groups, figure, axis, &mut text).map_err(|error| format!("cannot draw the plot: {error}"))?;
    Ok(text)
}

/// A number, or a duration in seconds.
fn number(text: &str) -> Option<f64> {
    let unit = text.find(|c: char| c.is_alphabetic() && c != 'e').unwrap_or(text.len());
    let (digits, unit) = text.split_at(unit);
    let seconds = match unit {
        "" | "s" => 1.0,
        "ns" => 1e-9,
        "us" => 1e-6,
        "ms" => 1e-3,
        "min" => 60.0,
        "h" => 3_600.0,
        _ => return None,
    };
    digits.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| number * seconds)
}

fn lines_of(
    groups: &BTreeMap<String, Vec<Mean>>,
    figure: &str,
    axis: &str,
    text: &mut String,
) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::with_string(text, (900, 520)).into_drawing_area();
    root.fill(&WHITE)?;
    let margin = |low: f64, high: f64| {
        let margin = if high > low { 0.05 * (high - low) } else { 0.5 * high.abs().max(1.0) };
        low - margin..high + margin
    };
    let all = || groups.values().flatten();
    let range = |low: fn(&Mean) -> f64, high: fn(&Mean) -> f64| {
        let low = all().map(low).fold(f64::INFINITY, f64::min);
        margin(low, all().map(high).fold(f64::NEG_INFINITY, f64::max))
    };
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(70)
        .build_cartesian_2d(range(|it| it.0, |it| it.0), range(|it| it.1 - it.2, |it| it.1 + it.2))?;
    chart
        .configure_mesh()
        .x_desc(axis)
        .y_desc(figure)
        .light_line_style(TRANSPARENT)
        .bold_line_style(RGBColor(225, 225, 225))
        .draw()?;
    for (row, (name, means)) in groups.iter().enumerate() {
        let style = COLOURS[row % COLOURS.len()].stroke_width(2);
        let line = chart.draw_series(LineSeries::new(means.iter().map(|(x, y, _)| (*x, *y)), style))?;
        if !name.is_empty() {
            line.label(name).legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], style));
        }
        let bars = means.iter().map(|(x, y, half)| PathElement::new([(*x, y - half), (*x, y + half)], style));
        chart.draw_series(bars)?;
        chart.draw_series(means.iter().map(|(x, y, _)| Circle::new((*x, *y), 3, style.filled())))?;
    }
    if groups.keys().any(|name| !name.is_empty()) {
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.85))
            .border_style(RGBColor(200, 200, 200))
            .draw()?;
    }
    root.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series() -> Vec<Series> {
        let of = |name: &str, values: &[f64]| Series {
            name: name.to_owned(),
            labels: Vec::new(),
            values: values.to_vec(),
        };
        vec![
            of("resolver=first", &[1.0, 2.0, 3.0, 4.0, 40.0]),
            of("resolver=<random>", &[2.0, 2.5]),
            of("resolver=none", &[]),
        ]
    }

    #[test]
    fn pictures_have_each_cell_once_and_escape_names() {
        for form in [PlotForm::Box, PlotForm::Cdf] {
            let drawn = svg(&series(), "total", form).unwrap();
            assert!(drawn.starts_with("<svg") && drawn.trim_end().ends_with("</svg>"));
            assert_eq!(drawn.matches("resolver=first").count(), 1, "{drawn}");
            assert!(drawn.contains("&lt;random&gt;") && drawn.contains("total"), "{drawn}");
        }
        assert!(svg(&series(), "total", PlotForm::Box).unwrap().contains("<circle"), "40 lies beyond");
    }

    #[test]
    fn one_value_can_be_drawn() {
        for values in [vec![0.0], vec![-3.0, -3.0]] {
            let one = [Series { name: "one".to_owned(), labels: Vec::new(), values }];
            assert!(svg(&one, "total", PlotForm::Box).is_ok() && svg(&one, "total", PlotForm::Cdf).is_ok());
        }
    }

    #[test]
    fn means_stand_along_an_axis_of_numbers_or_durations() {
        let of = |resolver: &str, period: &str, values: &[f64]| {
            let label = |axis: &str, value: &str| (axis.to_owned(), value.to_owned());
            let labels = vec![label("resolver", resolver), label("period", period)];
            Series { name: store::named(&labels), labels, values: values.to_vec() }
        };
        let all = [
            of("first", "500ms", &[1.0, 2.0]),
            of("first", "2s", &[3.0, 3.5, 4.0]),
            of("random", "500ms", &[2.0]),
            of("random", "2s", &[]),
        ];
        let drawn = lines(&all, "total", "period").unwrap();
        assert_eq!(
            (drawn.matches("resolver=first").count(), drawn.matches("resolver=random").count()),
            (1, 1)
        );
        assert!(lines(&all, "total", "size").unwrap_err().contains("no axis `size`"));
        assert!(lines(&all, "total", "resolver").unwrap_err().contains("`first` on the axis `resolver`"));
        assert_eq!(
            ["0.5", "250ms", "2min", "1e3", "x", "3 apples"].map(number),
            [Some(0.5), Some(0.25), Some(120.0), Some(1_000.0), None, None]
        );
    }

    #[test]
    fn quantiles_are_linear_between_neighbours() {
        let values = [1.0, 2.0, 3.0, 4.0];
        assert_eq!([0.0, 0.25, 0.5, 1.0].map(|q| quantile(&values, q)), [1.0, 1.75, 2.5, 4.0]);
    }
}
