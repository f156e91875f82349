# SPDX-License-Identifier: Apache-2.0
"""What a host does itself: aborts, exits, closed ports, probes, and endings
that are no failure. Judged at the end that did it, or at the other one."""
import os
import signal

from lab import CLIENT, SERVER, SERVER_IP, scenario

PORT = 7000
URL = 'http://%s:%d/' % (SERVER_IP, PORT)


def serve(lab, body, setup=''):
    """A Python server; body handles one connection c, in a thread."""
    text = ['import os, socket, struct, threading, time',
            "LINGER0 = struct.pack('ii', 1, 0)", 'def serve(c):']
    text += ['    ' + x for x in undent(body)]
    text += undent(setup)
    text += ["s = socket.create_server(('', 7000))", 'while True:',
             '    c, _ = s.accept()',
             '    threading.Thread(target=serve, args=(c,)).start()']
    p = lab.python(SERVER, '\n'.join(text), background=True)
    lab.wait_port(SERVER, PORT, proc=p)
    return p


def undent(code):
    lines = [x for x in code.split('\n') if x.strip()]
    cut = min((len(x) - len(x.lstrip()) for x in lines), default=0)
    return [x[cut:] for x in lines]


def client(lab, body, background=False, timeout=10):
    text = ['import os, socket, struct, sys, time',
            "LINGER0 = struct.pack('ii', 1, 0)",
            "c = socket.create_connection(('10.77.2.2', 7000))",
            'try:']
    text += ['    ' + x for x in undent(body)]
    text += ['except OSError as e:', '    print(e)']
    return lab.python(CLIENT, '\n'.join(text), background=background,
                      timeout=timeout)


def big_file(lab, name='big', size=20 << 20):
    path = os.path.join(lab.dir, name)
    with open(path, 'wb') as f:
        f.truncate(size)
    return path


def nginx(lab, text):
    conf = lab.file('nginx.conf', '''
daemon off; pid nginx.pid; error_log stderr; worker_processes 1; user root;
events {}
http {
  access_log off; client_body_temp_path body; proxy_temp_path proxy;
  fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  server { listen 7000; root %s; %s }
}
''' % (lab.dir, text))
    return lab.start(SERVER, ['nginx', '-p', lab.dir, '-c', conf], port=PORT)


ABORTED = ('peer_closed_unread', 'peer_aborted')
DIED = ('server_crash', 'peer_closed_unread', 'peer_aborted')


# Closed with SO_LINGER 0

@scenario(program='python', cause='linger_zero', end=SERVER, kinds=('sent',),
          process='python3', syscall='close',
          other=dict(cause='peer_closed_unread', kinds=('received',),
                     process='python3', syscall='read'))
def linger_python(lab):
    serve(lab, '''
        c.recv(1000)
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER0)
        c.close()
    ''')
    client(lab, "c.sendall(b'question'); c.recv(100)")


@scenario(program='node', cause='linger_zero', end=SERVER, kinds=('sent',),
          process='node', syscall='close', needs=('node', 'curl'),
          other=dict(cause=ABORTED, kinds=('received',), process='curl',
                     syscall='read'))
def linger_node(lab):
    p = lab.node(SERVER, '''
        require('http').createServer((q, a) => q.socket.resetAndDestroy())
            .listen(7000);
    ''', background=True)
    lab.wait_port(SERVER, PORT, proc=p)
    lab.run(CLIENT, ['curl', '-s', URL])


@scenario(program='perl', cause='linger_zero', end=CLIENT, kinds=('sent',),
          process='perl', syscall='close', needs=('perl',),
          other=dict(cause=('graceful_race', 'peer_aborted'),
                     kinds=('received',), process='python3'))
def linger_perl_client(lab):
    serve(lab, '''
        try:
            while True:
                d = c.recv(1000)
                if not d:
                    break
                c.sendall(d)
        except OSError:
            pass
    ''')
    lab.run(CLIENT, ['perl', '-e', '''
        use IO::Socket::INET; use Socket;
        my $s = IO::Socket::INET->new(PeerAddr => "10.77.2.2:7000") or die;
        syswrite($s, "question"); sysread($s, my $b, 100);
        select(undef, undef, undef, 0.4);
        setsockopt($s, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0));
        close($s); select(undef, undef, undef, 0.2);
    '''])


