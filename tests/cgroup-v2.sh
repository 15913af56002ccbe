#!/usr/bin/env bash
# Control groups of version 2 as a kernel really has them, whatever this machine runs on: Debian's
# kernel in an emulator, with the memory and CPU controllers in the unified hierarchy alone. In it run
# the tests of `verify`, all but the two that hold what is done in a time against a clock, which an
# emulator is too slow for, and then one real model in a group that was delegated to the program.
# Installs what it needs where it may (Debian's qemu-system-x86, busybox-static and kernel).
#
# usage: tests/cgroup-v2.sh        (on two cores without virtualisation: about twenty minutes)
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# packages
if ! command -v qemu-system-x86_64 >/dev/null || ! command -v busybox >/dev/null || ! command -v depmod >/dev/null; then
  apt-get update -q >"$work/apt.log"
  apt-get install -q -y --no-install-recommends qemu-system-x86 busybox-static kmod >"$work/apt.log"
fi
kernel=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: //p' | head -1)
(cd "$work" && apt-get download "$kernel" >apt.log 2>&1 && dpkg-deb -x ./*.deb kernel)
version=${kernel#linux-image-}

target=${CARGO_TARGET_DIR:-$PWD/target}
cargo build --locked --quiet
tests=$(cargo test --locked --quiet --no-run --test verify --message-format json \
  | sed -n 's/.*"executable":"\([^"]*verify-[^"]*\)".*/\1/p' | tail -1)
tool=$target/debug/mediscope-size
cache=$target/tmp/real-cache
MEDISCOPE_SIZE_CACHE=$cache "$tool" runtime --install --quiet
library=$(find "$cache" -name 'libonnxruntime.so*' -type f | head -1)

# What the machine in the emulator sees: programs where they were built, the libraries that they ask for.
root=$work/root
mkdir -p "$root"/{bin,proc,sys,dev,tmp,etc,home} "$root$PWD"
give() { # files, with the libraries that they load
  local file needed
  for file in "$@"; do
    mkdir -p "$root$(dirname "$file")"
    cp -L "$file" "$root$file"
    for needed in $(ldd "$file" | grep -o '/[^ ]*'); do
      [ -e "$root$needed" ] || { mkdir -p "$root$(dirname "$needed")" && cp -L "$needed" "$root$needed"; }
    done
  done
}
give "$tool" "$tests" "$library"
cp "$(command -v busybox)" "$root/bin/busybox"
cp -r schemas "$root$PWD/"
printf 'root:x:0:0:root:/home:/bin/sh\n' >"$root/etc/passwd"
# A network that is quick even in an emulator.
python3 -m pip download --quiet --no-deps --dest "$work/wheel" silero-vad==6.2.3
python3 -m zipfile -e "$work"/wheel/*.whl "$work/wheel"
cp "$work/wheel/silero_vad/data/silero_vad.onnx" "$root/home/net.onnx"
cat >"$root/home/net.yaml" <<YAML
name: net
models: {net: {path: net.onnx, inputs: {input: {shape: [1, 512]}, state: {shape: [2, 1, 128]}}}}
YAML
cat >"$root/init" <<INIT
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
mount -t cgroup2 none /sys/fs/cgroup
export NO_COLOR=1 PATH=/bin HOME=/home TMPDIR=/tmp MEDISCOPE_SIZE_CACHE=/home/cache ORT_DYLIB_PATH=$library
ifconfig lo up
echo "controllers: \$(cat /sys/fs/cgroup/cgroup.controllers)"
cd $PWD
echo '--- a group with another process in it: refused, with what to do'
mkdir /sys/fs/cgroup/busy /sys/fs/cgroup/scope
echo '+memory +cpu' >/sys/fs/cgroup/cgroup.subtree_control
cd /home
sh -c 'echo \$\$ >/sys/fs/cgroup/busy/cgroup.procs; $tool verify --synthetic base=100M,buffer=10M --ram 256M --cpus 1 -q; echo "exit code \$?"'
echo '--- the tests'
cd $PWD
$tests --test-threads 2 --skip a_load_is_driven_and_compared --skip a_soak_reports_growth
echo "tests ended with \$?"
cd /home
echo '--- a real model in a group that was delegated'
sh -c 'echo \$\$ >/sys/fs/cgroup/scope/cgroup.procs; exec $tool measure --profile net.yaml --max-time 1s -q -o measured.yaml'
rmdir /sys/fs/cgroup/scope/mediscope-size.* 2>/dev/null
sh -c 'echo \$\$ >/sys/fs/cgroup/scope/cgroup.procs; exec $tool verify --profile measured.yaml --ram 64M --cpus 2 --concurrency 16 -q'
echo "exit code \$?"
rmdir /sys/fs/cgroup/scope/mediscope-size.* 2>/dev/null
echo "left below: \$(ls -d /sys/fs/cgroup/scope/*/ 2>/dev/null)"
sync; poweroff -f
INIT
chmod +x "$root/init"
truncate -s 1500M "$work/disk"
mke2fs -q -t ext4 -d "$root" "$work/disk"

# The kernel's modules for that disk, and their like.
depmod -b "$work/kernel" "$version"
boot=$work/boot
modules=$boot/lib/modules/$version
mkdir -p "$boot/bin" "$boot/root" "$modules/kernel"
cp "$(command -v busybox)" "$boot/bin/busybox"
for module in virtio_pci virtio_blk ext4; do
  for file in $(modprobe -d "$work/kernel" -S "$version" --show-depends "$module" 2>/dev/null | sed -n 's/^insmod //p'); do
    cp "$file" "$modules/kernel/"
    echo "insmod /lib/modules/$version/kernel/$(basename "$file")" >>"$work/insmod"
  done
done
{
  echo '#!/bin/busybox sh'
  echo '/bin/busybox --install -s /bin'
  cat "$work/insmod"
  echo 'mkdir -p /dev; mount -t devtmpfs dev /dev'
  echo 'mount -t ext4 /dev/vda /root && exec switch_root /root /init'
} >"$boot/init"
chmod +x "$boot/init"
(cd "$boot" && find . | busybox cpio -o -H newc 2>/dev/null) >"$work/initrd"

timeout 3000 qemu-system-x86_64 -m 3G -smp 2 -cpu max -nographic -no-reboot -nic none \
  -kernel "$work"/kernel/boot/vmlinuz-* -initrd "$work/initrd" -append 'console=ttyS0 quiet panic=-1 swapaccount=1' \
  -drive file="$work/disk",format=raw,if=virtio </dev/null | tee "$work/said"
grep -q '^controllers: .*cpu.*memory' "$work/said"
grep -q 'HELD' "$work/said"
grep -q 'systemd-run --user --scope' "$work/said"
grep -q 'tests ended with 0' "$work/said"
