"""Who is measured by compare_speed.py: groupvit itself, and processes of
speed_worker.py and segment_official.py. Each has measure(), which returns
milliseconds of runs, how many cores other programs used meanwhile, and facts."""

import contextlib
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

from segment_classes import CLASSES
from speed_machine import Others

HERE = pathlib.Path(__file__).resolve().parent
# An old OpenBLAS needs these here and there; a new one is slowed down by them.
# speed_worker.py checks the product's numbers.
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def environment(threads):
    env = {k: v for k, v in os.environ.items() if k not in UNSET}
    env.update({k: str(threads) for k in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")})
    env.update(
        HF_HUB_OFFLINE="1", HF_HUB_DISABLE_PROGRESS_BARS="1", TRANSFORMERS_VERBOSITY="error", PYTHONWARNINGS="ignore"
    )
    return env


def finished(command, threads):
    """Runs a command to its end and returns what it printed."""
    done = subprocess.run(command, env=environment(threads), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{shlex.join(command)} exited with {done.returncode}: {done.stderr.strip()[-800:]}")
    return done.stdout


class Ours:
    """`groupvit bench`, started anew for each round."""

    name = "groupvit"

    def __init__(self, settings, row, threads):
        self.row, self.threads = row, threads
        self.command = [
            settings.groupvit,
            "bench",
            *row.ours,
            "--engine",
            settings.engine,
            "--threads",
            str(threads),
            *settings.extra,
            "--json",
        ]
        self.about = ""

    def measure(self, seconds, least):
        repeat = 1 if least == 1 else self.row.repeat
        length = ["--repeat", str(repeat)] if repeat else ["--seconds", str(seconds)]
        with Others() as others:
            (result,) = json.loads(finished(self.command + length, self.threads))
        self.about = f"engine {result['engine']}, {result.get('computed') or result['precision']}"
        return (
            [result["ms_median"] * self.row.times],
            others.cores,
            dict(
                sgemm_share=result["sgemm_share"],
                sgemm_gflops=result["sgemm_gflops"],
                flop=result["flop"] * self.row.times,
                peak_rss_mb=result["peak_rss_mb"],
            ),
        )

    def close(self):
        pass


class Worker:
    """A process of speed_worker.py, kept through the rounds of a row."""

    def __init__(self, settings, name, spec, threads):
        self.name, self.threads = name, threads
        self.command = [sys.executable, str(HERE / "speed_worker.py"), name, json.dumps(dict(spec, threads=threads))]
        self.log = settings.folder / f"{name}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                self.command,
                env=environment(threads),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        try:
            self.about = self.answer()["about"]
        except BaseException:
            self.close()
            raise

    def answer(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise RuntimeError(f"{self.name} stopped: {self.log.read_text().strip()[-800:]}")

    def measure(self, seconds, least):
        with Others(self.process.pid) as others:
            with contextlib.suppress(BrokenPipeError):  # answer() tells why it stopped
                self.process.stdin.write(json.dumps(dict(seconds=seconds, least=least)) + "\n")
                self.process.stdin.flush()
            times = self.answer()["times"]
        return times, others.cores, {}

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class OurSegment:
    """`groupvit segment` over all photos: the whole process counts, start included."""

    name, about = "groupvit", "whole process"

    def __init__(self, settings, photos, threads):
        self.threads, self.output, self.photos = threads, settings.folder / "ours", photos
        self.command = [
            settings.groupvit,
            "segment",
            *map(str, photos),
            "--model",
            str(settings.model),
            "--protocol",
            "paper",
            "--background",
            "0.95",
            "--format",
            "mask",
            "--labels",
            ",".join(CLASSES),
            "-o",
            str(self.output),
            "--engine",
            settings.engine,
            "--threads",
            str(threads),
            *settings.extra,
        ]

    def measure(self, *_):
        with Others() as others:
            start = time.perf_counter()
            finished(self.command, self.threads)
            seconds = time.perf_counter() - start
        return [seconds * 1e3], others.cores, dict(photos_per_second=len(self.photos) / seconds)

    def close(self):
        pass


class TheirSegment:
    """segment_official.py over the same photos: its imports and the loading of its
    model do not count, which favours it."""

    name, about = "PyTorch script", "without imports and loading"

    def __init__(self, settings, photos, threads):
        self.threads, self.output = threads, settings.folder / "theirs"
        self.command = [
            sys.executable,
            str(HERE / "segment_official.py"),
            "--model",
            str(settings.model),
            "--threads",
            str(threads),
            "-o",
            str(self.output),
            *map(str, photos),
        ]

    def measure(self, *_):
        with Others() as others:
            result = json.loads(finished(self.command, self.threads))
        versions = ", ".join(f"{k} {v}" for k, v in result["versions"].items())
        self.about = f"{versions}; {TheirSegment.about}"
        return (
            [result["seconds"] * 1e3],
            others.cores,
            dict(photos_per_second=result["photos"] / result["seconds"], windows=result["windows"]),
        )

    def close(self):
        pass


def agreement(settings, photos):
    """Share of pixels to which both gave the same label."""
    import numpy as np
    from PIL import Image

    same = total = 0
    for photo in photos:
        a, b = (np.asarray(Image.open(settings.folder / who / f"{photo.stem}.mask.png")) for who in ("ours", "theirs"))
        same, total = same + int((a == b).sum()), total + a.size
    return same / total