@scenario(program='python', cause='linger_zero', end=CLIENT, kinds=('sent',),
          process='python3', syscall='connect',
          other=dict(cause=('graceful_race', 'peer_aborted'),
                     kinds=('received',)))
def disconnect_python(lab):
    """connect(AF_UNSPEC) on a live connection."""
    serve(lab, '''
        try:
            while c.recv(1000):
                c.sendall(b'answer')
        except OSError:
            pass
    ''')
    client(lab, '''
        import ctypes
        c.sendall(b'question')
        c.recv(100)
        ctypes.CDLL(None).connect(c.fileno(), b'\\0' * 16, 16)
        time.sleep(0.2)
    ''')


# Closed with data unread

@scenario(program='nginx', cause='close_with_unread_data', end=SERVER,
          kinds=('sent',), process='nginx', syscall='close',
          needs=('nginx', 'perl'),
          other=dict(cause='peer_closed_unread', kinds=('received',),
                     process='perl'))
def unread_nginx_444(lab):
    """More than nginx reads at once comes with the head."""
    nginx(lab, 'return 444;')
    lab.run(CLIENT, ['perl', '-e', '''
        use IO::Socket::INET;
        my $s = IO::Socket::INET->new(PeerAddr => "10.77.2.2:7000") or die;
        syswrite($s, "POST / HTTP/1.1\\r\\nHost: a\\r\\n" .
                 "Content-Length: 50000\\r\\n\\r\\n" . ("x" x 20000));
        sysread($s, my $b, 100);
    '''])


@scenario(program='nginx', cause='peer_closed_unread', end=CLIENT,
          kinds=('received',), process='python3',
          needs=('nginx',), lookalike_of='stale_keepalive',
          other=dict(cause='close_with_unread_data', kinds=('sent',),
                     process='nginx', syscall='close'))
def unread_nginx_444_at_client(lab):
    nginx(lab, 'return 444;')
    client(lab, '''
        c.sendall(b'POST / HTTP/1.1\\r\\nHost: a\\r\\n'
                  b'Content-Length: 9000000\\r\\n\\r\\n' + b'x' * 10000)
        for _ in range(90):
            c.sendall(b'x' * 100000)
    ''')


@scenario(program='python', cause='peer_closed_unread', end=CLIENT,
          kinds=('received',), process='curl', needs=('curl',),
          other=dict(cause='close_with_unread_data', kinds=('sent',),
                     process='python3', syscall='close'))
def early_answer_413(lab):
    """The answer comes before the body was read."""
    big_file(lab)
    serve(lab, '''
        c.recv(1000)
        c.sendall(b'HTTP/1.1 413 Too Large\\r\\nContent-Length: 0\\r\\n'
                  b'Connection: close\\r\\n\\r\\n')
        time.sleep(0.05)
        c.close()
    ''')
    lab.run(CLIENT, ['curl', '-s', '-o', '/dev/null', '-T',
                     os.path.join(lab.dir, 'big'), '-H', 'Expect:',
                     URL + 'x'])


@scenario(program='node', cause='close_with_unread_data', end=SERVER,
          kinds=('sent',), process='node', syscall='close',
          needs=('node',),
          other=dict(cause='peer_closed_unread', kinds=('received',),
                     process='python3', syscall='write'))
def unread_node_destroy(lab):
    p = lab.node(SERVER, '''
        require('net').createServer(c => c.once('data', () => {
            c.pause();
            setTimeout(() => c.destroy(), 300);
        })).listen(7000);
    ''', background=True)
    lab.wait_port(SERVER, PORT, proc=p)
    client(lab, '''
        while True:
            c.sendall(b'x' * 100000)
    ''')


