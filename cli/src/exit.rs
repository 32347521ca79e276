//! How a command ends. The commands of a generated service use the same numbers.

use std::io;
use std::process::ExitCode;

/// How a command ended, where it did what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Held,
    /// What was asked has the answer no: a file is not formatted.
    Violated,
    /// A spec, a file or the command line is wrong.
    Usage,
    /// A program that we made died.
    Internal,
    /// Another program, cargo for one, ended with this.
    Program(u8),
}

impl Exit {
    /// The number.
    pub const fn number(self) -> u8 {
        match self {
            Exit::Held => 0,
            Exit::Violated => 1,
            Exit::Usage => 2,
            Exit::Internal => 4,
            Exit::Program(number) => number,
        }
    }

    /// The worse of two.
    pub fn and(self, other: Exit) -> Exit {
        if other.number() > self.number() { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.number())
    }
}

/// Why a command could not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// To be told to the user, who can mend it.
    Told(String),
    /// Nobody reads the output any more: there is nobody to tell.
    Unread,
}

impl From<String> for Failure {
    fn from(message: String) -> Failure {
        Failure::Told(message)
    }
}

/// An error of writing the output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::Unread,
            _ => Failure::Told(format!("cannot write the output: {error}")),
        }
    }
}

/// What every command returns.
pub type Outcome = Result<Exit, Failure>;
