# SPDX-License-Identifier: Apache-2.0
"""Kept-alive HTTP connections that the server's idle timer closes, through
the pools of real clients; and what looks like it."""
from lab import CLIENT, PYTHON, SERVER, SERVER_IP, scenario
from http_servers import (IDLE, PORT, SERVERS, background_python,
                          start_gunicorn, start_nginx, start_node)

SENT = ('late_data', 'close_with_unread_data', 'stale_keepalive')

# One connection: a request, a pause, a second one on the same socket.
REUSE = '''
    import http.client, sys, time
    host, port, times = sys.argv[1], int(sys.argv[2]), int(sys.argv[4])
    for _ in range(times):
        c = http.client.HTTPConnection(host, port, timeout=5)
        c.request('GET', '/')
        c.getresponse().read()
        time.sleep(float(sys.argv[3]))
        try:
            c.request('GET', '/')
            c.getresponse().read()
            print('worked')
        except (OSError, http.client.HTTPException) as e:
            print(repr(e))
        c.close()
'''


def fin_seen(name, start, needs):
    """The FIN had arrived; the pool did not look, and used it again."""
    @scenario(name='%s_reused_after_fin' % name, program=name,
              cause='stale_keepalive', end=CLIENT,
              kinds=('received', 'hangup'), process='python3', needs=needs,
              other=dict(cause=SENT, kinds=('sent',)))
    def reuse(lab):
        start(lab)
        lab.python(CLIENT, REUSE, SERVER_IP, PORT, IDLE + 1.6, 1)


def crossing(name, start, needs, apart=.23, title='%s_crosses_close'):
    """The request is on its way when the server's timer fires."""
    @scenario(name=title % name, program=name,
              cause='stale_keepalive', end=CLIENT,
              kinds=('received', 'hangup'), process='python3', needs=needs,
              other=dict(cause=SENT, kinds=('sent',)), count=1, limit=20)
    def cross(lab):
        lab.delay(250)
        start(lab)
        # The answer took 250 ms to come: idle at the server for less.
        lab.python(CLIENT, '''
            import http.client, sys, time, threading
            def one(pause):
                c = http.client.HTTPConnection('%s', %d, timeout=5)
                c.request('GET', '/')
                c.getresponse().read()
                time.sleep(pause)
                try:
                    c.request('GET', '/')
                    c.getresponse().read()
                    print('worked')
                except (OSError, http.client.HTTPException) as e:
                    print(repr(e))
                c.close()
            for p in (-.15, 0, .15):
                t = threading.Thread(target=one, args=(%f + p,))
                t.start()
                time.sleep(%f)
        ''' % (SERVER_IP, PORT, IDLE, apart))


for name_, (start_, needs_) in SERVERS.items():
    fin_seen(name_, start_, needs_)
    crossing(name_, start_, needs_)
# Opened together, the connections of a pool are closed together as well.
crossing('uvicorn', SERVERS['uvicorn'][0], ('uvicorn',), .01,
         '%s_crosses_close_of_pool')


NODE_DEFAULT = '''
    const http = require('http');
    http.createServer((q, r) => { r.end('hello'); }).listen(8080);
'''
NODE_STALLED = '''
    const pause = +process.argv[2];
    const stall = ms => { const t = Date.now() + ms; while (Date.now() < t); };
'''


def node_default(lab):
    proc = lab.node(SERVER, NODE_DEFAULT, background=True)
    lab.wait_port(SERVER, PORT, proc=proc)


@scenario(program='node', cause='stale_keepalive', end=CLIENT,
          kinds=('received', 'hangup'), process='node', needs=('node',),
          other=dict(cause=SENT, kinds=('sent',)))
def node_default_agent_stalled(lab):
    """http.Agent knows the hint of 5 s, but its event loop is stalled."""
    node_default(lab)
    lab.node(CLIENT, NODE_STALLED + '''
        const http = require('http');
        const agent = new http.Agent({keepAlive: true});
        const get = cb => http.get({host: '10.77.2.2', port: 8080, agent},
            r => { r.resume(); r.on('end', cb); })
            .on('error', e => console.log(e.code, e.message));
        get(() => setTimeout(() => {
            stall(pause); get(() => console.log('worked'));
        }, 20));
    ''', '6400', timeout=12)


@scenario(program='node', cause='stale_keepalive', end=CLIENT,
          kinds=('received', 'hangup'), process='node', needs=('node',),
          other=dict(cause=SENT, kinds=('sent',)))
def nginx_fetch_stalled(lab):
    start_nginx(lab)
    lab.node(CLIENT, NODE_STALLED + '''
        const get = () => fetch('http://10.77.2.2:8080/').then(r => r.text());
        get().then(() => setTimeout(() => {
            stall(pause);
            get().then(() => console.log('worked'),
                       e => console.log(e.cause.code));
        }, 20));
    ''', '2400', timeout=12)


@scenario(program='node', cause=('stale_keepalive', 'peer_closed_unread'),
          end=CLIENT, kinds=('received', 'hangup'), process='python3',
          syscall='read', needs=('node',), count=2,
          other=dict(cause=('stale_keepalive', 'close_with_unread_data'),
                     kinds=('sent',), process='node', syscall='close'))
