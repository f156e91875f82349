# SPDX-License-Identifier: Apache-2.0
"""What the path does: forgets, rejects, forges, falls silent; hosts that lose
their memory. Beside each what looks like it and is something else."""
import os
import time

from lab import CLIENT, ROUTER, SERVER, SERVER_IP, scenario

PORT = 7000

ECHO = '''
    import socket, threading
    def serve(c):
        try:
            while True:
                d = c.recv(65536)
                if not d:
                    break
                c.sendall(d)
        except OSError:
            pass
        c.close()
    s = socket.create_server(('', 7000))
    while True:
        c, _ = s.accept()
        threading.Thread(target=serve, args=(c,)).start()
'''

# Asks, waits, asks again: pauses in seconds; then waits for the end.
ASK = '''
    import socket, sys, time
    c = socket.create_connection(('10.77.2.2', 7000))
    if sys.argv[1] != '0':
        c.setsockopt(socket.IPPROTO_TCP, 18, int(sys.argv[1]))
    try:
        for pause in sys.argv[2:]:
            c.sendall(b'question')
            c.recv(1000)
            time.sleep(float(pause))
        c.sendall(b'question')
        print(c.recv(1000))
    except OSError as e:
        print(e)
'''

# Asks 20 times a second until something ends it.
BUSY = '''
    import socket, sys, time
    c = socket.create_connection(('10.77.2.2', 7000))
    if len(sys.argv) > 1:
        c.setsockopt(socket.IPPROTO_TCP, 18, int(sys.argv[1]))
    print('up', flush=True)
    try:
        while True:
            c.sendall(b'question')
            if not c.recv(1000):
                break
            time.sleep(0.05)
    except OSError as e:
        print(e)
'''

NODE_ASK = '''
    const c = require('net').connect(7000, '10.77.2.2');
    c.on('error', e => console.log(e.code));
    c.on('close', () => process.exit(0));
    c.write('question');
    setTimeout(() => c.write('question'), Number(process.argv[2]));
'''


def echo(lab):
    p = lab.python(SERVER, ECHO, background=True)
    lab.wait_port(SERVER, PORT, proc=p)
    return p


def socat_echo(lab):
    return lab.start(SERVER, ['socat', 'TCP-LISTEN:7000,reuseaddr,fork',
                              'PIPE'], port=PORT)


def chain(lab, where, hook, *rules, more=''):
    lab.nft(where, 'table inet guard {\n chain c_%s {\n type filter hook %s '
            'priority 0; policy accept;\n%s\n }\n%s\n}\n' % (
                hook, hook, '\n'.join(rules), more))


def forget(lab, answer='drop', seconds=2):
    """A firewall that forgets a connection idle for so long."""
    chain(lab, ROUTER, 'forward', 'ct state invalid ' + answer)
    for key, value in (('timeout_established', seconds), ('loose', 0),
                       ('timeout_unacknowledged', seconds)):
        lab.sysctl(ROUTER, 'net.netfilter.nf_conntrack_tcp_' + key, value)


def silence(lab, *, port=PORT):
    chain(lab, ROUTER, 'forward', 'tcp dport %d drop' % port,
          'tcp sport %d drop' % port)


def nginx(lab, text='', http=''):
    conf = lab.file('nginx.conf', '''
daemon off; pid nginx.pid; error_log stderr; worker_processes 1; user root;
events {}
http {
  access_log off; client_body_temp_path body; proxy_temp_path proxy;
  fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  %s
  server { listen 7000; root %s; %s }
}
''' % (http, lab.dir, text))
    return lab.start(SERVER, ['nginx', '-p', lab.dir, '-c', conf], port=PORT)


URL = 'http://%s:%d/' % (SERVER_IP, PORT)


# Something on the path forgot the connection

@scenario(program='python', cause='firewall_idle_drop', end=CLIENT,
          kinds=('timeout',), process='python3', syscall='read',
          needs=('nft',))
def idle_drop_python(lab):
    forget(lab)
    echo(lab)
    lab.python(CLIENT, ASK, '1500', '3.5')


@scenario(program='node', cause='firewall_idle_drop', end=CLIENT,
          kinds=('timeout',), process='node', syscall='read',
          needs=('nft', 'node', 'socat'))
def idle_drop_node(lab):
    forget(lab)
    socat_echo(lab)
    lab.sysctl(CLIENT, 'net.ipv4.tcp_retries2', 2)
    lab.node(CLIENT, NODE_ASK, '3300', timeout=13)


@scenario(program='ncat', cause='firewall_idle_drop', end=CLIENT,
          kinds=('timeout',), process='ncat', needs=('nft', 'ncat', 'socat'))