@scenario(program='curl', cause=('close_with_unread_data', 'late_data',
                                 'process_exit'),
          end=CLIENT, kinds=('sent',), process='curl',
          needs=('nginx', 'curl'),
          other=dict(cause='peer_aborted', kinds=('received',),
                     process='nginx'))
def unread_curl_gives_up(lab):
    """The client leaves in the middle of a download."""
    big_file(lab, 'index.html', 300 << 20)
    nginx(lab, '')
    lab.run(CLIENT, ['curl', '-s', '-o', '/dev/null', '-m', '1',
                     '--limit-rate', '1M', URL])


@scenario(program='curl', cause='peer_aborted', end=SERVER,
          kinds=('received',), process='node', needs=('node', 'curl'),
          other=dict(cause=('close_with_unread_data', 'late_data',
                            'process_exit'), kinds=('sent',),
                     process='curl'))
def client_leaves_node_server(lab):
    p = lab.node(SERVER, '''
        require('http').createServer((q, a) => {
            const b = Buffer.alloc(1 << 20);
            const more = () => { while (a.write(b)); a.once('drain', more); };
            more();
        }).listen(7000);
    ''', background=True)
    lab.wait_port(SERVER, PORT, proc=p)
    lab.run(CLIENT, ['curl', '-s', '-o', '/dev/null', '-m', '1',
                     '--limit-rate', '2M', URL])


@scenario(program='python', cause='peer_aborted', end=SERVER,
          kinds=('received',), process='python3', syscall='read',
          lookalike_of='graceful_race',
          other=dict(cause='linger_zero', kinds=('sent',),
                     process='python3', syscall='close'))
def client_gives_up_waiting(lab):
    """The client aborts before the answer that it asked for."""
    serve(lab, '''
        try:
            c.recv(1000)
            c.recv(1000)
        except OSError:
            pass
    ''')
    client(lab, '''
        c.sendall(b'question')
        time.sleep(0.73)
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER0)
        c.close()
        time.sleep(0.2)
    ''')


# The kernel closed a dead process's sockets

@scenario(program='python', cause='process_exit', end=SERVER,
          kinds=('sent',), process='python3', syscall='exit',
          other=dict(cause=DIED, kinds=('received',)))
def killed_python_unread(lab):
    p = serve(lab, 'time.sleep(20)')
    q = client(lab, "c.sendall(b'question'); print('up', flush=True); "
                    "c.recv(100)", background=True)
    lab.wait_line(q, 'up')
    lab.sleep(0.3)
    p.kill()
    q.wait()


@scenario(program='node', cause='process_exit', end=SERVER, kinds=('sent',),
          process='node', syscall='exit', needs=('node',),
          other=dict(cause=DIED, kinds=('received',)))
def terminated_node_unread(lab):
    p = lab.node(SERVER, '''
        require('net').createServer({pauseOnConnect: true}, c => 0)
            .listen(7000);
    ''', background=True)
    lab.wait_port(SERVER, PORT, proc=p)
    q = client(lab, "c.sendall(b'question'); print('up', flush=True); "
                    "c.recv(100)", background=True)
    lab.wait_line(q, 'up')
    lab.sleep(0.3)
    p.signal(signal.SIGTERM)
    q.wait()


@scenario(program='perl', cause='close_with_unread_data', end=SERVER,
          kinds=('sent',), process='perl', syscall='close', needs=('perl',),
          lookalike_of='process_exit',
          other=dict(cause=DIED, kinds=('received',)))
def exits_perl_unread(lab):
    """Perl closes its handles itself before it exits."""
    exit_perl(lab, 'exit 3')


@scenario(program='perl', cause='process_exit', end=SERVER, kinds=('sent',),
          process='perl', syscall='exit', needs=('perl',),
          other=dict(cause=DIED, kinds=('received',)))
def exits_perl_at_once_unread(lab):
    exit_perl(lab, 'POSIX::_exit(3)')


