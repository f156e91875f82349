# SPDX-License-Identifier: Apache-2.0
"""db_pool_idle: database connections that outlive an idle limit, and what
looks like it: restarts, kills, silence without a pause, orderly ends."""
import databases
from lab import CLIENT, ROUTER, SERVER, SERVER_IP, scenario

PG = ('python:psycopg2', 'setpriv', databases.POSTGRES)
MARIA = ('python:pymysql', 'setpriv', 'mariadbd')
REDIS = ('redis-server',)
PYREDIS = ('redis-server', 'python:redis')

# What a server shows for a session that it ended: its process for that
# session is gone, or it lives and its connection is no longer known; or its
# own timer is named.
LATE_CAUSES = ('late_data', 'process_exit', 'db_pool_idle')
LATE = dict(cause=LATE_CAUSES, kinds=('sent',))

# Opens as many connections as argv[2] says, uses each once, pauses argv[1]
# seconds and uses each again. The pause in front spreads their ages.
PSYCOPG2 = '''
    import sys, time
    import psycopg2
    pause, many, port = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    more = dict(x.split('=') for x in sys.argv[4:])
    pool = []
    for i in range(many):
        c = psycopg2.connect(host='%s', port=port, user='postgres',
                             dbname='postgres', sslmode='disable',
                             connect_timeout=3, **more)
        c.autocommit = True
        pool.append(c)
        c.cursor().execute('select 1')
        time.sleep(0.13)
    time.sleep(pause)
    for c in pool:
        try:
            c.cursor().execute('select 2')
            print('worked')
        except psycopg2.Error as e:
            print('failed', repr(e))
''' % SERVER_IP

PYMYSQL = '''
    import sys, time
    import pymysql
    pause, many = float(sys.argv[1]), int(sys.argv[2])
    user_timeout = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    pool = []
    for i in range(many):
        c = pymysql.connect(host='%s', user='u', password='p',
                            connect_timeout=3, ssl_disabled=True)
        if user_timeout:
            c._sock.setsockopt(6, 18, user_timeout)
        pool.append(c)
        c.cursor().execute('select 1')
        time.sleep(0.13)
    time.sleep(pause)
    for c in pool:
        try:
            c.cursor().execute('select 2')
            print('worked')
        except pymysql.Error as e:
            print('failed', repr(e))
''' % SERVER_IP

# Connection objects, without the client's own test before each use.
PYREDIS_USE = '''
    import sys, time
    import redis
    pause, many, port = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    more = {}
    if len(sys.argv) > 4:
        more = dict(socket_keepalive=True,
                    socket_keepalive_options={18: int(sys.argv[4])})
    pool = []
    for i in range(many):
        c = redis.Connection(host='%s', port=port, socket_timeout=8, **more)
        c.connect()
        c.send_command('SET', 'a', '1')
        c.read_response()
        pool.append(c)
        time.sleep(0.13)
    time.sleep(pause)
    for c in pool:
        try:
            c.send_command('GET', 'a')
            c.read_response()
            print('worked')
        except redis.RedisError as e:
            print('failed', repr(e))
''' % SERVER_IP

# The router forgets a connection that was idle for 1.5 s, as NAT gateways and
# stateful firewalls do.
FORGETFUL = '''
    table ip fw {
        ct timeout short {
            protocol tcp;
            l3proto ip;
            policy = { established: 1, close: 1, fin_wait: 1 }
        }
        chain early {
            type filter hook prerouting priority -150;
            ip protocol tcp ct timeout set "short"
        }
        chain forward {
            type filter hook forward priority 0;
            tcp flags syn / syn,ack ct state new accept
            ct state established,related accept
            %s
        }
    }
'''


def forgetful(lab, verdict):
    # Without this conntrack takes up a connection in its middle again.
    lab.nft(ROUTER, FORGETFUL % verdict)
    lab.sysctl(ROUTER, 'net.netfilter.nf_conntrack_tcp_loose', 0)


# PostgreSQL

@scenario(program='postgresql', limit=25, cause='db_pool_idle', end=CLIENT,
          kinds=('received',), process='python3', syscall='read', count=2,
          needs=PG, other=LATE)