def idle_drop_ncat(lab):
    forget(lab)
    socat_echo(lab)
    lab.sysctl(CLIENT, 'net.ipv4.tcp_retries2', 2)
    r, w = os.pipe()
    p = lab.start(CLIENT, ['ncat', SERVER_IP, PORT], stdin=r)
    os.close(r)
    os.write(w, b'question\n')
    lab.wait_line(p, 'question')
    lab.sleep(3)
    os.write(w, b'again\n')
    p.wait(8)
    os.close(w)


@scenario(program='python', cause='firewall_idle_drop', end=SERVER,
          kinds=('timeout',), process='python3', needs=('nft',))
def idle_drop_seen_by_server(lab):
    forget(lab)
    lab.sysctl(SERVER, 'net.ipv4.tcp_retries2', 2)
    p = lab.python(SERVER, '''
        import socket, time
        s = socket.create_server(('', 7000))
        c, _ = s.accept()
        c.recv(100)
        c.sendall(b'event 1')
        time.sleep(3.3)
        try:
            c.sendall(b'event 2')
            c.recv(100)
        except OSError as e:
            print(e)
    ''', background=True)
    lab.wait_port(SERVER, PORT)
    lab.start(CLIENT, ['socat', '-u', 'SYSTEM:echo subscribe; sleep 14',
                       'TCP:10.77.2.2:7000'])
    p.wait(12)


@scenario(program='redis', cause=('db_pool_idle', 'firewall_idle_drop'),
          end=CLIENT, kinds=('timeout',), process='python3',
          needs=('nft', 'redis-server'))
def idle_drop_redis(lab):
    forget(lab)
    lab.start(SERVER, ['redis-server', '--port', 6379, '--save', '',
                       '--protected-mode', 'no', '--bind', '0.0.0.0'],
              port=6379)
    lab.python(CLIENT, '''
        import socket, time
        c = socket.create_connection(('10.77.2.2', 6379))
        c.setsockopt(socket.IPPROTO_TCP, 18, 1500)
        try:
            for pause in 0.1, 3.4, 0:
                c.sendall(b'*1\\r\\n$4\\r\\nPING\\r\\n')
                print(c.recv(100))
                time.sleep(pause)
        except OSError as e:
            print(e)
    ''')


@scenario(program='python', cause='firewall_idle_drop', end=CLIENT,
          kinds=('received',), process='python3', syscall='read',
          needs=('nft',))
def idle_reject_python(lab):
    forget(lab, 'reject with tcp reset')
    echo(lab)
    lab.python(CLIENT, ASK, '0', '0.3', '3.6')


@scenario(program='node', cause='firewall_idle_drop', end=CLIENT,
          kinds=('received',), process='node', syscall='read',
          needs=('nft', 'node', 'socat'))
def idle_reject_node(lab):
    forget(lab, 'reject with tcp reset')
    socat_echo(lab)
    for pause in '2750', '3430':
        lab.node(CLIENT, NODE_ASK, pause)


@scenario(program='curl', cause='firewall_idle_drop', end=CLIENT,
          kinds=('received',), process='curl',
          needs=('nft', 'curl', 'nginx'), lookalike_of='stale_keepalive')
def idle_reject_curl_nginx(lab):
    forget(lab, 'reject with tcp reset')
    lab.file('index.html', 'hello\n')
    nginx(lab)
    lab.run(CLIENT, ['curl', '-s', '--rate', '18/m', URL, URL, URL],
            timeout=13)


@scenario(program='python', cause='firewall_idle_drop', end=CLIENT,
          kinds=('received',), process='python3', syscall='read', count=3,
          needs=('nft',), lookalike_of='half_open',
          other=dict(cause='late_data', kinds=('sent',)))
def nat_forgets_python(lab):
    """A NAT gives a connection that it forgot a new port: the server itself
    answers that it knows no such connection. It happens again and again,
    after unlike pauses, while shorter ones do no harm."""
    lab.nft(ROUTER, '''table ip nat {
        chain post {
            type nat hook postrouting priority 100;
            oifname "east" masquerade random
        }
    }''')
    for key, value in (('timeout_established', 2), ('loose', 1),
                       ('timeout_unacknowledged', 2)):
        lab.sysctl(ROUTER, 'net.netfilter.nf_conntrack_tcp_' + key, value)
    echo(lab)
    for pauses in ('1.1', '2.71'), ('2.93',), ('3.64',):
        lab.python(CLIENT, ASK, '0', *pauses)


@scenario(program='socat', cause='firewall_idle_drop', end=CLIENT,
          kinds=('received',), process='socat', needs=('nft', 'socat'))
def idle_reject_socat(lab):
    forget(lab, 'reject with tcp reset')
    socat_echo(lab)
    lab.run(CLIENT, ['socat', '-t', '5', 'SYSTEM:echo a; sleep 0.4; echo b; '
                     'sleep 2.83; echo c; sleep 1', 'TCP:10.77.2.2:7000'])


@scenario(program='perl', cause='firewall_idle_drop', end=CLIENT,
          kinds=('timeout',), process='perl', syscall='read',
          needs=('nft', 'perl', 'socat'))
