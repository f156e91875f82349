# SPDX-License-Identifier: Apache-2.0
"""Proxies in the middle that end connections by a timer of their own: by idle
time (lb_idle_timeout) or by age (vpn_proxy_limit)."""
from lab import (CLIENT, PYTHON, ROUTER, ROUTER_WEST, SERVER, SERVER_IP,
                 scenario)
from http_servers import background_python

IN, OUT = 9000, 9001
IDLE = 2

# A line protocol: "wait N" is answered after N seconds, anything at once.
LINE_SERVER = '''
    import socketserver, time
    class H(socketserver.StreamRequestHandler):
        def handle(self):
            try:
                for line in self.rfile:
                    word = line.split()
                    if word and word[0] == b'wait':
                        time.sleep(float(word[1]))
                    self.wfile.write(b'ok ' + line)
            except OSError as e:
                print(repr(e), flush=True)
    class S(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
    S(('10.77.2.2', 9001), H).serve_forever()
'''
TALK = '''
    import socket, sys, threading, time
    def connect(tls=False):
        s = socket.create_connection(('10.77.1.1', 9000), 5)
        if tls:
            import ssl
            s = ssl._create_unverified_context().wrap_socket(s)
        return s
    def ask(s, line):
        s.sendall(line)
        return s.recv(100)
    def trying(deed, *args):
        try:
            print(deed(*args), flush=True)
        except OSError as e:
            print(repr(e), flush=True)
'''
WAIT = TALK + '''
    def one(tls):
        s = connect(tls)
        ask(s, b'hello\\n')
        time.sleep(.1)
        trying(ask, s, b'wait 3.7\\n')
        time.sleep(1.4)
        s.close()
    for _ in range(2):
        t = [threading.Thread(target=one, args=(len(sys.argv) > 1,))
             for _ in range(2)]
        for x in t:
            x.start()
            time.sleep(.3)
        for x in t:
            x.join()
'''
PUSH = TALK + '''
    def one(tls, pause):
        s = connect(tls)
        ask(s, b'hello\\n')
        time.sleep(.3)
        ask(s, b'hello\\n')
        time.sleep(pause)
        trying(ask, s, b'again\\n')
        trying(ask, s, b'again\\n')
        s.close()
    for pause in 3.3, 2.7:
        one(len(sys.argv) > 1, pause)
'''
BUSY = TALK + '''
    def one(pause):
        s = connect()
        try:
            while ask(s, b'hello\\n'):
                time.sleep(pause)
        except OSError as e:
            print(repr(e))
        s.close()
    t = [threading.Thread(target=one, args=(.03 + .05 * i,))
         for i in range(4)]
    for x in t:
        x.start()
        time.sleep(.7)
    for x in t:
        x.join()
'''


def through_haproxy(lab):
    lab.start(ROUTER, ['haproxy', '-f', lab.file('haproxy.cfg', '''
defaults
    mode tcp
    timeout client %ds
    timeout server %ds
    timeout connect 2s
listen l
    bind %s:%d
    server s %s:%d
''' % (IDLE, IDLE, ROUTER_WEST, IN, SERVER_IP, OUT))], port=IN)


def through_nginx(lab):
    lab.start(ROUTER, ['nginx', '-e', 'stderr', '-c', lab.file(
        'nginx.conf', '''
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
user root; worker_processes 1; daemon off; pid %s/nginx.pid;
error_log stderr warn;
events { worker_connections 256; }
stream { server { listen %s:%d; proxy_pass %s:%d; proxy_timeout %ds; } }
''' % (lab.dir, ROUTER_WEST, IN, SERVER_IP, OUT, IDLE))], port=IN)


def through_stunnel(lab):
    cert, key = lab.certificate()
    lab.start(ROUTER, ['stunnel4', lab.file('stunnel.conf', '''
foreground = yes
pid =
debug = notice
[s]
accept = %s:%d
connect = %s:%d
cert = %s
key = %s
TIMEOUTidle = %d
TIMEOUTclose = 0
''' % (ROUTER_WEST, IN, SERVER_IP, OUT, cert, key, IDLE))], port=IN)


def through_socat(lab):
    lab.start(ROUTER, ['socat', '-T', IDLE, 'TCP-LISTEN:%d,fork,reuseaddr'
                       % IN, 'TCP:%s:%d' % (SERVER_IP, OUT)], port=IN)


STREAM = '/usr/lib/nginx/modules/ngx_stream_module.so'
PROXIES = {
    'haproxy': (through_haproxy, ('haproxy',), ()),
    'nginx': (through_nginx, ('nginx', STREAM), ()),
    'stunnel': (through_stunnel, ('stunnel4', 'openssl'), ('tls',)),
    'socat': (through_socat, ('socat',), ()),
}
SENT = ('late_data', 'close_with_unread_data', 'lb_idle_timeout',
        'linger_zero', 'process_exit', 'stale_keepalive')


