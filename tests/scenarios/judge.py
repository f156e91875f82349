# SPDX-License-Identifier: Apache-2.0
"""Compares the events of a scenario with what it expects, and sums up."""
from lab import ANY, HOSTS, ROUTER

# What one event of an end that is judged turns out to be.
RIGHT, WRONG, UNKNOWN, UNEXPECTED = 'right', 'wrong', 'unknown', 'unexpected'
BINS = (0, .3, .5, .6, .7, .8, .9, .95, 1.01)
SURE = 0.8


class Judged:
    """One event beside its expectation."""

    def __init__(self, scenario, end, event, expect, main):
        self.scenario = scenario
        self.end = end
        self.event = event
        self.main = main
        self.expected = expect.causes[0] if expect and expect.causes else None
        self.got = event['cause']['name']
        self.confidence = event['cause']['confidence']
        self.result = self._result(expect)
        self.faults = self._faults(expect)

    def _result(self, expect):
        if expect is None:
            return None
        if not expect.causes or self.event['kind'] not in expect.kinds:
            return UNEXPECTED
        if self.got in expect.causes:
            return RIGHT
        # The literal name of a refusal after a crash.
        if self.got == 'connection_refused' and \
                self.event['kind'] == 'refused' and \
                'server_crash' in expect.causes:
            return RIGHT
        return UNKNOWN if self.got == 'unknown' else WRONG

    def _faults(self, expect):
        """What else is not as it should be: process, call, benign."""
        if self.result is None or self.result == UNEXPECTED:
            return []
        process = (self.event['process'] or {}).get('comm')
        call = (self.event['syscall'] or {}).get('class')
        faults = []
        for what, want, have in (
                ('process', expect.process, process),
                ('syscall', expect.syscall, call),
                ('benign', expect.benign, self.event['cause']['benign'])):
            if want is not ANY and have != want and not (
                    isinstance(want, tuple) and have in want):
                faults.append('%s %s, not %s' % (what, have, want))
        return faults


def expectation(scenario, end):
    if end == scenario.end:
        return scenario.expect
    return scenario.router if end == ROUTER else scenario.other


def judge(scenario, inode, events):
    """The events (of this lab and time) as Judged; and a complaint or None."""
    ends = {number: host for host, number in inode.items()}
    judged, n = [], 0
    for ev in events:
        end = ends.get(ev['connection'].get('netns'))
        if end not in HOSTS:
            continue
        main = end == scenario.end
        j = Judged(scenario, end, ev, expectation(scenario, end), main)
        if main and j.result != UNEXPECTED:
            n += ev['count']
        judged.append(j)
    if n < scenario.count:
        return judged, '%d events of at least %d' % (n, scenario.count)
    if scenario.at_most is not None and n > scenario.at_most:
        return judged, '%d events of at most %d' % (n, scenario.at_most)
    return judged, None


def share(part, whole):
    return '%5.1f %%' % (100 * part / whole) if whole else '    -  '


def told(judged):
    """Those that have a name to be right or wrong about."""
    return [j for j in judged if j.result in (RIGHT, WRONG, UNKNOWN)]


def count(judged, result):
    return sum(1 for j in judged if j.result == result)


def cause_of(j):
    """Where several names are right, the one given counts as expected."""
    return j.got if j.result == RIGHT else j.expected


def print_matrix(judged, out):
    rows = {}
    for j in told(judged):
        row = cause_of(j)
        rows.setdefault(row, {}).setdefault(j.got, 0)
        rows[row][j.got] += 1
    out('\nConfusion (expected: got), events')
    for row in sorted(rows):
        n = sum(rows[row].values())
        cells = ['%s %d' % (got, k) for got, k in
                 sorted(rows[row].items(), key=lambda x: -x[1])]
        out('  %-22s %s  %s' % (row, share(rows[row].get(row, 0), n),
                                ', '.join(cells)))


def print_groups(title, judged, key, out):
    groups = {}
    for j in told(judged):
        groups.setdefault(key(j), []).append(j)
    out('\n' + title)
    for name in sorted(groups):
        g = groups[name]
        out('  %-22s %s of %3d, unknown %d, wrong %d, at >= %.1f: %d' % (
            name, share(count(g, RIGHT), len(g)), len(g), count(g, UNKNOWN),
            count(g, WRONG), SURE, len(wrong_and_sure(g))))


def print_proof(judged, causes, out):
    """causes: names, all that there are."""
    proof = {}
    for j in judged:
        if j.result == RIGHT:
            proof.setdefault(j.got, set()).add(j.scenario.program)
    out('\nPrograms on which a cause was named rightly')
    for name in causes:
        out('  %-22s %s' % (name, ', '.join(sorted(proof.get(name, ()))) or
                            'none'))


def print_reliability(judged, out):
    out('\nReliability (confidence: share that was right)')
    for low, high in zip(BINS, BINS[1:]):
        g = [j for j in told(judged) if j.got != 'unknown' and
             low <= j.confidence < high]
        if g:
            mean = sum(j.confidence for j in g) / len(g)
            out('  %.2f-%.2f  said %.2f  right %s of %d' % (
                low, min(high, 1), mean, share(count(g, RIGHT), len(g)),
                len(g)))


def wrong_and_sure(judged):
    return [j for j in judged if j.result == WRONG and j.confidence >= SURE]


def print_sums(judged, out):
    for title, g in (
            ('received', [j for j in judged
                          if j.event['kind'] == 'received']),
            ('all kinds', judged)):
        t = told(g)
        out('%-10s %4d events: right %s, unknown %s, wrong at >= %.1f: %d, '
            'unexpected %d, process/syscall/benign faults %d' % (
                title, len(t), share(count(t, RIGHT), len(t)),
                share(count(t, UNKNOWN), len(t)), SURE,
                len(wrong_and_sure(t)), count(g, UNEXPECTED),
                sum(len(j.faults) for j in g)))


def print_report(judged, causes, out):
    judged = [j for j in judged if j.result]
    print_matrix(judged, out)
    print_groups('Accuracy per cause', judged, cause_of, out)
    print_groups('Accuracy per program', judged,
                 lambda j: j.scenario.program, out)
    print_groups('Accuracy per end and kind', judged,
                 lambda j: j.end + ' ' + j.event['kind'], out)
    print_proof(judged, causes, out)
    print_reliability(judged, out)
    out('')
    print_sums(judged, out)
