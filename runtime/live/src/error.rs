//! Why a host cannot be opened or a service cannot be started: for people, with what to do about it.

use std::fmt;

/// What went wrong.
#[derive(Debug)]
pub enum Error {
    /// The address cannot be listened on, or a file cannot be read.
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The peers are not known, or this node is not among them.
    Peers(String),
    /// The certificates cannot be used.
    Identity(String),
    /// The data directory cannot be used.
    Store(String),
    /// The service cannot be started.
    Service(String),
}

impl Error {
    pub(crate) fn io(what: impl Into<String>, source: std::io::Error) -> Self {
        Error::Io { what: what.into(), source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io { what, source } => write!(f, "{what}: {source}"),
            Error::Peers(message)
            | Error::Identity(message)
            | Error::Store(message)
            | Error::Service(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