def idle_timer(name, start, needs, args):
    """In the middle of a request that takes longer than the timer. The
    server's end sees the mirror: closed while it owes an answer, which a
    client that gives up looks like as well."""
    @scenario(name='%s_idle_while_waiting' % name, program=name,
              cause='lb_idle_timeout', end=CLIENT, process='python3',
              kinds=('received', 'hangup'), needs=needs, count=4, limit=25,
              other=dict(cause=('lb_idle_timeout', 'peer_aborted'),
                         kinds=('received', 'hangup'), process='python3'))
    def waiting(lab):
        background_python(lab, SERVER, LINE_SERVER, OUT)
        start(lab)
        lab.python(CLIENT, WAIT, *args, timeout=15)

    @scenario(name='%s_idle_then_written' % name, program=name,
              cause='lb_idle_timeout', end=CLIENT, process='python3',
              kinds=('received', 'hangup'), needs=needs, count=2,
              other=dict(cause=('lb_idle_timeout', 'peer_aborted'),
                         kinds=('received', 'hangup')))
    def written(lab):
        background_python(lab, SERVER, LINE_SERVER, OUT)
        start(lab)
        lab.python(CLIENT, PUSH, *args)


for name_, (start_, needs_, args_) in PROXIES.items():
    idle_timer(name_, start_, needs_, args_)


WEB_SOCKET_SERVER = '''
    const http = require('http');
    const s = http.createServer((q, r) => r.end('hello'));
    s.on('upgrade', (q, c) => {
        c.on('error', e => console.log(e.code));
        c.write('HTTP/1.1 101 Switching Protocols\\r\\n' +
                'Upgrade: websocket\\r\\nConnection: Upgrade\\r\\n' +
                'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=' +
                '\\r\\n\\r\\n');
        c.on('data', d => c.write(d));
    });
    s.listen(9001, '10.77.2.2');
'''
WEB_SOCKET_CLIENT = TALK + '''
    for pause in 2.9, 3.6:
        s = connect()
        ask(s, b'GET /chat HTTP/1.1\\r\\nHost: x\\r\\nUpgrade: websocket\\r\\n'
            b'Connection: Upgrade\\r\\nSec-WebSocket-Version: 13\\r\\n'
            b'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n')
        time.sleep(.4)
        ask(s, b'frame')
        time.sleep(pause)
        trying(ask, s, b'frame')
        trying(ask, s, b'frame')
        s.close()
'''


def nginx_http(lab):
    lab.start(ROUTER, ['nginx', '-e', 'stderr', '-c', lab.file(
        'nginx.conf', '''
user root; worker_processes 1; daemon off; pid %s/nginx.pid;
error_log stderr warn;
events { worker_connections 256; }
http { access_log off; proxy_temp_path %s/p; client_body_temp_path %s/b;
    fastcgi_temp_path %s/f; uwsgi_temp_path %s/u; scgi_temp_path %s/s;
    server { listen %s:%d; location / { proxy_pass http://%s:%d;
        proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $http_connection; proxy_buffering off;
        proxy_read_timeout %ds; } } }
''' % ((lab.dir,) * 6 + (ROUTER_WEST, IN, SERVER_IP, OUT, IDLE)))], port=IN)


def haproxy_http(lab):
    lab.start(ROUTER, ['haproxy', '-f', lab.file('haproxy.cfg', '''
defaults
    mode http
    timeout client 30s
    timeout server 30s
    timeout connect 2s
    timeout tunnel %ds
listen l
    bind %s:%d
    server s %s:%d
''' % (IDLE, ROUTER_WEST, IN, SERVER_IP, OUT))], port=IN)


def web_socket(name, start):
    @scenario(name='%s_web_socket_idle' % name, program=name,
              cause='lb_idle_timeout', end=CLIENT, process='python3',
              kinds=('received', 'hangup'), needs=(name, 'node'), count=2,
              other=dict(cause=('lb_idle_timeout', 'peer_aborted'),
                         kinds=('received', 'hangup')))
    def idle(lab):
        server = lab.node(SERVER, WEB_SOCKET_SERVER, background=True)
        lab.wait_port(SERVER, OUT, proc=server)
        start(lab)
        lab.python(CLIENT, WEB_SOCKET_CLIENT, timeout=12)


@scenario(program='haproxy', cause=('lb_idle_timeout', 'peer_aborted'),
          end=SERVER, process='node', kinds=('received', 'hangup'), count=0,
          needs=('haproxy', 'node', 'curl'))
