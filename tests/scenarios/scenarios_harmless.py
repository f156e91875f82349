# SPDX-License-Identifier: Apache-2.0
"""Harmless resets: after a complete exchange, and health checks; and what
looks like them."""
from lab import CLIENT, SERVER, SERVER_IP, scenario
from http_servers import PORT, SERVERS, curl, node_server, start_nginx

PYTHON_TLS_GET = '''
    import socket, ssl, time
    for _ in range(2):
        s = ssl._create_unverified_context().wrap_socket(
            socket.create_connection(('10.77.2.2', 8443)))
        s.sendall(b'GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')
        s.recv(1000)
        time.sleep(.1)
        s.close()
        time.sleep(.3)
'''


@scenario(program='node', cause='graceful_race', end=SERVER, count=0,
          kinds=('received',), process='node', benign=True,
          needs=('node', 'openssl', 'curl'))
def node_tls_says_goodbye_late(lab):
    """The client closes after the answer; the server's close_notify finds
    nobody. Whether a RST comes depends on who is quicker."""
    cert, key = lab.certificate()
    proc = lab.node(SERVER, '''
        const fs = require('fs');
        require('https').createServer({cert: fs.readFileSync('%s'),
            key: fs.readFileSync('%s')}, (q, r) => r.end('hello'))
            .listen(8443);
    ''' % (cert, key), background=True)
    lab.wait_port(SERVER, 8443, proc=proc)
    lab.python(CLIENT, PYTHON_TLS_GET)
    for _ in range(2):
        curl(lab, '-k', 'https://%s:8443/' % SERVER_IP)


@scenario(program='openssl', cause='graceful_race', end=SERVER, count=0,
          kinds=('received',), benign=True, needs=('openssl',))
def s_server_says_goodbye_late(lab):
    cert, key = lab.certificate()
    lab.start(SERVER, ['openssl', 's_server', '-www', '-quiet', '-cert', cert,
                       '-key', key, '-accept', '8443'], port=8443)
    lab.python(CLIENT, PYTHON_TLS_GET)


@scenario(program='python', cause='graceful_race', end=SERVER, count=2,
          kinds=('received',), benign=True, process='nginx',
          needs=('nginx',), other=dict(
              cause=('close_with_unread_data', 'linger_zero'),
              kinds=('sent',)))
def client_resets_after_answer(lab):
    """Load generators and pools that close with SO_LINGER 0 when all is
    said."""
    start_nginx(lab)
    lab.python(CLIENT, '''
        import socket, struct, time
        for _ in range(3):
            s = socket.create_connection(('10.77.2.2', 8080))
            s.sendall(b'GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')
            s.recv(1000)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack('ii', 1, 0))
            s.close()
            time.sleep(.21)
    ''')


CHECK = dict(cause='health_check', end=SERVER, kinds=('received',),
             benign=True)


def haproxy_check(lab, where, more='', port=PORT):
    lab.start(where, ['haproxy', '-f', lab.file('check.cfg', '''
defaults
    mode tcp
    timeout client 30s
    timeout server 30s
    timeout connect 2s
listen l
    bind 127.0.0.1:7000
    %s
    server s %s:%d check inter 700
''' % (more, SERVER_IP, port))], port=7000)


def checked(name, start, needs, process):
    @scenario(name='haproxy_checks_%s' % name, program='haproxy',
              needs=needs + ('haproxy',), process=process, count=0,
              other=dict(cause=('health_check', 'linger_zero'),
                         kinds=('sent',), process='haproxy',
                         syscall='close'), **CHECK)
    def check(lab):
        """The RST meets the handshake's last step, before anybody accepted:
        the server's end need not notice."""
        start(lab)
        haproxy_check(lab, CLIENT)
        lab.sleep(4.2)


for name_, process_ in (('nginx', 'nginx'), ('node', 'node'),
                        ('httpserver', 'python3')):
    checked(name_, SERVERS[name_][0], SERVERS[name_][1], process_)


@scenario(program='haproxy', cause=('health_check', 'connection_refused'),
          end=CLIENT, kinds=('refused',), process='haproxy', count=3,
          needs=('haproxy',), other=dict(
              cause=('port_closed', 'health_check'), kinds=('sent',)))
def haproxy_checks_closed_port(lab):
    haproxy_check(lab, CLIENT)
    lab.sleep(3.2)


@scenario(program='python', process='nginx', needs=('nginx',), count=4,
          **CHECK)
def probe_with_linger_each_second(lab):
    start_nginx(lab)
    lab.python(CLIENT, '''
        import socket, struct, time
        for _ in range(5):
            s = socket.create_connection(('10.77.2.2', 8080))
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack('ii', 1, 0))
            s.close()
            time.sleep(1)
    ''')


@scenario(program='haproxy', cause=('health_check', 'graceful_race'),
          end=SERVER, kinds=('received',), count=0, benign=True,
          needs=('haproxy', 'nginx'))
def haproxy_http_checks_nginx(lab):
    """HAProxy has its answer and resets, unless nginx closed before."""
    start_nginx(lab)
    haproxy_check(lab, CLIENT, 'option httpchk')
    lab.sleep(2.5)


@scenario(program='python', cause='peer_aborted', end=SERVER, count=3,
          kinds=('received',), process='node', needs=('node',),
          lookalike_of='health_check')
def client_aborts_at_a_period(lab):
    """Every 700 ms like a probe, but with a request that is dropped."""
    node_server(lab, 'setTimeout(() => r.end("late"), 900)')
    lab.python(CLIENT, '''
        import socket, struct, time
        for _ in range(4):
            s = socket.create_connection(('10.77.2.2', 8080))
            s.sendall(b'GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')
            time.sleep(.3)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack('ii', 1, 0))
            s.close()
            time.sleep(.4)
    ''')


@scenario(program='haproxy', cause='health_check', end=SERVER, count=0,
          kinds=('received',), benign=True,
          needs=('haproxy', 'nginx', 'openssl'))
def haproxy_tls_checks_nginx(lab):
    """check-ssl: a handshake, and away."""
    cert, key = lab.certificate()
    start_nginx(lab, http='''server { listen 10.77.2.2:8443 ssl;
        ssl_certificate %s; ssl_certificate_key %s;
        location / { return 200 hello; } }''' % (cert, key))
    lab.start(CLIENT, ['haproxy', '-f', lab.file('check.cfg', '''
defaults
    mode tcp
    timeout client 30s
    timeout server 30s
    timeout connect 2s
listen l
    bind 127.0.0.1:7000
    server s 10.77.2.2:8443 check check-ssl verify none inter 700
''')], port=7000)
    lab.sleep(4.2)


@scenario(program='python', cause=None, end=SERVER, needs=('node',),
          lookalike_of='health_check')
def connect_and_close_is_no_failure(lab):
    node_server(lab, 'r.end("hello")')
    lab.python(CLIENT, '''
        import socket, time
        for _ in range(4):
            socket.create_connection(('10.77.2.2', 8080)).close()
            time.sleep(.5)
    ''')
