//! The regions of a cloud, as far apart as they were measured.

use super::Topology;

/// The regions of [`regions`].
pub const REGIONS: [&str; 10] = [
    "dallas",
    "toronto",
    "washington",
    "frankfurt",
    "london",
    "madrid",
    "osaka",
    "sydney",
    "tokyo",
    "sao-paulo",
];

/// Mean round trips in milliseconds from row to column. On the diagonal those between two zones of a region, of which
/// the source gives about 2 for each.
const RTT_MS: [[u16; 10]; 10] = [
    [2, 34, 31, 123, 113, 119, 150, 186, 143, 146],
    [34, 2, 19, 93, 82, 108, 168, 215, 162, 129],
    [31, 19, 2, 91, 75, 87, 172, 214, 164, 118],
    [123, 93, 91, 2, 13, 29, 232, 250, 233, 198],
    [113, 83, 75, 13, 2, 27, 244, 261, 243, 188],
    [122, 106, 88, 29, 27, 2, 257, 275, 258, 209],
    [150, 169, 172, 231, 243, 257, 2, 122, 9, 293],
    [186, 214, 214, 249, 261, 275, 122, 2, 115, 328],
    [143, 162, 166, 233, 244, 256, 9, 115, 2, 284],
    [144, 128, 119, 196, 187, 208, 291, 328, 283, 2],
];

/// Ten regions of IBM Cloud over all continents but Africa: the monthly means that its documentation publishes ("Network
/// latency dashboards" of the virtual private cloud, the table of 27 July to 25 August 2024). Half of a round trip is taken
/// for each way. Nodes go round the regions unless they are placed.
pub fn regions() -> Topology {
    let micros = RTT_MS.iter().flatten().map(|rtt| u32::from(*rtt) * 500).collect();
    Topology::of(REGIONS.iter().map(|&name| name.to_owned()).collect(), micros)
}
