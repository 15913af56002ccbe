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
use std::marker::PhantomData;
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{Session, SharedSessionInner};
use ort::value::DynValue;
use ort::{AsPointer, Error, Result};

use super::tensor::Tensor;
use crate::reference::ElementType;
use crate::units::Bytes;

/// One session that any number of threads may run at once.
#[derive(Debug)]
pub struct SharedSession {
    inner: Arc<SharedSessionInner>,
    inputs: Vec<CString>,
    outputs: Vec<CString>,
    allocator: Allocator,
    /// Where this program's own tensors are.
    here: MemoryInfo<'static>,
}

// SAFETY: `SharedSessionInner` is `Sync`; the names are never changed; `Allocator` is only handed
// to calls that ONNX Runtime documents as thread-safe (its CPU allocators lock inside).
unsafe impl Sync for SharedSession {}
// SAFETY: nothing in it belongs to the thread that made it.
unsafe impl Send for SharedSession {}

/// A value that reads the memory of a tensor.
struct View<'a> {
    value: NonNull<ort::sys::OrtValue>,
    tensor: PhantomData<&'a Tensor>,
}

impl Drop for View<'_> {
    fn drop(&mut self) {
        // SAFETY: made by `SharedSession::view`, owned by nobody else, and released once.
        unsafe { (ort::api().ReleaseValue)(self.value.as_ptr()) };
    }
}

fn element_code(element: ElementType) -> ort::sys::ONNXTensorElementDataType {
    use ElementType as E;
    use ort::sys::ONNXTensorElementDataType as Code;
    match element {
        E::Float32 => Code::ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
        E::Float16 => Code::ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16,
        E::Bfloat16 => Code::ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16,
        E::Float64 => Code::ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE,
        E::Uint8 => Code::ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8,
        E::Int8 => Code::ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8,
        E::Uint16 => Code::ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16,
        E::Int16 => Code::ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16,
        E::Uint32 => Code::ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32,
        E::Int32 => Code::ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32,
        E::Uint64 => Code::ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64,
        E::Int64 => Code::ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64,
        E::Bool => Code::ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL,
        // Tensors of other types are not made; the runtime refuses this one with a message.
        _ => Code::ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED,
    }
}

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
    /// Shares `session`, to be fed with the inputs of these names.
    ///
    /// # Errors
    /// Where a name contains a NUL byte, or the arena cannot be asked.
    pub fn new<'a>(session: &Session, inputs: impl Iterator<Item = &'a str>) -> Result<Self> {
        let name = |n: &str| CString::new(n).map_err(|e| Error::new(e.to_string()));
        let memory = |kind| MemoryInfo::new(AllocationDevice::CPU, 0, kind, MemoryType::Default);
        let arena = memory(AllocatorType::Arena)?;
        Ok(Self {
            inner: session.inner(),
            inputs: inputs.map(name).collect::<Result<_>>()?,
            outputs: session.outputs().iter().map(|o| name(o.name())).collect::<Result<_>>()?,
            allocator: Allocator::new(session, arena)?,
            here: memory(AllocatorType::Device)?,
        })
    }

    /// One `Run` on a tensor for each input, in the order of the names: may be called from any
    /// number of threads at once.
    ///
    /// # Errors
    /// As ONNX Runtime gives them, or where there are more or fewer tensors than names.
    pub fn run(&self, tensors: &[&Tensor]) -> Result<Vec<DynValue>> {
        if tensors.len() != self.inputs.len() {
            return Err(Error::new("a tensor is needed for each input"));
        }
        let views = tensors.iter().map(|t| self.view(t)).collect::<Result<Vec<_>>>()?;
        let inputs: Vec<_> = views.iter().map(|view| view.value.as_ptr().cast_const()).collect();
        let input_names: Vec<*const c_char> = self.inputs.iter().map(|n| n.as_ptr()).collect();
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

    /// A value of ONNX Runtime's that reads the tensor's own memory.
    fn view<'a>(&self, tensor: &'a Tensor) -> Result<View<'a>> {
        let (elements, bytes) = tensor.raw();
        let shape = tensor.shape();
        let mut value = ptr::null_mut();
        // SAFETY: the elements are `bytes` long and outlive the view, which borrows the tensor;
        // ONNX Runtime does not write to inputs.
        let status = unsafe {
            (ort::api().CreateTensorWithDataAsOrtValue)(
                self.here.ptr(),
                elements.cast_mut(),
                bytes,
                shape.as_ptr(),
                shape.len(),
                element_code(tensor.element()),
                &raw mut value,
            )
        };
        // SAFETY: the status comes from the call above and is consumed once.
        unsafe { Error::result_from_status(status) }?;
        let value = NonNull::new(value).ok_or_else(|| Error::new("no tensor was made"))?;
        Ok(View { value, tensor: PhantomData })
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