def exit_perl(lab, how):
    lab.start(SERVER, ['perl', '-e', '''
        use IO::Socket::INET; use POSIX ();
        my $l = IO::Socket::INET->new(LocalPort => 7000, Listen => 5,
                                      ReuseAddr => 1) or die;
        my $c = $l->accept(); sysread($c, my $b, 4);
        select(undef, undef, undef, 0.4); %s;
    ''' % how], port=PORT)
    client(lab, "c.sendall(b'a longer question'); c.recv(100)")


@scenario(program='ruby', cause='process_exit', end=CLIENT, kinds=('sent',),
          process='ruby', syscall='exit', needs=('ruby',),
          other=dict(cause=('peer_aborted', 'graceful_race'),
                     kinds=('received',)))
def killed_ruby_client(lab):
    """A client killed with an answer that it had not read."""
    serve(lab, '''
        try:
            while c.recv(1000):
                c.sendall(b'answer' * 100)
        except OSError:
            pass
    ''')
    p = lab.start(CLIENT, ['ruby', '-rsocket', '-e', '''
        s = TCPSocket.new("10.77.2.2", 7000); s.write("question")
        $stdout.puts "up"; $stdout.flush; sleep 20
    '''])
    lab.wait_line(p, 'up', 8)
    lab.sleep(0.3)
    p.kill()
    lab.sleep(0.2)


@scenario(program='socat', cause=('process_exit', 'late_data'), end=SERVER,
          kinds=('sent',), process='socat', needs=('socat',),
          other=dict(cause=DIED + ('stale_keepalive', 'unknown'),
                     kinds=('received', 'hangup')))
def killed_socat_then_data(lab):
    """Killed with nothing unread: FIN; what comes later meets a RST."""
    p = lab.start(SERVER, ['socat', 'TCP-LISTEN:7000,reuseaddr', 'PIPE'],
                  port=PORT)
    q = client(lab, '''
        c.sendall(b'question')
        c.recv(100)
        print('up', flush=True)
        time.sleep(0.7)
        c.sendall(b'more')
        time.sleep(0.1)
        c.sendall(b'more')
    ''', background=True)
    lab.wait_line(q, 'up')
    p.kill()
    q.wait()


# The peer sent to what we had closed

@scenario(program='python', cause='late_data', end=SERVER, kinds=('sent',),
          process='python3',
          other=dict(cause=('graceful_race', 'stale_keepalive',
                            'peer_closed_early', 'unknown'),
                     kinds=('received', 'hangup')))
def late_data_python(lab):
    serve(lab, '''
        c.recv(1000)
        c.sendall(b'answer')
        c.close()
    ''')
    client(lab, '''
        c.sendall(b'question')
        c.recv(100)
        time.sleep(0.33)
        c.sendall(b'more')
        time.sleep(0.1)
        c.recv(100)
    ''')


@scenario(program='node', cause=('late_data', 'close_with_unread_data'),
          end=CLIENT, kinds=('sent',), process='node',
          needs=('node',),
          other=dict(cause=('peer_aborted', 'graceful_race'),
                     kinds=('received',)))
def late_data_node_client(lab):
    """Closed by the client while the server goes on sending."""
    serve(lab, '''
        try:
            for _ in range(200):
                c.sendall(b'x' * 500)
                time.sleep(0.02)
        except OSError:
            pass
    ''')
    lab.node(CLIENT, '''
        const c = require('net').connect(7000, '10.77.2.2');
        c.on('data', () => 0);
        setTimeout(() => c.destroy(), 600);
        setTimeout(() => process.exit(), 900);
    ''')


@scenario(program='socat', cause='late_data', end=SERVER, kinds=('sent',),
          needs=('socat',),
          other=dict(cause=('half_open', 'firewall_reject'),
                     kinds=('received',)))
