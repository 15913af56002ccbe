#!/bin/sh
# Measure once on a machine with the model, size boxes anywhere: the profile that is written holds
# the footprint, and sizing needs neither the model nor ONNX Runtime.
#
# usage: measure-once.sh PROFILE OUTPUT
set -eu

mediscope-size measure --profile "$1" --output "$2" --max-time "${BUDGET:-20s}"

for ram in 256M 512M 1G; do
    mediscope-size --profile "$2" --ram "$ram" --cpus 1 --format json |
        python3 -c "
import json, sys
report = json.load(sys.stdin)
print('$ram', report['verdict']['answer'], report['capacity']['safe_concurrency'], 'concurrent')"
done