def idle_drop_perl(lab):
    forget(lab)
    socat_echo(lab)
    lab.sysctl(CLIENT, 'net.ipv4.tcp_retries2', 2)
    lab.run(CLIENT, ['perl', '-e', '''
        use IO::Socket::INET;
        my $s = IO::Socket::INET->new(PeerAddr => "10.77.2.2:7000") or die;
        for my $pause (0.2, 3.7, 0) {
            syswrite($s, "question"); sysread($s, my $b, 100) or last;
            select(undef, undef, undef, $pause);
        }
    '''])


@scenario(program='ruby', cause='firewall_idle_drop', end=CLIENT,
          kinds=('received',), process='ruby', needs=('nft', 'ruby', 'nginx'),
          lookalike_of='stale_keepalive')
def idle_reject_ruby_http(lab):
    forget(lab, 'reject with tcp reset')
    lab.file('index.html', 'hello\n')
    nginx(lab)
    lab.run(CLIENT, ['ruby', '-rnet/http', '-e', '''
        h = Net::HTTP.new("10.77.2.2", 7000)
        h.keep_alive_timeout = 30; h.max_retries = 0; h.start
        begin
          [0.1, 3.2, 0].each { |pause| h.get("/"); sleep pause }
        rescue SystemCallError => e
          puts e
        end
    '''])


# Its look-alikes: silence without an idle time before it

@scenario(program='python', cause='user_timeout', end=CLIENT,
          kinds=('timeout',), process='python3', syscall='read',
          needs=('nft',), lookalike_of='firewall_idle_drop')
def silence_in_traffic_python(lab):
    echo(lab)
    p = lab.python(CLIENT, BUSY, '1500', background=True)
    lab.wait_line(p, 'up')
    lab.sleep(0.5)
    silence(lab)
    p.wait(8)


@scenario(program='node', cause='user_timeout', end=CLIENT,
          kinds=('timeout',), process='node', syscall='read',
          needs=('nft', 'node', 'socat'), lookalike_of='firewall_idle_drop')
def silence_in_traffic_node(lab):
    socat_echo(lab)
    lab.sysctl(CLIENT, 'net.ipv4.tcp_retries2', 2)
    p = lab.node(CLIENT, '''
        const c = require('net').connect(7000, '10.77.2.2');
        c.on('error', e => console.log(e.code));
        c.on('close', () => process.exit(0));
        setInterval(() => c.write('question'), 50);
        c.once('data', () => console.log('up'));
    ''', background=True)
    lab.wait_line(p, 'up')
    lab.sleep(0.3)
    silence(lab)
    p.wait(10)


@scenario(program='haproxy', cause=('user_timeout', 'peer_closed_early'),
          end=CLIENT, kinds=('timeout', 'hangup'),
          process=('haproxy', 'python3'),
          needs=('nft', 'haproxy', 'curl'),
          lookalike_of='firewall_idle_drop',
          other=dict(cause=('user_timeout', 'firewall_idle_drop'),
                     kinds=('timeout',)))
def silence_haproxy_tcp_ut(lab):
    """A proxy on the client's host, with TCP_USER_TIMEOUT to its server."""
    echo(lab)
    conf = lab.file('haproxy.cfg', '''
defaults
  mode tcp
  timeout connect 2s
  timeout client 20s
  timeout server 20s
listen front
  bind 127.0.0.1:7100
  server s 10.77.2.2:7000 tcp-ut 1500
''')
    lab.start(CLIENT, ['haproxy', '-f', conf, '-db'], port=7100)
    p = lab.python(CLIENT, BUSY.replace("('10.77.2.2', 7000)",
                                        "('127.0.0.1', 7100)"),
                   background=True)
    lab.wait_line(p, 'up')
    lab.sleep(0.5)
    silence(lab)
    p.wait(8)


@scenario(program='python', cause=None, end=CLIENT, needs=('nft',),
          lookalike_of='firewall_idle_drop')
def idle_shorter_than_the_firewall(lab):
    forget(lab, seconds=4)
    echo(lab)
    lab.python(CLIENT, ASK, '1500', '2.5', '0.1')


# A rule rejects: on the path

def reject(lab, where=ROUTER, hook='forward', port=PORT,
           how='reject with tcp reset'):
    chain(lab, where, hook, 'tcp dport %d %s' % (port, how))


@scenario(program='python', cause=('firewall_reject', 'late_data'),
          end=CLIENT, kinds=('received', 'sent'), process=('python3', None),
          syscall=('read', None), needs=('nft',))
def reject_path_python(lab):
    echo(lab)
    p = lab.python(CLIENT, BUSY, background=True)
    lab.wait_line(p, 'up')
    lab.sleep(0.7)
    reject(lab)
    p.wait()


@scenario(program='node', cause=('firewall_reject', 'late_data'), end=CLIENT,
          kinds=('received', 'sent'), process=('node', None),
          syscall=('read', None), needs=('nft', 'node', 'socat'))
