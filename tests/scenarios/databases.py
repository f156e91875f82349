# SPDX-License-Identifier: Apache-2.0
"""Database servers for scenarios: each with a data directory of its own, made
once per run and copied, under the user that its package made."""
import atexit
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import tempfile

from lab import SERVER, SERVER_IP, Failed, which

POSTGRES = '/usr/lib/postgresql/15/bin/postgres'
INITDB = '/usr/lib/postgresql/15/bin/initdb'
# Made by the parent of the scenarios, which share it, and removed by it.
TEMPLATES = tempfile.mkdtemp(prefix='rstscope-databases-')
os.chmod(TEMPLATES, 0o755)
atexit.register(shutil.rmtree, TEMPLATES, ignore_errors=True)


def as_user(name, argv):
    user = pwd.getpwnam(name)
    # A change of user clears the wish to die with the parent: say it again.
    return ['setpriv', '--reuid', str(user.pw_uid), '--regid',
            str(user.pw_gid), '--clear-groups', '--pdeathsig',
            'KILL'] + argv


def template(name, user, make):
    """A data directory made by make(path), once."""
    top = os.path.join(TEMPLATES, name)
    with open(top + '.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(top):
            make_template(top, pwd.getpwnam(user), make)
    return os.path.join(top, 'data')


def make_template(top, user, make):
    new = top + '.new'  # may be there: cut off by a scenario's limit
    shutil.rmtree(new, ignore_errors=True)
    os.mkdir(new)
    os.chown(new, user.pw_uid, user.pw_gid)
    p = subprocess.run(make(os.path.join(new, 'data')), text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       stdin=subprocess.DEVNULL, cwd=new)
    if p.returncode:
        raise Failed('%s: %s' % (os.path.basename(top), p.stdout[-500:]))
    os.rename(new, top)


def copy(lab, name, user, make):
    path = os.path.join(lab.dir, name)
    # cp keeps owner and mode, which both servers insist on.
    subprocess.run(['cp', '-a', template(name, user, make), path],
                   check=True)
    return path


def have_user(lab, name):
    try:
        pwd.getpwnam(name)
    except KeyError:
        lab.skip('there is no user ' + name)


def postgres(lab, *options, port=5432):
    have_user(lab, 'postgres')
    data = copy(lab, 'postgres', 'postgres', lambda path: as_user(
        'postgres', [INITDB, '-D', path, '-A', 'trust', '-N', '-U',
                     'postgres', '--locale=C']))
    hba = os.path.join(data, 'pg_hba.conf')
    with open(hba, 'a') as f:
        f.write('host all all 0.0.0.0/0 trust\n')
    server = lab.start(SERVER, as_user('postgres', [
        POSTGRES, '-D', data, '-p', str(port), '-c',
        'listen_addresses=' + SERVER_IP, '-c', 'unix_socket_directories=',
        '-c', 'fsync=off', '-c', 'shared_buffers=8MB', '-c',
        'max_worker_processes=2'] + list(options)), port=port)
    lab.wait_line(server, 'ready to accept connections', 8)
    return server


def backends(server):
    """Ids of the server's processes for sessions."""
    path = '/proc/%d/task/%d/children' % (server.pid, server.pid)
    with open(path) as f:
        children = [int(x) for x in f.read().split()]
    found = []
    for pid in children:
        with open('/proc/%d/cmdline' % pid) as f:
            if '(' in f.read():
                found.append(pid)
    return found


def kill_session(server):
    """The whole server at once, as an out-of-memory host does."""
    pids = backends(server)
    os.kill(server.pid, signal.SIGKILL)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    server.wait()


def kill_one_backend(server):
    os.kill(backends(server)[0], signal.SIGKILL)


def pgbouncer(lab, **settings):
    have_user(lab, 'postgres')
    base = dict(listen_addr=SERVER_IP, listen_port=6432, auth_type='any',
                pool_mode='session', unix_socket_dir='',
                user='postgres')
    base.update(settings)
    conf = lab.file('pgbouncer.ini', '\n'.join(
        ['[databases]', 'postgres = host=%s user=postgres' % SERVER_IP,
         '[pgbouncer]'] + ['%s = %s' % x for x in base.items()] + ['']))
    return lab.start(SERVER, ['pgbouncer', conf], port=6432)


def mariadb(lab, *options):
    have_user(lab, 'mysql')
    install = which('mariadb-install-db') or which('mysql_install_db')
    if not install:
        lab.skip('mariadb-install-db is not installed')
    data = copy(lab, 'mariadb', 'mysql', lambda path: [
        install, '--no-defaults', '--user=mysql', '--datadir=' + path,
        '--skip-test-db', '--auth-root-authentication-method=normal'])
    init = lab.file('init.sql', "create user if not exists 'u'@'%' "
                    "identified by 'p';\ngrant all on *.* to 'u'@'%';\n")
    server = lab.start(SERVER, as_user('mysql', [
        'mariadbd', '--no-defaults', '--datadir=' + data,
        # Not beside the data, which may be copied and kept.
        '--socket=%s/mariadb/%d' % (TEMPLATES, os.getpid()),
        '--bind-address=' + SERVER_IP,
        '--skip-name-resolve', '--pid-file=' + os.path.join(data, 'pid'),
        '--init-file=' + init, '--innodb-buffer-pool-size=8M',
        '--innodb-log-file-size=4M'] + list(options)), port=3306)
    lab.wait_line(server, 'ready for connections', 8)
    return server


def redis(lab, *options, port=6379):
    return lab.start(SERVER, [
        'redis-server', '--bind', SERVER_IP, '--port', str(port), '--save',
        '', '--protected-mode', 'no', '--dir', lab.dir] + list(options),
        port=port)
