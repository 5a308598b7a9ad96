"""Sets the speed of groupvit beside OpenBLAS, PyTorch, ONNX Runtime and OpenVINO on
this machine, in turn: in each round everybody runs once, A B C D, A B C D, so that
whatever else the machine does hits all. A round's value is the median of its runs,
the table's the median of the rounds.

    go build -o /tmp/groupvit ./cmd/groupvit
    python tools/reference/compare_speed.py --groupvit /tmp/groupvit --photos VOC/JPEGImages --json speed.json

    --rows image,product     only rows whose name has one of these words
    --quick                  one round of one run each, to see that everything works:
                             no number of it is worth anything

Everybody has a process of its own with as many threads as the row says, in float32
unless the row's name ends in bf16 or int8 (then all of it are in that; rows that this
machine's groupvit has no instructions for are left out); PyTorch in
inference_mode. ONNX Runtime and OpenVINO run one graph,
exported from the port (torch.onnx, opset 17, fixed size); their results are compared
with PyTorch's, products with float64. `groupvit bench` is started anew each round and
measures its own 1024³ product between its runs (of SGEMM). The networks' weights are
drawn. A * marks rounds during which other programs used more than 0.1 of a core.
"""

import argparse
import json
import pathlib
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import speed_contenders as contenders
import speed_machine
import speed_report
import speed_rows

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECIPES = {"photos": ROOT / "recipes/photos.yaml", "embedded": ROOT / "recipes/default-first.yaml"}
PAUSE = 0.3  # seconds in which the last one's threads come to rest


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--groupvit", default="groupvit", help="the program (default: the one on the path)")
    p.add_argument("--engine", default="auto")
    p.add_argument("--extra", type=shlex.split, default=[], help='further arguments of groupvit, as "--precision int8"')
    p.add_argument("--rows", type=lambda s: s.split(","), default=[""])
    p.add_argument("--threads", type=lambda s: [int(n) for n in s.split(",")], default=[1, 2])
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=float, default=1.5, help="of each in a round, at least 3 runs")
    p.add_argument("--quick", action="store_true")
    p.add_argument(
        "--photos", type=pathlib.Path, help="folder of photos (*.jpg) to segment; without it that row is left out"
    )
    p.add_argument("--photo-count", type=int, default=24)
    p.add_argument(
        "--folder", type=pathlib.Path, help="where graphs, model and masks are kept (default: a temporary one)"
    )
    p.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write everything there as well")
    a = p.parse_args()
    if shutil.which(a.groupvit) is None:
        p.error(f"--groupvit {a.groupvit}: no such program")
    if a.quick:
        a.rounds, a.seconds, a.photo_count, least = 1, 0.05, min(a.photo_count, 2), 1
    else:
        least = 3
    a.least = least
    return a


def tell(text):
    print(text, file=sys.stderr, flush=True)


def exported(settings, row):
    """The path of the row's graph, made where it is missing."""
    path = settings.folder / f"image-{row.spec['size']}-{row.spec['batch']}.onnx"
    if not path.exists():
        tell(f"exporting {path.name}")
        contenders.finished(
            [
                sys.executable,
                str(contenders.HERE / "speed_worker.py"),
                "export",
                json.dumps(dict(row.spec, onnx=str(path), threads=max(settings.threads))),
            ],
            max(settings.threads),
        )
    return str(path)


def quantised(settings, row, path):
    """The path of the row's graph in int8, made where it is missing."""
    int8 = path.removesuffix(".onnx") + "-int8.onnx"
    if not pathlib.Path(int8).exists():
        tell(f"quantising {pathlib.Path(path).name}")
        spec = dict(row.spec, onnx=path, int8=int8, threads=max(settings.threads))
        command = [sys.executable, str(contenders.HERE / "speed_worker.py"), "quantise", json.dumps(spec)]
        contenders.finished(command, max(settings.threads))
    return int8


def row_contenders(settings, row, threads):
    """Opens ours and the others of a row, one by one."""
    spec = row.spec
    if row.kind == "image":
        spec = dict(spec, onnx=exported(settings, row))
        if row.precision == "int8":
            spec["int8"] = quantised(settings, row, spec["onnx"])
    yield contenders.Ours(settings, row, threads)
    for name in row.others:
        yield contenders.Worker(settings, name, spec, threads)


def segment_contenders(settings, photos, threads):
    settings.model = settings.folder / "model"
    if not (settings.model / "config.json").exists():
        contenders.finished(
            [sys.executable, str(contenders.HERE / "segment_official.py"), "--make-model", str(settings.model)], threads
        )
    yield contenders.OurSegment(settings, photos, threads)
    yield contenders.TheirSegment(settings, photos, threads)


def measure(settings, opened, rounds):
    """All rounds of a row: a list of results, ours first."""
    entrants = []
    try:
        for entrant in opened:
            entrants.append(entrant)
        medians, facts, cores = [[] for _ in entrants], [[] for _ in entrants], [[] for _ in entrants]
        for _ in range(rounds):
            for i, entrant in enumerate(entrants):
                time.sleep(PAUSE)
                times, others, more = entrant.measure(settings.seconds, settings.least)
                medians[i].append(statistics.median(times))
                facts[i].append(more)
                cores[i].append(others)
        return [result(*x) for x in zip(entrants, medians, facts, cores)]
    finally:
        for entrant in entrants:
            entrant.close()


