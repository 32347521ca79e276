//! Exit codes, which scripts may rely on, and failures that carry one.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exit {
    /// 0: what was asked holds, or holds within bounds.
    Held,
    /// 1: a violation.
    Violation,
    /// 2: the command line, a file or a spec is at fault.
    Usage,
    /// 3: a budget was spent before an answer was there.
    Inconclusive,
    /// 4: a mistake of this program.
    Internal,
}

impl Exit {
    /// The code.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Held => 0,
            Exit::Violation => 1,
            Exit::Usage => 2,
            Exit::Inconclusive => 3,
            Exit::Internal => 4,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

/// Why a command could not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What to tell the user.
    pub message: String,
}

impl Failure {
    /// Something that the user can mend.
    pub fn usage(message: impl Into<String>) -> Self {
        Failure { exit: Exit::Usage, message: message.into() }
    }

    /// Something that the user cannot mend.
    pub fn internal(message: impl Into<String>) -> Self {
        Failure { exit: Exit::Internal, message: message.into() }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            // The reader went away: there is nobody to tell.
            std::io::ErrorKind::BrokenPipe => {
                Failure { exit: Exit::Held, message: "the output was closed".into() }
            }
            _ => Failure::internal(format!("cannot write: {error}")),
        }
    }
}