def late_data_unknown_socket(lab):
    """TCP_REPAIR: the host has forgotten; nobody to blame here."""
    p = lab.python(SERVER, '''
        import socket, time
        s = socket.create_server(('', 7000))
        c, _ = s.accept()
        s.close()
        c.sendall(c.recv(1000))
        c.setsockopt(socket.IPPROTO_TCP, 19, 1)
        c.close()
        time.sleep(5)
    ''', background=True)
    lab.wait_port(SERVER, PORT, proc=p)
    lab.run(CLIENT, ['socat', 'SYSTEM:echo a; sleep 0.6; echo b; sleep 0.4',
                     'TCP:10.77.2.2:7000'], timeout=4)


@scenario(program='python', cause='listener_closed', end=SERVER,
          kinds=('sent',), process='python3', syscall='close',
          other=dict(cause=DIED + ('max_connections',), kinds=('received',)))
def listener_closed_python(lab):
    p = lab.python(SERVER, '''
        import socket, time
        s = socket.create_server(('', 7000))
        time.sleep(1)
        s.close()
        time.sleep(5)
    ''', background=True)
    lab.wait_port(SERVER, PORT, proc=p)
    client(lab, "c.sendall(b'question'); c.recv(100)")


# By an administrator

@scenario(program='ss', cause='admin_abort', end=CLIENT,
          kinds=('sent', 'timeout'), needs=('ss',),
          other=dict(cause=('admin_abort', 'peer_aborted', 'graceful_race',
                            'unknown'), kinds=('received',),
                     process='python3'))
def ss_kill_client(lab):
    serve(lab, '''
        try:
            while c.recv(1000):
                c.sendall(b'answer')
        except OSError:
            pass
    ''')
    p = client(lab, "c.sendall(b'q'); c.recv(9); print('up', flush=True); "
                    "c.recv(9)", background=True)
    lab.wait_line(p, 'up')
    lab.sleep(0.6)
    lab.run(CLIENT, ['ss', '-K', 'dst', '10.77.2.2', 'dport', '=', '7000'])
    p.wait()


@scenario(program='ss', cause='admin_abort', end=SERVER,
          kinds=('sent', 'timeout'), needs=('ss', 'node', 'curl'),
          other=dict(cause=('admin_abort', 'peer_aborted',
                            'peer_closed_unread', 'unknown'),
                     kinds=('received',), process='curl'))
def ss_kill_server(lab):
    p = lab.node(SERVER, '''
        require('http').createServer((q, a) => a.write('part')).listen(7000);
    ''', background=True)
    lab.wait_port(SERVER, PORT, proc=p)
    q = lab.start(CLIENT, ['curl', '-sN', URL])
    lab.wait_line(q, 'part')
    lab.sleep(0.4)
    lab.run(SERVER, ['ss', '-K', 'state', 'established', 'sport', '=',
                     '7000'])
    q.wait()


# Ports on which nothing listens

@scenario(program='curl', cause='port_closed', end=SERVER, kinds=('sent',),
          process=None, syscall=None, needs=('curl',),
          lookalike_of='port_scan', count=3,
          other=dict(cause='connection_refused', kinds=('refused',),
                     process='curl', syscall='connect'))
def closed_port_retried(lab):
    for _ in range(3):
        lab.run(CLIENT, ['curl', '-s', URL])
        lab.sleep(0.5)


@scenario(program='nmap', cause=('port_scan', 'port_closed'), end=SERVER,
          kinds=('sent', 'received'), process=None, needs=('nmap',),
          lookalike_of='port_closed',
          other=dict(cause=('port_scan', 'late_data'), kinds=('sent',)))
def nmap_syn_scan(lab):
    serve(lab, 'time.sleep(1)')
    lab.run(CLIENT, ['nmap', '-sS', '-n', '-Pn', '-T4', '-p', '6990-7040',
                     SERVER_IP])


@scenario(program='nmap', cause=('port_scan', 'port_closed'), end=SERVER,
          kinds=('sent', 'received'), needs=('nmap',),
          lookalike_of='health_check',
          other=dict(cause=('connection_refused', 'linger_zero', 'port_scan',
                            'health_check'),
                     kinds=('refused', 'sent'), process='nmap'))