def haproxy_504_seen_by_backend(lab):
    """HAProxy's timeout server: 504 to the client, and away from the backend,
    which writes on."""
    server = lab.node(SERVER, '''
        const net = require('net');
        net.createServer(c => {
            c.on('error', e => console.log(e.code));
            c.on('data', () => setTimeout(() => {
                c.write('HTTP/1.1 200 OK\\r\\n');
                setTimeout(() => c.write('X: y\\r\\n'), 100);
            }, 2900));
        }).listen(9001);
    ''', background=True)
    lab.wait_port(SERVER, OUT, proc=server)
    lab.start(ROUTER, ['haproxy', '-f', lab.file('haproxy.cfg', '''
defaults
    mode http
    timeout client 30s
    timeout server %ds
    timeout connect 2s
listen l
    bind %s:%d
    server s %s:%d
''' % (IDLE, ROUTER_WEST, IN, SERVER_IP, OUT))], port=IN)
    lab.run(CLIENT, ['curl', '-s', 'http://%s:%d/' % (ROUTER_WEST, IN)])
    lab.sleep(1.5)


web_socket('nginx', nginx_http)
web_socket('haproxy', haproxy_http)


@scenario(program='nginx', cause=('lb_idle_timeout', 'peer_aborted'),
          end=SERVER, process='python3', kinds=('received',),
          needs=('nginx',))
def nginx_504_seen_by_backend(lab):
    """nginx answers 504 and leaves; the backend's answer comes too late."""
    background_python(lab, SERVER, '''
        import http.server, time
        class H(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            def do_GET(self):
                time.sleep(3.1)
                for _ in range(3):
                    self.wfile.write(b'HTTP/1.1 200 OK\\r\\n')
                    time.sleep(.1)
        http.server.ThreadingHTTPServer(('10.77.2.2', 9001),
                                        H).serve_forever()
    ''', OUT)
    nginx_http(lab)
    for _ in range(2):
        lab.run(CLIENT, ['curl', '-s', 'http://%s:%d/' % (ROUTER_WEST, IN)])
    lab.sleep(1.6)


# By age

def lifetime_socat(lab):
    lab.start(ROUTER, ['socat', 'TCP-LISTEN:%d,fork,reuseaddr' % IN,
                       'EXEC:timeout 3 socat - TCP\\:%s\\:%d' % (
                           SERVER_IP, OUT)], port=IN)


def lifetime_python(lab):
    background_python(lab, ROUTER, '''
        import asyncio
        async def copy(r, w):
            while data := await r.read(65536):
                w.write(data)
        async def serve(r, w):
            r2, w2 = await asyncio.open_connection('10.77.2.2', 9001)
            both = asyncio.gather(copy(r, w2), copy(r2, w))
            try:
                await asyncio.wait_for(both, 3)
            except (asyncio.TimeoutError, OSError):
                pass
            w.transport.abort()
            w2.transport.abort()
        async def main():
            s = await asyncio.start_server(serve, '10.77.1.1', 9000)
            await s.serve_forever()
        asyncio.run(main())
    ''', IN)


def by_age(name, start, needs):
    @scenario(name='%s_lifetime' % name, program=name, end=CLIENT,
              cause='vpn_proxy_limit', process='python3', count=4,
              kinds=('received', 'hangup'), needs=needs,
              other=dict(cause=('vpn_proxy_limit', 'peer_aborted',
                                'graceful_race'),
                         kinds=('received', 'hangup')))
    def limit(lab):
        """The server's end sees a client that leaves between two requests or
        in the middle of one."""
        background_python(lab, SERVER, LINE_SERVER, OUT)
        start(lab)
        lab.python(CLIENT, BUSY, timeout=12)


by_age('socat', lifetime_socat, ('socat',))
by_age('asyncio', lifetime_python, (PYTHON,))


def lifetime_ncat(lab):
    lab.start(ROUTER, ['ncat', '-lk', ROUTER_WEST, IN, '-c',
                       'timeout 2 ncat %s %d' % (SERVER_IP, OUT)], port=IN)


by_age('ncat', lifetime_ncat, ('ncat',))


@scenario(program='socat', cause='server_crash', end=CLIENT, count=4,
          process='python3', kinds=('received', 'hangup', 'refused'),
          needs=('socat',), lookalike_of='vpn_proxy_limit')
def proxy_killed_under_busy_ones(lab):
    """All at one moment, at different ages, and then nothing listens."""
    background_python(lab, SERVER, LINE_SERVER, OUT)
    proxy = background_python(lab, ROUTER, '''
        import asyncio
        async def copy(r, w):
            while data := await r.read(65536):
                w.write(data)
        async def serve(r, w):
            r2, w2 = await asyncio.open_connection('10.77.2.2', 9001)
            await asyncio.gather(copy(r, w2), copy(r2, w))
        async def main():
            s = await asyncio.start_server(serve, '10.77.1.1', 9000)
            await s.serve_forever()
        asyncio.run(main())
    ''', IN)
    client = background_python(lab, CLIENT, BUSY + '''
    trying(connect)
    ''')
    lab.sleep(4.4)
    proxy.kill()
    client.wait()
