#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves the cause engine on real programs: see lab.py for how scenarios are
written. Needs root and a built rstscoped (RSTSCOPE_BUILD, default ./build).

    run.py [-jN] [-v] [--list] [--work DIR] [--save FILE] [PATTERN...]
    run.py --again DIR|FILE [--work DIR] [PATTERN...]

One daemon watches all scenarios with --separate-netns; each scenario has its
own namespaces, so that only one end of a connection is visible at a time.
PATTERN: names of scenarios, causes, programs or files (scenarios_db) with
* and ?. --work keeps everything in DIR: the daemon's log, its store, the raw
records, the events of each scenario. --save puts the records of the runs in
which the failure was made and seen into FILE (golden.py), in place of older
ones of the same scenarios. --again explains the records of such a DIR or FILE
anew (after a change of the engine) and judges again, without running or root.
Exit status 0; 1: a name was wrong at a confidence of 0.8 or more, or a
failure was not seen, or was invented; 2: usage, or cannot run here.
"""
import argparse
import datetime
import fnmatch
import importlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import golden  # noqa: E402
import judge  # noqa: E402
import lab  # noqa: E402

BUILD = os.environ.get('RSTSCOPE_BUILD', 'build')
SCALE = max(1.0, float(os.environ.get('RSTSCOPE_TIME_SCALE', '1')))


def give_up(text):
    print(text, file=sys.stderr)
    sys.exit(2)


def program(name):
    path = os.path.join(BUILD, name)
    if not os.access(path, os.X_OK):
        give_up('%s is missing: build it, or set RSTSCOPE_BUILD' % path)
    return path


class Daemon:
    def __init__(self, work):
        self.work = work
        self.store = 'sqlite:' + os.path.join(work, 'events.db')
        notify = os.path.join(work, 'notify')
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        if os.path.exists(notify):
            os.unlink(notify)
        listener.bind(notify)
        listener.settimeout(0.2)
        env = dict(os.environ, NOTIFY_SOCKET=notify)
        env.pop('JOURNAL_STREAM', None)
        self.log = open(os.path.join(work, 'daemon.log'), 'w')
        self.popen = subprocess.Popen(
            [program('rstscoped'), '--separate-netns', '--listen', 'off',
             '--store', self.store, '--record',
             os.path.join(work, 'records')],
            env=env, stdout=self.log, stderr=subprocess.STDOUT,
            preexec_fn=lambda: lab.die_with_parent(os.getppid()))
        self._wait_ready(listener)

    def _wait_ready(self, listener):
        end = time.monotonic() + 30 * SCALE
        while time.monotonic() < end and self.popen.poll() is None:
            try:
                if b'READY=1' in listener.recv(512):
                    return
            except socket.timeout:
                pass
        self.stop()
        with open(self.log.name) as f:
            sys.stderr.write(f.read())
        give_up('the daemon does not start')

    def alive(self):
        return self.popen.poll() is None

    def stop(self):
        if self.alive():
            self.popen.terminate()
        try:
            return self.popen.wait(20)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            return self.popen.wait()


class Run:
    """One scenario in a child of its own."""

    def __init__(self, scenario):
        self.scenario = scenario
        self.lab = lab.Lab()
        self.inode = dict(self.lab.inode)
        self.start = self.end = time.time()
        self.status, self.reason = 'lost', 'the child ended early'
        self.deadline = time.monotonic() + scenario.limit * SCALE + 3
        self.out = os.path.join(self.lab.dir, 'result')
        sys.stdout.flush()
        self.pid = os.fork()
        if not self.pid:
            self._child()

    def _child(self):
        status, reason = 'ran', ''
        try:
            for need in self.scenario.needs:
                if not lab.which(need):
                    raise lab.Skip('%s is not installed' % need)
            signal.signal(signal.SIGALRM, self._too_long)
            signal.setitimer(signal.ITIMER_REAL, self.scenario.limit * SCALE)
            self.scenario.func(self.lab)
            signal.setitimer(signal.ITIMER_REAL, 0)
            time.sleep(lab.SETTLE)
        except lab.Skip as e:
            status, reason = 'skipped', str(e)
        except lab.Failed as e:
            status, reason = 'broken', str(e)
        except BaseException:
            status, reason = 'broken', traceback.format_exc(limit=-3)
        with open(self.out, 'w') as f:
            json.dump([status, reason, self.start, time.time()], f)
        os._exit(0)

    @staticmethod
    def _too_long(*_):
        raise lab.Failed('takes too long')

    def finished(self):
        if os.waitpid(self.pid, os.WNOHANG)[0]:
            return True
        if time.monotonic() > self.deadline:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            return True
        return False

    def close(self, keep_in):
        try:
            with open(self.out) as f:
                self.status, self.reason, self.start, self.end = json.load(f)
        except (OSError, ValueError):
            self.end = time.time()
        if keep_in:
            self.lab.kill_all()
            shutil.copytree(self.lab.dir,
                            os.path.join(keep_in, self.scenario.name),
                            dirs_exist_ok=True)
        self.lab.close()

    def as_dict(self):
        return dict(name=self.scenario.name, inode=self.inode,
                    start=self.start, end=self.end, status=self.status,
                    reason=self.reason)


def run_all(scenarios, jobs, work, keep, daemon):
    """The runs, in the order they ended; their labs are still referenced."""
    waiting, running, done = list(scenarios), [], []
    try:
        run_each(waiting, running, done, jobs, work, keep, daemon)
    finally:
        for r in running:  # interrupted
            os.kill(r.pid, signal.SIGKILL)
            os.waitpid(r.pid, 0)
            r.close(None)
    return done


def run_each(waiting, running, done, jobs, work, keep, daemon):
    while waiting or running:
        if not daemon.alive():
            sys.exit('the daemon died; its log: %s' % daemon.log.name)
        while waiting and len(running) < jobs:
            running.append(Run(waiting.pop(0)))
        time.sleep(0.05)
        for r in [r for r in running if r.finished()]:
            running.remove(r)
            r.close(os.path.join(work, 'labs') if keep else None)
            done.append(r)
            print('%s %-8s %s%s' % (
                time.strftime('%H:%M:%S'), r.status, r.scenario.name,
                ': ' + r.reason.strip() if r.reason else ''), flush=True)


def seconds(text):
    return datetime.datetime.fromisoformat(
        text.replace('Z', '+00:00')).timestamp()


def read_lines(command):
    p = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if p.returncode:
        sys.exit('%s: exit status %d' % (' '.join(command), p.returncode))
    return [json.loads(line) for line in p.stdout.splitlines()]


def events_of(run, events):
    """The lab's events while the scenario ran; clean-up is not its doing."""
    inodes = set(run['inode'].values())
    return [e for e in events if e['connection'].get('netns') in inodes and
            run['start'] <= seconds(e['time']) <= run['end']]