def nmap_connect_scan(lab):
    serve(lab, '''
        time.sleep(0.5)
        try:
            c.recv(100)
        except OSError:
            pass
    ''')
    lab.run(CLIENT, ['nmap', '-sT', '-n', '-Pn', '-T4', '-p', '6994-7014',
                     SERVER_IP])


@scenario(program='hping3', cause=('port_scan', 'port_closed'), end=SERVER,
          kinds=('sent',), process=None, needs=('hping3',),
          other=dict(cause=('port_scan', 'late_data'), kinds=('sent',)))
def hping_syn_sweep(lab):
    lab.run(CLIENT, ['hping3', '-q', '-S', '-c', '40', '-i', 'u20000', '-p',
                     '++7001', SERVER_IP])


@scenario(program='haproxy', cause=('health_check', 'linger_zero'),
          end=CLIENT, kinds=('sent',), process='haproxy', syscall='close',
          needs=('haproxy',), lookalike_of='port_scan', count=4,
          other=dict(cause='health_check', kinds=('received',)))
def haproxy_checks(lab):
    """haproxy resets before the handshake ends: the checked end has no
    connection yet."""
    serve(lab, '''
        try:
            c.recv(100)
        except OSError:
            pass
        c.close()
    ''')
    conf = lab.file('haproxy.cfg', '''
defaults
  mode tcp
  timeout connect 2s
  timeout client 20s
  timeout server 20s
listen front
  bind 127.0.0.1:7100
  server s 10.77.2.2:7000 check inter 700
''')
    lab.start(CLIENT, ['haproxy', '-f', conf, '-db'], port=7100)
    lab.sleep(5)


# Segments that the protocol answers with a RST

@scenario(program='python', cause='bad_segment', end=CLIENT, kinds=('sent',),
          other=dict(cause=('half_open',), kinds=('received',)))
def port_reused_after_restart(lab):
    """The client's host forgot a connection and opens it again from the same
    port: the server's challenge ACK does not fit the new handshake."""
    serve(lab, '''
        try:
            while c.recv(1000):
                c.sendall(b'answer')
        except OSError:
            pass
    ''')
    lab.python(CLIENT, '''
        import socket, time
        def connect():
            c = socket.socket()
            c.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            c.bind(('', 4321))
            c.connect(('10.77.2.2', 7000))
            c.sendall(b'question')
            print(c.recv(100))
            return c
        c = connect()
        time.sleep(0.5)
        c.setsockopt(socket.IPPROTO_TCP, 19, 1)
        c.close()
        c = connect()
        time.sleep(0.3)
    ''')


RAW = '''
    import socket, struct, sys, time
    me, peer = socket.inet_aton('10.77.1.2'), socket.inet_aton('10.77.2.2')

    def checksum(data):
        if len(data) % 2:
            data += b'\\0'
        n = sum(struct.unpack('!%dH' % (len(data) // 2), data))
        n = (n >> 16) + (n & 0xffff)
        return ~(n + (n >> 16)) & 0xffff

    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    def send(sport, dport, seq, ack, flags, data=b''):
        tcp = struct.pack('!HHIIBBHHH', sport, dport, seq, ack, 0x50, flags,
                          60000, 0, 0) + data
        pseudo = me + peer + struct.pack('!HH', 6, len(tcp))
        tcp = tcp[:16] + struct.pack('!H', checksum(pseudo + tcp)) + tcp[18:]
        raw.sendto(tcp, ('10.77.2.2', 0))
'''


@scenario(program='raw', cause='bad_segment', end=SERVER, kinds=('sent',),
          needs=('nft',), lookalike_of='late_data')
def bad_ack_in_handshake(lab):
    serve(lab, 'time.sleep(1)')
    lab.nft(CLIENT, '''table inet guard {
        chain out {
            type filter hook output priority 0; policy accept;
            tcp flags & rst == rst drop
        }
    }''')
    lab.python(CLIENT, RAW + '''
    send(5000, 7000, 1000, 0, 2)
    time.sleep(0.2)
    send(5000, 7000, 1001, 12345, 16)
    time.sleep(0.2)
''')