def reject_path_node(lab):
    socat_echo(lab)
    p = lab.node(CLIENT, '''
        const c = require('net').connect(7000, '10.77.2.2');
        c.on('error', e => console.log(e.code));
        c.on('close', () => process.exit(0));
        setInterval(() => c.write('question'), 40);
        c.once('data', () => console.log('up'));
    ''', background=True)
    lab.wait_line(p, 'up')
    lab.sleep(0.5)
    reject(lab)
    p.wait()


@scenario(program='redis', cause=('firewall_reject', 'late_data'),
          end=CLIENT, kinds=('received', 'sent'),
          process=('redis-benchmark', None), syscall=('read', None),
          needs=('nft', 'redis-server', 'redis-benchmark'))
def reject_path_redis_benchmark(lab):
    lab.start(SERVER, ['redis-server', '--port', PORT, '--save', '',
                       '--protected-mode', 'no', '--bind', '0.0.0.0'],
              port=PORT)
    p = lab.start(CLIENT, ['redis-benchmark', '-h', SERVER_IP, '-p', PORT,
                           '-t', 'ping_mbulk', '-c', 1, '-n', 3000000])
    lab.sleep(1.2)
    reject(lab)
    lab.sleep(0.5)
    p.kill()


@scenario(program='curl', cause='firewall_reject', end=CLIENT,
          kinds=('received',), process='curl', needs=('nft', 'curl', 'socat'))
def reject_path_curl_upload(lab):
    lab.start(SERVER, ['socat', '-u', 'TCP-LISTEN:7000,reuseaddr,fork',
                       'OPEN:/dev/null'], port=PORT)
    with open(os.path.join(lab.dir, 'big'), 'wb') as f:
        f.truncate(50 << 20)
    p = lab.start(CLIENT, ['curl', '-s', '--limit-rate', '2M', '-T', 'big',
                           '-H', 'Expect:', URL])
    lab.sleep(1.2)
    reject(lab)
    p.wait()


@scenario(program='curl', cause=('firewall_reject', 'connection_refused'),
          end=CLIENT, kinds=('refused',), process='curl', syscall='connect',
          needs=('nft', 'curl'))
def reject_path_syn_reset(lab):
    reject(lab, port=7001)
    lab.run(CLIENT, ['curl', '-s', 'http://10.77.2.2:7001/'])


@scenario(program='python', cause=('firewall_reject', 'connection_refused'),
          end=CLIENT, kinds=('refused',), process='python3',
          syscall='connect', needs=('nft',))
def reject_path_syn_icmp(lab):
    reject(lab, port=7001, how='reject')
    lab.python(CLIENT, '''
        import socket
        try:
            socket.create_connection(('10.77.2.2', 7001))
        except OSError as e:
            print(e)
    ''')


@scenario(program='node', cause=('firewall_reject', 'connection_refused'),
          end=CLIENT, kinds=('refused',), process='node', syscall='connect',
          needs=('nft', 'node'))
def reject_path_syn_icmp_node(lab):
    reject(lab, port=7001, how='reject')
    lab.node(CLIENT, '''
        require('net').connect(7001, '10.77.2.2')
            .on('error', e => console.log(e.code));
    ''')


@scenario(program='ncat', cause='peer_unreachable', end=CLIENT,
          kinds=('timeout',), process='ncat', syscall='connect',
          needs=('nft', 'ncat'), lookalike_of='firewall_reject')
def reject_path_admin_prohibited(lab):
    reject(lab, port=7001, how='reject with icmpx type admin-prohibited')
    lab.run(CLIENT, ['ncat', SERVER_IP, '7001'])


# A rule rejects: on this host

@scenario(program='python', cause=('firewall_reject', 'late_data'),
          end=CLIENT, kinds=('received', 'sent'), process=('python3', None),
          syscall=('read', None), needs=('nft',))
def reject_output_python(lab):
    echo(lab)
    p = lab.python(CLIENT, BUSY, background=True)
    lab.wait_line(p, 'up')
    lab.sleep(0.5)
    reject(lab, CLIENT, 'output')
    p.wait()


@scenario(program='curl', cause='firewall_reject', end=CLIENT,
          kinds=('refused',), process='curl', syscall='connect',
          needs=('nft', 'curl'), lookalike_of='connection_refused')
def reject_output_syn_curl(lab):
    reject(lab, CLIENT, 'output', 7001)
    lab.run(CLIENT, ['curl', '-s', 'http://10.77.2.2:7001/'])


@scenario(program='node', cause='firewall_reject', end=CLIENT,
          kinds=('refused',), process='node', syscall='connect',
          needs=('nft', 'node'), lookalike_of='connection_refused')
def reject_output_syn_node(lab):
    reject(lab, CLIENT, 'output', 7001)
    lab.node(CLIENT, '''
        require('net').connect(7001, '10.77.2.2')
            .on('error', e => console.log(e.code));
    ''')


