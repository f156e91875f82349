# SPDX-License-Identifier: Apache-2.0
"""max_connections, accept_overflow, listener_closed, rate_limit: servers and
guards that turn connections away, and what looks like it."""
import os

import databases
from lab import CLIENT, SERVER, SERVER_IP, scenario

STREAM = '/usr/lib/nginx/modules/ngx_stream_module.so'
SURPLUS = ('received', 'hangup')
# What a server shows that closes a surplus connection: bytes that it never
# read, an abort, or bytes that came after.
TURNED_AWAY = dict(cause=('max_connections', 'rate_limit', 'linger_zero',
                          'close_with_unread_data', 'late_data'),
                   kinds=('sent',))

# The same, where a proxy also ends its own connections to a server behind it.
PROXIED = dict(cause=TURNED_AWAY['cause'] + ('lb_idle_timeout',
                                             'graceful_race', 'peer_aborted'),
               kinds=('sent', 'received'))

# Holds argv[2] connections to port argv[1] open, having sent argv[3], until
# it is killed; says when.
HOLD = '''
    import socket, sys, time
    held = []
    for i in range(int(sys.argv[2])):
        s = socket.create_connection(('%s', int(sys.argv[1])))
        s.sendall(sys.argv[3].encode().decode('unicode_escape').encode())
        held.append(s)
    time.sleep(0.3)
    print('held', flush=True)
    time.sleep(60)
''' % SERVER_IP

# Opens connections one after the other, sends argv[3] on each, and waits for
# an answer; pauses argv[4] seconds between them.
TRY = '''
    import socket, sys, time
    for i in range(int(sys.argv[2])):
        try:
            s = socket.create_connection(('%s', int(sys.argv[1])), 2)
            s.sendall(sys.argv[3].encode().decode('unicode_escape').encode())
            print(s.recv(65536))
            time.sleep(0.05)
            s.close()
        except OSError as e:
            print(repr(e))
        time.sleep(float(sys.argv[4]))
''' % SERVER_IP
GET = 'GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n'
PING = 'PING\\r\\n'


def hold(lab, port, many, first=''):
    proc = lab.python(CLIENT, HOLD, str(port), str(many), first,
                      background=True)
    lab.wait_line(proc, 'held')
    return proc


def tries(lab, port, many, first, pause=0.05):
    return lab.python(CLIENT, TRY, str(port), str(many), first, str(pause))


def nginx(lab, http):
    path = lab.file('nginx.conf', '''
        daemon off; master_process off; error_log stderr; pid %s/pid;
        events { }
        http { access_log off; client_body_temp_path %s/b;
               proxy_temp_path %s/p; fastcgi_temp_path %s/f;
               uwsgi_temp_path %s/u; scgi_temp_path %s/s;
               %s }
    ''' % ((lab.dir,) * 6 + (http,)))
    return lab.start(SERVER, ['nginx', '-e', 'stderr', '-p', lab.dir, '-c',
                              path], port=8080)


def haproxy(lab, rules, port=8080):
    """With a Node.js server behind it."""
    node_server(lab, port=8090)
    path = lab.file('haproxy.cfg', '\n'.join([
        'defaults', ' mode http', ' timeout connect 2s',
        ' timeout client 9s', ' timeout server 9s', 'frontend f',
        ' bind %s:%d' % (SERVER_IP, port), ' default_backend b'] + rules +
        ['backend b', ' server a %s:8090' % SERVER_IP, '']))
    return lab.start(SERVER, ['haproxy', '-db', '-f', path], port=port)


NODE_SERVER = '''
    const http = require('http');
    const server = http.createServer((q, a) => {
        if (q.url === '/slow') setTimeout(() => a.end('late'), 8000);
        else a.end('hello');
    });
    %s
    server.listen(%d, '%s');
'''


def node_server(lab, more='', port=8080):
    proc = lab.node(SERVER, NODE_SERVER % (more, port, SERVER_IP),
                    background=True)
    lab.wait_port(SERVER, port, proc=proc)
    return proc


# Connection limits

@scenario(program='redis', cause='max_connections', end=CLIENT,
          kinds=SURPLUS, process='python3', count=2, needs=('redis-server',),
          other=TURNED_AWAY)
