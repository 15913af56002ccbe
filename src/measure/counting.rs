//! The allocator of the measured process: the system's, with a count of what is live and the most
//! that ever was.
//!
//! It is what tells the stages of a request apart: the kernel's marks see pages, not who asked for
//! them. Crates that do this exist, but those looked at leave out `alloc_zeroed` and `realloc`, so
//! that zeroed memory is touched at once and a growing buffer is copied instead of remapped, which
//! changes the very footprint that is measured.
#![expect(unsafe_code, reason = "a global allocator cannot be written without it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::units::Bytes;

/// Install with `#[global_allocator]` in the binary.
#[derive(Debug, Default)]
pub struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// Bytes that are allocated now, by Rust code of this process; 0 where the allocator is not
/// installed.
pub fn live() -> Bytes {
    Bytes::new(LIVE.load(Ordering::Relaxed) as u64)
}

/// The most that was allocated at once since [`reset_peak`].
pub fn peak() -> Bytes {
    Bytes::new(PEAK.load(Ordering::Relaxed) as u64)
}

/// Starts a new peak from what is live now.
pub fn reset_peak() {
    PEAK.store(LIVE.load(Ordering::Relaxed), Ordering::Relaxed);
}

fn grow(bytes: usize) {
    let live = LIVE.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(live, Ordering::Relaxed);
}

fn shrink(bytes: usize) {
    LIVE.fetch_sub(bytes, Ordering::Relaxed);
}

// SAFETY: every call is handed on unchanged to `System`, which upholds the contract; the counters
// touch no memory of the caller.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise about `layout` is handed on.
        let block = unsafe { System.alloc(layout) };
        if !block.is_null() {
            grow(layout.size());
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: `block` came from `System` with this layout.
        unsafe { System.dealloc(block, layout) };
        shrink(layout.size());
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise about `layout` is handed on.
        let block = unsafe { System.alloc_zeroed(layout) };
        if !block.is_null() {
            grow(layout.size());
        }
        block
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: `block` came from `System` with this layout.
        let moved = unsafe { System.realloc(block, layout, new_size) };
        if !moved.is_null() {
            // Counted as a change of size, so that a remap is not taken for two live copies.
            if new_size >= layout.size() {
                grow(new_size - layout.size());
            } else {
                shrink(layout.size() - new_size);
            }
        }
        moved
    }
}
/// What `mallinfo2` of the GNU C library tells, in bytes (mallinfo(3)).
#[repr(C)]
struct MallocInfo {
    from_system: usize,
    _free_chunks: usize,
    _fast_chunks: usize,
    _mapped_chunks: usize,
    mapped: usize,
    _unused: usize,
    _fast_free: usize,
    in_use: usize,
    _free: usize,
    _top: usize,
}

/// Bytes that the C library's heaps have handed out now, to ONNX Runtime as to the Rust side, in
/// all its arenas and in blocks mapped by themselves. What was given back and is still resident is
/// not in it. `None` where the library does not tell: before version 2.33 of the GNU one, and in
/// any other.
pub fn heap_in_use() -> Option<Bytes> {
    let process = libloading::os::unix::Library::this();
    // SAFETY: where the symbol exists it is this function, which takes nothing, returns the struct
    // by value and may be called from any thread (mallinfo(3)).
    let told = unsafe {
        let mallinfo2 = process.get::<unsafe extern "C" fn() -> MallocInfo>(b"mallinfo2").ok()?;
        mallinfo2()
    };
    (told.from_system > 0).then(|| Bytes::new((told.in_use + told.mapped) as u64))
}