def node_server_stalled(lab):
    """nodejs/node#43456: the server's loop is busy when its timer is due, and
    the timer goes first: the request waits unread. For the client it is an
    abort of the application 0.8 s after its request; no timer shows."""
    proc = lab.node(SERVER, '''
        const http = require('http');
        const s = http.createServer((q, r) => {
            if (q.url == '/work') {
                const t = Date.now() + 1000; while (Date.now() < t);
            }
            r.end('hello');
        });
        s.keepAliveTimeout = 1000; s.listen(8080);
    ''', background=True)
    lab.wait_port(SERVER, PORT, proc=proc)
    lab.python(CLIENT, '''
        import http.client, threading, time
        def get(c, path='/'):
            c.request('GET', path)
            c.getresponse().read()
        def connection():
            return http.client.HTTPConnection('10.77.2.2', 8080, timeout=5)
        for _ in range(2):
            c = connection()
            get(c)
            time.sleep(1.6)
            t = threading.Thread(target=get, args=(connection(), '/work'))
            t.start()
            time.sleep(.2)
            try:
                get(c)
                print('worked')
            except OSError as e:
                print(repr(e))
            t.join()
    ''')


@scenario(program='node', cause='stale_keepalive', end=CLIENT, count=3,
          kinds=('received', 'hangup'), process='python3', needs=('node',),
          other=dict(cause=SENT, kinds=('sent',)))
def node_whole_pool_stale(lab):
    """urllib3#3184: every pooled connection is stale, the retry fails too."""
    start_node(lab)
    lab.python(CLIENT, '''
        import http.client, time
        pool = [http.client.HTTPConnection('10.77.2.2', 8080, timeout=5)
                for _ in range(3)]
        for c in pool:
            c.request('GET', '/')
            c.getresponse().read()
        time.sleep(3.3)
        for c in pool:
            try:
                c.request('GET', '/')
                c.getresponse().read()
            except (OSError, http.client.HTTPException) as e:
                print(repr(e))
    ''')


@scenario(program='requests', cause=None, end=CLIENT,
          needs=('nginx', 'python:requests'), lookalike_of='stale_keepalive')
def requests_looks_before_use(lab):
    """urllib3 sees the FIN and opens another connection: nothing failed."""
    start_nginx(lab)
    p = lab.python(CLIENT, '''
        import requests, time
        s = requests.Session()
        for _ in range(2):
            print(s.get('http://10.77.2.2:8080/').status_code)
            time.sleep(2.8)
    ''')
    assert p.stdout.split() == ['200', '200'], p


@scenario(program='curl', cause=None, end=CLIENT, needs=('nginx', 'curl'),
          lookalike_of='stale_keepalive')
def curl_looks_before_use(lab):
    start_nginx(lab)
    lab.run(CLIENT, ['curl', '-sS', '--rate', '20/m',
                     'http://%s:%d/[1-2]' % (SERVER_IP, PORT)])


@scenario(program='node', cause=None, end=CLIENT, needs=('node',),
          lookalike_of='stale_keepalive')
def node_agent_in_time(lab):
    """Not stalled, the agent drops the free socket by the server's hint."""
    node_default(lab)
    lab.node(CLIENT, '''
        const http = require('http');
        const agent = new http.Agent({keepAlive: true});
        const get = cb => http.get({host: '10.77.2.2', port: 8080, agent},
            r => { r.resume(); r.on('end', cb); });
        get(() => setTimeout(() => get(() => process.exit()), 6500));
    ''', timeout=12)


@scenario(program='requests', cause='stale_keepalive', end=CLIENT,
          kinds=('received', 'hangup'), process='python3',
          needs=('nginx', 'python:requests'),
          other=dict(cause=SENT, kinds=('sent',)))
def requests_crosses_close(lab):
    lab.delay(200)
    start_nginx(lab)
    lab.python(CLIENT, '''
        import requests, time
        s = requests.Session()
        for i in range(2):
            try:
                s.get('http://10.77.2.2:8080/')
                time.sleep(1.9)
            except requests.ConnectionError as e:
                print(e)
    ''')


@scenario(program='ruby', cause=None, end=CLIENT, needs=('nginx', 'ruby'),
          lookalike_of='stale_keepalive')
def ruby_looks_before_use(lab):
    start_nginx(lab)
    lab.run(CLIENT, ['ruby', lab.file('client.rb', '''
require 'net/http'
http = Net::HTTP.new('10.77.2.2', 8080)
http.keep_alive_timeout = 30
http.max_retries = 0
http.start
2.times do
  begin
    puts http.get('/').code
  rescue SystemCallError, IOError => e
    puts e.class
  end
  sleep 3.2
end
''')], timeout=12)


