# Step train: recipes/default.yaml, all passes of the embedded model, with checkpoints,
# and from the newest of them where a run has begun. Sourced by run.sh.

train_default() {
	need_plugin
	[[ -x $program ]] || die "no $program: run $here/run.sh build"
	local data=${TRAIN_DATA:-} kind=$precision more=() run=$output/default
	if [[ -n $small ]]; then
		more=(--steps 8 --set output.checkpoint_every=4 --set measure.pictures=0 --set output.log_every=4)
		[[ $engine == xla:* ]] || kind=float32 # simd has bf16 on some CPUs only
		if [[ -z $data ]]; then # scenes show that the steps work; they teach nothing about photos
			data=$output/scenes/train more+=(--set data.balance.share=0)
			[[ -e $data ]] || "$program" data synth --scenes 200 --test-scenes 4 --output "$output/scenes" >/dev/null
		fi
	fi
	[[ -n $data ]] || die "TRAIN_DATA names no shards: set it as --train-data takes them, such as 'captioned/*.parquet::captioned/*.tar::tagged/*.tar'"
	say "$run, engine $engine, $kind"
	"$program" train --config recipes/default.yaml --engine "$engine" --precision "$kind" \
		--train-data "$data" --output "$run" --resume "${more[@]}"
	tail -n 1 "$run"/*/log.jsonl
	say "the trained model: $run/final"
}
