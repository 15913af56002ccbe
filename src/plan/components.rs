//! Where the memory goes.

use super::{Component, Scope};
use crate::footprint::Footprint;
use crate::units::{Bytes, Source, Span};

/// How the part begins that the first requests leave behind; their number follows.
pub(super) const ACCUMULATED: &str = "accumulated over the first ";

/// What begins the name of the server process among the parts.
pub(super) const SERVER: &str = "server process: ";

/// The shared parts as the marks tell them apart, then what each stage of a request needs at its
/// height. Stages follow each other and share memory, so theirs do not add up to the buffer.
pub(super) fn components(footprint: &Footprint, base: &Span<Bytes>) -> Vec<Component> {
    let marks = &footprint.marks;
    let shared = |name: &str, bytes: Bytes, source: Source| Component {
        name: name.to_owned(),
        scope: Scope::Shared,
        bytes: Span::exact(bytes, source),
    };
    // The mark is of the models that are loaded at the start; the base is of all.
    let late: Bytes = footprint.models.iter().filter(|m| m.lazy).map(|m| m.resident_bytes).sum();
    let mut parts = match footprint.live {
        Some(_) => {
            vec![shared("service before its first request", marks.start_bytes, Source::Measured)]
        }
        None => vec![
            match &footprint.program {
                Some(record) => shared(
                    &format!("{SERVER}{}", record.program),
                    marks.start_bytes,
                    record.source(),
                ),
                None => shared("program", marks.start_bytes, Source::Measured),
            },
            shared(
                "ONNX Runtime",
                marks.runtime_bytes.saturating_sub(marks.start_bytes),
                Source::Measured,
            ),
        ],
    };
    parts.extend(
        footprint
            .models
            .iter()
            .map(|m| shared(&format!("model {}", m.name), m.resident_bytes, Source::Measured)),
    );
    let found = footprint.live.as_ref().and_then(|live| live.accumulated.as_ref());
    let accumulated = found.map_or(Bytes::ZERO, |a| a.bytes);
    parts.push(shared(
        "kept by the first requests",
        base.typical().saturating_sub(marks.loaded_bytes + late + accumulated),
        Source::Fitted,
    ));
    parts.extend(found.map(|a| {
        let name = format!("{ACCUMULATED}{} requests", a.requests);
        shared(&name, a.bytes, Source::Fitted)
    }));
    parts.push(shared("kernel: page tables, stacks", marks.kernel_bytes, Source::Measured));
    parts.extend(footprint.stages.iter().map(|stage| Component {
        name: stage.name.clone(),
        scope: Scope::Request,
        bytes: stage.ram,
    }));
    parts
}

/// A connection of a live service whose request waits: the thread's stack or the task, and the
/// kernel's buffers. Assumed; one of Python's threads with its socket was seen to take 55 KiB.
const CONNECTION: Bytes = Bytes::new(64 << 10);

/// What a request holds while it waits for a model: its body and the decoded image, or where it
/// carries none, the tensors that were made of it.
pub(super) fn held(footprint: &Footprint) -> Span<Bytes> {
    if let Some(live) = &footprint.live {
        return Span::exact(live.request_bytes + CONNECTION, Source::Assumed);
    }
    match &footprint.image {
        Some(image) => {
            let pixels = Bytes::new(u64::from(image.width) * u64::from(image.height) * 3);
            Span::exact(image.encoded_bytes + pixels, Source::Measured)
        }
        None => {
            let before = footprint.stages.iter().take_while(|s| !s.name.starts_with("infer "));
            let bytes = before.map(|stage| stage.ram.typical()).sum();
            Span::exact(bytes, Source::Measured)
        }
    }
}