@scenario(program='raw', cause='late_data', end=SERVER, kinds=('sent',),
          lookalike_of='bad_segment')
def ack_out_of_nowhere(lab):
    """An ACK to a listener that knows no such connection (a peer of before a
    restart, an ACK scan)."""
    serve(lab, 'time.sleep(1)')
    lab.python(CLIENT, RAW + '''
    send(5000, 7000, 1001, 12345, 24, b'data')
    time.sleep(0.2)
''')


@scenario(program='python', cause='memory_pressure', end=SERVER,
          kinds=('sent',), process='python3', syscall='close',
          lookalike_of='linger_zero')
def too_many_orphans(lab):
    """net.ipv4.tcp_max_orphans is one for all namespaces, so that this is
    done only where the machine is ours alone."""
    path = '/proc/sys/net/ipv4/tcp_max_orphans'
    if os.environ.get('RSTSCOPE_SCENARIOS_GLOBAL') != '1' or \
            not os.access(path, os.W_OK):
        lab.skip('changes the whole host: RSTSCOPE_SCENARIOS_GLOBAL=1')
    serve(lab, '''
        c.recv(1000)
        for _ in range(40):
            c.send(b'x' * 100000)
        c.close()
    ''')
    with open(path) as f:
        before = f.read()
    p = client(lab, "c.sendall(b'question'); time.sleep(1.5); "
                    "c.recv(100)", background=True)
    lab.sleep(0.1)
    try:
        with open(path, 'w') as f:
            f.write('0')
        lab.sleep(1)
    finally:
        with open(path, 'w') as f:
            f.write(before)
    p.wait()


# Endings that are no failure

@scenario(program='python', cause='graceful_race', end=SERVER,
          kinds=('received',), process=('python3', None), benign=True,
          other=dict(cause='linger_zero', kinds=('sent',),
                     process='python3', syscall='close'))
def done_then_reset(lab):
    """A client that resets when it has its whole answer (load generators,
    scrapers)."""
    serve(lab, '''
        try:
            while c.recv(1000):
                c.sendall(b'answer')
        except OSError:
            pass
    ''')
    for _ in range(3):
        client(lab, '''
            c.sendall(b'question')
            c.recv(1000)
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER0)
            c.close()
            time.sleep(0.1)
        ''')


@scenario(program='openssl', cause='graceful_race', end=SERVER,
          kinds=('received',), benign=True, needs=('openssl', 'curl'),
          other=dict(cause=('late_data', 'graceful_race',
                            'close_with_unread_data'),
                     kinds=('sent',), process='curl'))
def tls_goodbyes_cross(lab):
    """The client says goodbye and closes; the server's goodbye comes late."""
    cert, key = lab.certificate()
    serve(lab, '''
        t = x.wrap_socket(c, server_side=True)
        t.recv(4000)
        t.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok')
        try:
            t.recv(100)
            time.sleep(0.05)
            t.unwrap()
            c.recv(100)
        except OSError as e:
            print(e)
        t.close()
    ''', setup='''
        import ssl
        x = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        x.load_cert_chain(%r, %r)
    ''' % (cert, key))
    lab.run(CLIENT, ['curl', '-sk', 'https://10.77.2.2:7000/'])
    lab.sleep(0.3)


@scenario(program='ncat', cause=None, end=CLIENT, needs=('ncat',),
          lookalike_of='peer_closed_early')
def half_close_is_no_hangup(lab):
    serve(lab, '''
        while c.recv(1000):
            pass
        c.sendall(b'total: 8')
        c.close()
    ''')
    lab.run(CLIENT, ['ncat', SERVER_IP, PORT], input='question')


@scenario(program='curl', cause=None, end=CLIENT, needs=('curl',),
          lookalike_of='peer_closed_early')
def answer_ends_with_close(lab):
    serve(lab, '''
        c.recv(1000)
        c.sendall(b'HTTP/1.0 200 OK\\r\\n\\r\\n')
        time.sleep(0.3)
        c.sendall(b'the answer')
        c.close()
    ''')
    lab.run(CLIENT, ['curl', '-s', URL])


