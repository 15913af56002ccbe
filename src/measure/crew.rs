//! The threads that serve requests: started once and kept, as a server's thread pool is.
//!
//! Which thread allocates matters: glibc gives each its own heap and keeps what was freed there.
//! A request of number i always runs on thread i, so that the same N touches the same heaps.

use std::any::Any;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

use anyhow::anyhow;

use super::threads;

/// What a thread is asked to do; it is given its number.
type Work = Arc<dyn Fn(usize) -> anyhow::Result<()> + Send + Sync>;

/// Threads that wait for work.
pub struct Crew {
    members: Vec<Sender<Work>>,
    report: Sender<anyhow::Result<()>>,
    reports: Receiver<anyhow::Result<()>>,
}

impl Crew {
    /// Nobody yet.
    pub fn new() -> Self {
        let (report, reports) = mpsc::channel();
        Self { members: Vec::new(), report, reports }
    }

    /// Runs `work` for the numbers 0 to `size` - 1, on a thread each, at the same time, and gives
    /// the first error.
    ///
    /// # Errors
    /// That of the work, or where the system starts no more threads.
    pub fn together(
        &mut self,
        size: usize,
        work: impl Fn(usize) -> anyhow::Result<()> + Send + Sync + 'static,
    ) -> anyhow::Result<()> {
        while self.members.len() < size {
            self.hire()?;
        }
        let work: Work = Arc::new(work);
        for member in &self.members[..size] {
            member.send(Arc::clone(&work)).map_err(|_| anyhow!("a request's thread has ended"))?;
        }
        let results: Vec<_> = self.reports.iter().take(size).collect();
        results.into_iter().collect()
    }

    fn hire(&mut self) -> anyhow::Result<()> {
        let number = self.members.len();
        let (send, orders) = mpsc::channel::<Work>();
        let report = self.report.clone();
        threads::start(&format!("request-{number}"), move || {
            for work in orders {
                // A panic is an error of its request; the others must not wait for it for ever.
                let result =
                    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(number)))
                        .unwrap_or_else(|panic| Err(said(panic.as_ref())));
                if report.send(result).is_err() {
                    break;
                }
            }
        })?;
        self.members.push(send);
        Ok(())
    }
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> anyhow::Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    anyhow!("a request panicked: {}", text.unwrap_or("it did not say why"))
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn all_requests_of_a_wave_are_in_flight_together() {
        let barrier = Barrier::new(8);
        let mut crew = Crew::new();
        // Would wait for ever if the eight did not run at once.
        crew.together(8, move |_| {
            barrier.wait();
            Ok(())
        })
        .unwrap();
    }

    #[test]
    fn an_error_of_one_request_is_the_error_of_the_wave_and_the_crew_goes_on() {
        let mut crew = Crew::new();
        let result = crew.together(3, |i| if i == 1 { Err(anyhow!("no")) } else { Ok(()) });
        assert_eq!(result.unwrap_err().to_string(), "no");
        assert!(crew.together(3, |_| panic!("on purpose")).is_err());
        crew.together(4, |_| Ok(())).unwrap();
    }
}