def redis_maxclients_python(lab):
    databases.redis(lab, '--maxclients', '3')
    hold(lab, 6379, 3, PING)
    tries(lab, 6379, 3, PING)


@scenario(program='redis', cause='max_connections', end=CLIENT,
          kinds=SURPLUS, process='redis-cli', needs=('redis-server',
                                                     'redis-cli'),
          other=TURNED_AWAY)
def redis_maxclients_cli(lab):
    databases.redis(lab, '--maxclients', '2')
    hold(lab, 6379, 2, PING)
    for _ in range(3):
        lab.run(CLIENT, ['redis-cli', '-h', SERVER_IP, 'ping'])


@scenario(program='postgresql', limit=25,
          cause='max_connections', end=CLIENT, count=0,
          kinds=SURPLUS, process='python3',
          needs=('python:psycopg2', 'setpriv', databases.POSTGRES),
          other=TURNED_AWAY)
def pg_max_connections(lab):
    """PostgreSQL says why and closes in order: nothing may be seen, but if
    anything is, it has this name."""
    databases.postgres(lab, '-c', 'max_connections=4', '-c',
                       'superuser_reserved_connections=0', '-c',
                       'max_wal_senders=0')
    lab.python(CLIENT, '''
        import psycopg2
        held = []
        for i in range(8):
            try:
                held.append(psycopg2.connect(host='%s', user='postgres',
                                             dbname='postgres'))
            except psycopg2.Error as e:
                print(repr(e))
        for c in held:
            c.close()
    ''' % SERVER_IP)


@scenario(program='mariadb', limit=25,
          cause='max_connections', end=CLIENT, count=0,
          kinds=SURPLUS, process='python3',
          needs=('python:pymysql', 'setpriv', 'mariadbd'), other=TURNED_AWAY)
def mariadb_max_connections(lab):
    databases.mariadb(lab, '--max-connections=10',
                      '--extra-max-connections=1')
    lab.python(CLIENT, '''
        import pymysql
        held = []
        for i in range(14):
            try:
                held.append(pymysql.connect(host='%s', user='u',
                                            password='p'))
            except (pymysql.Error, OSError) as e:
                print(repr(e))
        for c in held:
            c.close()
    ''' % SERVER_IP)


@scenario(program='node', cause='max_connections', end=CLIENT, kinds=SURPLUS,
          process='python3', count=2, needs=('node',), other=TURNED_AWAY)
def node_max_connections_python(lab):
    node_server(lab, 'server.maxConnections = 2;')
    hold(lab, 8080, 2)
    tries(lab, 8080, 3, GET)


@scenario(program='node', cause='max_connections', end=CLIENT, kinds=SURPLUS,
          process='curl', count=2, needs=('node', 'curl'), other=TURNED_AWAY)
def node_max_connections_curl(lab):
    node_server(lab, 'server.maxConnections = 2;')
    hold(lab, 8080, 2)
    for _ in range(3):
        lab.run(CLIENT, ['curl', '-s', 'http://%s:8080/' % SERVER_IP])


@scenario(program='node', cause='max_connections', end=CLIENT, kinds=SURPLUS,
          process='node', count=2, needs=('node',), other=TURNED_AWAY)
def node_max_connections_fetch(lab):
    # Else the FIN is there before the request, which then is never sent.
    lab.delay(50)
    node_server(lab, 'server.maxConnections = 2;')
    hold(lab, 8080, 2)
    lab.node(CLIENT, '''
        (async () => {
            for (let i = 0; i < 3; i++)
                try {
                    await fetch('http://%s:8080/');
                } catch (e) { console.log(e.cause && e.cause.code); }
        })();
    ''' % SERVER_IP)


@scenario(program='nginx', cause=('max_connections', 'rate_limit'),
          end=CLIENT, kinds=SURPLUS, process='python3', count=2,
          needs=('nginx', 'node'), other=TURNED_AWAY)
def nginx_limit_conn_444(lab):
    node_server(lab, port=8090)
    nginx(lab, '''
        limit_conn_zone $binary_remote_addr zone=a:1m;
        server { listen 8080; location / {
            limit_conn a 2; limit_conn_status 444;
            proxy_pass http://%s:8090; } }''' % SERVER_IP)
    hold(lab, 8080, 2, GET.replace('GET /', 'GET /slow'))
    tries(lab, 8080, 3, GET)


