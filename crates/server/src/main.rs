//! The `parlance` binary; everything is in the library, so that tests and benchmarks can run the same thing.

use std::process::ExitCode;

fn main() -> ExitCode {
    parlance_server::main()
}