def result(entrant, medians, facts, cores):
    out = dict(
        who=entrant.name,
        about=entrant.about,
        command=shlex.join(entrant.command),
        ms=statistics.median(medians),
        rounds_ms=medians,
        spread=max(medians) / min(medians) - 1,
        others_cores=None if None in cores else max(cores),
    )
    for key in facts[0]:
        values = [f[key] for f in facts]
        out[key] = None if None in values else statistics.median(values)
    return out


def line(row, threads, results):
    """Adds how many times as fast ours is, and rates where both do the same work."""
    ours = results[0]
    for r in results:
        r["ours_is_times_as_fast"] = r["ms"] / ours["ms"]
        if "flop" in ours and row.kind in ("product", "image"):
            r["gflops"] = ours["flop"] / r["ms"] / 1e6
    return dict(row=row.name, threads=threads, note=row.note, results=results)


def jobs(settings):
    """What to measure: (row, threads, a maker of its contenders, rounds)."""
    config = settings.folder / "text.json"
    length = -(-max(speed_rows.PROMPT_LENGTHS) // speed_rows.TEXT_STEP) * speed_rows.TEXT_STEP
    config.write_text(json.dumps(speed_rows.default_config(length)))

    def wanted(row):
        return any(word in row.name for word in settings.rows)

    known = precisions(settings.groupvit)
    for row in filter(wanted, speed_rows.all_rows(str(config), {k: str(v) for k, v in RECIPES.items()})):
        if row.precision not in known:
            tell(f"{row.name}: left out, groupvit has {', '.join(known)} here")
            continue
        for threads in settings.threads:
            yield row, threads, lambda row=row, threads=threads: row_contenders(settings, row, threads), settings.rounds
    if settings.photos is None:
        return
    photos = settings.segmented = sorted(settings.photos.glob("*.jpg"))[: settings.photo_count]
    if not photos:
        raise SystemExit(f"--photos {settings.photos}: no *.jpg there")
    row = speed_rows.Row(
        f"segment {len(photos)} photos",
        "segment",
        [],
        {},
        (),
        note="decode to files, protocol paper; two passes a window in PyTorch",
    )
    for threads in settings.threads if wanted(row) else ():
        yield (
            row,
            threads,
            lambda threads=threads: segment_contenders(settings, photos, threads),
            min(settings.rounds, 3),
        )


def levels(program):
    """What `groupvit doctor` says of the instructions and precisions in use."""
    done = subprocess.run([program, "doctor", "--json"], capture_output=True, text=True)
    findings = [json.loads(text) for text in done.stdout.splitlines() if text.startswith("{")]
    return next((f["says"] for f in findings if f.get("check") == "vectors"), "unknown")


def precisions(program):
    """Those that groupvit has instructions for: "avx2; precisions float32, int8"."""
    says = levels(program).partition("precisions ")[2].partition(";")[0]
    return [p.split()[0] for p in says.split(", ") if p.strip()] or ["float32"]


def run(settings):
    start, lines = time.perf_counter(), []
    with speed_machine.Others() as idle:
        time.sleep(1)
    machine = speed_machine.describe()
    machine["others_cores_before"] = idle.cores
    machine["groupvit_vectors"] = levels(settings.groupvit)
    tell(f"instructions: CPU has {' '.join(machine.get('features', []))}; groupvit: {machine['groupvit_vectors']}")
    version = subprocess.run([settings.groupvit, "version"], capture_output=True, text=True, check=True).stdout.strip()
    try:
        for row, threads, opened, rounds in jobs(settings):
            tell(f"{row.name}, {threads} threads")
            try:
                results = measure(settings, opened(), rounds)
            except RuntimeError as failure:
                tell(f"  left out: {failure}")
                lines.append(dict(row=row.name, threads=threads, error=str(failure), results=[]))
                continue
            lines.append(line(row, threads, results))
            if row.kind == "segment":
                lines[-1]["same_pixels"] = contenders.agreement(settings, settings.segmented)
    except KeyboardInterrupt:
        tell("interrupted: what follows is not complete")
    return dict(
        machine=machine,
        groupvit=version,
        quick=settings.quick,
        rounds=settings.rounds,
        seconds=settings.seconds,
        minutes=(time.perf_counter() - start) / 60,
        lines=lines,
    )


def main():
    settings = arguments()
    with tempfile.TemporaryDirectory(prefix="groupvit-speed-") as temporary:
        settings.folder = settings.folder or pathlib.Path(temporary)
        settings.folder.mkdir(parents=True, exist_ok=True)
        measured = run(settings)
    speed_report.report(measured)
    if settings.json:
        settings.json.write_text(json.dumps(measured, indent=1, ensure_ascii=False) + "\n")
    sys.exit(any("error" in line for line in measured["lines"]))


if __name__ == "__main__":
    main()
