//! The map of this house.
//!
//! Will a machine-learning service fit a box, how many requests at once, how fast: measured, not
//! guessed. Rooms that touch the world and rooms that think do not mix:
//!
//! | room          | what it holds                                             | touches      |
//! | ------------- | --------------------------------------------------------- | ------------ |
//! | [`cli`]       | what the user typed                                       | arguments    |
//! | [`commands`]  | one file a verb: where world and thought meet             | everything   |
//! | [`measure`]   | ONNX Runtime, child processes, /proc, cgroups, the cache  | the world    |
//! | [`reference`] | ONNX graphs written with seeded weights; what a file says | files        |
//! | [`profile`]   | the user's YAML                                           | files        |
//! | [`service`]   | what a person says of a service: demand, storage, prices    | nothing      |
//! | [`footprint`] | the record of what was measured                           | nothing      |
//! | [`model`]     | samples to line, interval, throughput                     | nothing      |
//! | [`plan`]      | footprint × box × demand: tables and verdict              | nothing      |
//! | [`report`]    | a plan, or what a file says, as bytes                     | nothing      |
//! | [`files`]     | opening files that somebody else wrote                    | files        |
//! | [`text`]      | what of others' texts can be shown                        | nothing      |
//! | [`units`]     | bytes, CPUs, seconds, rates, spans                        | nothing      |
//!
//! Arrows point one way: `commands` to all, `report` to `plan`, `plan` to `model` and `footprint`,
//! all to `units`. `tests/rooms.rs` holds this table.

// Where threads may run short: not in tests.
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

pub mod cli;
pub mod commands;
pub mod files;
pub mod footprint;
pub mod measure;
pub mod model;
pub mod plan;
pub mod profile;
pub mod reference;
pub mod report;
pub mod service;
pub mod text;
pub mod units;