@scenario(program='nginx', cause='max_connections', end=CLIENT,
          kinds=SURPLUS, process='python3', count=2,
          needs=('nginx', 'node', STREAM), other=TURNED_AWAY)
def nginx_stream_limit_conn(lab):
    node_server(lab, port=8090)
    path = lab.file('nginx.conf', '''
        load_module %s;
        daemon off; master_process off; error_log stderr; pid %s/pid;
        events { }
        stream { limit_conn_zone $binary_remote_addr zone=a:1m;
            server { listen 8080; limit_conn a 2; proxy_pass %s:8090; } }
    ''' % (STREAM, lab.dir, SERVER_IP))
    lab.start(SERVER, ['nginx', '-e', 'stderr', '-c', path], port=8080)
    hold(lab, 8080, 2)
    tries(lab, 8080, 3, GET)


@scenario(program='haproxy', cause='max_connections', end=CLIENT,
          kinds=SURPLUS, process='python3', count=2,
          needs=('haproxy', 'node'), other=PROXIED)
def haproxy_fe_conn_reject(lab):
    haproxy(lab, [' tcp-request connection reject if { fe_conn gt 2 }'])
    hold(lab, 8080, 2)
    tries(lab, 8080, 3, GET)


@scenario(program='haproxy', cause=None, end=CLIENT, needs=('haproxy', 'node'),
          lookalike_of='haproxy_fe_conn_reject')
def haproxy_maxconn_waits(lab):
    """Beyond maxconn connections wait in the kernel's queue: nothing fails."""
    haproxy(lab, [' maxconn 1'])
    lab.python(CLIENT, '''
        import socket, sys, threading, time
        def get():
            s = socket.create_connection(('%s', 8080))
            time.sleep(0.2)
            s.sendall(sys.argv[1].encode().decode('unicode_escape').encode())
            while s.recv(1000):
                pass
        t = [threading.Thread(target=get) for i in range(4)]
        for x in t: x.start()
        for x in t: x.join()
    ''' % SERVER_IP, GET)


@scenario(program='sshd', cause=('max_connections', 'rate_limit'), end=CLIENT,
          kinds=SURPLUS, count=0, needs=('/usr/sbin/sshd', 'ssh-keygen'),
          other=TURNED_AWAY)
def sshd_max_startups(lab):
    """sshd says so before it closes, where it is recent."""
    key = lab.dir + '/key'
    lab.run(SERVER, ['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f',
                     key])
    conf = lab.file('sshd_config', 'Port 2222\nHostKey %s\nPidFile none\n'
                    'MaxStartups 2:100:2\nUsePAM no\nStrictModes no\n' % key)
    os.makedirs('/run/sshd', exist_ok=True)
    lab.start(SERVER, ['/usr/sbin/sshd', '-D', '-e', '-f', conf], port=2222)
    hold(lab, 2222, 2, 'SSH-2.0-a\\r\\n')
    tries(lab, 2222, 3, 'SSH-2.0-a\\r\\n')


# The accept queue

OVERFLOW = dict(cause='accept_overflow', kinds=('sent',))

# Opens connections, argv[5] one after the other, then the rest at once, and
# sends on each.
CROWD = '''
    import socket, sys, time
    held = []
    alone = int(sys.argv[5]) if len(sys.argv) > 5 else 0
    for i in range(int(sys.argv[2])):
        s = socket.socket()
        if i >= alone:
            s.setblocking(False)
        s.connect_ex(('%s', int(sys.argv[1])))
        held.append(s)
    time.sleep(0.4)
    for s in held:
        try:
            s.sendall(sys.argv[3].encode().decode('unicode_escape').encode())
            s.settimeout(0.4)
            print(s.recv(100))
        except OSError as e:
            print(repr(e))
    print('done', flush=True)
    time.sleep(float(sys.argv[4]) if len(sys.argv) > 4 else 0)
''' % SERVER_IP


