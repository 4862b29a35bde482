//! Tell a newcomer what happens, in plain words.

use std::{
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use crate::output::Output;

/// Says what happens, or nothing if nobody wants to hear it.
///
/// With `--json` standard output belongs to the summary, so the story goes to standard error.
#[derive(Debug)]
pub(super) struct Narrator {
    started: Instant,
    silent: bool,
    to_stderr: bool,
    live: bool,
    line_open: bool,
}

impl Narrator {
    /// Time counts from here.
    pub(super) fn new(output: Output, headless: bool) -> Self {
        let terminal = match output.json {
            true => std::io::stderr().is_terminal(),
            false => std::io::stdout().is_terminal(),
        };
        Self {
            started: crate::started(),
            silent: headless,
            to_stderr: output.json,
            live: terminal,
            line_open: false,
        }
    }

    /// Time since the program started.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Says something.
    pub(super) fn say(&mut self, text: &str) {
        if !self.silent {
            let end = if self.line_open { "\n" } else { "" };
            self.line_open = false;
            self.write(&format!("{end}{text}\n"));
        }
    }

    /// Says something with the time it happened.
    pub(super) fn at(&mut self, text: &str) {
        let seconds = self.elapsed().as_secs_f64();
        self.say(&format!("{seconds:>6.2} s  {text}"));
    }

    /// Says how things stand: on a terminal in the place of the line before.
    pub(super) fn stand(&mut self, text: &str) {
        if self.silent {
            return;
        }
        let seconds = self.elapsed().as_secs();
        if self.live {
            self.line_open = true;
            self.write(&format!("\r{seconds:>6} s  {text}\u{1b}[K"));
        } else {
            self.write(&format!("{seconds:>6} s  {text}\n"));
        }
    }

    /// A reader that went away is no reason to end the demo.
    fn write(&self, text: &str) {
        let _ = match self.to_stderr {
            true => std::io::stderr().write_all(text.as_bytes()),
            false => {
                let mut out = std::io::stdout();
                out.write_all(text.as_bytes()).and_then(|()| out.flush())
            }
        };
    }
}
