#!/usr/bin/env bash
# What only other programs can tell: a browser, whether the HTML report is legible at two widths, in
# the dark and in print; Prometheus' own checker, whether the alert rules are rules. Installs what it
# needs where it may (Debian's chromium and prometheus); a part that it cannot run it skips, and says why.
#
# usage: tests/end-to-end.sh [FOLDER FOR SCREENSHOTS]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
shots=$(realpath -m "${1:-$work}")
mkdir -p "$shots"
# Nothing here runs in the checkout, so that nothing can be left in it.
cd "$work"
before=$(git -C "$root" status --porcelain --untracked-files=all 2>/dev/null || true)

cargo build --locked --quiet --manifest-path "$root/Cargo.toml"
tool=$root/target/debug/mediscope-size
skipped=0

need() { # command, package
  command -v "$1" >/dev/null && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get install -y --no-install-recommends "$2" >"$work/apt.log" 2>&1 \
      || { apt-get update >"$work/apt.log" 2>&1 && apt-get install -y --no-install-recommends "$2" >"$work/apt.log" 2>&1; } \
      || true
  fi
  command -v "$1" >/dev/null
}

skip() {
  echo "skipped: $1"
  skipped=$((skipped + 1))
}

# A browser that crashes says nothing of the page: it is started again, twice at most.
browser() { # arguments of chromium
  start "$@" || start "$@" || start "$@"
}

start() {
  timeout 120 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" "$@" 2>/dev/null
}

# Looks at the page from inside: nothing wider than the window, no texts of a picture over each other
# or cut at its edge, every text as dark or light as it must be to be read.
cat >"$work/look.js" <<'JS'
addEventListener('load', () => {
  const faults = [];
  if (document.documentElement.scrollWidth > innerWidth + 1)
    faults.push(`page is ${document.documentElement.scrollWidth} wide in ${innerWidth}`);
  for (const svg of document.querySelectorAll('svg')) {
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll('text')].map(t => [t, t.getBoundingClientRect()]).filter(([, b]) => b.width > 0);
    texts.forEach(([t, b], i) => {
      if (b.left < frame.left - 1 || b.right > frame.right + 1 || b.top < frame.top - 1 || b.bottom > frame.bottom + 1)
        faults.push(`cut: ${t.textContent.trim()}`);
      for (const [u, c] of texts.slice(i + 1))
        if (b.left < c.right - 1 && c.left < b.right - 1 && b.top < c.bottom - 2 && c.top < b.bottom - 2)
          faults.push(`overlap: ${t.textContent.trim()} / ${u.textContent.trim()}`);
    });
  }
  const light = color => {
    const [r, g, b] = color.match(/[\d.]+/g).map(Number).map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  for (const e of document.querySelectorAll('p, td, th, li, dt, dd, a, svg text')) {
    const style = getComputedStyle(e), ink = light(e.closest('svg') ? style.fill : style.color);
    const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (contrast < 4.5) { faults.push(`contrast ${contrast.toFixed(1)}: ${e.textContent.slice(0, 40)}`); break; }
  }
  document.title = faults.length ? 'FAULTS ' + faults.join(' | ') : 'LEGIBLE';
});
JS

