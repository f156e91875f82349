# SPDX-License-Identifier: Apache-2.0
"""Three hosts in network namespaces, and how to say what shall be seen there.

    client 10.77.1.2 --- 10.77.1.1 router 10.77.2.1 --- 10.77.2.2 server

A scenario is a function that takes a Lab and makes ONE kind of failure with
real programs (several times where the pattern needs a history):

    from lab import ANY, CLIENT, ROUTER, SERVER, SERVER_IP, scenario

    @scenario(program='nginx', cause='stale_keepalive', end=CLIENT,
              kinds=('received', 'hangup'), process='python3',
              syscall='write', needs=('nginx',),
              other=dict(cause='late_data', kinds=('sent',)))
    def nginx_keepalive_fin_seen(lab):
        conf = lab.file('nginx.conf', '...')
        lab.start(SERVER, ['nginx', '-c', conf, '-g', 'daemon off;'], port=80)
        lab.python(CLIENT, '''...''')

Arguments of @scenario (all by name):
  program   the real program that causes it; groups the table
  cause     name of causes.md, or a tuple of names that are all right, the
            best first; None: nothing at all may be reported at that end
  end       CLIENT or SERVER (or ROUTER): whose events are judged
  kinds     kinds of event expected there; any other kind is `unexpected`
  process   command name that the event must carry (tuple: one of these);
            None: the event must have no process; ANY (default): not judged
  syscall   class: 'read', 'write', 'close' ...; same rules as process
  count     at least so many events (default 1)
  at_most   at most so many events (default: no limit)
  benign    True/False where causes.md decides it; default: not judged
  other     dict(cause=, kinds=, process=, syscall=, benign=): what the other
            end may show meanwhile: judged if it appears, required never.
            Without it the other end's events are only listed.
  router    the same for the router's events (a proxy that runs there)
  lookalike_of  name of the scenario (or cause) that this one is mistaken for
  needs     programs without which it is skipped: names for PATH (and sbin),
            absolute paths, or 'python:MODULE'
  limit     seconds that it may take (default 15)
  name      default: the function's name

Lab: (`where` is CLIENT, ROUTER or SERVER)
  lab.dir                     a directory of its own
  lab.file(name, text, mode=) writes a file there; its path
  lab.need('nginx')           path of a program, or skips the scenario
  lab.start(where, argv, port=None, env=, cwd=, stdin=) -> Proc
        runs in the background, output to lab.dir/N-NAME.log; with port waits
        until something listens there (reads /proc: no probing connection)
  lab.run(where, argv, timeout=10, input=None, env=) -> CompletedProcess
        runs to its end (killed at the limit); text output; never raises for
        an exit status: look at .returncode
  lab.python(where, code, *args, timeout=10, background=False)
        the same with /usr/bin/python3 and the text of a program; the command
        name is "python3". Background: returns the Proc
  lab.node(where, code, *args, timeout=10, background=False)
  lab.wait_port(where, port, timeout=5); lab.wait_no_port(...)
  lab.wait_line(proc, text, timeout=5)   until its output has that text
  lab.nft(where, ruleset)     nft -f - there
  lab.sysctl(where, 'net.ipv4.tcp_retries2', 3)   or 'net/ipv4/...'
  lab.ip(where, 'link', 'set', 'east', 'down')    interfaces: client eth0,
        router west (to the client) and east (to the server), server eth0
  lab.delay(ms)               makes the way through the router longer, each way
  lab.certificate(name='server.test', days=30) -> (cert, key) paths
  lab.skip('reason'); lab.sleep(seconds)
  lab.kill_all(where)         SIGKILL to all that runs there, workers included
  Proc: .pid, .signal(SIG), .kill() (SIGKILL, waits), .stop() (SIGTERM, waits
        3 s, then kills), .wait(timeout), .output(), .alive()

Whatever runs in the namespaces at the end is killed, by id. Events count from
the scenario's start until its function returns (plus what is still on its way
for SETTLE seconds before anything is killed): so return only when the failure
has happened, and leave alone what would fail at clean-up.
"""
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

