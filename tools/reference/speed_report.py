"""The table of compare_speed.py."""

DISTURBED = 0.1  # cores of other programs


def table(lines):
    """The lines as text, one for each contender."""
    head = ("row", "threads", "who", "ms", "spread", "GFLOP/s", "of SGEMM", "photos/s", "ours is", "")
    rows = [head, *(cells(line, i) for line in lines for i in range(len(line["results"])))]
    widths = [max(len(r[i]) for r in rows) for i in range(len(head))]
    left = ("row", "who")
    padded = ([c.ljust(w) if h in left else c.rjust(w) for h, c, w in zip(head, r, widths)] for r in rows)
    return "\n".join("  ".join(r).rstrip() for r in padded)


def cells(line, i):
    """One contender's cells; the row's name stands before ours alone."""
    r = line["results"][i]

    def number(key, form):
        return format(r[key], form) if r.get(key) is not None else ""

    return (
        "" if i else line["row"],
        "" if i else str(line["threads"]),
        r["who"],
        number("ms", ".3f"),
        number("spread", ".1%"),
        number("gflops", ".1f"),
        number("sgemm_share", ".3f"),
        number("photos_per_second", ".2f"),
        number("ours_is_times_as_fast", ".2f") + "×" if i else "",
        "*" if (r["others_cores"] or 0) > DISTURBED else "",
    )


def report(measured):
    """Prints what was measured, on what and with what."""
    m = measured["machine"]
    print(
        f"{m['cpu']}, {m['cores']} cores, {m.get('memory_gib')} GiB, {' '.join(m.get('features', []))}; {m['system']}"
    )
    print(f"{measured['groupvit']}; others used {m['others_cores_before'] or 0:.2f} cores before the start")
    quick = "; QUICK: no number is worth anything" if measured["quick"] else ""
    print(f"{measured['rounds']} rounds of {measured['seconds']} s, {measured['minutes']:.1f} minutes{quick}\n")
    print(table(measured["lines"]) + "\n")
    for line in measured["lines"]:
        notes = [line.get("note"), line.get("error")]
        if "same_pixels" in line:
            notes.append(f"same label on {line['same_pixels']:.2%} of pixels")
        if any(notes):
            print(f"{line['row']}, {line['threads']} threads: {'; '.join(filter(None, notes))}")
    for about in sorted({f"{r['who']}: {r['about']}" for line in measured["lines"] for r in line["results"]}):
        print(about)
