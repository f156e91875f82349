# SPDX-License-Identifier: Apache-2.0
"""Ends by the hand of a program: servers that close early, answer before the
body was read or die; clients that leave."""
import os
import signal

from lab import CLIENT, PYTHON, SERVER, SERVER_IP, scenario, undent
from http_servers import (PORT, background_python, curl, node_server,
                          start_apache, start_gunicorn, start_nginx)

URL = 'http://%s:%d' % (SERVER_IP, PORT)


def python_server(lab, body):
    return background_python(lab, SERVER, '''
        import http.server, os, signal, socket, struct, sys, time
        class H(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            def do_GET(self):
                %s
            do_POST = do_GET
        class S(http.server.ThreadingHTTPServer):
            def handle_error(self, request, address):
                print(repr(sys.exc_info()[1]), flush=True)
        S(('10.77.2.2', 8080), H).serve_forever()
    ''' % undent(body).strip().replace('\n', '\n' + 16 * ' '), PORT)


GET = '''
    import http.client, sys, time
    c = http.client.HTTPConnection('10.77.2.2', 8080, timeout=8)
    try:
        c.request('GET', sys.argv[1] if len(sys.argv) > 1 else '/')
        r = c.getresponse()
        r.read()
        print(r.status)
    except (OSError, http.client.HTTPException) as e:
        print(repr(e))
'''
NODE_GET = '''
    require('http').get('http://10.77.2.2:8080' + (process.argv[2] || '/'),
        r => { r.resume(); r.on('end', () => console.log('worked')); })
        .on('error', e => console.log(e.code, e.message));
'''

# The server closes in order before it answers

EARLY = dict(cause='peer_closed_early', end=CLIENT, kinds=('hangup',))


@scenario(program='node', process='node', syscall='read', needs=('node',),
          **EARLY)
def socket_hang_up(lab):
    node_server(lab, 'setTimeout(() => q.socket.destroy(), 130)')
    for _ in range(2):
        lab.node(CLIENT, NODE_GET)
        lab.sleep(.37)


@scenario(program='nginx', process='curl', needs=('nginx', 'curl'), **EARLY)
def nginx_444(lab):
    start_nginx(lab, location='return 444;')
    curl(lab, URL)
    lab.sleep(.6)
    curl(lab, URL)


@scenario(program='python', process='curl', needs=('curl',), **EARLY)
def handler_fails(lab):
    """An exception in the handler of a Python server: closed, no answer."""
    python_server(lab, '''
                time.sleep(.23)
                raise ValueError('no')
    ''')
    curl(lab, URL)


@scenario(program='gunicorn', process='curl', end=CLIENT,
          cause=('peer_closed_early', 'server_crash'), kinds=('hangup',),
          needs=('gunicorn', 'curl'))
def gunicorn_worker_timeout(lab):
    """The arbiter kills a worker that is busy for more than --timeout: one
    process of the server died, the server goes on."""
    lab.file('wsgi.py', '''
import time
def app(environ, start_response):
    time.sleep(9)
''')
    lab.start(SERVER, ['gunicorn', '--timeout', '1', '-b', '10.77.2.2:8080',
                       'wsgi:app'], port=PORT, env={'PYTHONPATH': lab.dir})
    curl(lab, URL)


@scenario(program='php', process='curl', end=CLIENT, count=2,
          cause=('server_crash',), kinds=('hangup', 'received', 'refused'),
          needs=('php', 'curl'), lookalike_of='peer_closed_early')
def php_dies_in_request(lab):
    lab.file('index.php', '<?php usleep(400000); system("kill -9 " . '
             'getmypid());')
    lab.start(SERVER, ['php', '-S', '10.77.2.2:8080', '-t', lab.dir],
              port=PORT)
    curl(lab, '--retry', '1', '--retry-all-errors', '--retry-delay', '1', URL)


def crash(name, start, needs, path='/'):
    """Killed while it owes answers: FINs together, then refusals."""
    @scenario(name='%s_killed_while_serving' % name, program=name, count=3,
              cause='server_crash', end=CLIENT, process='python3',
              kinds=('hangup', 'received', 'refused'), needs=needs,
              lookalike_of='peer_closed_early')
    def killed(lab):
        start(lab)
        clients = [background_python(lab, CLIENT, GET.replace(
            'sys.argv[1] if len(sys.argv) > 1 else', repr(path) + ' or'))
            for _ in range(3)]
        lab.sleep(.9)
        lab.kill_all(SERVER)
        for c in clients:
            c.wait()
        lab.sleep(.2)
        lab.python(CLIENT, GET)