@scenario(program='socat', cause='firewall_reject', end=SERVER,
          kinds=('sent',), process=('socat', None), needs=('nft', 'socat'),
          other=dict(cause=('firewall_reject', 'half_open', 'late_data'),
                     kinds=('received', 'sent'), process=('python3', None),
                     syscall=('read', None)))
def reject_input_socat(lab):
    """The server's own filter resets a live connection."""
    lab.skip('tracepoints do not show the RST that a filter sends for '
             'another: this needs a probe on nf_send_reset')
    socat_echo(lab)
    p = lab.python(CLIENT, BUSY, background=True)
    lab.wait_line(p, 'up')
    lab.sleep(0.5)
    reject(lab, SERVER, 'input')
    p.wait()


# The peer's host no longer knows the connection

def reboot(lab, down=0.0):
    """The server's address moves to a host that knows no connection."""
    lab.ip(SERVER, 'link', 'del', 'eth0')
    if down:
        time.sleep(down)
    lab._new_host('reborn')
    lab.ip(ROUTER, 'link', 'add', 'east', 'type', 'veth', 'peer', 'name',
           'eth0', 'netns', str(lab.holder['reborn'].pid))
    lab.ip(ROUTER, 'address', 'add', '10.77.2.1/24', 'dev', 'east')
    lab.ip(ROUTER, 'link', 'set', 'east', 'up')
    lab.ip('reborn', 'link', 'set', 'lo', 'up')
    lab.ip('reborn', 'address', 'add', SERVER_IP + '/24', 'dev', 'eth0')
    lab.ip('reborn', 'link', 'set', 'eth0', 'up')
    lab.ip('reborn', 'route', 'add', 'default', 'via', '10.77.2.1')


# The router would say at once that it has no route: let it keep silent.
def mute(lab):
    chain(lab, ROUTER, 'output', 'icmp type destination-unreachable drop')


@scenario(program='python', cause='half_open', end=CLIENT,
          kinds=('received',), process='python3', syscall='read',
          needs=('nft',))
def reboot_in_traffic_python(lab):
    mute(lab)
    echo(lab)
    p = lab.python(CLIENT, BUSY, background=True)
    lab.wait_line(p, 'up')
    lab.sleep(0.5)
    reboot(lab, 1)
    p.wait(8)


@scenario(program='node', cause='half_open', end=CLIENT, kinds=('received',),
          process='node', syscall='read', needs=('nft', 'node', 'socat'))
def reboot_in_traffic_node(lab):
    mute(lab)
    socat_echo(lab)
    p = lab.node(CLIENT, '''
        const c = require('net').connect(7000, '10.77.2.2');
        c.on('error', e => console.log(e.code));
        c.on('close', () => process.exit(0));
        setInterval(() => c.write('question'), 100);
        c.once('data', () => console.log('up'));
    ''', background=True)
    lab.wait_line(p, 'up')
    lab.sleep(0.4)
    reboot(lab, 1.2)
    p.wait(8)


@scenario(program='socat', cause='half_open', end=CLIENT, kinds=('received',),
          process='socat', needs=('nft', 'socat'))
def reboot_answers_keepalive_socat(lab):
    echo(lab)
    p = lab.start(CLIENT, ['socat', 'SYSTEM:echo hello; sleep 12',
                           'TCP:10.77.2.2:7000,keepalive,keepidle=2,'
                           'keepintvl=1,keepcnt=5'])
    lab.sleep(0.7)
    reboot(lab)
    p.wait(8)


@scenario(program='ncat', cause=('half_open', 'firewall_idle_drop'),
          end=CLIENT, kinds=('received',), process='ncat',
          needs=('ncat', 'socat'), lookalike_of='firewall_idle_drop')
def reboot_then_use_ncat(lab):
    """Idle, and used again after the host came back: only the TTL is left to
    tell it from a firewall that rejects what it forgot."""
    socat_echo(lab)
    r, w = os.pipe()
    p = lab.start(CLIENT, ['ncat', SERVER_IP, PORT], stdin=r)
    os.close(r)
    os.write(w, b'question\n')
    lab.wait_line(p, 'question')
    lab.sleep(0.3)
    reboot(lab)
    lab.sleep(1.4)
    os.write(w, b'again\n')
    p.wait()
    os.close(w)


@scenario(program='python', cause=('half_open', 'firewall_reject'),
          end=CLIENT, kinds=('received',), process='python3', syscall='read')
def socket_forgotten_python(lab):
    """TCP_REPAIR: the server's host forgets the socket without a word."""
    p = lab.python(SERVER, '''
        import socket
        s = socket.create_server(('', 7000))
        c, _ = s.accept()
        for _ in range(10):
            c.sendall(c.recv(1000))
        c.setsockopt(socket.IPPROTO_TCP, 19, 1)
        c.close()
        import time
        time.sleep(5)
    ''', background=True)
    lab.wait_port(SERVER, PORT, proc=p)
    lab.python(CLIENT, BUSY)


