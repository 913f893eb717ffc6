#!/usr/bin/env python3
"""Prints tables in Markdown of the times that hyperfine measured, for processes.sh.

    process_table.py pictures FACTS ROUND.json...   one row for each command; each line of FACTS has, tab-separated, its
                                                    label, peak memory in KiB, bytes written, difference and command
    process_table.py format FACTS ROUND.json...     the same, without the command
    process_table.py batch ROUND.json...            one row for each command
    process_table.py jobs CORES ROUND.json...       two rows, and how much faster the second command is on CORES
    process_table.py fastest ROUND.json...          the label of the fastest command of another program

A command's times in all rounds are pooled.
"""

import json
import sys
from statistics import mean, median, pstdev


def pooled(paths):
    """Returns the times of each label in seconds. Labels are in the order of the first round."""
    times = {}
    for path in paths:
        with open(path) as file:
            for result in json.load(file)["results"]:
                times.setdefault(result["command"], []).extend(result["times"])
    return times


def processor_times(paths):
    """Returns the mean of user and system time of each label in seconds."""
    times = {}
    for path in paths:
        with open(path) as file:
            for result in json.load(file)["results"]:
                times.setdefault(result["command"], []).append(result["user"] + result["system"])
    return {label: mean(values) for label, values in times.items()}


def row(*cells):
    print("| " + " | ".join(cells) + " |")


def header(*titles):
    row(*titles)
    row("---", *["---:"] * (len(titles) - 1))


def spread(times, scale, digits):
    """Returns three cells: the median, the mean with the standard deviation, and the minimum."""
    shown = [f"{scale * value:.{digits}f}" for value in (median(times), mean(times), pstdev(times), min(times))]
    return shown[0], f"{shown[1]} ± {shown[2]}", shown[3]


def pictures(facts_path, *paths):
    times, processor = pooled(paths), processor_times(paths)
    ours, level_6 = (median(times[label]) for label in ("convtool own", "convtool 6"))
    header("program, PNG", "median ms", "mean ± σ", "min", "user + system", "÷ convtool", "÷ convtool 6", "peak KiB", "PNG KiB", "difference")
    with open(facts_path) as file:
        for line in file:
            label, memory, size, difference, _ = line.rstrip("\n").split("\t")
            middle = median(times[label])
            row(label, *spread(times[label], 1000, 1), f"{1000 * processor[label]:.1f}", f"{middle / ours:.2f}", f"{middle / level_6:.2f}", memory,
                str(round(int(size) / 1024)), difference if int(difference) <= 1 else f"**{difference}**: another result")
    print(f"\n{len(next(iter(times.values())))} runs of each.")


def format_table(facts_path, *paths):
    times, processor = pooled(paths), processor_times(paths)
    ours = median(times["convtool"])
    header("program", "median ms", "mean ± σ", "min", "user + system", "÷ convtool", "peak KiB", "file KiB", "difference")
    with open(facts_path) as file:
        for line in file:
            label, memory, size, difference = line.rstrip("\n").split("\t")
            agrees = difference == "" or float(difference) <= 1
            row(label, *spread(times[label], 1000, 1), f"{1000 * processor[label]:.1f}", f"{median(times[label]) / ours:.2f}",
                memory, str(round(int(size) / 1024)), difference if agrees else f"**{difference}**")
    print(f"\n{len(next(iter(times.values())))} runs of each.")


def batch(*paths):
    times, processor = pooled(paths), processor_times(paths)
    ours = median(next(iter(times.values())))
    header("command", "median s", "mean ± σ", "min", "user + system", "÷ convtool")
    for label, values in times.items():
        row(label, *spread(values, 1, 2), f"{processor[label]:.2f}", f"{median(values) / ours:.2f}")
    print(f"\n{len(next(iter(times.values())))} runs of each.")


def jobs(cores, *paths):
    times = pooled(paths)
    one, all_cores = times.values()
    header("command", "median s", "mean ± σ", "min")
    for label, values in times.items():
        row(label, *spread(values, 1, 2))
    gain = median(one) / median(all_cores)
    print(f"\n{gain:.2f} times as fast on {cores} cores: an efficiency of {100 * gain / int(cores):.0f} %.")


def fastest(*paths):
    times = pooled(paths)
    print(min((label for label in times if not label.startswith(("convtool", "before"))), key=lambda label: median(times[label])))


if __name__ == "__main__":
    {"pictures": pictures, "format": format_table, "batch": batch, "jobs": jobs, "fastest": fastest}[sys.argv[1]](*sys.argv[2:])
