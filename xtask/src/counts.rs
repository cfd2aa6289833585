//! How many tests passed and failed, and what they say of their extent, read from what libtest and `node --test` print.

use std::ops::AddAssign;
use std::path::PathBuf;

/// Tests of one suite or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl Counts {
    /// Makes a suite that was started count as failed where it failed, or ran nothing, without a failed test.
    pub(crate) fn judged(mut self, succeeded: bool) -> Self {
        let ran_nothing = self == Self::default();
        if self.failed == 0 && (ran_nothing || !succeeded) {
            self.failed = 1;
        }
        self
    }
}

/// A line such as `test result: ok. 5 passed; 0 failed; 0 ignored; …`, which each test binary ends with.
pub(crate) fn of_libtest_line(line: &str) -> Option<Counts> {
    let (_, result) = line.trim().strip_prefix("test result: ")?.split_once(". ")?;
    let count =
        |label: &str| result.split(';').find_map(|part| part.trim().strip_suffix(label)?.trim().parse().ok());
    Some(Counts { passed: count("passed")?, failed: count("failed")? })
}

/// The closing lines of node's TAP, `# pass 5` and so on. A file that reports no test of its own is
/// reported by node as one test that passed; here it failed.
pub(crate) fn of_tap(tap: &str, files: &[PathBuf]) -> Counts {
    let closing = |label: &str| {
        let number = |line: &str| line.strip_prefix("# ")?.strip_prefix(label)?.trim().parse::<u64>().ok();
        tap.lines().rev().find_map(number).unwrap_or(0)
    };
    let is_file = |name: &str| files.iter().any(|file| file.to_string_lossy().ends_with(name));
    let whole_files = tap.lines().filter_map(|line| line.strip_prefix("ok ")?.split_once(" - "));
    let empty = whole_files.filter(|(_, name)| is_file(name)).count() as u64;
    Counts {
        passed: closing("pass ").saturating_sub(empty),
        failed: closing("fail ") + closing("cancelled ") + empty,
    }
}

/// What tests say of how much they look at, in the output of libtest or in TAP.
const FIGURES: [&str; 7] =
    ["hostile:", "vectors", "properties:", "model:", "simulation:", "fuzz:", "SECURITY.md:"];

/// A line with such a figure. libtest's dots may stand before it, and `# ` in TAP.
pub(crate) fn figure(line: &str) -> Option<&str> {
    let figure = line.trim_start_matches(['.', '#', ' ']).trim_end();
    let is_one = FIGURES.iter().any(|start| figure.starts_with(start));
    (is_one || figure.ends_with(" scenarios in Chromium")).then_some(figure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtest_lines_are_read() {
        let line =
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(of_libtest_line(line), Some(Counts { passed: 12, failed: 0 }));
        let line = "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(of_libtest_line(line), Some(Counts { passed: 3, failed: 2 }));
        assert_eq!(of_libtest_line("test protocol::tests::parses ... ok"), None);
    }

    #[test]
    fn tap_is_read_and_an_empty_file_has_failed() {
        let tap = "TAP version 13\nok 1 - signs in\nok 2 - /x/tests/empty.test.mjs\n1..2\n# tests 4\n# suites 0\n\
                   # pass 2\n# fail 1\n# cancelled 1\n# skipped 0\n# todo 0\n# duration_ms 3";
        let files = [PathBuf::from("/x/tests/empty.test.mjs"), PathBuf::from("/x/tests/full.test.mjs")];
        assert_eq!(of_tap(tap, &files), Counts { passed: 1, failed: 3 });
        assert_eq!(of_tap("", &files), Counts::default());
    }

    #[test]
    fn figures_are_found_behind_dots() {
        assert_eq!(
            figure("....properties: 42, of 256 cases each"),
            Some("properties: 42, of 256 cases each")
        );
        assert_eq!(figure("# 101 scenarios in Chromium"), Some("101 scenarios in Chromium"));
        assert_eq!(figure("hostile discovery: 40 scenarios"), None);
        assert_eq!(figure("test result: ok. 1 passed; 0 failed"), None);
    }

    #[test]
    fn no_test_at_all_is_a_failure() {
        let failed = Counts { passed: 0, failed: 1 };
        assert_eq!(Counts::default().judged(true), failed);
        assert_eq!(Counts::default().judged(false), failed);
        assert_eq!(Counts { passed: 5, failed: 0 }.judged(false), Counts { passed: 5, failed: 1 });
        assert_eq!(Counts { passed: 5, failed: 2 }.judged(false), Counts { passed: 5, failed: 2 });
        assert_eq!(Counts { passed: 5, failed: 0 }.judged(true), Counts { passed: 5, failed: 0 });
    }
}