def describe(j, verbose):
    c, p, s = (j.event[k] or {} for k in ('connection', 'process', 'syscall'))
    yield '%-10s %-6s %-8s %s %.2f%s  %s %s/%s  %s idle %s age %s' % (
        j.result or 'not judged', j.end, j.event['kind'], j.got, j.confidence,
        '' if j.result in (judge.RIGHT, None) else
        ' (expected %s)' % (j.expected or 'nothing'),
        p.get('comm'), s.get('class'), s.get('errno'), c.get('state'),
        c.get('idle_ms'), c.get('age_ms'))
    for fault in j.faults:
        yield '           ' + fault
    if verbose:
        for e in j.event['cause']['evidence']:
            yield '           %s %s' % ('+' if e['supports'] else '-',
                                        e['fact'])
        for a in j.event['cause'].get('alternatives', []):
            yield '           or %s %.2f' % (a['name'], a['confidence'])


def report(runs, events, by_name, verbose, work):
    """The exit status; and the names of runs that are not worth keeping."""
    everything, bad = [], []
    for run in runs:
        s = by_name[run['name']]
        if run['status'] == 'skipped':
            continue
        mine = events_of(run, events)
        with open(os.path.join(work, s.name + '.events'), 'w') as f:
            f.writelines(json.dumps(e) + '\n' for e in mine)
        judged, complaint = judge.judge(s, run['inode'], mine)
        if run['status'] != 'ran':
            complaint = 'scenario %s: %s' % (run['status'], run['reason'])
        everything += judged
        dirty = complaint or any(
            j.result not in (judge.RIGHT, None) or j.faults for j in judged)
        if complaint:
            bad.append(s.name)
        if dirty or verbose:
            print('\n%s [%s] expects %s at the %s%s' % (
                s.name, s.program, '/'.join(s.expect.causes or ['nothing']),
                s.end, ': ' + complaint if complaint else ''))
            for j in judged:
                for line in describe(j, verbose):
                    print('  ' + line)
    causes = read_lines([program('rstscope'), 'causes', '--json'])
    judge.print_report(everything, [c['name'] for c in causes], print)
    with open(os.path.join(work, 'judged'), 'w') as f:
        f.writelines(json.dumps(dict(
            program=j.scenario.program, kind=j.event['kind'],
            expected=j.expected, got=j.got, result=j.result,
            confidence=j.confidence)) + '\n' for j in judge.told(everything))
    ran = [r for r in runs if r['status'] != 'skipped']
    print('%d scenarios, %d skipped; not made or not seen: %s' % (
        len(ran), len(runs) - len(ran), ', '.join(bad) or 'none'))
    invented = [j for j in everything if j.result == judge.UNEXPECTED]
    failed = judge.wrong_and_sure(everything) or bad or invented
    return 1 if failed else 0, bad