def pooling_proxy(lab):
    """An nginx on the client's host that keeps connections to the server."""
    lab.start(CLIENT, ['nginx', '-e', 'stderr', '-c', lab.file(
        'pool.conf', '''
user root; worker_processes 1; daemon off; pid %s/pool.pid;
error_log stderr warn;
events { worker_connections 256; }
http { access_log off; proxy_temp_path %s/p2; client_body_temp_path %s/b2;
    fastcgi_temp_path %s/f2; uwsgi_temp_path %s/u2; scgi_temp_path %s/s2;
    upstream s { server 10.77.2.2:8080; keepalive 8; }
    server { listen 127.0.0.1:8000; location / { proxy_pass http://s;
        proxy_http_version 1.1; proxy_set_header Connection ""; } } }
''' % ((lab.dir,) * 6))], port=8000)


@scenario(program='nginx', cause='stale_keepalive', end=CLIENT,
          kinds=('received', 'hangup'), process='nginx', limit=20,
          needs=('nginx', 'node', 'curl'), other=dict(
              cause=SENT, kinds=('sent',)))
def nginx_upstream_pool_crosses_close(lab):
    """\"upstream prematurely closed connection\" of a proxy whose pool keeps
    connections longer than the backend."""
    lab.delay(250)
    start_node(lab)
    pooling_proxy(lab)
    # One of them leaves within the half second in which both cross.
    for pause in 1.35, 1.5, 1.65, 1.8:
        lab.run(CLIENT, ['curl', '-sS', 'http://127.0.0.1:8000/'])
        lab.sleep(pause)
    lab.run(CLIENT, ['curl', '-sS', 'http://127.0.0.1:8000/'])


@scenario(program='nginx', cause='stale_keepalive', end=CLIENT,
          kinds=('received', 'hangup'), process='python3',
          needs=('nginx', 'openssl'), other=dict(
              cause=SENT, kinds=('sent',)))
def nginx_tls_reused(lab):
    cert, key = lab.certificate()
    start_nginx(lab, http='''server { listen 10.77.2.2:8443 ssl;
        ssl_certificate %s; ssl_certificate_key %s;
        location / { return 200 hello; } }''' % (cert, key))
    lab.python(CLIENT, '''
        import http.client, ssl, time
        c = http.client.HTTPSConnection('10.77.2.2', 8443, timeout=5,
            context=ssl._create_unverified_context())
        c.request('GET', '/')
        c.getresponse().read()
        time.sleep(3.4)
        try:
            c.request('GET', '/')
            c.getresponse().read()
        except (OSError, http.client.HTTPException) as e:
            print(repr(e))
    ''')


def killed_while_pooled(name, start, needs, sig):
    """Idle in the pool when the server died: the reused one meets a RST, and
    the retry is refused."""
    @scenario(name='%s_died_under_pool_%s' % (name, sig), program=name,
              cause='server_crash', end=CLIENT, process='python3',
              kinds=('received', 'hangup', 'refused'), needs=needs,
              lookalike_of='%s_reused_after_fin' % name, count=3)
    def died(lab):
        server = start(lab)
        client = background_python(lab, CLIENT, '''
            import http.client, time
            pool = [http.client.HTTPConnection('10.77.2.2', 8080, timeout=5)
                    for _ in range(3)]
            for c in pool:
                c.request('GET', '/')
                c.getresponse().read()
            print('pooled', flush=True)
            time.sleep(1.7)
            for c in pool:
                try:
                    c.request('GET', '/')
                    c.getresponse().read()
                except (OSError, http.client.HTTPException) as e:
                    print(repr(e))
            try:
                http.client.HTTPConnection('10.77.2.2', 8080).connect()
            except OSError as e:
                print(repr(e))
        ''')
        lab.wait_line(client, 'pooled')
        lab.sleep(.83)
        if sig == 'kill':
            server.kill()
        else:
            server.stop()
        client.wait(6)


for sig_ in ('kill', 'term'):
    killed_while_pooled('node', start_node, ('node',), sig_)
killed_while_pooled('httpserver', SERVERS['httpserver'][0], (PYTHON,), 'kill')
killed_while_pooled('gunicorn', SERVERS['gunicorn'][0], ('gunicorn',), 'term')


@scenario(program='gunicorn', cause='server_crash', end=CLIENT, count=3,
          kinds=('received', 'hangup'), process='python3',
          needs=('gunicorn',), lookalike_of='gunicorn_reused_after_fin')
def gunicorn_reloaded_under_pool(lab):
    """SIGHUP: new workers, the old ones end. Nobody is refused."""
    server = start_gunicorn(lab, more=('--keep-alive', 30))
    client = background_python(lab, CLIENT, '''
        import http.client, time
        pool = []
        for _ in range(4):
            c = http.client.HTTPConnection('10.77.2.2', 8080, timeout=5)
            c.request('GET', '/')
            c.getresponse().read()
            pool.append(c)
            time.sleep(.31)
        print('pooled', flush=True)
        time.sleep(2.5)
        for c in pool:
            try:
                c.request('GET', '/')
                c.getresponse().read()
            except (OSError, http.client.HTTPException) as e:
                print(repr(e))
    ''')
    lab.wait_line(client, 'pooled')
    lab.sleep(.47)
    server.signal(1)
    client.wait(6)
