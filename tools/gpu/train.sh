# Step train: the two passes of recipes/default.yaml, which made the embedded model,
# with checkpoints, and from the newest of them where a run has begun. Sourced by run.sh.

# pass NAME RECIPE STEPS ARGUMENTS…: one pass; what is done stays done.
pass() {
	local run=$output/$1 recipe=recipes/$2.yaml total=$3
	shift 3
	if [[ -e $run/final/config.json ]] && tail -n 1 "$run/log.jsonl" | grep -q "\"step\":$total,"; then
		say "$run is done"
		return
	fi
	say "$run, $total steps, engine $engine, $kind"
	"$program" train --config "$recipe" --engine "$engine" --precision "$kind" --steps "$total" \
		--train-data "$data" --output "$run" --resume "$@"
	tail -n 1 "$run/log.jsonl"
}

train_default() {
	need_plugin
	[[ -x $program ]] || die "no $program: run $here/run.sh build"
	local data=${TRAIN_DATA:-} kind=$precision first=16000 second=7000 more=()
	if [[ -n $small ]]; then
		first=12 second=8 more=(--set output.checkpoint_every=4 --set measure.pictures=0 --set output.log_every=4)
		[[ $engine == xla:* ]] || kind=float32 # simd has bf16 on some CPUs only
		if [[ -z $data ]]; then # scenes show that the steps work; they teach nothing about photos
			data=$output/scenes/train more+=(--set data.balance.share=0)
			[[ -e $data ]] || "$program" data synth --scenes 200 --test-scenes 4 --output "$output/scenes" >/dev/null
		fi
	fi
	[[ -n $data ]] || die "TRAIN_DATA names no shards: set it as --train-data takes them, such as 'captioned/*.tar::captioned/*.tar::tagged/*.tar' (captioned photos twice: see recipes/default.yaml)"
	if [[ -n $small && ! -e $output/first ]]; then # end the first pass in the middle: the next line goes on from its checkpoint
		pass first default-first 6 "${more[@]}"
	fi
	pass first default-first "$first" "${more[@]}"
	pass second default "$second" --init "$output/first/final" "${more[@]}"
	say "the trained model: $output/second/final"
}