def crowd(lab, port, many, first):
    """The connections that got in stay open until the end. With a backlog of
    4, five fit the queue: three come first, then four handshakes end at once
    for the two places that are left (more SYNs would get cookies, and their
    end is silent)."""
    proc = lab.python(CLIENT, CROWD, str(port), str(many), first, '30', '3',
                      background=True)
    lab.wait_line(proc, 'done', 10)


def overflow_scenario(program, needs, start, port, first, other_process):
    @scenario(name=program + '_accept_overflow', program=program,
              cause='max_connections', end=CLIENT, kinds=('received',),
              process='python3', count=1, needs=needs,
              other=dict(OVERFLOW, process=other_process))
    def client(lab):
        # The SYNs must all be there before the first handshake ends: a full
        # queue takes no SYN at all.
        lab.sysctl(SERVER, 'net.ipv4.tcp_abort_on_overflow', 1)
        start(lab).signal(19)
        lab.delay(30)
        crowd(lab, port, 7, first)

    @scenario(name=program + '_accept_overflow_server', program=program,
              cause='accept_overflow', end=SERVER, kinds=('sent',),
              process=other_process, syscall=None, count=1, needs=needs,
              other=dict(cause='max_connections', kinds=('received',)))
    def server(lab):
        # The SYNs must all be there before the first handshake ends: a full
        # queue takes no SYN at all.
        lab.sysctl(SERVER, 'net.ipv4.tcp_abort_on_overflow', 1)
        start(lab).signal(19)
        lab.delay(30)
        crowd(lab, port, 7, first)

    @scenario(name=program + '_accept_queue_drops', program=program,
              cause=None, end=CLIENT, needs=needs,
              lookalike_of=program + '_accept_overflow')
    def dropped(lab):
        """Without tcp_abort_on_overflow SYNs are dropped: no RST at all."""
        start(lab).signal(19)
        lab.delay(30)
        crowd(lab, port, 7, first)


def nginx_short_queue(lab):
    return nginx(lab, 'server { listen 8080 backlog=4; return 200; }')


overflow_scenario('redis', ('redis-server',), lambda lab: databases.redis(
    lab, '--tcp-backlog', '4'), 6379, PING, 'redis-server')
overflow_scenario('nginx', ('nginx',), nginx_short_queue, 8080, GET, 'nginx')
overflow_scenario('node', ('node',), lambda lab: node_server(
    lab, "server.listen({port: 8081, host: '%s', backlog: 4});\n"
    'const other = http.createServer();' % SERVER_IP +
    "other.listen(8080, '%s'); return;" % SERVER_IP), 8081, GET, 'node')


# Listeners that close with connections in their queue

QUEUE_LOST = dict(cause=('listener_closed', 'process_exit', 'port_closed'),
                  kinds=('sent',))


@scenario(program='node', cause='listener_closed', end=SERVER,
          kinds=('sent',), process='node', syscall='close', count=2,
          needs=('node',),
          other=dict(cause='server_crash', kinds=('received', 'refused')))
def node_listener_closed(lab):
    """The event loop is busy while clients connect; then the server closes."""
    server = lab.node(SERVER, '''
        const http = require('http');
        const server = http.createServer((q, a) => a.end('hello'));
        server.listen(8080, '%s');
        setTimeout(() => {
            console.log('busy');
            const end = Date.now() + 1200;
            while (Date.now() < end);
            server.close();
            setTimeout(() => {}, 5000);
        }, 300);
    ''' % SERVER_IP, background=True)
    lab.wait_line(server, 'busy')
    client = lab.python(CLIENT, CROWD, '8080', '3', GET, '1.0',
                        background=True)
    client.wait(8)


@scenario(program='python', cause='listener_closed', end=SERVER,
          kinds=('sent',), process='python3', syscall='close', count=3,
          other=dict(cause=('server_crash', 'peer_closed_unread',
                            'peer_aborted'), kinds=('received',)))
def python_listener_closed(lab):
    lab.python(SERVER, '''
        import socket, time
        s = socket.create_server(('%s', 7000), backlog=8)
        time.sleep(1.5)
        s.close()
        time.sleep(5)
    ''' % SERVER_IP, background=True)
    lab.wait_port(SERVER, 7000)
    lab.python(CLIENT, CROWD, '7000', '3', 'hello', '1.0')