CLIENT, ROUTER, SERVER = 'client', 'router', 'server'
HOSTS = (CLIENT, ROUTER, SERVER)
CLIENT_IP, SERVER_IP = '10.77.1.2', '10.77.2.2'
ROUTER_WEST, ROUTER_EAST = '10.77.1.1', '10.77.2.1'
ANY = object()
SETTLE = 0.4

SCENARIOS = []
SBIN = '/usr/local/sbin:/usr/sbin:/sbin'
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)


class Skip(Exception):
    """A scenario cannot run here; its text is the reason."""


class Failed(Exception):
    """The failure could not be made: a fault of the scenario."""


class Expect:
    """What an end's events shall look like."""

    def __init__(self, cause, kinds, process=ANY, syscall=ANY, benign=ANY):
        self.causes = (cause,) if isinstance(cause, str) else cause
        self.kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)
        self.process = process
        self.syscall = syscall
        self.benign = benign


class Scenario:
    def __init__(self, func, program, cause, end, kinds, process, syscall,
                 benign, count, at_most, other, router, lookalike_of, needs,
                 limit, name):
        self.func = func
        self.name = name or func.__name__
        self.program = program
        self.end = end
        self.expect = Expect(cause, kinds, process, syscall, benign)
        self.other = Expect(**other) if other else None
        self.router = Expect(**router) if router else None
        self.count = count
        self.at_most = at_most
        self.lookalike_of = lookalike_of
        self.needs = needs
        self.limit = limit


def scenario(*, program, cause, end, kinds=(), process=ANY, syscall=ANY,
             benign=ANY, count=None, at_most=None, other=None, router=None,
             lookalike_of=None, needs=(), limit=15, name=None):
    if count is None:
        count = 1 if cause else 0

    def register(func):
        s = Scenario(func, program, cause, end, kinds, process, syscall,
                     benign, count, at_most, other, router, lookalike_of,
                     needs, limit, name)
        if any(o.name == s.name for o in SCENARIOS):
            raise ValueError('two scenarios are named ' + s.name)
        SCENARIOS.append(s)
        return func
    return register