# Forged on the path

# argv: interface, to whom ('client'/'server'), TTL, flags (4 RST, 20 RST+ACK),
# offsets of the sequence numbers, text that triggers ('' : after argv[6]
# seconds of quiet), ports
FORGE = '''
    import socket, struct, sys, time
    link, whom, ttl, flags, offsets, trigger, quiet = sys.argv[1:8]
    ttl, flags, quiet = int(ttl), int(flags), float(quiet)
    offsets = [int(x) for x in offsets.split(',')]
    server, port = socket.inet_aton('10.77.2.2'), 7000

    def checksum(data):
        if len(data) % 2:
            data += b'\\0'
        n = sum(struct.unpack('!%dH' % (len(data) // 2), data))
        n = (n >> 16) + (n & 0xffff)
        return ~(n + (n >> 16)) & 0xffff

    sniff = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                          socket.htons(3))
    sniff.bind((link, 0))
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    print('ready', flush=True)
    seen = {}  # from whom -> (src, dst, sport, dport, next seq, ack)

    def forge():
        # in the name of the other one
        src, dst, sport, dport, seq, ack = seen[
            'server' if whom == 'client' else 'client']
        other = seen.get(whom)
        for o in offsets:
            tcp = struct.pack('!HHIIBBHHH', sport, dport, (seq + o) % 2**32,
                              ack if flags & 16 else 0, 0x50, flags, 0, 0, 0)
            pseudo = src + dst + struct.pack('!HH', 6, len(tcp))
            tcp = tcp[:16] + struct.pack('!H', checksum(pseudo + tcp)) + \\
                tcp[18:]
            ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(tcp), 0x1234,
                             0, ttl, 6, 0, src, dst)
            raw.sendto(ip + tcp, (socket.inet_ntoa(dst), 0))
        print('forged', flush=True)
        sys.exit()

    last = None
    while True:
        wait = None if last is None or trigger else \\
            max(0.01, last + quiet - time.monotonic())
        sniff.settimeout(wait)
        try:
            p, where = sniff.recvfrom(65536)
        except socket.timeout:
            forge()
        if p[9] != 6:
            continue
        total = struct.unpack('!H', p[2:4])[0]
        l4 = (p[0] & 15) * 4
        sport, dport, seq, ack, off, fl = struct.unpack('!HHIIBB',
                                                        p[l4:l4 + 14])
        if port not in (sport, dport) or fl & 4:
            continue
        data = p[l4 + (off >> 4) * 4:total]
        src, dst = p[12:16], p[16:20]
        name = 'server' if src == server else 'client'
        if fl & 16 or fl & 2:
            seen[name] = (src, dst, sport, dport,
                          (seq + len(data) + (1 if fl & 3 else 0)) % 2**32,
                          ack)
        if data:
            last = time.monotonic()
            if trigger and trigger.encode() in data and len(seen) == 2:
                # the forger knows what the next in line will be
                me = 'server' if name == 'client' else 'client'
                s = seen[me]
                seen[me] = (s[0], s[1], s[2], s[3], s[4],
                            (seq + len(data)) % 2**32)
                forge()
'''


def forger(lab, whom, ttl, flags, offsets='0', trigger='', quiet=1.2):
    p = lab.python(ROUTER, FORGE, 'west', whom, str(ttl), str(flags),
                   offsets, trigger, str(quiet), background=True)
    lab.wait_line(p, 'ready')
    return p


@scenario(program='python', cause='middlebox_injected', end=CLIENT,
          kinds=('received',), process='python3', syscall='read')
def forged_on_idle_python(lab):
    forger(lab, 'client', 57, 4)
    echo(lab)
    lab.python(CLIENT, '''
        import socket
        c = socket.create_connection(('10.77.2.2', 7000))
        c.sendall(b'question')
        try:
            while c.recv(1000):
                pass
        except OSError as e:
            print(e)
    ''')


@scenario(program='curl', cause=('middlebox_injected', 'late_data'),
          end=CLIENT, kinds=('received', 'sent'), process=('curl', None),
          needs=('curl', 'node'),
          other=dict(cause=('late_data', 'half_open', 'middlebox_injected',
                            'peer_aborted', 'firewall_reject'),
                     kinds=('received', 'sent')))
def forged_on_keyword_curl(lab):
    """Three RST+ACKs at guessed places, as censors send them, faster than the
    server's answer."""
    forger(lab, 'client', 112, 20, '0,1460,4380', 'forbidden')
    p = lab.node(SERVER, '''
        require('http').createServer((q, a) =>
            setTimeout(() => a.end('answer'), 200)).listen(7000);
    ''', background=True)
    lab.wait_port(SERVER, PORT, proc=p)
    lab.run(CLIENT, ['curl', '-s', URL + '?forbidden'])
    lab.sleep(0.4)