def load(patterns):
    for name in sorted(os.listdir(HERE)):
        if name.startswith('scenarios_') and name.endswith('.py'):
            importlib.import_module(name[:-3])

    def wanted(s):
        words = [s.name, s.program, s.func.__module__]
        words += s.expect.causes or []
        return not patterns or any(fnmatch.fnmatch(w, p) for w in words
                                   for p in patterns)
    return [s for s in lab.SCENARIOS if wanted(s)]


def options():
    p = argparse.ArgumentParser(
        description='Proves the cause engine on real programs.')
    p.add_argument('-j', type=int, default=1, metavar='N', dest='jobs',
                   help='scenarios at a time (1)')
    p.add_argument('-v', '--verbose', action='store_true',
                   help='all events, with their evidence')
    p.add_argument('--list', action='store_true', help='what there is')
    p.add_argument('--work', metavar='DIR', help='keep everything there')
    p.add_argument('--save', metavar='FILE',
                   help='add the records of good runs to that recording')
    p.add_argument('--again', metavar='DIR|FILE',
                   help='explain the records kept there anew')
    p.add_argument('pattern', nargs='*')
    return p.parse_args()


def run_and_save(scenarios, o, work):
    """Runs them; (runs as dicts, events)."""
    daemon = Daemon(work)
    since = time.time() - 1
    done = []
    try:
        done = run_all(scenarios, o.jobs, work, bool(o.work), daemon)
        # Verdicts may be amended for a while.
        time.sleep(2)
    finally:
        status = daemon.stop()
        for r in done:
            r.lab.release()
    if status:
        print('the daemon ended with status %d' % status)
    runs = [r.as_dict() for r in done]
    with open(os.path.join(work, 'runs'), 'w') as f:
        json.dump(runs, f)
    utc = datetime.datetime.fromtimestamp(since, datetime.timezone.utc)
    return runs, read_lines(
        [program('rstscope'), 'ls', '--json', '--benign', '--store',
         daemon.store, '--since', utc.strftime('%Y-%m-%dT%H:%M:%SZ')])


def load_saved(scenarios, path):
    """As run_and_save, from a DIR of --work or a FILE of --save."""
    names = {s.name for s in scenarios}
    if os.path.isdir(path):
        with open(os.path.join(path, 'runs')) as f:
            runs = json.load(f)
        parts = golden.cut(runs, os.path.join(path, 'records'))
    else:
        parts = golden.read(path)
    parts = [p for p in parts if p.run['name'] in names]
    rstscope = program('rstscope')
    return [p.run for p in parts], [
        e for p in parts for e in p.events(rstscope)]


def save_good(path, runs, bad, work):
    good = [r for r in runs if r['status'] == 'ran' and r['name'] not in bad]
    golden.save(path, golden.cut(good, os.path.join(work, 'records')))


def main():
    o = options()
    scenarios = load(o.pattern)
    if not scenarios:
        give_up('no scenario has that name')
    if o.list:
        for s in scenarios:
            print('%-40s %-12s %-22s %s' % (
                s.name, s.program, '/'.join(s.expect.causes or ['nothing']),
                s.end))
        return 0
    if not o.again and os.geteuid():
        give_up('scenarios need root')
    work = o.work or tempfile.mkdtemp(prefix='rstscope-scen-')
    if o.work and not o.again and \
            os.path.exists(os.path.join(o.work, 'runs')):
        shutil.rmtree(o.work)  # of an earlier run
    os.makedirs(work, exist_ok=True)
    try:
        runs, events = load_saved(scenarios, o.again) if o.again \
            else run_and_save(scenarios, o, work)
        status, bad = report(runs, events, {s.name: s for s in scenarios},
                             o.verbose, work)
        if o.save and not o.again:
            save_good(o.save, runs, bad, work)
        return status
    finally:
        if not o.work:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == '__main__':
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
