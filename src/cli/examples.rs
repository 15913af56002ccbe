//! What the help shows: a command for each use.

pub(super) const EXAMPLES: &str = "\
Examples:
  mediscope-size --ram 1G --cpus 1                    does the default service fit?
  mediscope-size --model scan.onnx --ram 512M         a model of yours
  mediscope-size --model scan.onnx --concurrency 20   the smallest box for 20 at once
  mediscope-size --box this                           the box that this runs in
  mediscope-size measure --model scan.onnx -o scan.yaml
  mediscope-size --profile scan.yaml --ram 2G --cpus 2
  mediscope-size --profile scan.yaml --ram 1G --cpus 1 --rps 5 --slo p95=2s
  mediscope-size verify --profile scan.yaml --ram 1G --cpus 1     is that so?

Exit codes: 0 answered (whatever the verdict), 1 check is over budget, verify refuted the
plan or lint found something, 2 could not answer, 130 interrupted.";
pub(super) const SIZE_EXAMPLES: &str = "\
Examples:
  mediscope-size size --ram 1G --cpus 1
  mediscope-size size --profile scan.yaml --box this
  mediscope-size size --profile qreader --compare qreader-pytorch --ram 1G --cpus 2
  mediscope-size size --profile mediscope-pytorch --section all -o report.html
  mediscope-size size --profile mediscope-pytorch --explain ram.max_concurrency --ram 4G
  mediscope-size size --profile scan.yaml --ram 1G --cpus 1 --rps 5 --slo p95=2s
  mediscope-size size --profile scan.yaml --ram 1G --cpus 1 --cpu-score 800
  mediscope-size size --concurrency 20 --format json";
pub(super) const MEASURE_EXAMPLES: &str = "\
Examples:
  mediscope-size measure --model scan.onnx -o scan.yaml
  mediscope-size measure --profile mediscope --image scans/ --max-time 60s
  mediscope-size measure --model scan.onnx --vary arena=on,off --vary threads=1,2 --ram 1G
  mediscope-size measure --vary image=1mp,4mp,12mp
  mediscope-size measure --url http://127.0.0.1:8000/predict --form file=@scan.png -o service.yaml \\
    -- uvicorn app:app --port 8000
  mediscope-size measure --url http://127.0.0.1:8000/predict --body scans/ --max-time 2m \\
    --ready http://127.0.0.1:8000/health -- gunicorn -w 4 app:app
  mediscope-size measure --url http://127.0.0.1:8000/predict --body scan.png \\
    -- docker run --rm --publish 8000:8000 scanner
  mediscope-size measure --pid 1234 --url http://127.0.0.1:8000/predict --body scan.png --ram 1G
  mediscope-size measure --cgroup /sys/fs/cgroup/system.slice/app.service \\
    --url https://127.0.0.1:8443/predict --ca ca.pem --bearer-env TOKEN --requests mix.yaml
  mediscope-size measure --pid 1234 --url http://127.0.0.1:8000/predict \\
    --json '{\"image\":\"@base64:scan.png\"}'
  mediscope-size measure --pid 1234 --watch 10m --inflight-url http://127.0.0.1:8000/inflight
  mediscope-size measure --model scan.onnx --dry-run";
pub(super) const VERIFY_EXAMPLES: &str = "\
The service runs in a control group with the RAM and CPUs of the box and no swap, with as
many requests at once as the plan promises: warm, and as a burst after a restart. Exit
codes: 0 the plan held, 1 it did not, 2 it could not be tried.

Examples:
  mediscope-size verify --ram 512M --cpus 1
  mediscope-size verify --profile scan.yaml --ram 1G --cpus 2 --find n
  mediscope-size verify --model scan.onnx --ram 1G --concurrency 8 --find limit
  mediscope-size verify --profile scan.yaml --ram 512M --cpus 1 --for 10m
  mediscope-size verify --profile scan.yaml --ram 512M --cpus 1 --load=50%,80%";
pub(super) const INSPECT_EXAMPLES: &str = "\
Prints inputs and what is taken for them, outputs, weights by type, files with
external weights, operators, an estimate of the RAM to load it, and the command
that measures it. Weights are not read: a large file takes no longer.

Examples:
  mediscope-size inspect scan.onnx
  mediscope-size inspect scan.onnx --format json";
pub(super) const PROFILES_EXAMPLES: &str = "\
Examples:
  mediscope-size profiles
  mediscope-size profiles show qreader
  mediscope-size profiles show mediscope-pytorch > service.yaml";
pub(super) const INIT_EXAMPLES: &str = "\
Examples:
  mediscope-size init --model scan.onnx -o service.yaml
  mediscope-size init --model small.onnx --model medium.onnx
  mediscope-size init --declared -o service.yaml";
pub(super) const LINT_EXAMPLES: &str = "\
A profile may state figures that others have printed (`stated:`), and totals beside
their parts. Those that do not follow from the costs are listed, and are footnotes of
the report. Exit codes: 0 all follow, 1 some do not, 2 could not tell.

Examples:
  mediscope-size lint qreader-pytorch
  mediscope-size lint service.yaml";
pub(super) const RUNTIME_EXAMPLES: &str = "\
Examples:
  mediscope-size runtime
  mediscope-size runtime --install
  ORT_DYLIB_PATH=/opt/ort/libonnxruntime.so mediscope-size runtime";
pub(super) const CALIBRATE_EXAMPLES: &str = "\
The score is how many requests of a fixed mix 100 seconds of one CPU do. Run it on
the machine to size for, and give what it prints where the footprint is:

Examples:
  mediscope-size calibrate
  mediscope-size calibrate --format json
  mediscope-size --profile scan.yaml --ram 1G --cpus 1 --cpu-score 800";
pub(super) const CACHE_EXAMPLES: &str = "\
Examples:
  mediscope-size cache
  mediscope-size cache --clear";
pub(super) const CHECK_EXAMPLES: &str = "\
Examples:
  mediscope-size check --model scan.onnx --max-ram 512M --concurrency 10
  mediscope-size check --profile scan.yaml --max-buffer 20M --max-load-peak 400M --why
  mediscope-size check --model scan.onnx --baseline footprint.yaml --max-growth 5%
  mediscope-size check --model scan.onnx --baseline footprint.yaml --update-baseline
  mediscope-size check budget.yaml --update-baseline
  mediscope-size check budget.yaml --format github -o junit=report.xml -o markdown=summary.md

Exit codes: 0 within, 1 over, 2 could not decide, 130 interrupted.";
pub(super) const DIFF_EXAMPLES: &str = "\
Examples:
  mediscope-size diff footprint.yaml scan.yaml
  mediscope-size diff footprint.yaml scan.yaml --format markdown

Formats: text, markdown and json.";
pub(super) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  mediscope-size completions bash > ~/.local/share/bash-completion/completions/mediscope-size
  mediscope-size completions zsh > ~/.zfunc/_mediscope-size
  mediscope-size completions fish > ~/.config/fish/completions/mediscope-size.fish";
pub(super) const MAN_EXAMPLES: &str = "\
Examples:
  mediscope-size man | man -l -
  mediscope-size man --output ~/.local/share/man/man1";
