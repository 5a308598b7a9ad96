# Step train: the two passes of recipes/default.yaml, which made the embedded model,
# with checkpoints, and from the newest of them where a run has begun. Sourced by run.sh.

# pass NAME STEPS ARGUMENTS…: one pass; what is done stays done.
pass() {
	local run=$output/$1 total=$2
	shift 2
	if [[ -e $run/final/config.json ]] && tail -n 1 "$run/log.jsonl" | grep -q "\"step\":$total,"; then
		say "$run is done"
		return
	fi
	say "$run, $total steps, engine $engine, $kind"
	"$program" train --config recipes/default.yaml --engine "$engine" --precision "$kind" --steps "$total" \
		--train-data "$data" --output "$run" --resume "$@"
	tail -n 1 "$run/log.jsonl"
}

# without are the settings of the first pass, which has no groups (the recipe's words).
without=(
	--set 'model.depths=[0]' --set 'model.group_tokens=[0]' --set 'model.output_groups=[0]'
	--set loss.teach_weight=0 --set optimizer.learning_rate=3e-3
)

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
		pass first 6 "${without[@]}" "${more[@]}"
	fi
	pass first "$first" "${without[@]}" "${more[@]}"
	pass second "$second" --init "$output/first/final" "${more[@]}"
	say "the trained model: $output/second/final"
}