if need chromium chromium; then
  for profile in qreader-pytorch mediscope-pytorch; do
    for language in en es; do
      page=$work/$profile.$language.html
      "$tool" --profile "$profile" --lang "$language" -o "$page" --quiet
      sed "s|</head>|<script>$(tr '\n' ' ' <"$work/look.js" | sed 's/[&|\\]/\\&/g')</script></head>|" "$page" >"$work/looked.html"
      for width in 520 1200; do
        for scheme in light dark; do
          dark=()
          [ "$scheme" = dark ] && dark=(--blink-settings=preferredColorScheme=0)
          title=$(browser "${dark[@]}" --window-size="$width,2000" --dump-dom "file://$work/looked.html" | grep -o '<title>[^<]*' | head -1)
          echo "$profile $language $width px $scheme: ${title#<title>}"
          [ "$title" = "<title>LEGIBLE" ]
          # Nobody looks at pictures that are thrown away.
          [ $# = 0 ] || browser "${dark[@]}" --window-size="$width,5200" --screenshot="$shots/$profile.$language.$width.$scheme.png" "file://$page"
        done
      done
      browser --no-pdf-header-footer --print-to-pdf="$shots/$profile.$language.pdf" "file://$page"
      [ -s "$shots/$profile.$language.pdf" ]
    done
  done
else
  skip "the HTML in a browser: there is no chromium, and it cannot be installed"
fi

if need promtool prometheus; then
  for profile in qreader-pytorch mediscope-pytorch; do
    "$tool" --profile "$profile" --section monitoring --format prometheus >"$work/rules.yaml"
    promtool check rules "$work/rules.yaml"
  done
else
  skip "the alert rules: there is no promtool, and it cannot be installed"
fi

# The commands of the README on a live service, as they stand there, in a copy of the example. The
# process that it names is the one that runs, and ten minutes of looking are five seconds.
commands() { # which of the section's blocks of commands
  sed -n '/^## Measure a live service/,/^## Reports/p' "$root/README.md" \
    | awk -v wanted="$1" '/^```sh/ { block++; next } /^```/ { ended[block] = 1 } block == wanted && !ended[block]'
}

if [ "$(id -u)" = 0 ] && python3 -m venv "$work/try" 2>/dev/null; then
  cp -r "$root/examples" "$work/"
  export MEDISCOPE_SIZE_CACHE=$root/target/tmp/real-cache
  "$tool" measure --profile examples/classifier.yaml --max-time 1s --quiet -o "$work/classifier.yaml"
  cp "$MEDISCOPE_SIZE_CACHE"/models/resnet18-c10-s1-*.onnx "$work/examples/fastapi/resnet18.onnx"
  python3 - "$work/examples/fastapi/scan.png" <<'PNG'
import os, struct, sys, zlib
width, height = 1200, 900
chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
rows = b"".join(b"\0" + os.urandom(3 * width) for _ in range(height))
header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
with open(sys.argv[1], "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b""))
PNG
  export PATH="${tool%/*}:$PATH" PIP_QUIET=1 PIP_DISABLE_PIP_VERSION_CHECK=1
  commands 1 >"$work/first.sh"
  commands 2 >"$work/second.sh"
  grep -q 'mediscope-size verify' "$work/first.sh"
  grep -q -- '--watch' "$work/second.sh"
  (cd "$work" && bash -euo pipefail first.sh)
  (
    cd "$work/examples/fastapi"
    . venv/bin/activate
    MODEL=$PWD/resnet18.onnx uvicorn app:app --port 8000 >"$work/uvicorn.log" 2>&1 &
    service=$!
    trap 'kill "$service"' EXIT
    for _ in $(seq 100); do
      grep -q 'running on' "$work/uvicorn.log" && break
      sleep 0.2
    done
    sed "s/1234/$service/; s/10m/5s/" "$work/second.sh" >"$work/with-the-process.sh"
    bash -euo pipefail "$work/with-the-process.sh"
  )
else
  skip "the live service of the README: it takes root, for control groups, and Python with venv"
fi

# The files for pipelines: held against their vendors' schemas, and their commands run in empty
# repositories.
if python3 -m venv "$work/pipelines" 2>/dev/null \
  && "$work/pipelines/bin/pip" install --quiet check-jsonschema pre-commit pyyaml junitparser lxml; then
  (
    bin=$work/pipelines/bin
    export PATH="${tool%/*}:$bin:$PATH" MEDISCOPE_SIZE_CACHE=$root/target/tmp/real-cache
    check-jsonschema --builtin-schema vendor.github-actions "$root/action.yml"
    check-jsonschema --builtin-schema vendor.github-workflows "$root/examples/ci/github/.github/workflows/memory.yml"
    check-jsonschema --builtin-schema vendor.gitlab-ci "$root/examples/ci/gitlab/.gitlab-ci.yml"
    cat >"$work/steps.py" <<'PY'
import sys, yaml
kind, path = sys.argv[1:]
with open(path) as file:
    found = yaml.safe_load(file)
if kind == "github":
    # A job of its own: a step of a shell, unless it is made for a pull request alone.
    steps = [s["run"] for s in found["runs"]["steps"] if "run" in s and "if" not in s]
else:
    steps = [line for job in found.values() for line in job["script"]]
assert steps
for step in steps:
    print("(" + step + ")" if kind == "github" else step)
PY
    for host in github gitlab pre-commit; do
      cp -r "$root/examples/ci/$host" "$work/repository-$host"
      git -C "$work/repository-$host" -c init.defaultBranch=main init --quiet
      git -C "$work/repository-$host" add --all
    done
    (
      cd "$work/repository-github"
      export GITHUB_OUTPUT=$work/output GITHUB_STEP_SUMMARY=$work/summary GITHUB_PATH=$work/path
      export BUDGET=budget.yaml ARGS='' SOURCE=$root TOOL=$tool RUNNER_TEMP=$work
      python "$work/steps.py" github "$root/action.yml" | bash -euo pipefail
      grep -qx 'outcome=within' "$GITHUB_OUTPUT"
      grep -q 'within its budget' "$GITHUB_STEP_SUMMARY"
      # The same with a rule that cannot be kept fails, and says where.
      sed -i 's/max_buffer: .*/max_buffer: 1M/' budget.yaml
      if python "$work/steps.py" github "$root/action.yml" | bash -euo pipefail >"$work/annotations"; then exit 1; fi
      grep -q '^::error file=budget.yaml,line=[0-9]*,title=' "$work/annotations"
      grep -qx 'outcome=over' "$GITHUB_OUTPUT"
      python -c 'import sys, junitparser
cases = [c for suite in junitparser.JUnitXml.fromfile(sys.argv[1]) for c in suite]
assert len(cases) == 4 and sum(not c.is_passed for c in cases) == 1, cases' "$(sed -n 's/^results=//p' "$GITHUB_OUTPUT" | tail -1)/mediscope-size.xml"
      # With a baseline, as the comments of the budget say.
      sed -i 's/max_buffer: .*/max_buffer: 60M/; s/# \(baseline:\|- name: does\)/\1/; s/#   max_growth/  max_growth/' budget.yaml
      mediscope-size check --quiet budget.yaml --update-baseline >/dev/null
      mediscope-size check --quiet budget.yaml | grep -q '^5 within, 0 over'
    )
    # What is over, what is undecided and what is killed, in the formats that have a schema or a list of
    # required fields.
    (
      mkdir "$work/results"
      cd "$work/results"
      held() { # name, exit code, options
        local name=$1 wanted=$2 code=0
        shift 2
        mediscope-size check --quiet "$@" -o "$name.xml" -o "$name.sarif" -o "gitlab=$name.json" >/dev/null || code=$?
        [ "$code" = "$wanted" ]
      }
      planted=base=300M,buffer=20M,load_peak=320M,cpu=0.05,seed=1
      held over 1 --synthetic "$planted,noise=0.001" --max-buffer 19M --max-load-peak 400M --why
      held undecided 2 --synthetic "$planted,noise=0.03" --max-ram 530M --concurrency 10
      held killed 1 --synthetic "$planted,kill_at=0" --max-ram 1G --concurrency 10 --max-cpu-seconds 60ms
      # A package whose sources carry the schema of JUnit's XML as Jenkins publishes it.
      pip download --quiet --no-deps --no-binary pytest pytest==9.2.0
      tar -xOzf pytest-9.2.0.tar.gz pytest-9.2.0/testing/example_scripts/junit-10.xsd >junit.xsd
      cat >valid.py <<'PY'
import glob, json
from lxml import etree
schema = etree.XMLSchema(file="junit.xsd")
for path in ["over.xml", "undecided.xml", "killed.xml"]:
    schema.assertValid(etree.parse(path))
for path in ["over.json", "undecided.json", "killed.json"]:
    issues = json.load(open(path))
    assert issues, path
    for issue in issues:
        assert all(isinstance(issue[key], str) for key in ["description", "check_name", "fingerprint"]), issue
        assert issue["severity"] in ["info", "minor", "major", "critical", "blocker"], issue
        assert isinstance(issue["location"]["path"], str), issue
        assert issue["location"]["lines"]["begin"] >= 1, issue
    assert len({issue["fingerprint"] for issue in issues}) == len(issues), issues
PY
      python valid.py
      # A package that carries the standard's schema.
      mkdir -p "$work/sarif/src" && touch "$work/sarif/src/lib.rs"
      printf '[package]\nname = "sarif"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\nserde-sarif = "=0.8.0"\n' >"$work/sarif/Cargo.toml"
      cargo fetch --quiet --manifest-path "$work/sarif/Cargo.toml"
      schema=$(find "${CARGO_HOME:-$HOME/.cargo}/registry/src" -path '*serde-sarif-0.8.0/src/schema.json' | head -1)
      check-jsonschema --regex-variant python --schemafile "$schema" over.sarif undecided.sarif killed.sarif
    )
    (
      cd "$work/repository-gitlab"
      python "$work/steps.py" gitlab .gitlab-ci.yml | bash -euo pipefail
      python -c 'import json; assert json.load(open("memory-results/code-quality.json")) == []'
    )
    (
      cd "$work/repository-pre-commit"
      export PRE_COMMIT_HOME=$work/hooks
      pre-commit run --all-files
      # And it holds up a commit that makes a rule be broken.
      sed -i 's/max_buffer: .*/max_buffer: 1M/' budget.yaml
      git add budget.yaml
      if pre-commit run --all-files >"$work/held-up"; then exit 1; fi
      grep -q '1 over' "$work/held-up"
    )
  )
else
  skip "the files for pipelines: Python's packages cannot be installed"
fi

# No engine builds the container here: its file is read. What it copies is there, and so is what the
# sources include; ONNX Runtime's library goes beside the executable, and nobody is root.
for source in $(sed -n 's/^COPY \([^-].*\) [^ ]*$/\1/p' "$root/Containerfile"); do [ -e "$root/$source" ]; done
for included in $(grep -rhoE 'include_str!\("(\.\./)+[a-z]+/' "$root/src" | sed 's,.*\.\./,,; s,/$,,' | sort -u); do
  [ -d "$root/src/$included" ] || grep -qx "COPY $included $included" "$root/Containerfile"
done
# What is built on is named by its digest.
[ "$(grep -cE '^FROM [^ ]+@sha256:[0-9a-f]{64}( |$)' "$root/Containerfile")" = 2 ] && [ "$(grep -c '^FROM ' "$root/Containerfile")" = 2 ]
grep -q 'runtime --install' "$root/Containerfile"
grep -qx 'COPY --from=build /build/tool /opt/mediscope-size' "$root/Containerfile"
cmp -s "$root/.containerignore" "$root/.dockerignore" && grep -qx target "$root/.containerignore"
tail -n +"$(grep -n '^FROM ' "$root/Containerfile" | tail -1 | cut -d: -f1)" "$root/Containerfile" | grep -qx 'USER tool'
skip "building the container: only its file was read"

if [ "$(git -C "$root" status --porcelain --untracked-files=all 2>/dev/null || true)" != "$before" ]; then
  echo "something was left in the checkout:"
  git -C "$root" status --porcelain --untracked-files=all
  exit 1
fi
echo "end to end: done, $skipped skipped"
