//! Asks nodes how they are: plain HTTP to their pages, over the loopback, with little patience.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// How long a node may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The most bytes of a page that are read.
const BYTES_MAX: u64 = 8 << 20;

/// The status and the text of a page; None where nobody answers as a node does.
pub(super) fn page(port: u16, path: &str) -> Option<(u16, String)> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.take(BYTES_MAX).read_to_string(&mut text).ok()?;
    let status = text.split(' ').nth(1)?.parse().ok()?;
    Some((status, text.split_once("\r\n\r\n")?.1.to_owned()))
}

/// How a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// It runs, and all of its services do.
    Well,
    /// A service of it is down, for this reason.
    Down(String),
    /// It runs, and a claim that it checks of itself was violated.
    Violated(String),
    /// Nobody answers.
    Silent,
    /// Another program answers at its port.
    Stranger,
}

/// Asks the node `name`, whose page is at `port`.
pub(super) fn health(port: u16, name: &str) -> Health {
    let Some((status, text)) = page(port, "/health") else { return Health::Silent };
    if text.lines().next() != Some(name) {
        return Health::Stranger;
    }
    match status {
        200 => Health::Well,
        500 => {
            let mut lines = text.lines().filter_map(|line| Some(line.split_once(": violated: ")?.1));
            Health::Violated(format!("it has violated {}", lines.next().unwrap_or("a claim")))
        }
        _ => {
            let down = text.lines().find_map(|line| Some(line.split_once(": down: ")?.1.to_owned()));
            Health::Down(down.unwrap_or_else(|| text.trim().to_owned()))
        }
    }
}

/// The sum of a counter over all its labels in a page of `/metrics`.
pub(super) fn counter(metrics: &str, name: &str) -> f64 {
    let value = |line: &str| {
        let rest = line.strip_prefix("foresee_")?.strip_prefix(name)?;
        let rest = rest.strip_prefix("_total").unwrap_or(rest);
        if !rest.starts_with([' ', '{']) {
            return None;
        }
        rest.rsplit_once(' ')?.1.parse::<f64>().ok()
    };
    metrics.lines().filter_map(value).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_summed_over_their_labels() {
        let text = "# TYPE foresee_events counter\nforesee_events_total{kind=\"timer\"} 3\nforesee_events_total{kind=\"call\"} 4\n\
                    foresee_links_cut 2\nforesee_links_cut_more 9\n";
        assert_eq!(counter(text, "events"), 7.0);
        assert_eq!(counter(text, "links_cut"), 2.0);
        assert_eq!(counter(text, "none"), 0.0);
    }
}