@scenario(program='gunicorn', cause='server_crash', end=CLIENT,
          kinds=('received', 'hangup', 'refused'), process='python3',
          count=3, needs=('gunicorn',), other=QUEUE_LOST)
def gunicorn_killed_with_queue(lab):
    """All of it is killed while clients wait to be accepted."""
    lab.file('app.py', '''
import time
def app(env, start):
    time.sleep(8)
    start('200 OK', [])
    return [b'hello']
''')
    server = lab.start(SERVER, ['gunicorn', '-b', SERVER_IP + ':8000', '-w',
                                '1', 'app:app'], port=8000)
    lab.sleep(0.7)
    client = lab.python(CLIENT, CROWD + '''
    time.sleep(0.3)
    for i in range(3):
        try:
            socket.create_connection(('%s', 8000))
        except OSError as e:
            print(repr(e))
    ''' % SERVER_IP, '8000', '4', GET, '0.5', background=True)
    lab.sleep(1.0)
    with open('/proc/%d/task/%d/children' % (server.pid, server.pid)) as f:
        workers = [int(x) for x in f.read().split()]
    os.kill(server.pid, 9)
    for pid in workers:
        os.kill(pid, 9)
    client.wait(9)


# Rates

@scenario(program='nginx', cause='rate_limit', end=CLIENT, kinds=SURPLUS,
          process='curl', count=3, needs=('nginx', 'curl'), other=TURNED_AWAY)
def nginx_limit_req_444_curl(lab):
    nginx(lab, '''limit_req_zone $binary_remote_addr zone=a:1m rate=20r/m;
        server { listen 8080; limit_req zone=a; limit_req_status 444;
                 location / { return 200 hello; } location /x {
                 root /nowhere; } }''')
    for _ in range(8):
        lab.run(CLIENT, ['curl', '-s', 'http://%s:8080/x' % SERVER_IP])
        lab.sleep(0.08)


@scenario(program='nginx', cause='rate_limit', end=CLIENT, kinds=SURPLUS,
          process='python3', count=3, needs=('nginx',), other=TURNED_AWAY)
def nginx_limit_req_444_kept_alive(lab):
    """The first requests of a connection pass, the one too many ends it."""
    nginx(lab, '''limit_req_zone $binary_remote_addr zone=a:1m rate=60r/m;
        server { listen 8080; root /nowhere; location / {
                 limit_req zone=a burst=2 nodelay; limit_req_status 444; } }
    ''')
    lab.python(CLIENT, '''
        import http.client, time
        c = http.client.HTTPConnection('%s', 8080)
        for i in range(30):
            try:
                c.request('GET', '/')
                c.getresponse().read()
            except (OSError, http.client.HTTPException) as e:
                print(repr(e))
                c.close()
            time.sleep(0.1)
    ''' % SERVER_IP)


@scenario(program='haproxy', cause='rate_limit', end=CLIENT, kinds=SURPLUS,
          process='python3', count=3, needs=('haproxy', 'node'),
          other=PROXIED)
def haproxy_conn_rate_reject(lab):
    haproxy(lab, [' stick-table type ip size 1k expire 10s store '
                  'conn_rate(8s)', ' tcp-request connection track-sc0 src',
                  ' tcp-request connection reject if '
                  '{ sc0_conn_rate gt 3 }'])
    tries(lab, 8080, 9, GET, 0.05)


@scenario(program='haproxy', cause='rate_limit', end=CLIENT, kinds=SURPLUS,
          process='curl', count=3, needs=('haproxy', 'node', 'curl'),
          other=PROXIED)
def haproxy_http_reject(lab):
    haproxy(lab, [' stick-table type ip size 1k expire 10s store '
                  'http_req_rate(8s)', ' http-request track-sc0 src',
                  ' http-request reject if { sc0_http_req_rate gt 3 }'])
    for _ in range(9):
        lab.run(CLIENT, ['curl', '-s', 'http://%s:8080/' % SERVER_IP])
        lab.sleep(0.05)


@scenario(program='haproxy', cause=None, end=CLIENT,
          needs=('haproxy', 'node', 'curl'),
          lookalike_of='haproxy_http_reject')
