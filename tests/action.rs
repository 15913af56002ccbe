//! The steps of `action.yml`, run as a runner does, in a workspace that somebody else wrote: with the
//! program itself, and with stand-ins for what they call besides.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a test that is skipped says so")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

const SECRET: &str = "the secret of another file";

/// Answers as GitHub does: who asks, the comments so far, and what becomes of new ones.
const GH: &str = r#"#!/bin/bash
echo "$PWD: gh $*" >>"$PLACE/called"
[ ! -e "$PLACE/forbidden" ] || exit 1
case "$*" in
  *graphql*) echo 'github-actions[bot]' ;;
  *--paginate*) cat "$PLACE/comments" ;;
  *--method*) cat comment.md >"$PLACE/posted" ;;
  *) exit 1 ;;
esac
"#;

const CARGO: &str = r#"#!/bin/bash
echo "$PWD: cargo $*" >>"$PLACE/called"
mkdir -p "$HOME/.cache/mediscope-size-tool/bin"
"#;

/// A runner's machine: a workspace, a folder for temporary files, a home, and programs on `PATH`.
struct Runner {
    place: TempDir,
}

struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn yaml(path: &Path) -> Value {
    serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

impl Runner {
    fn new() -> Self {
        let runner = Self { place: TempDir::with_prefix("mediscope-size-action-").unwrap() };
        for folder in ["workspace", "temporary", "home", "programs"] {
            fs::create_dir(runner.at(folder)).unwrap();
        }
        fs::write(runner.at("comments"), "[]").unwrap();
        fs::write(runner.at("called"), "").unwrap();
        Self::program(&runner.at("programs/gh"), GH);
        Self::program(&runner.at("programs/cargo"), CARGO);
        Self::program(
            &runner.at("programs/recorder"),
            "#!/bin/bash\nprintf '%s\\n' \"$@\" >\"$PLACE/words\"\n",
        );
        let budget =
            "services:\n  scan:\n    profile: qreader-pytorch\n    rules: [{max_buffer: 30M}]\n";
        fs::write(runner.at("workspace/budget.yaml"), budget).unwrap();
        runner
    }

    fn at(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).unwrap_or_default()
    }

    fn program(path: &Path, text: &str) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs the step of this name, with these variables.
    fn step(&self, name: &str, variables: &[(&str, &str)]) -> Ran {
        let action = yaml(&root().join("action.yml"));
        let steps = action["runs"]["steps"].as_array().unwrap();
        let step = steps.iter().find(|step| step["name"] == name).unwrap();
        let script = self.at("step.sh");
        fs::write(&script, step["run"].as_str().unwrap()).unwrap();
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.at("programs").display());
        let output = Command::new("bash")
            // As a runner does, https://docs.github.com/actions/reference/workflow-syntax.
            .args(["--noprofile", "--norc", "-eo", "pipefail"])
            .arg(&script)
            .current_dir(self.at("workspace"))
            .stdin(Stdio::null())
            .env("PATH", path)
            .env("PLACE", self.place.path())
            .env("HOME", self.at("home"))
            .env("SOURCE", root())
            .env("TOOL", assert_cmd::cargo::cargo_bin!("mediscope-size"))
            .env("BUDGET", "budget.yaml")
            .env("ARGS", "")
            .env("RUNNER_TEMP", self.at("temporary"))
            .env("GITHUB_WORKSPACE", self.at("workspace"))
            .env("GITHUB_OUTPUT", self.at("output"))
            .env("GITHUB_PATH", self.at("path"))
            .env("GITHUB_STEP_SUMMARY", self.at("summary"))
            .env("GITHUB_REPOSITORY", "me/service")
            .env("PULL_REQUEST", "7")
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The last value of an output of the steps.
    fn output(&self, name: &str) -> String {
        let all = self.read("output");
        let mut values = all.lines().filter_map(|line| line.strip_prefix(&format!("{name}=")));
        values.next_back().unwrap_or_default().to_owned()
    }

    /// Runs the step that comments on what was found.
    fn comment(&self, budget: &str) -> Ran {
        let results = self.at("temporary/results");
        fs::create_dir_all(&results).unwrap();
        fs::write(results.join("mediscope-size.md"), "### Memory: within its budget\n").unwrap();
        let path = format!("{}:/usr/bin:/bin", self.at("programs").display());
        let results = results.display().to_string();
        self.step("Comment", &[("BUDGET", budget), ("RESULTS", &results), ("TRUSTED_PATH", &path)])
    }
}

fn jq_is_there() -> bool {
    let found = Command::new("jq").arg("--version").stdout(Stdio::null()).status();
    let is_there = found.is_ok_and(|status| status.success());
    if !is_there {
        println!("skipped: there is no jq, which the step calls");
    }
    is_there
}