def slow_node(lab):
    return node_server(lab, 'setTimeout(() => r.end("late"), 4000)')


def slow_nginx(lab):
    """nginx waits for an upstream that does not answer."""
    background_python(lab, SERVER, '''
        import socket, time
        s = socket.create_server(('127.0.0.1', 8081))
        kept = []
        while True:
            kept.append(s.accept())
    ''', 8081)
    return start_nginx(lab, location='proxy_pass http://127.0.0.1:8081;')


crash('node', slow_node, ('node',))
crash('nginx', slow_nginx, ('nginx',))
crash('gunicorn', start_gunicorn, ('gunicorn',), '/slow')


@scenario(program='nginx', count=3, cause='server_crash', end=CLIENT,
          process='python3', kinds=('hangup', 'received'), needs=('nginx',),
          lookalike_of='peer_closed_early')
def nginx_worker_killed(lab):
    """A worker dies with the requests it serves; the master goes on."""
    server = slow_nginx(lab)
    clients = [background_python(lab, CLIENT, GET) for _ in range(3)]
    lab.sleep(1.2)
    children = '/proc/%d/task/%d/children' % (server.pid, server.pid)
    with open(children) as f:
        for pid in f.read().split():
            os.kill(int(pid), signal.SIGKILL)
    for c in clients:
        c.wait()


# The answer comes before the request was read

UPLOAD = '''
    import http.client, sys
    c = http.client.HTTPConnection('10.77.2.2', 8080, timeout=8)
    try:
        c.request('POST', sys.argv[1], b'x' * 8000000)
        print(c.getresponse().status)
    except (OSError, http.client.HTTPException) as e:
        print(repr(e))
'''
UNREAD = dict(cause='peer_closed_unread', end=CLIENT, kinds=('received',))
# What arrives after the close meets a RST without any call.
OTHER_UNREAD = dict(cause=('close_with_unread_data', 'late_data'),
                    kinds=('sent',), syscall=('close', None))


@scenario(program='nginx', process='python3', needs=('nginx',),
          syscall=('write', 'read'), other=dict(OTHER_UNREAD,
                                                process='nginx'), **UNREAD)
def nginx_413_slow_upload(lab):
    """nginx reads on for lingering_time, then closes."""
    start_nginx(lab, http='client_max_body_size 1k; lingering_time 1s;'
                'lingering_timeout 1s;')
    lab.python(CLIENT, '''
        import http.client, time
        def body():
            for _ in range(60):
                time.sleep(.05)
                yield b'x' * 30000
        for _ in range(2):
            c = http.client.HTTPConnection('10.77.2.2', 8080, timeout=8)
            try:
                c.request('POST', '/', body(), {'Content-Length': '1800000'})
                print(c.getresponse().status)
            except (OSError, http.client.HTTPException) as e:
                print(repr(e))
    ''')


@scenario(program='node', process='python3', needs=('node',),
          other=dict(OTHER_UNREAD, process='node'), **UNREAD)
def node_413(lab):
    node_server(lab, '''
        r.writeHead(413, {Connection: 'close'}); r.end('too much');''')
    for _ in range(2):
        lab.python(CLIENT, UPLOAD, '/')
        lab.sleep(.3)


@scenario(program='node', process='node', needs=('node',),
          other=dict(OTHER_UNREAD, process='node'), **UNREAD)
def node_413_to_node(lab):
    node_server(lab, '''
        r.writeHead(413, {Connection: 'close'}); r.end('too much');''')
    lab.node(CLIENT, '''
        const http = require('http');
        const q = http.request({host: '10.77.2.2', port: 8080,
                                method: 'POST'}, r => {
            console.log(r.statusCode); r.resume(); });
        q.on('error', e => console.log(e.code));
        q.end(Buffer.alloc(8000000));
    ''')


@scenario(program='gunicorn', process='python3', needs=(
          'gunicorn', 'python:requests'), other=dict(OTHER_UNREAD), **UNREAD)
def gunicorn_413_requests(lab):
    """psf/requests#2422"""
    start_gunicorn(lab, worker='sync')
    lab.python(CLIENT, '''
        import requests
        try:
            print(requests.post('http://10.77.2.2:8080/refuse',
                                data=b'x' * 8000000))
        except requests.ConnectionError as e:
            print(e)
    ''')


@scenario(program='python', process='python3',
          other=dict(OTHER_UNREAD), **UNREAD)
def python_401_before_body(lab):
    python_server(lab, '''
                self.send_response(401)
                self.send_header('Content-Length', '0')
                self.end_headers()
                self.close_connection = True
    ''')
    lab.python(CLIENT, UPLOAD, '/')


