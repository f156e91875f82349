# SPDX-License-Identifier: Apache-2.0
"""server_crash and process_exit: kills, the OOM killer, restarts; beside them
single workers that die while their server lives on, and orderly restarts."""
import os
import signal

import databases
from lab import CLIENT, SERVER, SERVER_IP, Failed, scenario

ENDS = ('received', 'hangup', 'refused')
DIED = dict(cause=('process_exit', 'late_data', 'port_closed',
                   'listener_closed', 'close_with_unread_data'),
            kinds=('sent',))
GET = 'GET /slow HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'

# Many connections with a request under way; their answers never come. Then
# new ones, argv[4] times.
WAITING = '''
    import socket, sys, threading, time
    port, many = int(sys.argv[1]), int(sys.argv[2])
    first = sys.argv[3].encode().decode('unicode_escape').encode()
    ended = threading.Event()
    def wait(i):
        s = socket.create_connection(('%s', port))
        time.sleep(0.05 * i)
        try:
            s.sendall(first)
            while s.recv(1000):
                pass
        except OSError as e:
            print(repr(e))
        ended.set()
    threads = [threading.Thread(target=wait, args=(i,)) for i in range(many)]
    for t in threads: t.start()
    time.sleep(0.6)
    print('waiting', flush=True)
    ended.wait()
    time.sleep(0.05)
    for i in range(int(sys.argv[4])):
        try:
            socket.create_connection(('%s', port), 2)
        except OSError as e:
            print(repr(e))
        time.sleep(0.1)
    for t in threads: t.join()
''' % (SERVER_IP, SERVER_IP)

NODE_SLOW = '''
    const http = require('http');
    http.createServer((q, a) => {
        if (q.url === '/slow') setTimeout(() => a.end('late'), 20000);
        else a.end('hello');
    }).listen(8000, '%s');
''' % SERVER_IP

PYTHON_SLOW = '''
import time
def app(env, start):
    if env['PATH_INFO'] == '/slow':
        time.sleep(20)
    start('200 OK', [('Content-Length', '5')])
    return [b'hello']
'''


def waiting(lab, port, many=5, first=GET, refused=3):
    client = lab.python(CLIENT, WAITING, str(port), str(many), first,
                        str(refused), background=True)
    lab.wait_line(client, 'waiting')
    return client


def children(pid):
    with open('/proc/%d/task/%d/children' % (pid, pid)) as f:
        return [int(x) for x in f.read().split()]


def node(lab):
    server = lab.node(SERVER, NODE_SLOW, background=True)
    lab.wait_port(SERVER, 8000, proc=server)
    return server


def gunicorn(lab, *options):
    lab.file('app.py', PYTHON_SLOW)
    server = lab.start(SERVER, ['gunicorn', '-b', SERVER_IP + ':8000'] +
                       list(options) + ['app:app'], port=8000)
    lab.wait_line(server, 'Booting worker')
    lab.sleep(0.4)
    return server


def nginx(lab):
    """With the slow Node.js server behind it."""
    backend = lab.node(SERVER, NODE_SLOW.replace('8000', '8090'),
                       background=True)
    lab.wait_port(SERVER, 8090, proc=backend)
    conf = lab.file('nginx.conf', '''
        daemon off; error_log stderr; pid %s/pid; worker_processes 2;
        events { }
        http { access_log off; client_body_temp_path %s/b;
               proxy_temp_path %s/p; fastcgi_temp_path %s/f;
               uwsgi_temp_path %s/u; scgi_temp_path %s/s;
               server { listen 8000;
                        location / { proxy_pass http://%s:8090; } } }
    ''' % ((lab.dir,) * 6 + (SERVER_IP,)))
    return lab.start(SERVER, ['nginx', '-e', 'stderr', '-p', lab.dir, '-c',
                              conf], port=8000)


# The whole server

@scenario(program='node', cause='server_crash', end=CLIENT, kinds=ENDS,
          process='python3', count=4, needs=('node',), other=DIED)
def node_killed_in_flight(lab):
    server = node(lab)
    client = waiting(lab, 8000)
    server.kill()
    client.wait(8)


@scenario(program='redis', cause='server_crash', end=CLIENT, kinds=ENDS,
          process='python3', count=4, needs=('redis-server',), other=DIED)
