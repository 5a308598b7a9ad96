# Step speed: training steps of the default configuration beside PyTorch's of the
# Hugging Face port: same batch, losses, optimizer and precision. Sourced by run.sh.

# watched FILE COMMAND…: COMMAND, with the largest memory that the GPU had in use, in
# MiB, in FILE.
watched() {
	local file=$1
	shift
	if [[ $engine != xla:cuda ]] || ! command -v nvidia-smi >/dev/null; then
		"$@"
		return
	fi
	(
		most=0
		while sleep 0.5; do
			now=$(nvidia-smi --id="${CUDA_VISIBLE_DEVICES:-0}" --query-gpu=memory.used --format=csv,noheader,nounits) || continue
			((now <= most)) || { most=$now; echo "$most" >"$file"; }
		done
	) &
	local watcher=$! code=0
	"$@" || code=$?
	kill "$watcher"
	wait "$watcher" 2>/dev/null || true
	return "$code"
}

measure_speed() {
	need_plugin
	[[ -x $program ]] || die "no $program: run $here/run.sh build"
	$python -c 'import torch, transformers' 2>/dev/null ||
		die "$python has no torch and transformers to compare with: pip install -r tools/reference/requirements-speed.txt, or name another with PYTHON"
	local batch=${BATCH:-256} seconds=${SECONDS_EACH:-30} device=cuda config=() ours=$engine kind=$precision
	[[ $engine == xla:cuda ]] || device=cpu
	[[ -z $small ]] || { batch=${BATCH:-16} seconds=${SECONDS_EACH:-5} config=(--config "$here/small.json"); }
	# Memory as it is needed, so that it can be compared; otherwise XLA takes most of it.
	[[ $engine != xla:cuda ]] || ours=$engine,preallocate=false
	if [[ $engine == go || $engine == simd ]] && ! "$program" bench --engine "$engine" --work train --precision "$kind" --repeat 1 --config "$here/small.json" --batch 2 >/dev/null 2>&1; then
		kind=float32
		echo "engine $engine has no $precision on this CPU: both are measured in $kind"
	fi
	rm -f "$output"/speed-*
	say "training steps, batch $batch, $kind, engine $ours"
	watched "$output/speed-groupvit.mib" "$program" bench --engine "$ours" --work train --precision "$kind" --batch "$batch" \
		--threads "${THREADS:-$(nproc)}" --seconds "$seconds" "${config[@]}" --json | tee "$output/speed-groupvit.json"
	say "the same in PyTorch, device $device"
	watched "$output/speed-torch.mib" "$python" "$here/speed_torch.py" --device "$device" --precision "$kind" --batch "$batch" \
		--threads "${THREADS:-$(nproc)}" --seconds "$seconds" "${config[@]}" | tee "$output/speed-torch.json"
	"$python" "$here/speed_report.py" "$output"
}
