//! The `parlance` binary itself, where tests can find it.

use std::process::ExitCode;

fn main() -> ExitCode {
    parlance_server::main()
}