STREAM = '''
    import socket, time
    s = socket.create_server(('', 7000))
    c, _ = s.accept()
    c.recv(1000)
    try:
        for _ in range(300):
            c.sendall(b'x' * 700)
            time.sleep(0.02)
    except OSError as e:
        print(e)
    time.sleep(5)
'''


@scenario(program='socat', cause=('middlebox_injected', 'late_data'),
          end=CLIENT, kinds=('received', 'sent'), needs=('socat',),
          other=dict(cause=('half_open', 'middlebox_injected',
                            'firewall_reject', 'peer_aborted'),
                     kinds=('received',)))
def forged_in_stream_socat(lab):
    """The peer goes on sending after the RST in its name."""
    p = lab.python(SERVER, STREAM, background=True)
    lab.wait_port(SERVER, PORT, proc=p)
    f = forger(lab, 'client', 240, 20, '0,700,1400', 'xxxx')
    lab.run(CLIENT, ['socat', '-T', '4', 'SYSTEM:echo get; cat >/dev/null',
                     'TCP:10.77.2.2:7000'])
    f.wait()


@scenario(program='node', cause='middlebox_injected', end=SERVER,
          kinds=('received',), process='node', syscall='read',
          needs=('node',))
def forged_to_server_node(lab):
    """In the client's name, at the server; the client never sent it."""
    forger(lab, 'server', 57, 4, quiet=0.25)
    p = lab.node(SERVER, '''
        require('net').createServer(c => {
            c.on('data', d => c.write(d));
            c.on('error', e => console.log(e.code));
        }).listen(7000);
    ''', background=True)
    lab.wait_port(SERVER, PORT, proc=p)
    lab.python(CLIENT, '''
        import socket
        c = socket.create_connection(('10.77.2.2', 7000))
        c.sendall(b'question')
        c.recv(1000)
        c.settimeout(2.5)
        try:
            c.recv(1000)
        except OSError as e:
            print(e)
        import os
        c.setsockopt(socket.IPPROTO_TCP, 19, 1)
        os._exit(0)
    ''')


@scenario(program='python', cause=None, end=CLIENT,
          lookalike_of='middlebox_injected')
def blind_rst_is_survived(lab):
    """In the window but not exact: a challenge ACK, and nothing else."""
    f = forger(lab, 'client', 57, 4, '5000,9000', quiet=0.5)
    echo(lab)
    lab.python(CLIENT, ASK, '0', '1.2', '0.1')
    f.wait()


@scenario(program='python', cause='peer_aborted', end=CLIENT,
          kinds=('received',), process='python3', syscall='read',
          lookalike_of='middlebox_injected',
          other=dict(cause='linger_zero', kinds=('sent',),
                     process='python3', syscall='close'))
def aborted_in_stream_python(lab):
    """The server itself aborts in the middle of its answer."""
    p = lab.python(SERVER, '''
        import socket, struct, time
        s = socket.create_server(('', 7000))
        while True:
            c, _ = s.accept()
            c.recv(1000)
            for _ in range(60):
                c.sendall(b'x' * 7000)
                time.sleep(0.01)
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack('ii', 1, 0))
            c.close()
    ''', background=True)
    lab.wait_port(SERVER, PORT, proc=p)
    lab.python(CLIENT, '''
        import socket
        c = socket.create_connection(('10.77.2.2', 7000))
        c.sendall(b'get')
        try:
            while c.recv(100000):
                pass
        except OSError as e:
            print(e)
    ''')


# No connection at all

@scenario(program='ncat', cause='connection_refused', end=CLIENT,
          kinds=('refused',), process='ncat', syscall='connect',
          needs=('ncat',), lookalike_of='firewall_reject',
          other=dict(cause='port_closed', kinds=('sent',), process=None))
def refused_ncat(lab):
    lab.run(CLIENT, ['ncat', SERVER_IP, '7001'])


@scenario(program='node', cause='connection_refused', end=CLIENT,
          kinds=('refused',), process='node', syscall='connect',
          needs=('node',),
          other=dict(cause='port_closed', kinds=('sent',), process=None))
def refused_node(lab):
    lab.node(CLIENT, '''
        require('http').get('http://10.77.2.2:7001/')
            .on('error', e => console.log(e.code));
    ''')


@scenario(program='python', cause='connect_timeout', end=CLIENT,
          kinds=('timeout',), process='python3', syscall='connect',
          needs=('nft',), lookalike_of='firewall_reject')
def syn_dropped_python(lab):
    chain(lab, ROUTER, 'forward', 'tcp dport 7001 drop')
    lab.sysctl(CLIENT, 'net.ipv4.tcp_syn_retries', 1)
    lab.python(CLIENT, '''
        import socket
        try:
            socket.create_connection(('10.77.2.2', 7001))
        except OSError as e:
            print(e)
    ''')


