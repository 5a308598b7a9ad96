# Step parity: the network against its fixtures of the Hugging Face port: features,
# masks, losses and gradients. Sourced by run.sh.

check_parity() {
	need_plugin
	local log=$output/parity.txt what=()
	[[ -z $small ]] || what=(-run '^TestPort')
	say "the network against its fixtures, GROUPVIT_ENGINE=$exact"
	GROUPVIT_ENGINE=$exact go test "${tags[@]}" -count=1 -v -timeout 60m "${what[@]}" ./internal/network 2>&1 |
		tee "$log" | grep -E '^(---|ok|FAIL|PASS|panic)' || true
	if grep -qE '^(FAIL|panic)' "$log"; then die "the fixtures are missed: see $log"; fi
	grep -q '^ok' "$log" || die "the tests did not finish: see $log"
	# The tests skip an engine that does not open.
	for test in TestPortTiny TestPortDefault TestPortGradients; do
		grep -q -- "--- PASS: $test/${engine%%:*} " "$log" || die "$test: the engine ${engine%%:*} did not open: see $log"
	done
	printf 'largest differences: '
	grep -oE 'differs by [0-9.e+-]+' "$log" | awk '$3 > most { most = $3 } END { print most " of the largest magnitude, of", NR, "tensors" }'
}