#[test]
fn links_and_results_of_the_workspace_are_neither_read_nor_written() {
    let runner = Runner::new();
    fs::write(runner.at("secret"), SECRET).unwrap();
    for name in ["mediscope-size.md", "mediscope-size.json", "mediscope-size.xml", "comment.md"] {
        symlink(runner.at("secret"), runner.at("workspace").join(name)).unwrap();
    }
    let ran = runner.step("Check", &[]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(runner.output("outcome"), "within");
    assert_eq!(runner.read("secret"), SECRET);
    let summary = runner.read("summary");
    assert!(summary.contains("within its budget") && !summary.contains(SECRET), "{summary}");
    let results = PathBuf::from(runner.output("results"));
    assert!(results.starts_with(runner.at("temporary")), "{}", results.display());
    assert_eq!(fs::metadata(&results).unwrap().permissions().mode() & 0o077, 0);
    for name in ["mediscope-size.md", "mediscope-size.json", "mediscope-size.xml"] {
        assert!(results.join(name).is_file(), "{name}");
    }
    // A second run has a folder of its own.
    runner.step("Check", &[]);
    assert_ne!(PathBuf::from(runner.output("results")), results);
}

#[test]
fn a_result_of_another_day_is_not_published_as_that_of_today() {
    let runner = Runner::new();
    fs::write(runner.at("workspace/mediscope-size.md"), "### Memory: within its budget\n").unwrap();
    fs::write(runner.at("workspace/budget.yaml"), "services: [\n").unwrap();
    let ran = runner.step("Check", &[]);
    assert_eq!(ran.code, Some(2), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(
        (runner.output("outcome"), runner.read("summary")),
        ("undecided".into(), String::new())
    );
    let results = runner.output("results");
    let commented =
        runner.step("Comment", &[("RESULTS", &results), ("TRUSTED_PATH", "/usr/bin:/bin")]);
    assert_eq!((commented.code, runner.read("called")), (Some(0), String::new()));
}

#[test]
fn options_are_words_and_not_patterns() {
    let runner = Runner::new();
    fs::write(runner.at("workspace/--update-baseline"), "").unwrap();
    let recorder = runner.at("programs/recorder").display().to_string();
    let args = "--strict --* *\n--max-time 60s  $(touch x) \"a b\"";
    let ran =
        runner.step("Check", &[("TOOL", &recorder), ("ARGS", args), ("BUDGET", "-o a b.yaml")]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    let words = runner.read("words");
    let words: Vec<&str> = words.lines().skip_while(|word| *word != "--strict").collect();
    let expected = [
        "--strict",
        "--*",
        "*",
        "--max-time",
        "60s",
        "$(touch",
        "x)",
        "\"a",
        "b\"",
        "--",
        "-o a b.yaml",
    ];
    assert_eq!(words, expected);
    assert!(!runner.at("workspace/x").exists());
}

#[test]
fn only_the_comment_of_the_token_is_changed() {
    if !jq_is_there() {
        return;
    }
    let runner = Runner::new();
    // What a program of jq would take for more than a name.
    let budget = r#"budget" ))) | .id, ("x.yaml --> <!--"#;
    let ran = runner.comment(budget);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{}", ran.stderr);
    let posted = runner.read("posted");
    let called = runner.read("called");
    assert!(called.contains("--method POST repos/me/service/issues/7/comments"), "{called}");
    // What it runs with the token does not run in the workspace.
    assert!(
        called.lines().all(|line| line.starts_with(&runner.at("temporary").display().to_string()))
    );
    let mark = posted.lines().next().unwrap();
    assert!(mark.starts_with("<!-- mediscope-size ") && mark.ends_with(" -->"), "{mark}");
    assert!(!mark.contains('"') && mark.matches("--").count() == 2, "{mark}");

    let comment = |id: u32, login: &str, body: &str| json!({"id": id, "user": {"login": login}, "body": body});
    // Somebody else's with the mark, before and after; the bot's own without it; two pages.
    let others = [
        comment(1, "mallory", &posted),
        comment(2, "github-actions[bot]", "something else"),
        json!({"id": 3, "user": {"login": "github-actions[bot]"}, "body": null}),
    ];
    let after = comment(5, "mallory", &posted);
    fs::write(runner.at("comments"), format!("{}{}", json!(others), json!([after]))).unwrap();
    fs::write(runner.at("called"), "").unwrap();
    assert_eq!(runner.comment(budget).code, Some(0));
    assert!(runner.read("called").contains("--method POST"), "{}", runner.read("called"));

    let own = comment(4, "github-actions[bot]", &posted);
    fs::write(runner.at("comments"), format!("{}{}", json!(others), json!([own, after]))).unwrap();
    fs::write(runner.at("called"), "").unwrap();
    assert_eq!(runner.comment(budget).code, Some(0));
    let called = runner.read("called");
    assert!(called.contains("--method PATCH repos/me/service/issues/comments/4 "), "{called}");
    assert!(!called.contains("POST"), "{called}");
    // Another budget has another comment.
    fs::write(runner.at("called"), "").unwrap();
    assert_eq!(runner.comment("other.yaml").code, Some(0));
    assert!(runner.read("called").contains("--method POST"));

    fs::write(runner.at("forbidden"), "").unwrap();
    let ran = runner.comment(budget);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.starts_with("::warning::"), "{}", ran.stdout);
}

#[test]
fn the_tool_is_built_once_and_not_taken_from_the_workspace() {
    let runner = Runner::new();
    let (inside, outside) = (runner.at("workspace/bin"), runner.at("elsewhere"));
    for folder in [&inside, &outside] {
        fs::create_dir(folder).unwrap();
        Runner::program(&folder.join("mediscope-size"), "#!/bin/bash\n");
    }
    let usual = format!("{}:/usr/bin:/bin", runner.at("programs").display());
    let path = format!("{}:bin:.::{usual}", inside.display());
    for _ in ["first", "again"] {
        let ran = runner.step("Install the tool", &[("PATH", &path)]);
        assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    }
    // In its own folder: the workspace might choose the compiler.
    let called = runner.read("called");
    assert_eq!(called.lines().count(), 1, "{called}");
    assert!(called.starts_with(&format!("{}: cargo install", root().display())), "{called}");
    let kept = runner.at("home/.cache/mediscope-size-tool/bin");
    assert_eq!(runner.output("tool"), kept.join("mediscope-size").display().to_string());
    assert!(!runner.output("path").contains("workspace"), "{}", runner.output("path"));
    assert!(runner.read("path").lines().all(|line| line == kept.display().to_string()));
    // One that is installed elsewhere is used.
    let path = format!("{}:{}:{usual}", inside.display(), outside.display());
    assert_eq!(runner.step("Install the tool", &[("PATH", &path)]).code, Some(0));
    assert_eq!(runner.output("tool"), outside.join("mediscope-size").display().to_string());
}

/// What others publish is named by what it is, and not by a name that they can give to something else.
#[test]
fn everything_is_pinned() {
    let is_hex = |text: &str, digits: usize| {
        text.len() == digits && text.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
    };
    let mut used = 0;
    for file in ["action.yml", "examples/ci/github/.github/workflows/memory.yml"] {
        for line in fs::read_to_string(root().join(file)).unwrap().lines() {
            let Some((_, name)) = line.split_once("uses: ") else { continue };
            let commit = name.split_once('@').unwrap().1.split(' ').next().unwrap();
            assert!(is_hex(commit, 40), "{file}: {line}");
            used += 1;
        }
    }
    assert_eq!(used, 4);
    let container = fs::read_to_string(root().join("Containerfile")).unwrap();
    let images: Vec<&str> =
        container.lines().filter_map(|line| line.strip_prefix("FROM ")).collect();
    let gitlab = yaml(&root().join("examples/ci/gitlab/.gitlab-ci.yml"));
    let image = gitlab["memory"]["image"]["name"].as_str().unwrap();
    assert_eq!(images.len(), 2);
    for image in images.into_iter().chain([image]) {
        let digest = image.split(' ').next().unwrap().split_once("@sha256:").unwrap().1;
        assert!(is_hex(digest, 64), "{image}");
    }
}

/// The script of the example for GitLab, in a project with links in the place of its results.
#[test]
fn results_of_a_merge_request_are_new_each_time() {
    let runner = Runner::new();
    let gitlab = yaml(&root().join("examples/ci/gitlab/.gitlab-ci.yml"));
    let results = ["codequality", "junit"]
        .map(|report| gitlab["memory"]["artifacts"]["reports"][report].as_str().unwrap());
    fs::create_dir(runner.at("secrets")).unwrap();
    fs::write(runner.at("secret"), SECRET).unwrap();
    for file in results {
        let (first, to) = match file.split_once('/') {
            Some((folder, _)) => (folder, runner.at("secrets")),
            None => (file, runner.at("secret")),
        };
        let _ = symlink(to, runner.at("workspace").join(first));
    }
    let script: Vec<&str> = gitlab["memory"]["script"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| l.as_str().unwrap())
        .collect();
    let tool: PathBuf = assert_cmd::cargo::cargo_bin!("mediscope-size").to_path_buf();
    let path = format!("{}:/usr/bin:/bin", tool.parent().unwrap().display());
    for _ in ["first", "again"] {
        let status = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &script.join("\n")])
            .current_dir(runner.at("workspace"))
            .env("PATH", &path)
            .env("HOME", runner.at("home"))
            .stdout(Stdio::null())
            .status();
        assert!(status.unwrap().success());
    }
    assert_eq!(fs::read_dir(runner.at("secrets")).unwrap().count(), 0);
    assert_eq!(runner.read("secret"), SECRET);
    for file in results {
        assert!(runner.at("workspace").join(file).is_file(), "{file}");
    }
}
