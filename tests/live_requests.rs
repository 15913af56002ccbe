//! What is sent to a live service, and what is kept of it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::service::{Service, measure};
use common::{Place, Ran};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// What is sent arrives as it was said, and the token is nowhere to be seen.
#[test]
fn requests_are_sent_as_people_send_them() {
    let place = Place::new();
    let folder = tempfile::tempdir().unwrap();
    let body = folder.path().join("scan.png");
    fs::write(&body, b"not really a picture").unwrap();
    let output = folder.path().join("service.yaml");
    let (body, output) = (body.to_str().unwrap(), output.to_str().unwrap());
    let service = Service::start("--expect token=s3cret --time 0.005");
    let (pid, url) = (service.child.id().to_string(), service.url());
    let start = ["--pid", &pid, "--url", &url, "--max-time", "2s", "--up-to", "4", "-o", output];
    let refused = measure(&place, &start);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("status 401"), "{}", refused.stderr);
    for sent in [
        &["--body", body][..],
        &["--form", &format!("file=@{body}"), "--form", "lang=en"],
        &["--json", &format!(r#"{{"image": "@base64:{body}"}}"#)],
        &["--method", "PUT", "--body", body, "-H", "X-Test: 1"],
    ] {
        let ran = Command::new(assert_cmd::cargo::cargo_bin!("mediscope-size"))
            .args(["measure"])
            .args(start)
            .args(["--bearer-env", "MY_TOKEN"])
            .args(sent)
            .env("MY_TOKEN", "s3cret")
            .output()
            .unwrap();
        let ran = Ran::from(ran);
        assert_eq!(ran.code, Some(0), "{sent:?}: {}", ran.stderr);
        let written = fs::read_to_string(output).unwrap();
        assert!(!written.contains("s3cret") && !ran.stdout.contains("s3cret"));
        assert!(!ran.stderr.contains("s3cret") && written.contains("MY_TOKEN"));
    }
}

/// A form says what it is, and where its parts end.
#[test]
fn a_form_is_a_form() {
    let (place, folder) = (Place::new(), tempfile::tempdir().unwrap());
    let file = folder.path().join("scan.png");
    fs::write(&file, b"not really a picture").unwrap();
    let service = Service::start("--expect type=multipart/form-data; --time 0.002");
    let (pid, url) = (service.child.id().to_string(), service.url());
    let form = format!("file=@{}", file.display());
    let start = ["--pid", &pid, "--url", &url, "--max-time", "2s", "--up-to", "4"];
    let ran = measure(&place, &[&start[..], &["--form", &form]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let body = measure(&place, &[&start[..], &["--body", file.to_str().unwrap()]].concat());
    assert!(body.stderr.contains("status 400"), "{}", body.stderr);
}

/// What arrives is what was named: a body, a field of a form, an image in JSON, each file of a
/// folder in its turn.
#[test]
fn what_is_sent_arrives() {
    let (place, folder) = (Place::new(), tempfile::tempdir().unwrap());
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::create_dir(path("bodies")).unwrap();
    let bodies: [&[u8]; 3] = [b"one \0 of three", b"another", b"and a third"];
    for (index, body) in bodies.iter().enumerate() {
        fs::write(path(&format!("bodies/{index}.bin")), body).unwrap();
    }
    let first = path("bodies/0.bin");
    let image = format!(r#"{{"image": "@base64:{first}", "lang": "en"}}"#);
    let (file, lang) = (format!("file=@{first}"), "lang=en");
    for (number, sent) in [
        &["--body", &first][..],
        &["--json", &image],
        &["--form", &file, "--form", lang],
        &["--body", &path("bodies")],
    ]
    .into_iter()
    .enumerate()
    {
        let arrived = path(&format!("arrived-{number}"));
        fs::create_dir(&arrived).unwrap();
        let service = Service::start(&format!("--time 0.002 --keep {arrived}"));
        let (pid, url) = (service.child.id().to_string(), service.url());
        let start = ["--pid", &pid, "--url", &url, "--max-time", "2s", "--up-to", "3"];
        let ran = measure(&place, &[&start[..], sent].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        drop(service);
        let files = fs::read_dir(&arrived).unwrap().map(|entry| entry.unwrap().path());
        let arrived: Vec<Vec<u8>> = files.map(|file| fs::read(file).unwrap()).collect();
        assert!(arrived.len() > 10, "{sent:?}");
        let count = |body: &[u8]| arrived.iter().filter(|a| **a == body).count();
        match number {
            0 => assert_eq!(count(bodies[0]), arrived.len()),
            // RFC 4648: the alphabet, and padding to four.
            1 => {
                let json: serde_json::Value = serde_json::from_slice(&arrived[0]).unwrap();
                let wanted = serde_json::json!({"image": "b25lIAAgb2YgdGhyZWU=", "lang": "en"});
                assert_eq!(json, wanted);
            }
            2 => assert!(arrived.iter().all(|body| is_form(body, bodies[0]))),
            _ => {
                let each = bodies.map(count);
                assert_eq!(each.iter().sum::<usize>(), arrived.len());
                let (least, most) = (each.iter().min().unwrap(), each.iter().max().unwrap());
                assert!(most - least <= 2, "in turn: {each:?}");
            }
        }
    }
}

/// Whether this is a form of the two fields (RFC 7578) and nothing else.
fn is_form(body: &[u8], file: &[u8]) -> bool {
    let end = body.windows(2).position(|pair| pair == b"\r\n").unwrap();
    let boundary = [b"\r\n", &body[..end]].concat();
    let whole = [b"\r\n", body].concat();
    let mut parts = Vec::new();
    let mut rest = &whole[..];
    while let Some(at) = rest.windows(boundary.len()).position(|part| part == boundary) {
        parts.push(&rest[..at]);
        rest = &rest[at + boundary.len()..];
    }
    let has = |part: &[u8], text: &str| String::from_utf8_lossy(part).contains(text);
    let is_part = |part: &[u8], name: &str, content: &[u8]| {
        has(part, &format!("name=\"{name}\"")) && part.ends_with(&[b"\r\n\r\n", content].concat())
    };
    let is_named = |part: &[u8]| has(part, "filename=\"0.bin\"");
    let files = parts.iter().filter(|part| is_part(part, "file", file) && is_named(part));
    let fields = parts.iter().filter(|part| is_part(part, "lang", b"en"));
    rest.starts_with(b"--") && (files.count(), fields.count(), parts.len()) == (1, 1, 3)
}

/// An authority of this test's own, and a certificate for 127.0.0.1 that it signed; as files.
fn certificates(folder: &Path) -> [String; 3] {
    let (key, own_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let signed_by_itself = authority.self_signed(&own_key).unwrap();
    let issuer = Issuer::from_params(&authority, &own_key);
    let served = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let served = served.signed_by(&key, &issuer).unwrap();
    let written = [
        ("ca.pem", signed_by_itself.pem()),
        ("served.pem", served.pem()),
        ("key.pem", key.serialize_pem()),
    ];
    written.map(|(name, pem)| {
        let path = folder.join(name);
        fs::write(&path, pem).unwrap();
        path.display().to_string()
    })
}

/// A service of its own authority is asked where that is named, and not where it is not.
#[test]
fn an_authority_can_be_chosen() {
    let (place, folder) = (Place::new(), tempfile::tempdir().unwrap());
    let [ca, served, key] = certificates(folder.path());
    let service = Service::start(&format!("--time 0.005 --tls {served} {key}"));
    let (pid, url) = (service.child.id().to_string(), service.url().replace("http:", "https:"));
    let start = ["--pid", &pid, "--url", &url, "--max-time", "2s", "--up-to", "4"];
    let ran = measure(&place, &[&start[..], &["--ca", &ca]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let unknown = measure(&place, &start);
    assert_eq!(unknown.code, Some(2), "{}", unknown.stdout);
    assert!(unknown.stderr.contains("--ca"), "{}", unknown.stderr);
    let none = measure(&place, &[&start[..], &["--ca", &key]].concat());
    assert!(none.stderr.contains("holds no certificate"), "{}", none.stderr);
}

/// Requests of several kinds come as often as their shares say, and the profile asks them again.
#[test]
fn a_mix_is_asked_in_its_shares() {
    let (place, folder) = (Place::new(), tempfile::tempdir().unwrap());
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("small"), vec![1; 1000]).unwrap();
    fs::write(path("large"), vec![2; 100_000]).unwrap();
    let mix = "- {body: small, share: 80%}\n- {body: large, share: 20%}\n";
    fs::write(path("mix.yaml"), mix).unwrap();
    let service = Service::start("--time 0.002");
    let (pid, url, output) = (service.child.id().to_string(), service.url(), path("out.yaml"));
    let start = ["--pid", &pid, "--url", &url, "--max-time", "2s", "--up-to", "4", "-o", &output];
    let mixed = ["--requests", &path("mix.yaml"), "--format", "json"];
    let ran = measure(&place, &[&start[..], &mixed].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let seen: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(seen["live"]["request_bytes"], 20_800);
    // Once more, as the profile says.
    let again = ["--profile", &output, "--pid", &pid, "--max-time", "2s", "--up-to", "4"];
    let ran = measure(&place, &[&again[..], &["--format", "json"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let seen: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(seen["live"]["request_bytes"], 20_800);
    fs::write(path("mix.yaml"), "- {body: nowhere, share: 80%}\n").unwrap();
    let lost = measure(&place, &[&start[..], &mixed].concat());
    assert_eq!(lost.code, Some(2));
    assert!(lost.stderr.contains("nowhere"), "{}", lost.stderr);
}

/// A header that is a secret is not taken where it would be kept.
#[test]
fn a_secret_in_a_header_is_refused() {
    let place = Place::new();
    let ran = measure(
        &place,
        &["--url", "http://127.0.0.1:9/", "-H", "Authorization: Bearer s3cret", "--", "true"],
    );
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("--bearer-env") && !ran.stderr.contains("s3cret"),
        "{}",
        ran.stderr
    );
}

/// What a profile would keep and must not is refused in the same way wherever it is typed, and is
/// not repeated.
#[test]
fn secrets_are_refused_and_taken_from_the_environment() {
    let (place, folder) = (Place::new(), tempfile::tempdir().unwrap());
    let mix = folder.path().join("mix.yaml").display().to_string();
    fs::write(&mix, "- headers: {Authorization: Bearer s3cret}\n").unwrap();
    let service = Service::start(
        "--expect token=s3cret --expect path=/work?size=3&key=s3cret%20%26%20more --time 0.005",
    );
    let (pid, url) = (service.child.id().to_string(), service.url());
    let with_user = url.replace("http://", "http://me:s3cret@");
    let with_key = format!("{url}?api_key=s3cret");
    let with_encoded = format!("{url}?size=3;api%5Fkey=s3cret");
    let with_part = format!("{url};token=s3cret/x");
    for options in [
        &["--url", &url, "--requests", &mix][..],
        &["--url", &url, "-H", "Cookie: s3cret"],
        &["--url", &url, "-H", "X-Api-Key: s3cret"],
        &["--url", &with_user],
        &["--url", &url, "--ready", &with_user],
        &["--url", &with_key],
        &["--url", &with_encoded],
        &["--url", &with_part],
        &["--url", &url, "-H", "Ocp-Apim-Subscription-Key: s3cret"],
        &["--url", &url, "-H", "x-functions-key: s3cret"],
        &["--url", &url, "-H", "X-Unknown: s3cret"],
        &["--url", &url, "--form", "pwd=s3cret"],
        &["--url", &url, "--form", "accesskey=s3cret"],
        &["--url", &url, "--form", "x=s3cret-S3cret-s3cret"],
        &["--url", &url, "--json", r#"{"a": [{"clientsecret": "s3cret"}]}"#],
        &["--url", &url, "--json", r#"{"image_url": "http://me:s3cret@h/"}"#],
    ] {
        let ran = measure(&place, &[&["--pid", &pid, "--dry-run"], options].concat());
        assert_eq!(ran.code, Some(2), "{options:?}: {}", ran.stdout);
        assert!(!ran.stderr.contains("s3cret") && !ran.stdout.contains("s3cret"), "{}", ran.stderr);
        assert!(ran.stderr.contains("environment variable"), "{}", ran.stderr);
    }
    for command in [
        &["serve", "--api-key=s3cret"][..],
        &["serve", "--password", "s3cret"],
        &["docker", "run", "-e", "TOKEN=s3cret", "image"],
        &["env", "DATABASE=postgres://me:s3cret@db/x", "serve"],
        &["sh", "-c", "PGPASSWORD=s3cret exec serve"],
    ] {
        let ran = measure(&place, &[&["--url", &url, "--dry-run", "--"], command].concat());
        assert_eq!(ran.code, Some(2), "{command:?}: {}", ran.stdout);
        assert!(!ran.stderr.contains("s3cret") && !ran.stdout.contains("s3cret"), "{}", ran.stderr);
        assert!(ran.stderr.contains("environment variable"), "{}", ran.stderr);
    }
    let output = folder.path().join("service.yaml");
    let by_name = format!("{url}?size=3&key=env:MY_KEY");
    let ran = Command::new(assert_cmd::cargo::cargo_bin!("mediscope-size"))
        .args(["measure", "--pid", &pid, "--url", &by_name, "--max-time", "2s", "--up-to", "4"])
        .args(["-H", "Authorization: env:MY_HEADER", "-o", output.to_str().unwrap()])
        .env("MY_HEADER", "Bearer s3cret")
        .env("MY_KEY", "s3cret & more")
        .output()
        .unwrap();
    let ran = Ran::from(ran);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let written = fs::read_to_string(output).unwrap();
    assert!(written.contains("env:MY_HEADER") && written.contains("env:MY_KEY"), "{written}");
    assert!(!written.contains("s3cret") && !ran.stdout.contains("s3cret"), "{written}");
}

/// A service logs the addresses that it is asked for; what is shown of its output holds no secret.
#[test]
fn secrets_are_not_shown_in_the_output_of_a_service() {
    let url = "http://127.0.0.1:9/?key=env:MY_KEY";
    let ran = Command::new(assert_cmd::cargo::cargo_bin!("mediscope-size"))
        .args(["measure", "--url", url, "--quiet", "--", "sh", "-c"])
        .arg("echo GET /?key=s3cret%20%26%20more, s3cret '& more'; exit 3")
        .env("MY_KEY", "s3cret & more")
        .output()
        .unwrap();
    let ran = Ran::from(ran);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("GET /?key=env:MY_KEY, env:MY_KEY"), "{}", ran.stderr);
    // In other forms, and parts of it; from a file, as a command with that in it would be refused.
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("serve.sh");
    fs::write(&script, "echo c3VwZXItczNjcmV0LXZhbHVl super-s3cr... super-s3cret-value; exit 3")
        .unwrap();
    let ran = Command::new(assert_cmd::cargo::cargo_bin!("mediscope-size"))
        .args(["measure", "--url", url, "--quiet", "--", "sh"])
        .arg(script)
        .env("MY_KEY", "super-s3cret-value")
        .output()
        .unwrap();
    let ran = Ran::from(ran);
    assert!(ran.stderr.contains("| env:MY_KEY env:MY_KEY env:MY_KEY"), "{}", ran.stderr);
}

/// What people send to services of models needs no more words than before, and what is no secret though
/// it might be is said to be none.
#[test]
fn usual_values_are_taken_as_they_are_typed() {
    let (place, url) =
        (Place::new(), "http://127.0.0.1:9/v1/predict?size=large&lang=en-US&top_k=5");
    for options in [
        &["--form", "lang=en", "--form", "size=512x512", "--form", "threshold=0.25"][..],
        &[
            "--form",
            "model=facebook/wav2vec2-base-960h",
            "--form",
            "text=What is this, in 3 words?",
        ],
        &[
            "--json",
            r#"{"text": "a long sentence", "max_tokens": 128, "stream": false, "seed": 42}"#,
        ],
        &[
            "--json",
            r#"{"messages": [{"role": "user", "content": "Count to 10."}], "model": "gpt-4o-mini"}"#,
        ],
        &["--json", r#"{"image_url": "https://example.com/cat.png", "lang": null}"#],
        &["-H", "X-Api-Version: 2", "-H", "Accept: application/json", "-H", "X-Test: yes"],
        &["-H", "X-Tenant: Acme42", "--allow-value", "x-tenant"],
        &["--form", "api_key=Acme42", "--allow-value", "api_key"],
    ] {
        let ran =
            measure(&place, &[&["--url", url, "--dry-run"], options, &["--", "true"]].concat());
        assert_eq!(ran.code, Some(0), "{options:?}: {}", ran.stderr);
    }
}

/// A variable that is named in a form, in JSON, in the path or in the command is filled in where it is
/// used, and stays a name in what is written.
#[test]
fn variables_are_filled_in_wherever_they_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("service.yaml").display().to_string();
    let arrived = folder.path().join("arrived");
    fs::create_dir(&arrived).unwrap();
    let port = common::service::port();
    let options = format!("--time 0.002 --keep {} --expect path=env:MY_PATH", arrived.display());
    let command = common::service::command(port, &options);
    let url = format!("http://127.0.0.1:{port}/env:MY_SEGMENT/x");
    let ran = Command::new(assert_cmd::cargo::cargo_bin!("mediscope-size"))
        .args(["measure", "--url", &url, "--max-time", "2s", "--up-to", "3", "-o", &output])
        .args([
            "--json",
            r#"{"api_key": "env:MY_KEY"}"#,
            "--allow-value",
            "x-tenant",
            "-H",
            "X-Tenant: Acme42",
        ])
        .arg("--")
        .args(command)
        .envs([("MY_KEY", "s3cret"), ("MY_SEGMENT", "s3gment"), ("MY_PATH", "/s3gment/x")])
        .output()
        .unwrap();
    let ran = Ran::from(ran);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let body = fs::read_dir(&arrived).unwrap().next().unwrap().unwrap().path();
    let body: serde_json::Value = serde_json::from_slice(&fs::read(body).unwrap()).unwrap();
    assert_eq!(body, serde_json::json!({"api_key": "s3cret"}));
    let written = fs::read_to_string(&output).unwrap();
    for secret in ["s3cret", "s3gment"] {
        assert!(
            !written.contains(secret) && !ran.stdout.contains(secret),
            "{written}{}",
            ran.stdout
        );
    }
    for kept in
        ["env:MY_KEY", "env:MY_SEGMENT", "env:MY_PATH", "allow_values:\n  - x-tenant", "Acme42"]
    {
        assert!(written.contains(kept), "{kept} is not in {written}");
    }
    // What was written can be read.
    let place = Place::new();
    let again = place.run(&["--profile", &output, "--ram", "1G"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
}

/// What cannot be sent is told before anything is started, and what nobody would use is not ignored.
#[test]
fn wrong_options_are_told_at_once() {
    let (place, url) = (Place::new(), "http://127.0.0.1:9/");
    let started = ["--url", url, "--dry-run"];
    let command = ["--", "true"];
    for (options, said) in [
        (&["--body", "/no-such-file"][..], "/no-such-file cannot be sent"),
        (&["--form", "file=@/no-such-file"], "/no-such-file cannot be sent"),
        (&["--bearer-env", "NO_SUCH_VARIABLE"], "has no NO_SUCH_VARIABLE"),
        (&["-H", "X-Api-Key: env:NO_SUCH_VARIABLE"], "has no NO_SUCH_VARIABLE"),
        (&["--up-to", "2"], "give at least 3"),
    ] {
        let ran = measure(&place, &[&started[..], options, &command].concat());
        assert_eq!(ran.code, Some(2), "{options:?}: {}", ran.stdout);
        assert!(ran.stderr.contains(said), "{options:?}: {}", ran.stderr);
    }
    let stray = measure(&place, &["--body", "x", "--dry-run"]);
    assert_eq!(stray.code, Some(2), "{}", stray.stdout);
    assert!(
        stray.stderr.contains("--body is for a service that runs by itself"),
        "{}",
        stray.stderr
    );
    let box_of_models = measure(&place, &["--ram", "1G", "--dry-run"]);
    assert_eq!(box_of_models.code, Some(2), "{}", box_of_models.stdout);
}

/// Headers that are typed go with each kind of a mix; a redirect is no answer of success.
#[test]
fn headers_go_with_a_mix_and_redirects_do_not_count() {
    let (place, folder) = (Place::new(), tempfile::tempdir().unwrap());
    let mix = folder.path().join("mix.yaml").display().to_string();
    let service = Service::start("--expect x=1 --expect method=DELETE --time 0.005");
    let (pid, url) = (service.child.id().to_string(), service.url());
    fs::write(&mix, format!("- {{share: 50%}}\n- {{url: {url}/other}}\n")).unwrap();
    let start = ["--pid", &pid, "--url", &url, "--max-time", "2s", "--up-to", "4"];
    let typed = ["--requests", &mix, "-H", "X-Test: 1", "--method", "DELETE"];
    let ran = measure(&place, &[&start[..], &typed].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let service = Service::start("--fail-after 1 --fail-status 302");
    let (pid, url) = (service.child.id().to_string(), service.url());
    let ran = measure(&place, &["--pid", &pid, "--url", &url, "--max-time", "2s"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stdout);
    assert!(ran.stderr.contains("status 302, and redirects are not followed"), "{}", ran.stderr);
}
