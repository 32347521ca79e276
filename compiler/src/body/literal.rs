//! Durations such as `5s` and `0.5ms`, which Rust reads as numbers with an unknown suffix.

use proc_macro2::TokenStream;
use quote::quote_spanned;

use crate::ast::split_unit;
use crate::diag::Diagnostic;
use crate::source::Span;
use crate::types::INTEGERS;

/// The length of a duration literal in nanoseconds; `None` for anything else and for what exceeds 64 bits.
pub fn nanoseconds(text: &str) -> Option<u64> {
    let (number, unit) = split_unit(text)?;
    let number = number.replace('_', "");
    match number.parse::<u64>() {
        Ok(whole) => whole.checked_mul(unit),
        Err(_) => {
            let exact = number.parse::<f64>().ok()? * unit as f64;
            (exact.is_finite() && exact >= 0.0 && exact < u64::MAX as f64).then(|| exact.round() as u64)
        }
    }
}

/// Whether a literal is meant as a duration: a number whose suffix is a unit of time.
pub fn is_duration(suffix: &str) -> bool {
    crate::ast::UNITS.iter().any(|(unit, _)| *unit == suffix)
}

/// A number without a unit, as written, where a duration was meant.
pub fn bare_number(expr: &syn::Expr) -> Option<String> {
    let syn::Expr::Lit(literal) = expr else { return None };
    match &literal.lit {
        syn::Lit::Int(it) if it.suffix().is_empty() => Some(it.to_string()),
        syn::Lit::Float(it) if it.suffix().is_empty() => Some(it.to_string()),
        _ => None,
    }
}

/// The finding about a number without a unit at `place`.
pub fn without_unit(number: &str, place: Span) -> Diagnostic {
    Diagnostic::error("E0418", place, "a delay needs a unit")
        .with_help(format!("write `{number}s` or `{number}ms`; there is also ns, us, min, h and d"))
}

/// What stands behind a number and is neither a unit nor one of Rust's types of numbers, such as the `sec` of `5sec`.
pub fn unknown_unit(text: &str) -> Option<&str> {
    const RADIX: [&str; 3] = ["0x", "0o", "0b"];
    if !text.starts_with(|c: char| c.is_ascii_digit()) || RADIX.iter().any(|it| text.starts_with(it)) {
        return None;
    }
    let unit = &text[text.find(|c: char| c.is_alphabetic())?..];
    let power = unit.strip_prefix(['e', 'E']).map(|power| power.trim_start_matches(['+', '-', '_']));
    let is_exponent = power.is_some_and(|power| power.starts_with(|c: char| c.is_ascii_digit()));
    let known = INTEGERS.iter().chain(&["f32", "f64"]).any(|it| *it == unit) || is_duration(unit);
    (!known && !is_exponent).then_some(unit)
}

/// The finding about a number at `place` that ends with something that is no unit.
pub fn with_unknown_unit(text: &str, place: Span) -> Option<Diagnostic> {
    let unit = unknown_unit(text)?;
    let number = &text[..text.len() - unit.len()];
    let meant = match unit.to_lowercase().as_str() {
        "sec" | "secs" | "second" | "seconds" => Some("s"),
        "m" | "mins" | "minute" | "minutes" => Some("min"),
        "msec" | "msecs" | "milli" | "millis" | "millisecond" | "milliseconds" => Some("ms"),
        "usec" | "usecs" | "micro" | "micros" | "microsecond" | "microseconds" | "µs" => Some("us"),
        "nsec" | "nsecs" | "nano" | "nanos" | "nanosecond" | "nanoseconds" => Some("ns"),
        "hr" | "hrs" | "hour" | "hours" => Some("h"),
        "day" | "days" => Some("d"),
        lower => crate::ast::UNITS.iter().map(|(unit, _)| *unit).find(|unit| *unit == lower),
    };
    let units = "the units are ns, us, ms, s, min, h and d";
    let help = meant.map_or(units.to_owned(), |meant| format!("write `{number}{meant}`; {units}"));
    Some(Diagnostic::error("E0418", place, format!("there is no unit `{unit}`")).with_help(help))
}

/// A constant expression for a duration, in the largest whole unit, standing at `span`.
pub fn duration_tokens(nanoseconds: u64, span: proc_macro2::Span) -> TokenStream {
    let (seconds, rest) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    let (method, number) = match () {
        () if rest == 0 => ("from_secs", seconds),
        () if nanoseconds.is_multiple_of(1_000_000) => ("from_millis", nanoseconds / 1_000_000),
        () if nanoseconds.is_multiple_of(1_000) => ("from_micros", nanoseconds / 1_000),
        () => ("from_nanos", nanoseconds),
    };
    let method = proc_macro2::Ident::new(method, span);
    let mut number = proc_macro2::Literal::u64_unsuffixed(number);
    number.set_span(span);
    quote_spanned!(span=> ::std::time::Duration::#method(#number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_use_the_largest_whole_unit() {
        let tokens =
            |text| duration_tokens(nanoseconds(text).unwrap(), proc_macro2::Span::call_site()).to_string();
        let expected = |call: &str| format!(":: std :: time :: Duration :: {call}");
        assert_eq!(tokens("5s"), expected("from_secs (5)"));
        assert_eq!(tokens("1.5s"), expected("from_millis (1500)"));
        assert_eq!(tokens("2min"), expected("from_secs (120)"));
        assert_eq!(tokens("0.5us"), expected("from_nanos (500)"));
        assert_eq!(nanoseconds("5"), None);
        assert_eq!(nanoseconds("99999999999h"), None);
    }

    #[test]
    fn what_is_no_unit_and_no_type_is_told() {
        for known in
            ["5", "5s", "0.5ms", "1_000u64", "3f64", "1e5", "1e-5", "2.5E+3f32", "0xff", "0b11u8", "7usize"]
        {
            assert_eq!(unknown_unit(known), None, "{known}");
        }
        for (text, unit) in
            [("5sec", "sec"), ("1m", "m"), ("0.5q", "q"), ("1_000_u7", "u7"), ("3e", "e"), ("5S", "S")]
        {
            assert_eq!(unknown_unit(text), Some(unit), "{text}");
        }
    }
}