def pg_idle_session_psycopg2(lab):
    databases.postgres(lab, '-c', 'idle_session_timeout=1500')
    lab.python(CLIENT, PSYCOPG2, '2.3', '2', '5432')


@scenario(program='postgresql', limit=25, cause='db_pool_idle', end=CLIENT,
          kinds=('received',), process='psql', syscall='read',
          needs=PG + ('psql',), other=LATE)
def pg_idle_session_psql(lab):
    databases.postgres(lab, '-c', 'idle_session_timeout=1200')
    lab.run(CLIENT, ['sh', '-c', '(echo "select 1;"; sleep 2.1; '
                     'echo "select 2;"; sleep .3) | psql -q -U postgres '
                     '-h ' + SERVER_IP])


@scenario(program='postgresql', limit=25, cause='db_pool_idle', end=CLIENT,
          kinds=('received',), process='python3', needs=PG, other=LATE)
def pg_idle_in_transaction(lab):
    databases.postgres(
        lab, '-c', 'idle_in_transaction_session_timeout=1000')
    lab.python(CLIENT, PSYCOPG2.replace('autocommit = True',
                                        'autocommit = False'),
               '1.9', '1', '5432')


@scenario(program='postgresql', limit=25, cause='db_pool_idle', end=CLIENT,
          kinds=('received',), process='python3', needs=PG, other=LATE)
def pg_idle_session_crossing(lab):
    """The query leaves in the moment in which the timer fires."""
    databases.postgres(lab, '-c', 'idle_session_timeout=1500')
    lab.python(CLIENT, '''
        import sys, threading, time
        import psycopg2
        def use(pause):
            c = psycopg2.connect(host='%s', user='postgres',
                                 dbname='postgres', sslmode='disable')
            c.autocommit = True
            k = c.cursor()
            k.execute('select 1')
            time.sleep(pause)
            try:
                k.execute('select 2')
            except psycopg2.Error as e:
                print(repr(e))
        for p in (1.4985, 1.4990, 1.4995, 1.5, 1.5005, 1.501):
            threading.Thread(target=use, args=(p,)).start()
            time.sleep(0.3)
    ''' % SERVER_IP)


@scenario(program='postgresql', limit=25, cause=None, end=CLIENT, needs=PG,
          lookalike_of='pg_idle_session_psycopg2')
def pg_idle_within_limit(lab):
    databases.postgres(lab, '-c', 'idle_session_timeout=2500')
    lab.python(CLIENT, PSYCOPG2 + '''
    for c in pool:
        c.close()
    ''', '1.2', '3', '5432')


@scenario(program='postgresql', limit=25, cause='server_crash', end=CLIENT,
          kinds=('received', 'hangup', 'refused'), needs=PG, count=3,
          other=dict(cause=('process_exit', 'late_data', 'port_closed'),
                     kinds=('sent',)),
          lookalike_of='pg_idle_session_psycopg2')
def pg_killed_while_pooled(lab):
    """Postmaster and sessions die; the pool finds out, then is refused."""
    server = databases.postgres(lab)
    client = lab.python(CLIENT, PSYCOPG2 + '''
    for i in range(3):
        try:
            psycopg2.connect(host='%s', user='postgres', connect_timeout=2)
        except psycopg2.Error as e:
            print(repr(e))
    ''' % SERVER_IP, '2.0', '4', '5432', background=True)
    lab.sleep(1.6)
    databases.kill_session(server)
    client.wait(8)


@scenario(program='postgresql', limit=25, cause='server_crash', end=CLIENT,
          kinds=('received', 'hangup'), needs=PG, count=2,
          other=dict(cause=('process_exit', 'late_data'), kinds=('sent',)),
          lookalike_of='pg_idle_session_psycopg2')
def pg_backend_killed(lab):
    """kill -9 of one backend: PostgreSQL ends all sessions and recovers."""
    server = databases.postgres(lab)
    client = lab.python(CLIENT, PSYCOPG2, '2.0', '4', '5432',
                        background=True)
    lab.sleep(1.6)
    databases.kill_one_backend(server)
    client.wait(8)


