//! The platforms for which a wheel is pinned.

use std::fmt;
use std::str::FromStr;

use crate::units::Bytes;

/// A platform with a pinned wheel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Linux with glibc on x86-64.
    LinuxX86_64,
    /// Linux with glibc on 64-bit ARM.
    LinuxAarch64,
    /// macOS on Apple's processors.
    MacArm64,
}

/// What is pinned of a wheel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pin {
    /// For which platform.
    pub target: Target,
    /// pip's platform tag.
    pub tag: &'static str,
    /// uv's name of the platform.
    pub uv_platform: &'static str,
    pub wheel_sha256: &'static str,
    pub wheel_bytes: Bytes,
    /// The library in the wheel.
    pub member: &'static str,
    /// Its file name.
    pub library: &'static str,
    pub library_sha256: &'static str,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::LinuxX86_64, Self::LinuxAarch64, Self::MacArm64];

    /// The one that this program was built for, if its libraries can be used by it.
    pub const fn this() -> Option<Self> {
        // Wheels for manylinux need glibc; a program built on musl cannot open them.
        if cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
            Some(Self::LinuxX86_64)
        } else if cfg!(all(target_os = "linux", target_arch = "aarch64", target_env = "gnu")) {
            Some(Self::LinuxAarch64)
        } else if cfg!(all(target_os = "macos", target_arch = "aarch64")) {
            Some(Self::MacArm64)
        } else {
            None
        }
    }

    /// As the user writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LinuxX86_64 => "linux-x86_64",
            Self::LinuxAarch64 => "linux-aarch64",
            Self::MacArm64 => "macos-arm64",
        }
    }

    pub(super) const fn pin(self) -> Pin {
        match self {
            Self::LinuxX86_64 => Pin {
                target: self,
                tag: "manylinux_2_28_x86_64",
                uv_platform: "x86_64-manylinux_2_28",
                wheel_sha256: "1f3dea47f2f0e5117c2404cea7d21fd253ae7836a3bf167a501cdfbb2600d536",
                wheel_bytes: Bytes::new(23_760_988),
                member: "onnxruntime/capi/libonnxruntime.so.1.31.1",
                library: "libonnxruntime.so.1.31.1",
                library_sha256: "fc44112fbe06d7d689c57e11d3862031f64711007e4ee020f8eed5185fd2c1d3",
            },
            Self::LinuxAarch64 => Pin {
                target: self,
                tag: "manylinux_2_28_aarch64",
                uv_platform: "aarch64-manylinux_2_28",
                wheel_sha256: "0b9a492176886992e0e875f06bc0367e333f5fff11711a2d642e18b02f3009cc",
                wheel_bytes: Bytes::new(21_420_803),
                member: "onnxruntime/capi/libonnxruntime.so.1.31.1",
                library: "libonnxruntime.so.1.31.1",
                library_sha256: "8aa3b76b28c778a2b1dd660d34161adb1d508c9ccd04ff9dc80e26eca5df8467",
            },
            Self::MacArm64 => Pin {
                target: self,
                tag: "macosx_14_0_arm64",
                uv_platform: "aarch64-apple-darwin",
                wheel_sha256: "96dd2564b10ea7153ad9c207e7cd8e5917cb3ba521e0e0a62ac03486fdc8d56c",
                wheel_bytes: Bytes::new(20_882_125),
                member: "onnxruntime/capi/libonnxruntime.1.31.1.dylib",
                library: "libonnxruntime.1.31.1.dylib",
                library_sha256: "d586cbe89effc085a09d3341b3cfbd5c322517f9d397aeb20814af21433f2b36",
            },
        }
    }

    /// What the download takes.
    pub const fn download_bytes(self) -> Bytes {
        self.pin().wheel_bytes
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|t| t.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("`{text}` is no platform with a pinned library: there is {names}")
        })
    }
}
