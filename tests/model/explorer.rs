//! All ways to choose, one after the other.

use std::cell::{Cell, RefCell};

/// One way to choose. Its first option is the usual one; any other is a departure.
pub(crate) struct Explorer {
    /// What is chosen, as far as that is settled.
    settled: RefCell<Vec<usize>>,
    /// What was chosen, of how many.
    taken: RefCell<Vec<(usize, usize)>>,
    departures: usize,
    /// Are choices printed?
    pub(crate) is_told: bool,
    is_usual: Cell<bool>,
}

impl Explorer {
    /// Of the ways with so many departures at most, the first: the usual one.
    pub(crate) fn new(departures: usize) -> Explorer {
        let (settled, taken) = (RefCell::default(), RefCell::default());
        Explorer { settled, taken, departures, is_told: false, is_usual: Cell::default() }
    }

    /// One way alone.
    pub(crate) fn replay(written: &str) -> Explorer {
        let choices = written.split(',').map(|choice| choice.parse().expect("a number")).collect();
        Explorer { settled: RefCell::new(choices), is_told: true, ..Explorer::new(0) }
    }

    /// Begins a run.
    pub(crate) fn begin(&self) {
        self.taken.borrow_mut().clear();
        self.is_usual.set(false);
    }

    /// From here on a run takes its usual course.
    pub(crate) fn end(&self) {
        self.is_usual.set(true);
    }

    /// Chooses one of so many.
    pub(crate) fn choose(&self, count: usize) -> usize {
        if count < 2 || self.is_usual.get() {
            return 0;
        }
        let mut taken = self.taken.borrow_mut();
        let choice = self.settled.borrow().get(taken.len()).copied().unwrap_or(0);
        assert!(choice < count, "the same choices lead to another place");
        taken.push((choice, count));
        choice
    }

    /// Turns to the next way. False if there is none.
    pub(crate) fn advance(&self) -> bool {
        let mut taken = self.taken.take();
        while let Some((choice, count)) = taken.pop() {
            let departed = taken.iter().filter(|(choice, _)| *choice > 0).count();
            if choice + 1 < count && departed < self.departures {
                let mut settled: Vec<usize> = taken.iter().map(|(choice, _)| *choice).collect();
                settled.push(choice + 1);
                self.settled.replace(settled);
                return true;
            }
        }
        false
    }

    /// The way, without the usual course at its end.
    pub(crate) fn written(&self) -> String {
        let taken = self.taken.borrow();
        let length = taken.iter().rposition(|(choice, _)| *choice > 0).map_or(1, |last| last + 1);
        let choices: Vec<String> = taken.iter().take(length).map(|(choice, _)| choice.to_string()).collect();
        choices.join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::Explorer;

    /// Three choices of three: all 27 ways, and of those with one departure at most 1 + 3 * 2.
    #[test]
    fn every_way_comes_once() {
        for (departures, ways) in [(0, 1), (1, 7), (2, 19), (3, 27), (9, 27)] {
            let explorer = Explorer::new(departures);
            let mut seen = std::collections::BTreeSet::new();
            loop {
                explorer.begin();
                seen.insert([0; 3].map(|_| explorer.choose(3)));
                if !explorer.advance() {
                    break;
                }
            }
            assert_eq!(seen.len(), ways);
        }
    }
}
