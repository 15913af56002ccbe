//! What the same service would cost in another topology, as far as it can be told from one.

use super::build::Models;
use super::{Alternative, Question};
use crate::footprint::Footprint;
use crate::units::Bytes;

/// Processes of the alternative that is shown: what `gunicorn --workers 4` and its kin start.
const WORKERS: u32 = 4;

pub(super) fn alternatives(
    footprint: &Footprint,
    models: &Models,
    question: &Question,
    design: u32,
) -> Vec<Alternative> {
    let files: Vec<Bytes> = footprint.points.iter().map(|p| p.file_bytes).collect();
    let shared_file = files.into_iter().min().unwrap_or_default();
    vec![Alternative {
        topology: format!("workers:{WORKERS}"),
        total: models.resident.workers(WORKERS, design, shared_file),
        instead_of: models.resident.total(design),
        throughput: question.cpus.map(|cpus| models.cpu.throughput(cpus)),
    }]
}
