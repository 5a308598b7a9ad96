#!/usr/bin/env bash
# Checks and trains GroupViT on an NVIDIA GPU: installs XLA's PJRT plugin, builds
# with -tags xla, compares the network with its fixtures on the engine xla, and
# trains recipes/smoke.yaml. See README.md beside this file.
#
#   tools/gpu/run.sh            all of it
#   tools/gpu/run.sh plugin     one or more of: plugin, build, parity, train
set -euo pipefail
cd "$(dirname "$0")/../.."

say() { printf '\n== %s\n' "$*"; }
die() { printf 'tools/gpu/run.sh: %s\n' "$*" >&2; exit 1; }

# The plugin's version; its PJRT C API is newer than go-xla's headers (0.104),
# which the API allows.
version=${GROUPVIT_PJRT_VERSION:-0.11.2}
home=${GROUPVIT_PJRT_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/groupvit/pjrt-cuda13-$version}
plugin=$home/site/nvidia/pjrt_c_api_cuda_plugin.so
output=${OUT:-runs/gpu}
steps=" ${*:-plugin build parity train} "
wanted() { [[ $steps == *" $1 "* ]]; }

[[ -e /dev/nvidiactl ]] || die 'no NVIDIA driver here (/dev/nvidiactl is missing): run it on a machine with a CUDA 13 driver'
command -v go >/dev/null || die 'Go is needed: https://go.dev/dl'
cc=$(go env CC)
command -v "${cc%% *}" >/dev/null || die 'the xla engine is loaded through cgo: install a C compiler (gcc)'
if command -v nvidia-smi >/dev/null; then
	nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
fi

# The plugin is a file of the Python package jax-cuda13-pjrt; the CUDA libraries
# it loads are packages beside it. pip only unpacks them: Python does not run
# them, and jax itself is not needed. The plugin looks for CUDA in ../nvidia, seen
# from the path it is opened by, and so does go-xla; a link on the file system's
# own level (no symbolic one) puts it where that is true:
#   $home/site/nvidia/cu13/lib/…                    the libraries
#   $home/site/nvidia/pjrt_c_api_cuda_plugin.so     the name that go-xla looks for
if wanted plugin && [[ ! -e $plugin ]]; then
	say "plugin jax-cuda13-pjrt $version, about 3 GB with CUDA's libraries, into $home"
	python3 -m pip --version >/dev/null 2>&1 || die 'python3 with pip is needed to unpack the plugin'
	mkdir -p "$home"
	python3 -m pip install --quiet --no-compile --upgrade --target "$home/site" \
		"jax-cuda13-pjrt==$version" \
		nvidia-cublas nvidia-cuda-cupti nvidia-cuda-nvcc nvidia-cuda-nvrtc nvidia-cuda-runtime \
		nvidia-cudnn-cu13 nvidia-cufft nvidia-cusolver nvidia-cusparse nvidia-nccl-cu13 \
		nvidia-nvjitlink nvidia-nvshmem-cu13 ||
		die 'cannot install the plugin and CUDA libraries'
	so=$home/site/jax_plugins/xla_cuda13/xla_cuda_plugin.so
	[[ -e $so ]] || die "$so is missing after the installation: another version of the package? set GROUPVIT_PJRT_VERSION"
	[[ -d $home/site/nvidia/cu13/lib ]] || die "$home/site/nvidia/cu13/lib is missing after the installation"
	ln -f "$so" "$plugin"
fi

export PJRT_PLUGIN_LIBRARY_PATH=$home/site/nvidia
export GOMLX_NO_AUTO_INSTALL=1 # nothing is downloaded behind our back
export CGO_ENABLED=1
# XLA multiplies float32 in TF32 unless told otherwise, with 10 bits of fraction:
# fast, and outside the fixtures' bound of 1e-4. Parity is measured in float32,
# training runs as XLA prefers.
exact=xla:cuda,tf32=false
fast=xla:cuda

if wanted build; then
	say 'build with -tags xla'
	mkdir -p "$output"
	go build -tags xla -o "$output/groupvit" ./cmd/groupvit
fi

if wanted parity; then
	say "the network against its fixtures, GROUPVIT_ENGINE=$exact"
	mkdir -p "$(dirname "$output")"
	[[ -e $plugin ]] || die "no plugin at $plugin: run tools/gpu/run.sh plugin"
	GROUPVIT_ENGINE=$exact go test -tags xla -count=1 -v -timeout 20m ./internal/network/... 2>&1 | tee "$output-parity.txt" | grep -E '^(---|ok|FAIL|PASS|panic)' || true
	grep -q '^FAIL' "$output-parity.txt" && die "the fixtures are missed: see $output-parity.txt"
	grep -q '^ok' "$output-parity.txt" || die "the tests did not finish: see $output-parity.txt"
	# The tests skip an engine that does not open.
	grep -q -- '--- PASS: TestPortTiny/xla' "$output-parity.txt" || die "the engine xla did not open: see $output-parity.txt"
fi

if wanted train; then
	say "40 steps of recipes/smoke.yaml, engine $fast"
	[[ -x $output/groupvit ]] || die "no $output/groupvit: run tools/gpu/run.sh build"
	rm -rf "$output/smoke"
	"$output/groupvit" train --config recipes/smoke.yaml --engine "$fast" --output "$output/smoke"
	tail -n 1 "$output/smoke/log.jsonl"
fi

say done
