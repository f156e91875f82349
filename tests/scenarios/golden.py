# SPDX-License-Identifier: Apache-2.0
"""Scenario runs as recorded facts, to be explained anew without root.

A recording is text, compressed: for each run a comment line with its name,
namespaces and times as JSON, then the raw records of its namespaces and of
the processes in them, as `rstscoped --record` wrote them, with their header.
"""
import json
import lzma
import os
import re
import subprocess

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir,
                    'golden', 'scenarios', 'records.xz')
AFTERMATH = 2  # seconds: what is told of a failure later
OFFSET = re.compile(r' unix_offset_ns=(\d+)')
TIME = re.compile(r' time_ns=(\d+)')
# The names of inner structs end with a dot.
NETNS = re.compile(r' netns=(\d+)')
FAILURE = re.compile(r' failure=(\d+)')
TGID = re.compile(r'[ .]tgid=(\d+)')
OF_A_PROCESS = ('exit', 'oom')


class Part:
    """One run and its records."""

    def __init__(self, run, text):
        self.run = run
        self.text = text

    def events(self, rstscope):
        p = subprocess.run(
            [rstscope, 'replay', '--json', '--benign', '--separate-netns',
             '-'], input=self.text, stdout=subprocess.PIPE, text=True,
            check=True)
        return [json.loads(line) for line in p.stdout.splitlines()]


def first(pattern, line):
    found = pattern.search(line)
    return found and found.group(1)


def run_of_each(lines, run_of_netns):
    """For each record the run that it belongs to, or None."""
    of_failure, of_process, found = {}, {}, []
    for line in lines:
        if line.split(' ', 1)[0] in OF_A_PROCESS:
            found.append(None)
            continue
        number = first(FAILURE, line)
        run = of_failure.get(number) or \
            run_of_netns.get(first(NETNS, line))
        found.append(run)
        if run:
            of_failure[number] = run
            of_process.update((pid, run) for pid in TGID.findall(line))
    for i, line in enumerate(lines):
        if line.split(' ', 1)[0] in OF_A_PROCESS:
            found[i] = of_process.get(first(TGID, line))
    return found


def cut(runs, records):
    """The file of records as Parts: what belongs to no run is left out."""
    with open(records) as f:
        header, *lines = f.read().splitlines(True)
    # A name that a local build gave itself says nothing to others.
    header = re.sub(r'( kernel=[\d.]+)\S*', r'\1', header)
    offset = int(first(OFFSET, header))
    texts = {r['name']: [header] for r in runs}
    by_name = {r['name']: r for r in runs}
    netns = {str(number): r['name'] for r in runs
             for number in r['inode'].values()}
    for line, name in zip(lines, run_of_each(lines, netns)):
        at = (offset + int(first(TIME, line))) / 1e9
        # Numbers of namespaces and processes are given anew.
        if name and by_name[name]['start'] <= at <= \
                by_name[name]['end'] + AFTERMATH:
            texts[name].append(line)
    return [Part(r, ''.join(texts[r['name']])) for r in runs]


def read(path):
    parts = []
    with lzma.open(path, 'rt') as f:
        for line in f:
            if line.startswith('# '):
                parts.append(Part(json.loads(line[2:]), ''))
            else:
                parts[-1].text += line
    return parts


def save(path, parts):
    """Adds them, in place of those of the same name."""
    kept = {p.run['name']: p for p in
            (read(path) if os.path.exists(path) else []) + parts}
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with lzma.open(path, 'wt', preset=9 | lzma.PRESET_EXTREME) as f:
        for name in sorted(kept):
            f.write('# %s\n%s' % (json.dumps(kept[name].run),
                                  kept[name].text))
