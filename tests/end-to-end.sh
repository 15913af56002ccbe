#!/usr/bin/env bash
# What only other programs can tell: a browser, whether the HTML report is legible at two widths, in
# the dark and in print; Prometheus' own checker, whether the alert rules are rules. Installs what it
# needs where it may (Debian's chromium and prometheus); a part that it cannot run it skips, and says why.
#
# usage: tests/end-to-end.sh [FOLDER FOR SCREENSHOTS]
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --locked --quiet
tool=$PWD/target/debug/mediscope-size
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
shots=${1:-$work}
mkdir -p "$shots"
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
          browser "${dark[@]}" --window-size="$width,5200" --screenshot="$shots/$profile.$language.$width.$scheme.png" "file://$page"
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
  sed -n '/^## Measure a live service/,/^## Reports/p' README.md \
    | awk -v wanted="$1" '/^```sh/ { block++; next } /^```/ { ended[block] = 1 } block == wanted && !ended[block]'
}

if [ "$(id -u)" = 0 ] && python3 -m venv "$work/try" 2>/dev/null; then
  cp -r examples "$work/"
  export MEDISCOPE_SIZE_CACHE=$PWD/target/tmp/real-cache
  "$tool" measure --profile examples/classifier.yaml --budget 1s --quiet -o "$work/classifier.yaml"
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

echo "end to end: done, $skipped skipped"
