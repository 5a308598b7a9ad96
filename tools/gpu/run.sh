#!/usr/bin/env bash
# Checks, measures and trains GroupViT on an NVIDIA GPU; see README.md beside this file.
#
#   tools/gpu/run.sh                          all steps, engine xla:cuda
#   tools/gpu/run.sh speed train              some of: plugin, build, parity, speed, train
#   tools/gpu/run.sh --engine simd --small    the same steps with small models, without a GPU
#   tools/gpu/run.sh --engine xla:cpu --small the same through XLA, on the CPU
set -euo pipefail
cd "$(dirname "$0")/../.."
here=tools/gpu

say() { printf '\n== %s\n' "$*"; }
die() { printf 'tools/gpu/run.sh: %s\n' "$*" >&2; exit 1; }

engine=xla:cuda small= steps=
while (($#)); do
	case $1 in
	--engine) engine=${2:?--engine needs a name}; shift ;;
	--engine=*) engine=${1#*=} ;;
	--small) small=1 ;;
	plugin | build | parity | speed | train) steps+=" $1" ;;
	-h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit ;;
	*) die "$1 is neither a step (plugin, build, parity, speed, train) nor an option (--engine E, --small)" ;;
	esac
	shift
done
steps=" ${steps:-plugin build parity speed train} "
wanted() { [[ $steps == *" $1 "* ]]; }

case $engine in
xla:cuda | xla:cpu) tags=(-tags xla); export CGO_ENABLED=1 ;;
simd | go) tags=() ;;
*) die "--engine $engine: xla:cuda, xla:cpu, simd or go" ;;
esac
output=${OUT:-runs/gpu}
[[ $engine == xla:cuda ]] || output=${OUT:-runs/gpu-${engine/:/-}}
program=$output/groupvit
python=${PYTHON:-python3}
# The version of XLA's plugin; its PJRT C API is newer than go-xla's headers (0.104),
# which the API allows.
version=${GROUPVIT_PJRT_VERSION:-0.11.2}
home=${GROUPVIT_PJRT_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/groupvit/pjrt-${engine#xla:}-$version}
precision=${PRECISION:-bf16}

command -v go >/dev/null || die 'Go is needed: https://go.dev/dl'
if [[ $engine == xla:* ]]; then
	cc=$(go env CC)
	command -v "${cc%% *}" >/dev/null || die 'the xla engine is loaded through cgo: install a C compiler (gcc)'
fi
if [[ $engine == xla:cuda ]]; then
	[[ -e /dev/nvidiactl ]] || die 'no NVIDIA driver here (/dev/nvidiactl is missing): run it on a machine with a CUDA 13 driver, or try --engine simd --small'
	! command -v nvidia-smi >/dev/null || nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
fi

for part in plugin parity speed train; do
	# shellcheck source=/dev/null
	source "$here/$part.sh"
done
mkdir -p "$output"

! wanted plugin || [[ $engine != xla:* ]] || install_plugin
export GOMLX_NO_AUTO_INSTALL=1 # nothing is downloaded behind our back
[[ $engine != xla:* ]] || export PJRT_PLUGIN_LIBRARY_PATH=${plugin%/*}
# XLA multiplies float32 in TF32 on a GPU unless told otherwise, with 10 bits of
# fraction: fast, and outside the fixtures' bound of 1e-4. Parity is measured in
# float32, training runs as XLA prefers.
exact=$engine
[[ $engine != xla:cuda ]] || exact=$engine,tf32=false

if wanted build; then
	say "go build ${tags[*]} -o $program"
	go build "${tags[@]}" -o "$program" ./cmd/groupvit
fi
! wanted parity || check_parity
! wanted speed || measure_speed
! wanted train || train_default
say done
