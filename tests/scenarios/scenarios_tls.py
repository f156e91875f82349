# SPDX-License-Identifier: Apache-2.0
"""tls_handshake_failure: versions, certificates, names, plain text; as the
client and as the server see it, and what looks like it."""
from lab import CLIENT, SERVER, SERVER_IP, scenario

FAILURE = ('received', 'hangup', 'sent')
SEEN = dict(cause=('tls_handshake_failure', 'late_data', 'linger_zero',
                   'close_with_unread_data'),
            kinds=('sent', 'received', 'hangup'))
HOST = 'server.test'
RESOLVE = ['--resolve', HOST + ':8443:' + SERVER_IP, '-s', '-m', '4']


def url(path=''):
    return 'https://%s:8443/%s' % (HOST, path)


def nginx(lab, settings, listen='8443 ssl'):
    cert, key = lab.certificate()
    conf = lab.file('nginx.conf', '''
        daemon off; master_process off; error_log stderr; pid %s/pid;
        events { }
        http { access_log off; client_body_temp_path %s/b;
               proxy_temp_path %s/p; fastcgi_temp_path %s/f;
               uwsgi_temp_path %s/u; scgi_temp_path %s/s;
               ssl_certificate %s; ssl_certificate_key %s;
               server { listen %s; %s
                        location / { return 200 hello; } } }
    ''' % ((lab.dir,) * 6 + (cert, key, listen, settings)))
    lab.start(SERVER, ['nginx', '-e', 'stderr', '-p', lab.dir, '-c', conf],
              port=8443)
    return cert


def haproxy(lab, bind='', rules='', mode='http'):
    cert, key = lab.certificate()
    with open(cert) as c, open(key) as k:
        pem = lab.file('both.pem', c.read() + k.read())
    conf = lab.file('haproxy.cfg', '\n'.join([
        'defaults', ' mode ' + mode, ' timeout connect 2s',
        ' retries 0', ' timeout client 4s', ' timeout server 4s', 'frontend f',
        ' bind %s:8443 %s' % (SERVER_IP, bind.replace('PEM', pem)), rules,
        ' default_backend b', 'backend b',
        ' server a %s:8090' % SERVER_IP, '']))
    lab.start(SERVER, ['haproxy', '-db', '-f', conf], port=8443)
    return cert


def python_server(lab, setting):
    cert, key = lab.certificate()
    lab.python(SERVER, '''
        import socket, ssl, sys, threading
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        %s
        def serve(s):
            try:
                c = context.wrap_socket(s, server_side=True)
                if c.recv(999):
                    c.sendall(b'HTTP/1.0 200 OK\\r\\n\\r\\n')
                c.close()
            except OSError as e:
                print(repr(e), flush=True)
                s.close()
        listener = socket.create_server(('%s', 8443))
        while True:
            s, _ = listener.accept()
            threading.Thread(target=serve, args=(s,)).start()
    ''' % (setting, SERVER_IP), cert, key, background=True)
    lab.wait_port(SERVER, 8443)


def node_server(lab, options='', module='https'):
    cert, key = lab.certificate()
    lab.node(SERVER, '''
        const fs = require('fs');
        const [cert, key] = process.argv.slice(2).map(f =>
            fs.readFileSync(f));
        require('%s').createServer({cert, key, %s}, (q, a) => a.end('hello'))
            .listen(8443, '%s');
    ''' % (module, options, SERVER_IP), cert, key, background=True)
    lab.wait_port(SERVER, 8443)


def curl(lab, *options, where=url()):
    return lab.run(CLIENT, ['curl', '-k'] + RESOLVE + list(options) + [where])


def s_client(lab, *options):
    return lab.run(CLIENT, ['openssl', 's_client', '-connect',
                            SERVER_IP + ':8443'] + list(options), input='')


PYTHON_CLIENT = '''
    import socket, ssl, sys
    for i in range(int(sys.argv[1])):
        context = ssl._create_unverified_context()
        %s
        try:
            s = socket.create_connection(('%s', 8443), 4)
            s = context.wrap_socket(s, server_hostname='%s')
            s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')
            while s.recv(1000):
                pass
            s.close()
        except OSError as e:
            print(repr(e))
'''


def python_client(lab, setting='', many=2):
    return lab.python(CLIENT, PYTHON_CLIENT % (setting, SERVER_IP, HOST),
                      str(many))


NODE_CLIENT = '''
    const tls = require('tls');
    const s = tls.connect({port: 8443, host: '%s', servername: '%s',
                           rejectUnauthorized: false, %s});
    s.on('secureConnect', () => s.write('GET / HTTP/1.0\\r\\n\\r\\n'));
    s.on('error', e => console.log(e.code));
    s.on('data', () => {});
    s.on('close', () => process.exit());
'''


def node_client(lab, options=''):
    return lab.node(CLIENT, NODE_CLIENT % (SERVER_IP, HOST, options))


# Versions. The server says so with an alert and closes in order: that a
# client which reads it sees no failure of the connection is right.

