//! The recordings of a cluster, read together: one for each life of each process, all of one system.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use foresee_kernel::recording::{self, Contents, Entry, Head};
use foresee_kernel::{Arguments, Model, NodeId, SpecInfo};

use crate::exit::Failure;
use crate::model;

/// A recording that was read.
#[derive(Debug)]
pub(crate) struct Life {
    /// Where it was read from.
    pub path: PathBuf,
    /// Of which node it is.
    pub node: NodeId,
    /// When it began, in nanoseconds since 1970.
    pub began: u64,
    /// Its steps.
    pub entries: Vec<Entry>,
    /// Whether the node ended in good order, so that nothing is missing at its end.
    pub closed: bool,
}

/// Reads recordings, and builds the system that all of them are of.
///
/// # Errors
/// A file that cannot be read, is no recording, was changed, or is of another spec or system than the first; no file at all.
pub(crate) fn read(spec: &'static SpecInfo, files: &[PathBuf]) -> Result<(Arc<Model>, Vec<Life>), Failure> {
    let mut model: Option<(Arc<Model>, Head)> = None;
    let mut lives = Vec::with_capacity(files.len());
    for path in files {
        let shown = path.display();
        let refuse = |what: String| Failure::usage(format!("{shown}: {what}"));
        let text = fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
        let read = recording::read(&text).map_err(|error| refuse(error.to_string()))?;
        let Contents { head, entries, ended_nanos } = read;
        crate::recording::fits(spec, &head).map_err(refuse)?;
        let (built, first) = match &mut model {
            Some(known) => known,
            none => none.insert((built(spec, &head)?, head.clone())),
        };
        if head.origin.system != first.origin.system || head.origin.parameters != first.origin.parameters {
            return Err(refuse("it is of another system, or of other parameters, than the first".to_owned()));
        }
        let node =
            built.node(&head.node).ok_or_else(|| refuse(format!("there is no node `{}`", head.node)))?;
        let began = head.began_nanos.ok_or_else(|| refuse("it does not say when it began".to_owned()))?;
        lives.push(Life { path: path.clone(), node, began, entries, closed: ended_nanos.is_some() });
    }
    let (model, _) = model.ok_or_else(|| Failure::usage("there is no recording"))?;
    Ok((model, lives))
}

fn built(spec: &'static SpecInfo, head: &Head) -> Result<Arc<Model>, Failure> {
    let arguments: Arguments = head.origin.parameters.iter().cloned().collect();
    model::with_arguments(model::system(spec, Some(&head.origin.system))?, &arguments)
}
