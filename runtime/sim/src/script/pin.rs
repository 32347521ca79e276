//! Who answers the choices of a script: the pin of the line at hand, then the author's default, then the first option.

use std::cell::RefCell;
use std::rc::Rc;

use std::time::Duration;

use foresee_kernel::script::Pin;
use foresee_kernel::{Nature, Point, Resolver};
use foresee_net::Draw;

use crate::draws::Draws;
use crate::resolver::{Policy, Scene};

/// Answers as the pin of the line at hand says.
pub(super) struct Pinned(pub Rc<RefCell<Option<Pin>>>);

impl Policy for Pinned {
    fn choose(&mut self, point: &Point<'_>, _: &mut Scene<'_>) -> u32 {
        let pin = self.0.borrow();
        let pinned = pin.as_ref().and_then(|pin| pinned(pin, point).ok().flatten());
        pinned.unwrap_or_else(|| point.default.unwrap_or(0))
    }
}

/// The option that the pin gives a point. None: it says nothing about it. An error: the options that there are, none of
/// which is the one that it wants.
fn pinned(pin: &Pin, point: &Point<'_>) -> Result<Option<u32>, Vec<String>> {
    if point.service.name != pin.service || point.nature != Nature::Choice {
        return Ok(None);
    }
    let labels = || (0..point.options).map(|option| (point.label)(option));
    // The site of a choice in a body has the name of its handler before a dot; that of a choice of handlers has none.
    if point.site.name.contains('.') {
        let Some(wanted) = pin.answer(point.site.name) else { return Ok(None) };
        let found = labels().position(|label| label == wanted);
        return found.map_or_else(|| Err(labels().collect()), |place| Ok(Some(place as u32)));
    }
    let found = labels().position(|label| pin.allows(&label));
    found.map_or_else(|| Err(labels().collect()), |place| Ok(Some(place as u32)))
}

/// Looks ahead whether a step can go as a pin says.
pub(super) struct Probe<'p> {
    pub pin: &'p Pin,
    pub draws: Draws,
    /// The clock.
    pub now: Duration,
    /// The sites that the pin speaks of and that were asked: their names, the handler's being its own.
    pub met: Vec<&'static str>,
    /// The first point at which there is nothing of what the pin wants: its name and its options.
    pub missing: Option<(&'static str, Vec<String>)>,
}

impl Resolver for Probe<'_> {
    fn now(&self) -> Option<Duration> {
        Some(self.now)
    }

    fn resolve(&mut self, point: &Point<'_>) -> u32 {
        if point.nature == Nature::Chance {
            return match point.options {
                1 => 0,
                _ => self.draws.chance(point.node).weighted(point.weights) as u32,
            };
        }
        match pinned(self.pin, point) {
            Ok(Some(option)) => {
                self.met.push(point.site.name);
                option
            }
            Ok(None) => point.default.unwrap_or(0),
            Err(offered) => {
                // Another event of the same service may be handled later in the step; the first one counts.
                if self.met.is_empty() || point.site.name.contains('.') {
                    self.missing.get_or_insert((point.site.name, offered));
                }
                point.default.unwrap_or(0)
            }
        }
    }
}