def version_scenario(program, start, needs, client, client_needs, ask):
    @scenario(name='%s_tls_version_%s' % (program, client), program=program,
              cause='tls_handshake_failure', end=CLIENT, kinds=FAILURE,
              count=0, needs=needs + client_needs, other=SEEN)
    def version(lab):
        start(lab)
        ask(lab)
        ask(lab)


NGINX, HAPROXY, NODE = ('nginx', 'openssl'), ('haproxy', 'openssl'), \
    ('node', 'openssl')


def nginx_13(lab):
    nginx(lab, 'ssl_protocols TLSv1.3;')


def haproxy_13(lab):
    haproxy(lab, 'ssl crt PEM ssl-min-ver TLSv1.3')


def node_13(lab):
    node_server(lab, "minVersion: 'TLSv1.3'")


version_scenario('nginx', nginx_13, NGINX, 'openssl', (),
                 lambda lab: s_client(lab, '-tls1_2'))
version_scenario('nginx', nginx_13, NGINX, 'curl', ('curl',),
                 lambda lab: curl(lab, '--tls-max', '1.2'))
version_scenario('haproxy', haproxy_13, HAPROXY, 'python', (),
                 lambda lab: python_client(lab, 'context.maximum_version = '
                                           'ssl.TLSVersion.TLSv1_2', 1))
version_scenario('haproxy', haproxy_13, HAPROXY, 'node', ('node',),
                 lambda lab: node_client(lab, "maxVersion: 'TLSv1.2'"))
version_scenario('node', node_13, NODE, 'curl', ('curl',),
                 lambda lab: curl(lab, '--tls-max', '1.2'))


# Names

@scenario(program='nginx', cause='tls_handshake_failure', end=CLIENT,
          kinds=FAILURE, count=0, needs=NGINX + ('curl',), other=SEEN)
def nginx_rejects_name(lab):
    nginx(lab, 'ssl_reject_handshake on;')
    curl(lab)
    python_client(lab)


@scenario(program='haproxy', cause='tls_handshake_failure', end=CLIENT,
          kinds=FAILURE, process='curl', count=2, needs=HAPROXY + ('curl',),
          other=SEEN)
def haproxy_sni_filter_curl(lab):
    """Not decrypted here: the name is looked at and the rest left unread."""
    haproxy(lab, mode='tcp', rules=' tcp-request inspect-delay 2s\n'
            ' tcp-request content reject if { req.ssl_sni -i %s }' % HOST)
    curl(lab)
    curl(lab)
    curl(lab)


@scenario(program='haproxy', cause='tls_handshake_failure', end=CLIENT,
          kinds=FAILURE, process='python3', count=2, needs=HAPROXY,
          other=SEEN)
def haproxy_sni_filter_python(lab):
    haproxy(lab, mode='tcp', rules=' tcp-request inspect-delay 2s\n'
            ' tcp-request content reject if { req.ssl_sni -i %s }' % HOST)
    python_client(lab, many=3)


@scenario(program='haproxy', cause='tls_handshake_failure', end=CLIENT,
          kinds=FAILURE, process='node', count=1, needs=HAPROXY + ('node',),
          other=SEEN)
def haproxy_sni_filter_node(lab):
    haproxy(lab, mode='tcp', rules=' tcp-request inspect-delay 2s\n'
            ' tcp-request content reject if { req.ssl_sni -i %s }' % HOST)
    node_client(lab)
    node_client(lab)


@scenario(program='haproxy', end=CLIENT,
          cause=('tls_handshake_failure', 'peer_closed_early'),
          kinds=FAILURE, process='python3', count=2, needs=HAPROXY,
          other=dict(SEEN, cause=SEEN['cause'] + ('port_closed',
                                                  'connection_refused'),
                     kinds=SEEN['kinds'] + ('refused',)))
def haproxy_no_backend_for_tls(lab):
    """Passed through to a server that is not there: ended after the
    ClientHello, without a word of TLS."""
    haproxy(lab, mode='tcp', rules='')
    python_client(lab, many=3)


# Client certificates

@scenario(program='haproxy', cause='tls_handshake_failure', end=CLIENT,
          kinds=FAILURE, count=0, needs=HAPROXY + ('curl',), other=SEEN)
def haproxy_wants_certificate(lab):
    cert, _ = lab.certificate('ca.test')
    haproxy(lab, 'ssl crt PEM verify required ca-file ' + cert)
    curl(lab)
    curl(lab, '--tls-max', '1.2')
    python_client(lab)


@scenario(program='python', cause='tls_handshake_failure', end=CLIENT,
          kinds=FAILURE, count=0, needs=('openssl', 'curl'), other=SEEN)
def python_wants_certificate(lab):
    python_server(lab, 'context.verify_mode = ssl.CERT_REQUIRED')
    curl(lab)
    curl(lab, '--tls-max', '1.2')


@scenario(program='node', cause='tls_handshake_failure', end=CLIENT,
          kinds=FAILURE, count=0, needs=NODE + ('curl',), other=SEEN)
def node_wants_certificate(lab):
    node_server(lab, 'requestCert: true, rejectUnauthorized: true')
    curl(lab)
    curl(lab, '--tls-max', '1.2')
    python_client(lab)


