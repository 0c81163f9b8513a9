//! What ends a server when the process that started it is gone: a shell that waits for the end of its input, which no
//! signal to the process or its group can keep from coming.

use std::{
    io,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, ChildStdin, Stdio},
};

use crate::binaries::Binaries;

/// Arguments: pg_ctl, the folder.
const SCRIPT: &str =
    r#"cat >/dev/null; "$1" stop --silent --mode immediate --pgdata "$2/data" 2>/dev/null; rm -rf "$2""#;

pub(crate) struct Supervisor {
    shell: Child,
    input: Option<ChildStdin>,
}

impl Supervisor {
    pub fn watch(binaries: &Binaries, folder: &Path) -> io::Result<Self> {
        let mut shell = binaries.command("/bin/sh");
        shell.arg("-c").arg(SCRIPT).arg("sh").arg(binaries.program("pg_ctl")).arg(folder);
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let mut shell = shell.spawn()?;
        let input = shell.stdin.take();
        Ok(Self { shell, input })
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.input.take());
        // It has some tenths of a second to do; nothing is left behind for whoever looks afterwards.
        let _ = self.shell.wait();
    }
}