@scenario(program='postgresql', limit=25, cause='server_crash', end=CLIENT,
          kinds=('received', 'hangup', 'refused'), needs=PG, count=3,
          other=dict(cause=('process_exit', 'late_data', 'port_closed'),
                     kinds=('sent',)),
          lookalike_of='pg_idle_session_psycopg2')
def pg_fast_shutdown(lab):
    """SIGINT to the postmaster: every session is told and ended at once."""
    server = databases.postgres(lab)
    client = lab.python(CLIENT, PSYCOPG2 + '''
    for i in range(3):
        try:
            psycopg2.connect(host='%s', user='postgres', connect_timeout=2)
        except psycopg2.Error as e:
            print(repr(e))
    ''' % SERVER_IP, '2.1', '4', '5432', background=True)
    lab.sleep(1.5)
    server.signal(2)
    client.wait(8)


@scenario(program='postgresql', limit=25, cause='db_pool_idle', end=CLIENT,
          kinds=('timeout',), process='python3', needs=PG + ('nft',))
def pg_firewall_forgets(lab):
    databases.postgres(lab)
    forgetful(lab, 'drop')
    lab.python(CLIENT, PSYCOPG2, '3.0', '1', '5432', 'tcp_user_timeout=2000',
               timeout=12)


@scenario(program='postgresql', limit=25, cause='user_timeout', end=CLIENT,
          kinds=('timeout',), process='python3', needs=PG + ('nft',),
          lookalike_of='pg_firewall_forgets')
def pg_path_dies_in_traffic(lab):
    databases.postgres(lab)
    client = lab.python(CLIENT, '''
        import psycopg2, time
        c = psycopg2.connect(host='%s', user='postgres', dbname='postgres',
                             sslmode='disable', tcp_user_timeout=1500)
        c.autocommit = True
        k = c.cursor()
        try:
            while True:
                k.execute('select 1')
                time.sleep(0.02)
        except psycopg2.Error as e:
            print(repr(e))
    ''' % SERVER_IP, background=True)
    lab.sleep(1.0)
    lab.nft(ROUTER, '''table ip fw { chain forward {
        type filter hook forward priority 0
        tcp dport 5432 drop
        }
        }''')
    client.wait(8)


@scenario(program='postgresql', limit=25, cause=None, end=CLIENT, needs=PG,
          lookalike_of='pg_idle_session_psycopg2')
def pg_statement_timeout(lab):
    """A slow query is cancelled; the connection goes on."""
    databases.postgres(lab, '-c', 'statement_timeout=1000')
    lab.python(CLIENT, '''
        import psycopg2
        c = psycopg2.connect(host='%s', user='postgres', dbname='postgres')
        c.autocommit = True
        for sql in ('select pg_sleep(3)', 'select 1'):
            try:
                c.cursor().execute(sql)
            except psycopg2.Error as e:
                print(repr(e))
        c.close()
    ''' % SERVER_IP)


# PgBouncer

@scenario(program='pgbouncer', limit=25, cause='db_pool_idle', end=CLIENT,
          kinds=('received',), process='python3', syscall='read', count=2,
          needs=PG + ('pgbouncer',),
          other=dict(cause=LATE_CAUSES, kinds=('sent',),
                     process='pgbouncer'))
def pgbouncer_client_idle(lab):
    databases.postgres(lab)
    databases.pgbouncer(lab, client_idle_timeout=1, pool_mode='transaction')
    lab.python(CLIENT, PSYCOPG2, '2.9', '2', '6432')


@scenario(program='pgbouncer', limit=25, cause=None, end=SERVER,
          needs=PG + ('pgbouncer',), lookalike_of='pgbouncer_client_idle')
def pgbouncer_server_idle(lab):
    """The pooler ends its idle session with a farewell; the client lives."""
    databases.postgres(lab)
    databases.pgbouncer(lab, server_idle_timeout=1, pool_mode='transaction')
    lab.python(CLIENT, PSYCOPG2 + '''
    for c in pool:
        c.close()
    ''', '2.6', '2', '6432')