@scenario(program='node', cause='connect_timeout', end=CLIENT,
          kinds=('timeout',), process='node', syscall='connect',
          needs=('nft', 'node'))
def syn_dropped_node(lab):
    chain(lab, SERVER, 'input', 'tcp dport 7001 drop')
    lab.sysctl(CLIENT, 'net.ipv4.tcp_syn_retries', 1)
    lab.node(CLIENT, '''
        require('net').connect(7001, '10.77.2.2')
            .on('error', e => console.log(e.code));
    ''')


@scenario(program='curl', cause='connect_timeout', end=CLIENT,
          kinds=('timeout',), process='curl', syscall='connect',
          needs=('nft', 'curl'), lookalike_of='firewall_reject')
def syn_dropped_here_curl(lab):
    """By a rule of the client's own host."""
    chain(lab, CLIENT, 'output', 'tcp dport 7001 drop')
    lab.sysctl(CLIENT, 'net.ipv4.tcp_syn_retries', 1)
    lab.run(CLIENT, ['curl', '-s', 'http://10.77.2.2:7001/'])


@scenario(program='ncat', cause='peer_unreachable', end=CLIENT,
          kinds=('timeout',), process='ncat', syscall='connect',
          needs=('ncat',), lookalike_of='connect_timeout')
def unreachable_route_ncat(lab):
    lab.ip(ROUTER, 'route', 'add', 'unreachable', '10.77.9.0/24')
    lab.run(CLIENT, ['ncat', '10.77.9.9', '7001'])


@scenario(program='curl', cause='peer_unreachable', end=CLIENT,
          kinds=('timeout',), process='curl', syscall='connect',
          needs=('curl',), lookalike_of='connect_timeout')
def unreachable_neighbour_curl(lab):
    """Nobody answers ARP on the client's own link."""
    lab.run(CLIENT, ['curl', '-s', 'http://10.77.1.77:7001/'])


@scenario(program='python', cause='peer_unreachable', end=CLIENT,
          kinds=('timeout',), process='python3', syscall='read',
          lookalike_of='user_timeout')
def host_down_in_traffic_python(lab):
    """The server's host goes away: the router's ARP fails, ICMP tells."""
    echo(lab)
    p = lab.python(CLIENT, BUSY, '5000', background=True)
    lab.wait_line(p, 'up')
    lab.sleep(0.4)
    lab.ip(ROUTER, 'neighbour', 'flush', 'dev', 'east')
    lab.ip(SERVER, 'link', 'set', 'eth0', 'arp', 'off')
    lab.ip(SERVER, 'address', 'flush', 'dev', 'eth0')
    lab.ip(ROUTER, 'neighbour', 'flush', 'dev', 'east')
    p.wait(12)


# Probes that nobody answers

@scenario(program='python', cause='keepalive_timeout', end=CLIENT,
          kinds=('timeout', 'sent'), process='python3', needs=('nft',),
          lookalike_of='firewall_idle_drop')
def keepalive_python(lab):
    echo(lab)
    p = lab.python(CLIENT, '''
        import socket
        c = socket.create_connection(('10.77.2.2', 7000))
        for level, option, value in ((1, 9, 1), (6, 4, 1), (6, 5, 1),
                                     (6, 6, 2)):
            c.setsockopt(level, option, value)
        c.sendall(b'question')
        c.recv(1000)
        print('up', flush=True)
        try:
            c.recv(1000)
        except OSError as e:
            print(e)
    ''', background=True)
    lab.wait_line(p, 'up')
    silence(lab)
    p.wait(8)


@scenario(program='socat', cause='keepalive_timeout', end=CLIENT,
          kinds=('timeout', 'sent'), process='socat',
          needs=('nft', 'socat'))
def keepalive_socat(lab):
    echo(lab)
    p = lab.start(CLIENT, ['socat', 'SYSTEM:echo hello; sleep 12',
                           'TCP:10.77.2.2:7000,keepalive,keepidle=1,'
                           'keepintvl=1,keepcnt=2'])
    lab.sleep(0.6)
    silence(lab)
    p.wait(9)


@scenario(program='redis', cause='keepalive_timeout', end=SERVER,
          kinds=('timeout', 'sent'), process='redis-server',
          needs=('nft', 'redis-server'), limit=20)
def keepalive_redis_server(lab):
    lab.start(SERVER, ['redis-server', '--port', PORT, '--save', '',
                       '--protected-mode', 'no', '--bind', '0.0.0.0',
                       '--tcp-keepalive', 2], port=PORT)
    p = lab.python(CLIENT, '''
        import socket, time
        c = socket.create_connection(('10.77.2.2', 7000))
        c.sendall(b'*1\\r\\n$4\\r\\nPING\\r\\n')
        c.recv(100)
        print('up', flush=True)
        time.sleep(20)
    ''', background=True)
    lab.wait_line(p, 'up')
    silence(lab)
    lab.sleep(7)
