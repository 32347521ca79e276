//! From the command line to the model that it names.

use std::sync::Arc;

use foresee_kernel::trace::Origin;
use foresee_kernel::{Arguments, Model, SpecInfo, SystemInfo};

use crate::args::SystemArgs;
use crate::exit::Failure;
use crate::faults::{self, FaultArg};

/// Builds the model that `args` name, to be run.
///
/// # Errors
/// Arguments that do not fit, and a model that no engine can run yet.
pub fn runnable(spec: &'static SpecInfo, args: &SystemArgs) -> Result<Arc<Model>, Failure> {
    let model = build(spec, args)?;
    refuse(&model)?;
    Ok(model)
}

/// Builds the model that `args` name.
pub fn build(spec: &'static SpecInfo, args: &SystemArgs) -> Result<Arc<Model>, Failure> {
    let system = system(spec, args.system.as_deref())?;
    let arguments: Arguments = args.parameters.iter().cloned().collect();
    with_arguments(system, &arguments)
}

/// Builds the model that a trace is of: its system, with its arguments and what may fail.
pub fn of_trace(spec: &'static SpecInfo, origin: &Origin) -> Result<Arc<Model>, Failure> {
    let arguments: Arguments = origin.parameters.iter().cloned().collect();
    let mut model = with_arguments(system(spec, Some(&origin.system))?, &arguments)?;
    let faults: Result<Vec<FaultArg>, String> =
        origin.faults.iter().map(|fault| FaultArg::parse(fault)).collect();
    faults::apply(Arc::make_mut(&mut model), &faults.map_err(Failure::usage)?);
    Ok(model)
}

/// Refuses a model that no engine can run yet.
///
/// # Errors
/// A group of generic nodes.
pub fn refuse(model: &Model) -> Result<(), Failure> {
    match model.groups.iter().find(|group| group.is_generic()) {
        None => Ok(()),
        Some(group) => Err(Failure::usage(format!(
            "E0910: the nodes of `{}` in system `{}` are generic: nothing is known of them but what they may send, and running such nodes is not \
             yet supported",
            group.name(),
            model.system
        ))),
    }
}

/// The system called `name`, or the first of the spec.
pub fn system(spec: &'static SpecInfo, name: Option<&str>) -> Result<&'static SystemInfo, Failure> {
    let names = || spec.systems.iter().map(|system| system.name).collect::<Vec<_>>().join(", ");
    match name {
        Some(name) => spec.systems.iter().find(|system| system.name == name).ok_or_else(|| {
            Failure::usage(format!("{} has no system `{name}`; it has: {}", spec.file, names()))
        }),
        None => spec.systems.first().ok_or_else(|| {
            Failure::usage(format!("{} declares no system: there is nothing to run", spec.file))
        }),
    }
}

/// Builds `system` with `arguments`. The expressions of a system are the author's: a panic in one is reported as such.
pub fn with_arguments(system: &SystemInfo, arguments: &Arguments) -> Result<Arc<Model>, Failure> {
    let built = foresee_kernel::fault::guard(|| (system.build)(arguments));
    match built {
        Ok(Ok(model)) => Ok(Arc::new(model)),
        Ok(Err(error)) => Err(Failure::usage(error.to_string())),
        Err(fault) => {
            Err(Failure::usage(format!("system `{}` cannot be put together: {fault}", system.name)))
        }
    }
}