def which(name):
    if name.startswith('python:'):
        have = subprocess.run([PYTHON, '-c', 'import ' + name[7:]],
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
        return name if have.returncode == 0 else None
    if os.path.isabs(name):
        return name if os.path.exists(name) else None
    return shutil.which(name, path=os.environ.get('PATH', '') + ':' + SBIN)


def die_with_parent(parent):
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def find_python():
    # Debian's own has the modules of Debian's packages.
    return '/usr/bin/python3' if os.path.exists('/usr/bin/python3') \
        else sys.executable


PYTHON = find_python()


class Proc:
    def __init__(self, popen, log):
        self.popen = popen
        self.pid = popen.pid
        self.log = log

    def signal(self, sig):
        if self.popen.poll() is None:
            os.kill(self.pid, sig)

    def alive(self):
        return self.popen.poll() is None

    def wait(self, timeout=5):
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failed('%s does not end' % self.popen.args[-1])

    def kill(self):
        self.signal(signal.SIGKILL)
        return self.popen.wait(5)

    def stop(self, timeout=3):
        self.signal(signal.SIGTERM)
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            return self.kill()

    def output(self):
        with open(self.log, errors='replace') as f:
            return f.read()


class Lab:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix='rstscope-lab-')
        os.chmod(self.dir, 0o755)
        self.started = 0
        self.holder = {}
        self.inode = {}
        self.kept = []
        try:
            for h in HOSTS:
                self._new_host(h)
            self._join()
        except BaseException:
            self.close()
            raise

    # The namespaces

    def _new_host(self, host):
        parent = os.getpid()

        def enter():
            die_with_parent(parent)
            if libc.unshare(CLONE_NEWNET):
                os._exit(99)

        self.holder[host] = subprocess.Popen(['sleep', 'infinity'],
                                             preexec_fn=enter)
        path = '/proc/%d/ns/net' % self.holder[host].pid
        self.inode[host] = os.stat(path).st_ino
        if self.inode[host] == os.stat('/proc/self/ns/net').st_ino:
            raise Skip('network namespaces cannot be made here')

    def _join(self):
        c, r, s = (str(self.holder[h].pid) for h in HOSTS)
        self._must(ROUTER, 'ip', 'link', 'add', 'west', 'type', 'veth',
                   'peer', 'name', 'eth0', 'netns', c)
        self._must(ROUTER, 'ip', 'link', 'add', 'east', 'type', 'veth',
                   'peer', 'name', 'eth0', 'netns', s)
        self._must(ROUTER, 'sysctl', '-qw', 'net.ipv4.ip_forward=1')
        for host, link, address in ((ROUTER, 'west', ROUTER_WEST),
                                    (ROUTER, 'east', ROUTER_EAST),
                                    (CLIENT, 'eth0', CLIENT_IP),
                                    (SERVER, 'eth0', SERVER_IP)):
            self.ip(host, 'link', 'set', 'lo', 'up')
            self.ip(host, 'address', 'add', address + '/24', 'dev', link)
            self.ip(host, 'link', 'set', link, 'up')
        self.ip(CLIENT, 'route', 'add', 'default', 'via', ROUTER_WEST)
        self.ip(SERVER, 'route', 'add', 'default', 'via', ROUTER_EAST)

    def inside(self, where, argv):
        pid = self.holder[where].pid
        return ['nsenter', '--net=/proc/%d/ns/net' % pid] + list(argv)

    def _must(self, where, *argv, input=None):
        p = subprocess.run(self.inside(where, argv), input=input, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if p.returncode:
            raise Failed('%s: %s' % (' '.join(argv), p.stdout.strip()))
        return p.stdout

    def ip(self, where, *args):
        return self._must(where, 'ip', *args)

    def nft(self, where, ruleset):
        self.need('nft')
        return self._must(where, 'nft', '-f', '-', input=ruleset)

    def sysctl(self, where, key, value):
        self._must(where, 'sysctl', '-qw', '%s=%s' % (key, value))

    def delay(self, ms):
        if not os.path.exists('/dev/net/tun'):
            self.skip('no TUN device for a delay')
        here = os.path.dirname(os.path.abspath(__file__))
        proc = self.start(ROUTER, [PYTHON, os.path.join(here, 'delay.py'),
                                   ms])
        self.wait_line(proc, 'ready')

    # Programs

    def need(self, name):
        path = which(name)
        if not path:
            self.skip('%s is not installed' % name)
        return path

    def skip(self, reason):
        raise Skip(reason)

    def sleep(self, seconds):
        time.sleep(seconds)

    def file(self, name, text, mode=0o644):
        path = os.path.join(self.dir, name)
        with open(path, 'w') as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def _command(self, argv):
        argv = [str(a) for a in argv]
        return [self.need(argv[0])] + argv[1:]

    def start(self, where, argv, port=None, env=None, cwd=None, stdin=None):
        argv = self._command(argv)
        self.started += 1
        log = os.path.join(self.dir, '%d-%s.log' % (
            self.started, os.path.basename(argv[0])))
        parent = os.getpid()
        with open(log, 'w') as out:
            popen = subprocess.Popen(
                self.inside(where, argv), stdout=out,
                stderr=subprocess.STDOUT, stdin=stdin or subprocess.DEVNULL,
                cwd=cwd or self.dir, env=self._env(env),
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(parent))
        proc = Proc(popen, log)
        if port:
            self.wait_port(where, port, proc=proc)
        return proc

    def run(self, where, argv, timeout=10, input=None, env=None, cwd=None):
        argv = self.inside(where, self._command(argv))
        parent = os.getpid()
        p = subprocess.Popen(argv, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True,
                             stdin=subprocess.PIPE if input is not None
                             else subprocess.DEVNULL,
                             cwd=cwd or self.dir, env=self._env(env),
                             preexec_fn=lambda: die_with_parent(parent))
        try:
            out, err = p.communicate(input, timeout)
        except subprocess.TimeoutExpired:
            p.kill()
            out, err = p.communicate()
        return subprocess.CompletedProcess(argv, p.returncode, out, err)

    def _env(self, more):
        env = dict(os.environ, PATH=os.environ.get('PATH', '') + ':' + SBIN)
        env.update(more or {})
        return env

    def _text(self, program, suffix, where, code, args, timeout, background):
        self.started += 1
        path = self.file('text%d.%s' % (self.started, suffix), undent(code))
        argv = [program, path] + list(args)
        if background:
            return self.start(where, argv)
        return self.run(where, argv, timeout)

    def python(self, where, code, *args, timeout=10, background=False):
        return self._text(PYTHON, 'py', where, code, args, timeout,
                          background)

    def node(self, where, code, *args, timeout=10, background=False):
        return self._text('node', 'js', where, code, args, timeout,
                          background)

    def certificate(self, name='server.test', days=30):
        self.need('openssl')
        cert, key = (os.path.join(self.dir, name + e)
                     for e in ('.crt', '.key'))
        p = subprocess.run(
            ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
             'ec_paramgen_curve:prime256v1', '-nodes', '-days', str(days),
             '-subj', '/CN=' + name, '-addext', 'subjectAltName=DNS:' + name,
             '-keyout', key, '-out', cert], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        if p.returncode:
            raise Failed('openssl: ' + p.stdout)
        return cert, key

    # Waiting

    def _listens(self, where, port):
        for name in ('tcp', 'tcp6'):
            path = '/proc/%d/net/%s' % (self.holder[where].pid, name)
            with open(path) as f:
                for line in f.readlines()[1:]:
                    word = line.split()
                    if word[3] == '0A' and \
                            int(word[1].split(':')[1], 16) == port:
                        return True
        return False

    def wait_port(self, where, port, timeout=5, proc=None):
        end = time.monotonic() + timeout
        while not self._listens(where, port):
            if proc and not proc.alive():
                raise Failed('%s ended: %s' % (proc.popen.args[-1],
                                               proc.output()[-500:]))
            if time.monotonic() > end:
                raise Failed('nothing listens on port %d: %s' % (
                    port, proc.output()[-500:] if proc else ''))
            time.sleep(0.02)

    def wait_no_port(self, where, port, timeout=5):
        end = time.monotonic() + timeout
        while self._listens(where, port):
            if time.monotonic() > end:
                raise Failed('port %d is still listened on' % port)
            time.sleep(0.02)

    def wait_line(self, proc, text, timeout=5):
        end = time.monotonic() + timeout
        while text not in proc.output():
            if time.monotonic() > end:
                raise Failed('%r does not come: %s' % (text,
                                                       proc.output()[-500:]))
            time.sleep(0.02)

    # The end

    def _members(self, where=None):
        """Ids of the processes in these namespaces, without the holders."""
        held = {h.pid for h in self.holder.values()}
        ours = {self.inode[where]} if where else set(self.inode.values())
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                ino = os.stat('/proc/%s/ns/net' % pid).st_ino
            except OSError:
                continue
            if ino in ours and int(pid) not in held:
                yield int(pid)

    def kill_all(self, where=None):
        for _ in range(50):
            pids = list(self._members(where))
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if not pids:
                return
            time.sleep(0.02)

    def close(self, keep_files=False):
        """Ends everything. The namespaces stay referenced (`kept`) so that
        their inode numbers, and with them the daemon's histories, are not
        given to the next lab: release() lets go."""
        self.kill_all()
        for h in self.holder.values():
            if not self.kept or len(self.kept) < len(self.holder):
                try:
                    self.kept.append(os.open('/proc/%d/ns/net' % h.pid,
                                             os.O_RDONLY | os.O_CLOEXEC))
                except OSError:
                    pass
        for h in self.holder.values():
            h.kill()
            h.wait()
        self.holder = {}
        if not keep_files:
            shutil.rmtree(self.dir, ignore_errors=True)

    def release(self):
        for fd in self.kept:
            os.close(fd)
        self.kept = []


def undent(code):
    """The text without its first blank line and common indentation."""
    lines = code.split('\n')
    full = [x for x in lines if x.strip()]
    cut = min((len(x) - len(x.lstrip()) for x in full), default=0)
    return '\n'.join(x[cut:] for x in lines).lstrip('\n')
