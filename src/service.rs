//! What a person says of a service: what its parts are declared to cost, what it stores and sends,
//! what is asked of it, what boxes cost, and what others have stated about it.
//!
//! All of it is optional and none of it is measured. A quantity is kept as it was written, because
//! how it was written says how exactly it is known.

mod budget;
mod costs;
mod demand;
mod market;
mod named;
mod project;
mod stated;
mod storage;
mod traffic;
mod written;

pub use budget::{Limit, Line, Rule};
pub use costs::{Costs, DeclaredModel, DeclaredRequest, Load, Shared, Stage};
pub use demand::{Demand, Deployment, Volume, Workers};
pub use market::{Target, Thresholds, Tier};
pub use named::Named;
pub use project::Project;
pub use stated::Stated;
pub use storage::{Place, Storage, Stored};
pub use traffic::{Direction, Item, Scenario, Traffic};
pub use written::{Number, Quantity, Written};

use crate::units::Units;

/// The parts of a profile that neither run nor are measured.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Service {
    /// What a megabyte is here.
    pub units: Option<Units>,
    /// What the service is for and where it lives.
    pub project: Option<Project>,
    /// What it stores.
    pub storage: Option<Storage>,
    /// What it receives and sends.
    pub traffic: Option<Traffic>,
    /// What is asked of it.
    pub demand: Option<Demand>,
    /// Configurations by requests a day, ascending.
    pub volumes: Vec<Volume>,
    /// The same service in several processes, to compare.
    pub workers: Option<Workers>,
    /// The box that is meant.
    pub target: Option<Target>,
    /// Boxes and their prices, ascending.
    pub tiers: Vec<Tier>,
    /// What an alarm should watch.
    pub thresholds: Option<Thresholds>,
    /// Figures that others have stated, to be held against the computed ones.
    pub stated: Vec<Stated>,
}
