//! What ONNX Runtime offers in C and `ort` does not offer in safe Rust: `Run` from several threads
//! on one session, the arena's statistics, and the version of a library file.
//!
//! All `unsafe` that concerns ONNX Runtime is in this file. `ort` makes `Session::run` take
//! `&mut self`; a lock around it would serialise the requests, which is another topology with
//! another footprint. The C API documents `OrtApi::Run` as safe to call from several threads on
//! one session with the CPU execution provider, which is the only provider that this tool uses.
#![expect(unsafe_code, reason = "calls into the C API of ONNX Runtime")]

use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char};
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{Session, SharedSessionInner};
use ort::value::{DynValue, TensorRef};
use ort::{AsPointer, Error, Result};

use crate::units::Bytes;

/// One session that any number of threads may run at once.
#[derive(Debug)]
pub struct SharedSession {
    inner: Arc<SharedSessionInner>,
    input: CString,
    outputs: Vec<CString>,
    allocator: Allocator,
}

// SAFETY: `SharedSessionInner` is `Sync`; the names are never changed; `Allocator` is only handed
// to calls that ONNX Runtime documents as thread-safe (its CPU allocators lock inside).
unsafe impl Sync for SharedSession {}
// SAFETY: nothing in it belongs to the thread that made it.
unsafe impl Send for SharedSession {}

/// What the memory arena of a session says of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ArenaStats {
    /// Bytes handed out now.
    pub in_use: Bytes,
    /// The most that was ever handed out at once; no call resets it.
    pub max_in_use: Bytes,
    /// Bytes that the arena has taken from the system.
    pub total_allocated: Bytes,
}

impl SharedSession {
    /// Shares `session`, whose first input must be a tensor of f32.
    ///
    /// # Errors
    /// Where a name contains a NUL byte, there is no input, or the arena cannot be asked.
    pub fn new(session: &Session) -> Result<Self> {
        let name = |n: &str| CString::new(n).map_err(|e| Error::new(e.to_string()));
        let first = session.inputs().first().ok_or_else(|| Error::new("the model has no input"))?;
        let arena =
            MemoryInfo::new(AllocationDevice::CPU, 0, AllocatorType::Arena, MemoryType::Default)?;
        Ok(Self {
            inner: session.inner(),
            input: name(first.name())?,
            outputs: session.outputs().iter().map(|o| name(o.name())).collect::<Result<_>>()?,
            allocator: Allocator::new(session, arena)?,
        })
    }

    /// One `Run`: may be called from any number of threads at once.
    ///
    /// # Errors
    /// As ONNX Runtime gives them.
    pub fn run(&self, shape: &[usize], data: &[f32]) -> Result<Vec<DynValue>> {
        let tensor = TensorRef::from_array_view((shape, data))?;
        let inputs = [tensor.ptr()];
        let input_names = [self.input.as_ptr()];
        let output_names: Vec<*const c_char> = self.outputs.iter().map(|n| n.as_ptr()).collect();
        let mut outputs = vec![ptr::null_mut(); self.outputs.len()];
        // SAFETY: all pointers outlive the call; the arrays have the lengths that are passed; the
        // session is alive as long as `inner`; null run options mean the defaults; null outputs
        // ask ONNX Runtime to allocate them. Concurrent calls are allowed, see the module's text.
        let status = unsafe {
            (ort::api().Run)(
                self.inner.ptr().cast_mut(),
                ptr::null(),
                input_names.as_ptr(),
                inputs.as_ptr(),
                inputs.len(),
                output_names.as_ptr(),
                output_names.len(),
                outputs.as_mut_ptr(),
            )
        };
        // SAFETY: the status comes from the call above and is consumed once.
        unsafe { Error::result_from_status(status) }?;
        outputs
            .into_iter()
            .map(|value| {
                let value = NonNull::new(value)
                    .ok_or_else(|| Error::new("ONNX Runtime returned no output"))?;
                // SAFETY: a new value that nobody else owns, from this session's allocator.
                Ok(unsafe { DynValue::from_ptr(value, Some(&self.allocator)) })
            })
            .collect()
    }

    /// The arena's statistics; all zero where the session has no arena.
    ///
    /// # Errors
    /// As ONNX Runtime gives them.
    pub fn arena(&self) -> Result<ArenaStats> {
        let api = ort::api();
        let mut pairs = ptr::null_mut();
        // SAFETY: the allocator is alive; `pairs` receives a new object that is released below.
        unsafe {
            Error::result_from_status((api.AllocatorGetStats)(self.allocator.ptr(), &raw mut pairs))
        }?;
        let (mut keys, mut values, mut count) = (ptr::null(), ptr::null(), 0);
        let mut found = HashMap::new();
        // SAFETY: on return `keys` and `values` point at `count` NUL-terminated strings each, which
        // live until `pairs` is released; they are copied before that.
        unsafe {
            (api.GetKeyValuePairs)(pairs, &raw mut keys, &raw mut values, &raw mut count);
            for i in 0..count {
                let text = |p: *const c_char| CStr::from_ptr(p).to_string_lossy().into_owned();
                found.insert(text(*keys.add(i)), text(*values.add(i)));
            }
            (api.ReleaseKeyValuePairs)(pairs);
        }
        let bytes =
            |key: &str| Bytes::new(found.get(key).and_then(|v| v.parse().ok()).unwrap_or(0));
        Ok(ArenaStats {
            in_use: bytes("InUse"),
            max_in_use: bytes("MaxInUse"),
            total_allocated: bytes("TotalAllocated"),
        })
    }
}

/// The version that a library file gives for itself, such as `1.31.1`. Opens the library, so it is
/// asked in a child process.
///
/// # Errors
/// Where the file cannot be opened as a library or is not ONNX Runtime.
pub fn library_version(path: &Path) -> std::result::Result<String, String> {
    // SAFETY: loading runs the library's initialisers: that is what the user asked for by placing
    // the file where it is looked for, and it happens in a process of its own.
    let library = unsafe { libloading::Library::new(path) }.map_err(|e| {
        // The error itself says that opening failed, its source says why.
        std::error::Error::source(&e).map_or_else(|| e.to_string(), ToString::to_string)
    })?;
    // SAFETY: this symbol of ONNX Runtime has had this type since its first release.
    let base: libloading::Symbol<'_, unsafe extern "C" fn() -> *const ort::sys::OrtApiBase> =
        unsafe { library.get(b"OrtGetApiBase") }
            .map_err(|_| "not an ONNX Runtime library (no OrtGetApiBase)".to_owned())?;
    // SAFETY: the function takes nothing and returns a table that lives as long as the library,
    // or null; its version string is static.
    unsafe {
        let base = base().as_ref().ok_or("ONNX Runtime returned no API")?;
        Ok(CStr::from_ptr((base.GetVersionString)()).to_string_lossy().into_owned())
    }
}