@scenario(program='python', cause=None, end=CLIENT,
          lookalike_of='peer_closed_early')
def smtp_quit_is_no_hangup(lab):
    serve(lab, '''
        c.sendall(b'220 hello\\r\\n')
        f = c.makefile('rwb')
        for line in f:
            if line.upper().startswith(b'QUIT'):
                f.write(b'221 bye\\r\\n')
                f.flush()
                break
            f.write(b'250 ok\\r\\n')
            f.flush()
        c.close()
    ''')
    lab.python(CLIENT, '''
        import smtplib
        s = smtplib.SMTP('10.77.2.2', 7000, local_hostname='me')
        s.noop()
        s.quit()
    ''')


@scenario(program='redis', cause=None, end=CLIENT, needs=('redis-server',),
          lookalike_of='db_pool_idle')
def redis_quit_is_no_hangup(lab):
    lab.start(SERVER, ['redis-server', '--port', PORT, '--save', '',
                       '--protected-mode', 'no', '--bind', '0.0.0.0'],
              port=PORT)
    client(lab, '''
        c.sendall(b'*1\\r\\n$4\\r\\nPING\\r\\n')
        c.recv(100)
        c.sendall(b'*1\\r\\n$4\\r\\nQUIT\\r\\n')
        while c.recv(100):
            pass
    ''')


@scenario(program='socat', cause=None, end=CLIENT, needs=('socat',),
          lookalike_of='peer_closed_early')
def one_way_transfer(lab):
    """Data one way only; the receiver closes in the end, nothing was due."""
    lab.start(SERVER, ['socat', '-u', 'TCP-LISTEN:7000,reuseaddr',
                       'OPEN:/dev/null'], port=PORT)
    lab.run(CLIENT, ['socat', '-u', 'SYSTEM:seq 1 20000',
                     'TCP:10.77.2.2:7000'])


@scenario(program='node', cause=None, end=CLIENT, needs=('node',),
          lookalike_of='stale_keepalive')
def idle_pool_connection_closed(lab):
    """The server's idle timer ends a pooled connection that nobody uses."""
    p = lab.node(SERVER, '''
        const s = require('http').createServer((q, a) => a.end('ok'));
        s.keepAliveTimeout = 1000;
        s.listen(7000);
    ''', background=True)
    lab.wait_port(SERVER, PORT, proc=p)
    lab.node(CLIENT, '''
        const http = require('http');
        const agent = new http.Agent({keepAlive: true});
        http.get({host: '10.77.2.2', port: 7000, agent}, a => a.resume());
        setTimeout(() => process.exit(), 3200);
    ''')


@scenario(program='python', cause=None, end=CLIENT,
          lookalike_of='lb_idle_timeout')
def frozen_server_is_no_reset(lab):
    """The client's own patience ends: it closes, and nothing was reset."""
    serve(lab, 'time.sleep(20)')
    client(lab, '''
        c.settimeout(1.5)
        c.sendall(b'question')
        c.recv(100)
    ''')


@scenario(program='curl', cause='connect_timeout', end=CLIENT,
          kinds=('timeout',), process='curl', needs=('curl', 'nft'))
def given_up_connecting(lab):
    """--connect-timeout: the program gives up, its SYNs had no answer."""
    drop_input(lab)
    lab.run(CLIENT, ['curl', '-s', '--connect-timeout', '2.5', URL])


@scenario(program='curl', cause=None, end=CLIENT, needs=('curl', 'nft'),
          lookalike_of='connect_timeout')
def given_up_at_once(lab):
    """Before the first SYN was due again: nothing was wrong yet."""
    drop_input(lab)
    lab.run(CLIENT, ['curl', '-s', '--connect-timeout', '0.6', URL])


def drop_input(lab):
    lab.nft(SERVER, '''table inet guard {
        chain in {
            type filter hook input priority 0; policy accept;
            tcp dport 7000 drop
        }
    }''')
