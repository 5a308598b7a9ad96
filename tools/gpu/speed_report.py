"""Puts what speed.sh measured side by side: speed_report.py FOLDER."""

import json
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
ours = json.loads((folder / "speed-groupvit.json").read_text())[0]
torch = json.loads((folder / "speed-torch.json").read_text())


def memory(name, resident):
    """MiB that the GPU had in use; without one, of the process."""
    used = folder / f"speed-{name}.mib"
    if used.exists():
        return f"{int(used.read_text())} MiB of the GPU"
    return f"{resident:.0f} MiB resident"


a, b = ours["windows_per_second"], torch["images_per_second"]
print(f"\ngroupvit {ours['engine']:9} {a:9.1f} images/s, {memory('groupvit', ours['peak_rss_mb'])}")
print(f"PyTorch  {torch['device']:9} {b:9.1f} images/s, {memory('torch', torch['peak_mb'])}  ({torch['about']})")
print(f"{a / b:.2f} times PyTorch; batch {torch['batch']}, {torch['precision']}, {torch['parameters']:,} parameters")