@scenario(program='pgbouncer', limit=25, cause=None, end=SERVER,
          needs=PG + ('pgbouncer',), lookalike_of='pgbouncer_client_idle')
def pgbouncer_notices(lab):
    """The server ends the pooler's idle session; the pooler sees the FIN and
    takes a fresh one for the next query."""
    databases.postgres(lab, '-c', 'idle_session_timeout=1000')
    databases.pgbouncer(lab, pool_mode='transaction')
    lab.python(CLIENT, PSYCOPG2 + '''
    for c in pool:
        c.close()
    ''', '2.2', '2', '6432')


# MariaDB

@scenario(program='mariadb', limit=25, cause='db_pool_idle', end=CLIENT,
          kinds=('received',), process='python3', syscall='write', count=2,
          needs=MARIA,
          other=dict(cause=('linger_zero',) + LATE_CAUSES, kinds=('sent',),
                     process='mariadbd'))
def mariadb_wait_timeout_pymysql(lab):
    databases.mariadb(lab, '--wait-timeout=1')
    lab.python(CLIENT, PYMYSQL, '1.9', '2')


@scenario(program='mariadb', limit=25, cause='db_pool_idle', end=CLIENT,
          kinds=('received',), process='mariadb', needs=MARIA + ('mariadb',),
          other=dict(cause=('linger_zero',) + LATE_CAUSES, kinds=('sent',),
                     process='mariadbd'))
def mariadb_wait_timeout_cli(lab):
    databases.mariadb(lab, '--wait-timeout=2', '--interactive-timeout=2')
    lab.run(CLIENT, ['sh', '-c', '(echo "select 1;"; sleep 2.8; '
                     'echo "select 2;"; sleep .3) | mariadb --skip-ssl '
                     '--skip-reconnect -N -uu -pp -h ' + SERVER_IP])


@scenario(program='mariadb', limit=25, cause=None, end=CLIENT, needs=MARIA,
          lookalike_of='mariadb_wait_timeout_pymysql')
def mariadb_quit(lab):
    databases.mariadb(lab)
    lab.python(CLIENT, PYMYSQL + '''
    for c in pool:
        c.close()
    ''', '1.0', '3')


@scenario(program='mariadb', limit=25, cause='server_crash', end=CLIENT,
          kinds=('received', 'hangup', 'refused'), needs=MARIA, count=3,
          other=dict(cause=('process_exit', 'late_data', 'linger_zero',
                            'port_closed'), kinds=('sent',)),
          lookalike_of='mariadb_wait_timeout_pymysql')
def mariadb_killed_while_pooled(lab):
    server = databases.mariadb(lab)
    client = lab.python(CLIENT, PYMYSQL + '''
    for i in range(3):
        try:
            pymysql.connect(host='%s', user='u', password='p',
                            connect_timeout=2)
        except pymysql.Error as e:
            print(repr(e))
    ''' % SERVER_IP, '1.9', '4', background=True)
    lab.sleep(1.7)
    server.kill()
    client.wait(8)


@scenario(program='mariadb', limit=25, cause='db_pool_idle', end=CLIENT,
          kinds=('received',), process='python3', needs=MARIA + ('nft',))
def mariadb_firewall_rejects(lab):
    """The firewall forgot the idle connection and resets what comes."""
    databases.mariadb(lab)
    forgetful(lab, 'reject with tcp reset')
    lab.python(CLIENT, PYMYSQL, '3.0', '2')


@scenario(program='mariadb', limit=25, cause='db_pool_idle', end=CLIENT,
          kinds=('timeout',), process='python3', needs=MARIA + ('nft',))
def mariadb_firewall_forgets(lab):
    databases.mariadb(lab)
    forgetful(lab, 'drop')
    lab.python(CLIENT, PYMYSQL, '3.0', '1', '2000', timeout=12)


# Redis

@scenario(program='redis', cause='db_pool_idle', end=CLIENT,
          kinds=('received',), process='python3', syscall='read', count=2,
          needs=PYREDIS,
          other=dict(cause=LATE_CAUSES, kinds=('sent',),
                     process='redis-server'))
