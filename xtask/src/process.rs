//! Child processes: run one and turn a failure into a message that names the command.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::project;

/// A command in the project's root.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(project::root());
    command
}

/// The cargo that runs this driver, so that the toolchain stays the same one.
pub(crate) fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A tool from `node_modules/.bin`, called directly: `npx` would swallow flags such as `-Oz`.
pub(crate) fn node_tool(name: &str) -> Command {
    command(project::root().join("node_modules/.bin").join(name))
}

/// Runs it with the terminal's streams.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| not_started(command))?;
    if !status.success() {
        bail!("`{}` failed ({status})", describe(command));
    }
    Ok(())
}

/// Runs it and returns what it printed; its errors still go to the terminal.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output().with_context(|| not_started(command))?;
    if !output.status.success() {
        bail!("`{}` failed ({})", describe(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` printed no UTF-8", describe(command)))
}

/// The program's name and arguments, as a person would type them.
pub(crate) fn describe(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program()).to_string_lossy().into_owned();
    std::iter::once(name)
        .chain(command.get_args().map(|argument| argument.to_string_lossy().into_owned()))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Where a program of this name is on the `PATH`.
pub(crate) fn find_on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn not_started(command: &Command) -> String {
    format!("`{}` could not be started; is it installed?", describe(command))
}

/// Becomes this command, so that Ctrl-C and every other signal reach it and nothing of it stays behind.
#[cfg(unix)]
pub(crate) fn replace(command: &mut Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(error).with_context(|| not_started(command))
}

/// Runs it to its end; Windows sends Ctrl-C to every process of the console.
#[cfg(not(unix))]
pub(crate) fn replace(command: &mut Command) -> Result<ExitCode> {
    let status = command.status().with_context(|| not_started(command))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
