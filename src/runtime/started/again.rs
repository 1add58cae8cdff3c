//! Restarts programs in their existing containers.

use std::time::Instant;

use anyhow::Result;

use super::Started;
use crate::runtime::container::{LiveContainer, await_followers};

impl Started<'_> {
    /// Ends the programs of several services at once. Those in `first` start again as soon as their own program has ended,
    /// because an engine takes time for both steps.
    pub fn end_all(&mut self, services: &[String], first: &[String]) -> Result<()> {
        let wishes = self.interrupt.count();
        let chosen = self.places(services);
        let turned = std::thread::scope(|scope| {
            let this = &*self;
            let turn = |at: usize| {
                scope.spawn(move || {
                    let container = &this.containers[at];
                    this.end(container)?;
                    let again = first.contains(&container.service) && this.interrupt.count() == wishes;
                    if again {
                        await_followers(&[container]);
                        this.engine.start(&container.name)?;
                    }
                    Ok(again)
                })
            };
            let turns: Vec<_> = chosen.iter().map(|at| turn(*at)).collect();
            let joined = turns.into_iter().map(|turn| turn.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            joined.collect::<Vec<Result<bool>>>()
        });
        // So `look` does not report them as ended.
        for at in &chosen {
            (self.containers[*at].ended, self.containers[*at].down) = (true, None);
        }
        for (at, again) in chosen.into_iter().zip(turned) {
            if again? {
                self.goes_on(at)?;
            }
        }
        Ok(())
    }

    /// Starts ended programs again in the same containers. They see mounted files as they are now.
    pub fn start_again(&mut self, services: &[String]) -> Result<()> {
        let chosen = self.places(services);
        let ended: Vec<&LiveContainer> = chosen.iter().map(|at| &self.containers[*at]).collect();
        await_followers(&ended);
        let engine = self.engine;
        std::thread::scope(|scope| {
            let starts: Vec<_> = ended.iter().map(|container| scope.spawn(|| engine.start(&container.name))).collect();
            let joined = starts.into_iter().map(|start| start.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            joined.collect::<Vec<_>>().into_iter().collect::<Result<()>>()
        })?;
        chosen.into_iter().try_for_each(|at| self.goes_on(at))
    }

    /// Marks services as not yet healthy.
    pub fn mark_unwell(&mut self, services: &[String]) {
        self.places(services).into_iter().for_each(|at| self.containers[at].well = false);
    }

    fn places(&self, services: &[String]) -> Vec<usize> {
        (0..self.containers.len()).filter(|at| services.contains(&self.containers[*at].service)).collect()
    }

    /// Resets a container that was started again.
    fn goes_on(&mut self, at: usize) -> Result<()> {
        let container = &mut self.containers[at];
        (container.well, container.ended, container.down) = (false, false, None);
        (container.since, container.told) = (Instant::now(), false);
        self.follow(at)
    }
}
