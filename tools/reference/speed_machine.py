"""What a measurement was made on: the machine, and who else used it meanwhile.
Linux tells; elsewhere the answers are None."""

import os
import pathlib
import platform
import resource
import time

FEATURES = ("avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8")


def describe():
    """CPU, its vector instructions, cores, memory, system."""
    about = dict(
        cpu=platform.processor() or platform.machine(),
        cores=os.cpu_count(),
        system=platform.platform(),
        python=platform.python_version(),
    )
    try:
        lines = [
            line.split(":", 1)
            for line in pathlib.Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
            if ":" in line
        ]
        facts = {k.strip(): v.strip() for k, v in lines}
        flags = facts.get("flags", "").split()
        about.update(
            cpu=facts.get("model name"),
            family=facts.get("cpu family"),
            model=facts.get("model"),
            features=[f for f in FEATURES if f in flags],
            cache=facts.get("cache size"),
        )
        kilobytes = pathlib.Path("/proc/meminfo").read_text().split()[1]
        about["memory_gib"] = round(int(kilobytes) / 2**20, 1)
        about["load_average"] = os.getloadavg()[0]
    except OSError:
        pass
    return about


def _busy():
    """Seconds of all cores that somebody used (also the host: steal) since the start."""
    try:
        user, nice, system, _, _, irq, soft, steal = map(int, pathlib.Path("/proc/stat").read_text().split()[1:9])
    except OSError:
        return None
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


def _used(pid):
    """Seconds that our ended children, this process and process pid used."""
    parts = [resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
    seconds = sum(p.ru_utime + p.ru_stime for p in parts)
    if pid is not None:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds


class Others:
    """Counts the cores that processes other than the measured one used:

    with Others(pid) as o: …
    o.cores
    """

    def __init__(self, pid=None):
        self.pid, self.cores = pid, None

    def __enter__(self):
        self.time, self.busy = time.perf_counter(), _busy()
        self.used = _used(self.pid) if self.busy is not None else None
        return self

    def __exit__(self, *_):
        if self.busy is not None:
            foreign = (_busy() - self.busy) - (_used(self.pid) - self.used)
            self.cores = max(0.0, foreign / (time.perf_counter() - self.time))