@scenario(program='apache', cause=None, end=CLIENT,
          needs=('apache2', 'curl'), lookalike_of='peer_closed_unread')
def apache_413_lingers(lab):
    """Apache reads on for a while after its 413: nobody is reset."""
    start_apache(lab, more='LimitRequestBody 1000')
    body = lab.file('upload', 'x' * 400000)
    curl(lab, '-H', 'Expect:', '--data-binary', '@' + body, URL)


@scenario(program='nginx', cause=None, end=CLIENT, needs=('nginx',),
          lookalike_of='peer_closed_unread')
def nginx_413_lingers(lab):
    start_nginx(lab, http='client_max_body_size 1k;')
    p = lab.python(CLIENT, UPLOAD, '/')
    assert p.stdout == '413\n', p


@scenario(program='python', cause=('peer_closed_unread', 'graceful_race'),
          end=CLIENT, kinds=('received',), process='python3',
          other=dict(cause='close_with_unread_data', kinds=('sent',)))
def small_body_never_read(lab):
    """A complete answer, then a RST for the few bytes that were not read."""
    python_server(lab, '''
                self.wfile.write(b'HTTP/1.1 200 OK\\r\\nContent-Length: 5'
                                 b'\\r\\n\\r\\nhello')
                time.sleep(.1)
                self.close_connection = True
    ''')
    lab.python(CLIENT, '''
        import socket, time
        s = socket.create_connection(('10.77.2.2', 8080))
        s.sendall(b'POST / HTTP/1.1\\r\\nHost: x\\r\\n'
                  b'Content-Length: 30000\\r\\n\\r\\n' + b'x' * 30000)
        try:
            while s.recv(1000):
                pass
        except OSError as e:
            print(repr(e))
    ''')


@scenario(program='python', cause='peer_closed_unread', end=CLIENT,
          kinds=('received',), process='python3', syscall='read',
          needs=(PYTHON,), other=dict(cause='linger_zero', kinds=('sent',),
                                      syscall='close', process='python3'))
def handler_aborts_with_linger(lab):
    python_server(lab, '''
                time.sleep(.17)
                self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                        struct.pack('ii', 1, 0))
                self.rfile.close()
                self.wfile.close()
                self.request.close()
                self.close_connection = True
    ''')
    lab.python(CLIENT, GET)


@scenario(program='node', cause='peer_closed_unread', end=CLIENT,
          kinds=('received',), process='node', syscall='read',
          needs=('node',), other=dict(cause='linger_zero', kinds=('sent',),
                                      process='node', syscall='close'))
def node_reset_and_destroy(lab):
    node_server(lab, 'setTimeout(() => q.socket.resetAndDestroy(), 170)')
    for _ in range(2):
        lab.node(CLIENT, NODE_GET)
        lab.sleep(.3)

# The client leaves

LEFT = dict(cause='peer_aborted', end=SERVER, kinds=('received',))
SLOW = '''
                time.sleep(1.5)
                for i in range(4):
                    self.wfile.write(b'HTTP/1.1 200 OK\\r\\n')
                    time.sleep(.1)
'''


@scenario(program='curl', process='python3', syscall='write',
          needs=('curl',), other=dict(cause='late_data', kinds=('sent',)),
          **LEFT)
def curl_gives_up(lab):
    python_server(lab, SLOW)
    curl(lab, '--max-time', '0.73', URL)
    lab.sleep(1.2)


@scenario(program='node', process='python3', syscall='write',
          needs=('node',), other=dict(
              cause=('late_data', 'process_exit'), kinds=('sent',)), **LEFT)
def fetch_gives_up(lab):
    python_server(lab, SLOW)
    lab.node(CLIENT, '''
        fetch('http://10.77.2.2:8080/', {signal: AbortSignal.timeout(620)})
            .catch(e => console.log(e.name));
    ''')
    lab.sleep(2)



def big_file(lab):
    with open(lab.dir + '/big', 'wb') as f:
        f.truncate(60000000)
    start_nginx(lab, location='root %s;' % lab.dir)


@scenario(program='curl', process='nginx', needs=('nginx', 'curl'),
          other=dict(cause='process_exit', kinds=('sent',), process='curl',
                     syscall='exit'), **LEFT)
def curl_killed_in_download(lab):
    big_file(lab)
    client = lab.start(CLIENT, ['curl', '-s', '-o', '/dev/null',
                                '--limit-rate', '2M', URL + '/big'])
    lab.sleep(.8)
    client.kill()
    lab.sleep(.2)