def redis_timeout_python(lab):
    databases.redis(lab, '--timeout', '1')
    lab.python(CLIENT, PYREDIS_USE, '2.4', '2', '6379')


@scenario(program='redis', cause='db_pool_idle', end=CLIENT,
          kinds=('received',), process='redis-cli', syscall='read',
          needs=REDIS + ('redis-cli',),
          other=dict(cause=LATE_CAUSES, kinds=('sent',),
                     process='redis-server'))
def redis_timeout_cli(lab):
    databases.redis(lab, '--timeout', '2')
    lab.run(CLIENT, ['sh', '-c', '(echo "get a"; sleep 3.4; echo "get a"; '
                     'sleep .3) | redis-cli -h ' + SERVER_IP])


@scenario(program='redis', cause='db_pool_idle', end=CLIENT,
          kinds=('received',), process='node', needs=REDIS + ('node',),
          other=dict(cause=LATE_CAUSES, kinds=('sent',),
                     process='redis-server'))
def redis_timeout_node(lab):
    """A pool that does not listen for 'end': half-open is allowed."""
    databases.redis(lab, '--timeout', '1')
    lab.node(CLIENT, '''
        const net = require('net');
        const s = net.connect({port: 6379, host: '%s', allowHalfOpen: true});
        s.on('error', e => { console.log(e.code); process.exit(); });
        s.on('data', d => console.log(String(d)));
        s.write('*1\\r\\n$4\\r\\nPING\\r\\n');
        setTimeout(() => s.write('*1\\r\\n$4\\r\\nPING\\r\\n'), 2600);
        setTimeout(() => process.exit(), 3200);
    ''' % SERVER_IP)


@scenario(program='redis', cause=None, end=CLIENT, needs=PYREDIS,
          lookalike_of='redis_timeout_python')
def redis_pool_checks(lab):
    """redis-py looks at a pooled connection first and makes a new one."""
    databases.redis(lab, '--timeout', '1')
    lab.python(CLIENT, '''
        import redis, time
        r = redis.Redis(host='%s')
        r.set('a', 1)
        time.sleep(2.6)
        print(r.get('a'))
        r.close()
    ''' % SERVER_IP)


@scenario(program='redis', cause='server_crash', end=CLIENT,
          kinds=('received', 'hangup', 'refused'), needs=PYREDIS, count=3,
          other=dict(cause=('process_exit', 'late_data', 'port_closed'),
                     kinds=('sent',)),
          lookalike_of='redis_timeout_python')
def redis_killed_while_pooled(lab):
    server = databases.redis(lab)
    client = lab.python(CLIENT, PYREDIS_USE + '''
    for i in range(3):
        try:
            redis.Connection(host='%s', port=port).connect()
        except redis.RedisError as e:
            print(repr(e))
    ''' % SERVER_IP, '1.7', '4', '6379', background=True)
    lab.sleep(1.5)
    server.kill()
    client.wait(8)


@scenario(program='redis', cause='db_pool_idle', end=CLIENT,
          kinds=('timeout',), process='python3', needs=PYREDIS + ('nft',))
def redis_firewall_forgets(lab):
    databases.redis(lab)
    forgetful(lab, 'drop')
    lab.python(CLIENT, PYREDIS_USE, '3.0', '1', '6379', '2000', timeout=12)


@scenario(program='redis', cause=('db_pool_idle', 'lb_idle_timeout'),
          end=CLIENT, kinds=('received',), process='python3', count=2,
          needs=PYREDIS + ('haproxy',),
          other=dict(cause=('lb_idle_timeout', 'linger_zero') + LATE_CAUSES,
                     kinds=('sent', 'received')))
def redis_behind_haproxy_idle(lab):
    databases.redis(lab)
    conf = lab.file('haproxy.cfg', '''
        defaults
            mode tcp
            timeout connect 2s
            timeout client 1s
            timeout server 1s
        listen redis
            bind %s:6380
            server a %s:6379
            log-tag redis
''' % (SERVER_IP, SERVER_IP))
    lab.start(SERVER, ['haproxy', '-db', '-f', conf], port=6380)
    lab.python(CLIENT, PYREDIS_USE, '2.2', '2', '6380')