def redis_killed_in_flight(lab):
    server = databases.redis(lab)
    client = waiting(lab, 6379, first='BLPOP nothing 20\\r\\n')
    server.kill()
    client.wait(8)


@scenario(program='redis', cause='server_crash', end=CLIENT, kinds=ENDS,
          count=4, needs=('redis-server',), other=DIED)
def redis_shutdown_in_flight(lab):
    """SIGTERM: in order, but answers were due."""
    server = databases.redis(lab)
    client = waiting(lab, 6379, first='BLPOP nothing 20\\r\\n')
    server.stop()
    client.wait(8)


@scenario(program='gunicorn', cause='server_crash', end=CLIENT, kinds=ENDS,
          process='python3', count=4, needs=('gunicorn',), other=DIED)
def gunicorn_killed_in_flight(lab):
    server = gunicorn(lab, '-w', '1', '-k', 'gthread', '--threads', '8')
    client = waiting(lab, 8000)
    workers = children(server.pid)
    server.kill()
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    client.wait(8)


@scenario(program='nginx', cause='server_crash', end=CLIENT, kinds=ENDS,
          process='python3', count=4, needs=('nginx', 'node'), other=DIED)
def nginx_stopped_in_flight(lab):
    """SIGTERM is nginx's fast shutdown: answers are broken off."""
    server = nginx(lab)
    client = waiting(lab, 8000, first=GET)
    server.stop()
    client.wait(8)


@scenario(program='nginx', cause=None, end=CLIENT,
          needs=('nginx', 'node', 'curl'),
          lookalike_of='nginx_stopped_in_flight')
def nginx_reloaded(lab):
    """SIGHUP: old workers answer to the end, new ones take over."""
    server = nginx(lab)
    ask = 'for i in 1 2 3 4 5 6 7 8 9 10; do curl -s http://%s:8000/; ' \
        'sleep .1; done' % SERVER_IP
    client = lab.start(CLIENT, ['sh', '-c', ask])
    lab.sleep(0.3)
    server.signal(signal.SIGHUP)
    client.wait(8)


@scenario(program='redis', cause='server_crash', end=CLIENT, kinds=ENDS,
          process='node', count=2, needs=('redis-server', 'node'),
          other=DIED)
def redis_killed_node_pool(lab):
    """A pool of Node.js with pipelined commands, which then reconnects."""
    server = databases.redis(lab)
    client = lab.node(CLIENT, '''
        const net = require('net');
        let left = 6;
        function open(i) {
            const s = net.connect(6379, '%s');
            s.on('connect', () => { s.busy = setInterval(() =>
                s.write('PING\\r\\n'), 3 + i); });
            s.on('data', () => {});
            s.on('error', e => console.log(e.code));
            s.on('close', () => { clearInterval(s.busy);
                if (left-- > 0) setTimeout(open, 100, i);
                else process.exit(); });
        }
        for (let i = 0; i < 4; i++) open(i);
        setTimeout(() => console.log('up'), 700);
    ''' % SERVER_IP, background=True)
    lab.wait_line(client, 'up')
    server.kill()
    client.wait(8)


def memory_cgroup(lab, megabytes):
    """Path of a cgroup with that limit, and the file that takes its tasks."""
    name = 'rstscope-%d' % os.getpid()
    for top, limit, tasks in (
            ('/sys/fs/cgroup/memory', 'memory.limit_in_bytes', 'tasks'),
            ('/sys/fs/cgroup', 'memory.max', 'cgroup.procs')):
        path = os.path.join(top, name)
        if not os.path.exists(os.path.join(top, tasks)):
            continue
        try:
            os.mkdir(path)
            with open(os.path.join(path, limit), 'w') as f:
                f.write(str(megabytes << 20))
            return path, os.path.join(path, tasks)
        except OSError:
            if os.path.isdir(path):
                os.rmdir(path)
    lab.skip('no memory cgroup can be made')