def haproxy_answers_429(lab):
    """A whole answer that says no is no failure of the connection."""
    haproxy(lab, [' stick-table type ip size 1k expire 10s store '
                  'http_req_rate(8s)', ' http-request track-sc0 src',
                  ' http-request deny deny_status 429 if '
                  '{ sc0_http_req_rate gt 3 }'])
    for _ in range(7):
        lab.run(CLIENT, ['curl', '-s', 'http://%s:8080/' % SERVER_IP])


@scenario(program='haproxy', cause='rate_limit', end=CLIENT, kinds=SURPLUS,
          process='python3', count=1, needs=('haproxy', 'node'),
          other=PROXIED)
def haproxy_429_while_uploading(lab):
    haproxy(lab, [' stick-table type ip size 1k expire 10s store '
                  'http_req_rate(8s)', ' http-request track-sc0 src',
                  ' http-request deny deny_status 429 if '
                  '{ sc0_http_req_rate gt 2 }'])
    lab.python(CLIENT, '''
        import socket, time
        for i in range(6):
            s = socket.create_connection(('%s', 8080))
            try:
                s.sendall(b'POST / HTTP/1.1\\r\\nHost: a\\r\\n'
                          b'Content-Length: 4000000\\r\\n\\r\\n')
                s.sendall(b'a' * 4000000)
                print(s.recv(65536))
            except OSError as e:
                print(repr(e))
            s.close()
            time.sleep(0.05)
    ''' % SERVER_IP)


@scenario(program='node', cause='rate_limit', end=CLIENT, kinds=SURPLUS,
          process='python3', count=3, needs=('node',), other=TURNED_AWAY)
def node_limiter_resets(lab):
    """A limiter in the application that destroys the socket."""
    node_server(lab, '''
        const seen = [];
        server.prependListener('request', q => {
            const now = Date.now();
            seen.push(now);
            while (seen[0] < now - 8000) seen.shift();
            if (seen.length > 3) q.socket.resetAndDestroy();
        });''')
    tries(lab, 8080, 9, GET, 0.05)


@scenario(program='nftables',
          cause=('rate_limit', 'firewall_reject', 'connection_refused'),
          end=CLIENT, kinds=('refused',), process='python3', count=2,
          needs=('node', 'nft'), other=dict(cause=('firewall_reject',
                                                   'rate_limit'),
                                            kinds=('sent',)))
def nft_syn_rate(lab):
    node_server(lab)
    lab.nft(SERVER, '''table ip f { chain i {
        type filter hook input priority 0;
        tcp dport 8080 tcp flags syn \\
        limit rate over 2/second burst 3 packets reject with tcp reset
        }
        }''')
    tries(lab, 8080, 9, GET, 0.05)


@scenario(program='nftables', cause=('rate_limit', 'firewall_reject'),
          end=CLIENT, kinds=('received',), process='python3', count=2,
          needs=('node', 'nft'), other=dict(cause=('firewall_reject',
                                                   'rate_limit', 'late_data'),
                                            kinds=('sent',)))
def nft_request_rate(lab):
    node_server(lab)
    lab.nft(SERVER, '''table ip f { chain i {
        type filter hook input priority 0;
        tcp dport 8080 tcp flags psh \\
        limit rate over 2/second burst 3 packets reject with tcp reset
        }
        }''')
    tries(lab, 8080, 9, GET, 0.05)


@scenario(program='node', cause='peer_closed_unread', end=CLIENT,
          kinds=('received',), process='python3', count=1, needs=('node',),
          lookalike_of='node_limiter_resets', other=TURNED_AWAY)
def node_one_upload_refused(lab):
    """One bad request among good ones: closed with most of it unread."""
    node_server(lab, '''
        server.prependListener('request', q => {
            if (q.url === '/bad') q.socket.destroy();
        });''')
    tries(lab, 8080, 3, GET)
    lab.python(CLIENT, '''
        import socket
        s = socket.create_connection(('%s', 8080))
        try:
            s.sendall(b'POST /bad HTTP/1.1\\r\\nHost: a\\r\\n'
                      b'Content-Length: 9000000\\r\\n\\r\\n' + b'a' * 9000000)
            print(s.recv(1000))
        except OSError as e:
            print(repr(e))
    ''' % SERVER_IP)
    tries(lab, 8080, 3, GET)