@scenario(program='curl', cause='tls_handshake_failure', end=SERVER,
          kinds=FAILURE, count=0, needs=NGINX + ('curl',),
          other=SEEN)
def curl_distrusts_nginx(lab):
    """The client ends the handshake: its alert, then its FIN."""
    nginx(lab, '')
    for most in ('1.2', '1.3'):
        lab.run(CLIENT, ['curl', '--tls-max', most] + RESOLVE + [url()])


@scenario(program='node', cause='tls_handshake_failure', end=SERVER,
          kinds=FAILURE, count=0, needs=NODE, other=SEEN)
def node_distrusts_node(lab):
    node_server(lab)
    node_client(lab, 'rejectUnauthorized: true')


# Plain text and TLS

# The client cannot know that it talks to a TLS port.
PLAIN = ('tls_handshake_failure', 'peer_closed_early')


@scenario(program='haproxy', cause=PLAIN, end=CLIENT, kinds=FAILURE, count=0,
          needs=HAPROXY + ('curl',), other=SEEN)
def haproxy_plain_to_tls(lab):
    haproxy(lab, 'ssl crt PEM')
    for _ in range(2):
        curl(lab, where='http://%s:8443/' % SERVER_IP)


@scenario(program='node', cause=PLAIN, end=CLIENT, kinds=FAILURE, count=1,
          needs=NODE + ('curl',), other=SEEN)
def node_plain_to_tls(lab):
    node_server(lab)
    for _ in range(2):
        curl(lab, where='http://%s:8443/' % SERVER_IP)


@scenario(program='nginx', cause=None, end=CLIENT, needs=NGINX + ('curl',),
          lookalike_of='node_plain_to_tls')
def nginx_plain_to_tls(lab):
    """nginx answers 400 in plain HTTP: no failure of the connection."""
    nginx(lab, '')
    curl(lab, where='http://%s:8443/' % SERVER_IP)


@scenario(program='nginx', cause='tls_handshake_failure', end=CLIENT,
          kinds=FAILURE, count=0, needs=NGINX + ('curl',), other=SEEN)
def tls_to_plain_nginx(lab):
    nginx(lab, '', listen='8443')
    curl(lab)
    s_client(lab)


@scenario(program='node', cause='tls_handshake_failure', end=CLIENT,
          kinds=FAILURE, count=0, needs=NODE, other=SEEN)
def tls_to_plain_node(lab):
    node_server(lab, module='http')
    python_client(lab)
    node_client(lab)


# The server's view of clients that leave in mid-handshake

LEAVES = '''
    import socket, ssl, struct, sys
    for i in range(3):
        s = socket.create_connection(('%s', 8443))
        out = ssl.MemoryBIO()
        c = ssl._create_unverified_context().wrap_bio(
            ssl.MemoryBIO(), out, server_hostname='%s')
        try:
            c.do_handshake()
        except ssl.SSLWantReadError:
            pass
        s.sendall(out.read())
        s.recv(1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack('ii', 1, 0))
        s.close()
''' % (SERVER_IP, HOST)


@scenario(program='nginx', cause='tls_handshake_failure', end=SERVER,
          kinds=('received',), process='nginx', syscall='read', count=2,
          needs=NGINX,
          other=dict(cause=('tls_handshake_failure', 'linger_zero',
                            'close_with_unread_data'), kinds=('sent',)))
def client_leaves_nginx_handshake(lab):
    nginx(lab, '')
    lab.python(CLIENT, LEAVES)


@scenario(program='node', cause='tls_handshake_failure', end=SERVER,
          kinds=('received',), process='node', syscall='read', count=2,
          needs=NODE,
          other=dict(cause=('tls_handshake_failure', 'linger_zero',
                            'close_with_unread_data'), kinds=('sent',)))
def client_leaves_node_handshake(lab):
    node_server(lab)
    lab.python(CLIENT, LEAVES)


@scenario(program='node', cause=('peer_closed_unread', 'peer_aborted'),
          end=CLIENT, kinds=('received',), count=1, needs=NODE,
          lookalike_of='tls_handshake_failure',
          other=dict(cause='linger_zero', kinds=('sent',)))
def node_aborts_after_handshake(lab):
    """TLS stands; then the server aborts one request."""
    node_server(lab)
    cert, key = lab.certificate('other.test')
    lab.node(SERVER, '''
        const fs = require('fs');
        const [cert, key] = process.argv.slice(2).map(f =>
            fs.readFileSync(f));
        const raw = [];
        const server = require('https').createServer({cert, key}, (q, a) =>
            setTimeout(() => raw[0].resetAndDestroy(), 400));
        server.on('connection', s => raw.push(s));
        server.listen(8444, '%s');
    ''' % SERVER_IP, cert, key, background=True)
    lab.wait_port(SERVER, 8444)
    lab.python(CLIENT, (PYTHON_CLIENT % ('', SERVER_IP, HOST)).replace(
        '8443', '8444'), '1')


@scenario(program='nginx', cause=None, end=CLIENT, needs=NGINX + ('curl',),
          lookalike_of='tls_handshake_failure')
def nginx_tls_works(lab):
    nginx(lab, '')
    curl(lab)
    python_client(lab)
    s_client(lab)
