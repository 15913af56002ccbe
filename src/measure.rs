//! The world: the only room that names ONNX Runtime, child processes, /proc, cgroups and the
//! cache.
//!
//! The parent half ([`campaign`], [`comparison`], [`group`], [`child`], [`schedule`]) never loads a
//! model. [`trial`] runs a service inside the limits of a box, a [`control_group`]. [`live`] measures a service that runs by itself, a
//! [`supervisor`] starts and ends it. The child half ([`probe`], [`subject`], [`service`], [`sessions`], [`pipeline`],
//! [`session`]) is measured and holds as little of the tool as possible. Between them is the line
//! [`protocol`].

pub mod assemble;
pub mod cache;
pub mod campaign;
pub mod child;
pub mod comparison;
pub mod control_group;
pub mod counting;
mod crest;
mod crew;
pub mod drive;
mod ending;
mod ffi;
mod group;
mod hold;
pub mod host;
mod images;
pub mod interrupt;
pub mod killed;
pub mod live;
pub mod memory;
pub mod npy;
mod pipeline;
pub mod prepare;
pub mod probe;
pub mod program;
pub mod protocol;
mod room;
pub mod runtime;
pub mod schedule;
mod segmentation;
mod service;
mod session;
mod sessions;
mod subject;
mod supervisor;
mod synthetic;
pub mod tensor;
pub mod threads;
pub mod trial;