def oom(lab, refused):
    path, tasks = memory_cgroup(lab, 60)
    try:
        server = lab.python(SERVER, '''
            import socket, time
            s = socket.create_server(('%s', 8000))
            held = []
            print('up', flush=True)
            for i in range(5):
                c, _ = s.accept()
                c.recv(10)
                held.append(c)
            time.sleep(1)
            eaten = []
            while True:
                eaten.append(bytearray(b'x' * 1000000))
        ''' % SERVER_IP, background=True)
        lab.wait_line(server, 'up')
        with open(tasks, 'w') as f:
            f.write(str(server.pid))
        client = waiting(lab, 8000, refused=refused)
        client.wait(9)
        if server.alive():
            raise Failed('the server was not killed')
        server.wait()
    finally:
        for _ in range(50):
            try:
                os.rmdir(path)
                break
            except OSError:
                lab.sleep(0.05)


@scenario(program='python', cause='server_crash', end=CLIENT, kinds=ENDS,
          process='python3', count=4, other=DIED)
def oom_killed(lab):
    oom(lab, 3)


@scenario(program='python', cause='process_exit', end=SERVER,
          kinds=('sent',), process='python3', syscall='exit', count=4,
          other=dict(cause=('server_crash', 'peer_aborted',
                            'peer_closed_unread'), kinds=ENDS))
def oom_killed_server(lab):
    oom(lab, 0)


# One worker of many

@scenario(program='gunicorn', end=CLIENT, kinds=('received', 'hangup'),
          cause=('server_crash', 'peer_closed_early'), process='python3',
          count=1, needs=('gunicorn',), other=DIED,
          lookalike_of='gunicorn_killed_in_flight')
def gunicorn_one_worker_killed(lab):
    server = gunicorn(lab, '-w', '2')
    client = waiting(lab, 8000, many=1, refused=0)
    for pid in children(server.pid)[:2]:
        os.kill(pid, signal.SIGKILL)
    client.wait(8)


@scenario(program='gunicorn', end=CLIENT, kinds=('received', 'hangup'),
          cause=('lb_idle_timeout', 'server_crash', 'peer_closed_early'),
          process='python3', count=1, needs=('gunicorn',), other=DIED,
          lookalike_of='gunicorn_killed_in_flight')
def gunicorn_worker_overdue(lab):
    """The master aborts a worker that is at one request for too long."""
    gunicorn(lab, '-w', '1', '--timeout', '2')
    client = waiting(lab, 8000, many=1, refused=0)
    client.wait(9)


@scenario(program='postgresql', limit=25,
          end=CLIENT, kinds=('received', 'hangup'),
          cause=('server_crash', 'peer_closed_early'), process='python3',
          count=1, needs=('python:psycopg2', 'setpriv', databases.POSTGRES),
          other=DIED)
def pg_backend_killed_in_query(lab):
    server = databases.postgres(lab)
    client = lab.python(CLIENT, '''
        import psycopg2, threading, time
        def use():
            c = psycopg2.connect(host='%s', user='postgres',
                                 dbname='postgres')
            try:
                c.cursor().execute('select pg_sleep(20)')
            except psycopg2.Error as e:
                print(repr(e))
        t = [threading.Thread(target=use) for i in range(3)]
        for x in t: x.start()
        time.sleep(1)
        print('waiting', flush=True)
        for x in t: x.join()
    ''' % SERVER_IP, background=True)
    lab.wait_line(client, 'waiting')
    databases.kill_one_backend(server)
    client.wait(8)


@scenario(program='node', end=CLIENT, kinds=('received', 'hangup'),
          cause='peer_closed_early', process='python3', count=1,
          needs=('node',), lookalike_of='node_killed_in_flight',
          other=DIED)
def node_destroys_one(lab):
    """One request is ended while others go on."""
    server = lab.node(SERVER, '''
        const http = require('http');
        http.createServer((q, a) => {
            if (q.url === '/bad') setTimeout(() => q.socket.destroy(), 357);
            else setTimeout(() => a.end('hello'), 900);
        }).listen(8000, '%s');
    ''' % SERVER_IP, background=True)
    lab.wait_port(SERVER, 8000, proc=server)
    lab.python(CLIENT, '''
        import http.client, threading, time
        def get(path):
            c = http.client.HTTPConnection('%s', 8000)
            try:
                c.request('GET', path)
                c.getresponse().read()
            except (OSError, http.client.HTTPException) as e:
                print(repr(e))
            c.close()
        t = [threading.Thread(target=get, args=(p,)) for p in
             ('/', '/', '/bad', '/')]
        for x in t: x.start()
        for x in t: x.join()
    ''' % SERVER_IP)