@scenario(program='curl', process='nginx', needs=('nginx', 'curl'),
          other=dict(cause='close_with_unread_data', kinds=('sent',),
                     process='curl', syscall='close'), **LEFT)
def curl_leaves_download(lab):
    big_file(lab)
    curl(lab, '--limit-rate', '2M', '--max-time', '0.87', URL + '/big')


@scenario(program='node', process='nginx', needs=('nginx', 'node'),
          other=dict(cause='close_with_unread_data', kinds=('sent',),
                     process='node', syscall='close'), **LEFT)
def node_destroys_answer(lab):
    big_file(lab)
    lab.node(CLIENT, '''
        const q = require('http').get('http://10.77.2.2:8080/big', r => {
            r.once('data', () => { r.pause();
                setTimeout(() => q.destroy(), 420); }); });
        q.on('error', e => console.log(e.message));
        setTimeout(() => {}, 900);
    ''')


@scenario(program='python', process='nginx', needs=('nginx',),
          other=dict(cause='process_exit', kinds=('sent',),
                     process='python3', syscall='exit'), **LEFT)
def python_exits_in_download(lab):
    big_file(lab)
    lab.python(CLIENT, '''
        import os, socket, time
        s = socket.create_connection(('10.77.2.2', 8080))
        s.sendall(b'GET /big HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')
        time.sleep(.4)
        os._exit(3)
    ''')

# A process ends: the sent side


@scenario(program='node', cause='process_exit', end=SERVER, kinds=('sent',),
          process='node', syscall='exit', needs=('node',), other=dict(
              cause=('server_crash', 'peer_closed_unread'),
              kinds=('received', 'hangup')))
def node_killed_with_unread(lab):
    server = node_server(lab, 'q.on("data", () => 0); r.write("go on");')
    client = background_python(lab, CLIENT, '''
        import socket, time
        s = [socket.create_connection(('10.77.2.2', 8080)) for _ in range(2)]
        for c in s:
            c.sendall(b'POST / HTTP/1.1\\r\\nHost: x\\r\\n'
                      b'Content-Length: 90000\\r\\n\\r\\n')
            c.recv(1000)
        print('ready', flush=True)
        time.sleep(.5)
        for c in s:
            c.sendall(b'x' * 5000)
        for c in s:
            try:
                c.recv(1000)
            except OSError as e:
                print(repr(e))
    ''')
    lab.wait_line(client, 'ready')
    server.signal(19)
    lab.sleep(.9)
    server.kill()
    client.wait()


@scenario(program='python', cause='process_exit', end=CLIENT, kinds=('sent',),
          process='python3', syscall='exit', needs=('nginx',), count=2,
          other=dict(cause=('peer_aborted', 'graceful_race'),
                     kinds=('received',)))
def python_exits_without_reading(lab):
    start_nginx(lab)
    for _ in range(2):
        lab.python(CLIENT, '''
            import os, socket, time
            s = socket.create_connection(('10.77.2.2', 8080))
            s.sendall(b'GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')
            time.sleep(.2)
            os._exit(0)
        ''')


@scenario(program='php', process='php', needs=('php', 'curl'),
          other=dict(cause='late_data', kinds=('sent',)), **LEFT)
def curl_gives_up_on_php(lab):
    lab.file('slow.php', '<?php ignore_user_abort(true); usleep(1300000);'
             'for ($i = 0; $i < 9; $i++) { echo str_repeat("x", 9000);'
             'flush(); usleep(50000); }')
    lab.start(SERVER, ['php', '-S', '10.77.2.2:8080', '-t', lab.dir],
              port=PORT)
    curl(lab, '--max-time', '0.83', URL + '/slow.php')
    lab.sleep(1.2)


@scenario(program='python', cause='process_exit', end=SERVER,
          kinds=('sent',), process='python3', syscall='exit', other=dict(
              cause=('peer_closed_unread', 'server_crash'),
              kinds=('received',)))
def python_terminated_with_unread(lab):
    server = background_python(lab, SERVER, '''
        import socket, time
        s = socket.create_server(('10.77.2.2', 8080))
        kept = [s.accept() for _ in range(2)]
        time.sleep(30)
    ''', PORT)
    client = background_python(lab, CLIENT, '''
        import socket
        s = [socket.create_connection(('10.77.2.2', 8080)) for _ in range(2)]
        for c in s:
            c.sendall(b'give me something\\n')
        for c in s:
            try:
                c.recv(100)
            except OSError as e:
                print(repr(e))
    ''')
    lab.sleep(.7)
    server.stop()
    client.wait()
