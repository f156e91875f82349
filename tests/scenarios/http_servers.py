# SPDX-License-Identifier: Apache-2.0
"""HTTP servers of many makes, each told to close idle connections after about
IDLE seconds, at 10.77.2.2:8080. start_NAME(lab, where, ip) gives the Proc."""
from lab import CLIENT, PYTHON, SERVER, SERVER_IP

IDLE = 2
PORT = 8080

WSGI = '''
import time
def app(environ, start_response):
    body = environ['wsgi.input']
    if environ['PATH_INFO'] == '/refuse':
        start_response('413 Payload Too Large', [('Content-Length', '3')])
        return [b'no\\n']
    if environ['PATH_INFO'] == '/slow':
        time.sleep(3)
    start_response('200 OK', [('Content-Length', '6')])
    return [b'hello\\n']
'''

ASGI = '''
async def app(scope, receive, send):
    if scope['type'] != 'http':
        return
    await send({'type': 'http.response.start', 'status': 200,
                'headers': [(b'content-length', b'6')]})
    await send({'type': 'http.response.body', 'body': b'hello\\n'})
'''


def start_nginx(lab, where=SERVER, ip=SERVER_IP, http='', location='',
                main='', modules=''):
    return lab.start(where, ['nginx', '-e', 'stderr', '-c', lab.file(
        'nginx.conf', '''
%s
user root; worker_processes 1; daemon off; pid %s/nginx.pid;
error_log stderr warn; %s
events { worker_connections 256; }
http {
    access_log off; keepalive_timeout %ds;
    client_body_temp_path %s/body; proxy_temp_path %s/proxy;
    fastcgi_temp_path %s/f; uwsgi_temp_path %s/u; scgi_temp_path %s/s;
    %s
    server { listen %s:%d; location / { %s } }
}
''' % ((modules, lab.dir, main, IDLE) + (lab.dir,) * 5 +
            (http, ip, PORT, location or 'return 200 "hello\\n";')))],
        port=PORT)


def start_apache(lab, where=SERVER, ip=SERVER_IP, more=''):
    mods = '/usr/lib/apache2/modules/mod_'
    load = ''.join('LoadModule %s_module %s%s.so\n' % (m, mods, m)
                   for m in ('mpm_event', 'authz_core', 'dir', 'reqtimeout'))
    lab.file('index.html', 'hello\n')
    return lab.start(where, ['apache2', '-DFOREGROUND',
                             '-f', lab.file('apache.conf', '''
ServerRoot %s
ServerName server.test
PidFile %s/apache.pid
ErrorLog /dev/stderr
%s
Listen %s:%d
User www-data
Group www-data
StartServers 1
ServerLimit 1
ThreadsPerChild 16
MaxRequestWorkers 16
KeepAlive On
KeepAliveTimeout %d
DocumentRoot %s
<Directory %s>
Require all granted
</Directory>
%s
''' % (lab.dir, lab.dir, load, ip, PORT, IDLE, lab.dir, lab.dir, more))],
        port=PORT)


def start_haproxy_http(lab, where=SERVER, ip=SERVER_IP):
    return lab.start(where, ['haproxy', '-f', lab.file('haproxy.cfg', '''
global
    maxconn 100
defaults
    mode http
    timeout client 30s
    timeout server 30s
    timeout connect 2s
    timeout http-keep-alive %ds
frontend f
    bind %s:%d
    http-request return status 200 content-type text/plain string hello
''' % (IDLE, ip, PORT))], port=PORT)


def start_gunicorn(lab, where=SERVER, ip=SERVER_IP, worker='gthread',
                   more=()):
    lab.file('wsgi.py', WSGI)
    return lab.start(where, ['gunicorn', '-k', worker, '--threads',
                             4 if worker == 'gthread' else 1,
                             '--keep-alive', IDLE, '-b',
                             '%s:%d' % (ip, PORT), *more, 'wsgi:app'],
                     port=PORT, env={'PYTHONPATH': lab.dir})


def start_uvicorn(lab, where=SERVER, ip=SERVER_IP):
    lab.file('asgi.py', ASGI)
    return lab.start(where, ['uvicorn', '--timeout-keep-alive', IDLE,
                             '--host', ip, '--port', PORT, 'asgi:app'],
                     port=PORT, env={'PYTHONPATH': lab.dir})


def start_puma(lab, where=SERVER, ip=SERVER_IP):
    return lab.start(where, ['puma', '-C', lab.file('puma.rb', '''
bind 'tcp://%s:%d'
threads 2, 2
persistent_timeout %d
app { |env| [200, {'Content-Length' => '6'}, ["hello\\n"]] }
''' % (ip, PORT, IDLE))], port=PORT, env={'HOME': lab.dir})


def start_varnish(lab, where=SERVER, ip=SERVER_IP):
    vcl = lab.file('v.vcl', '''
vcl 4.1;
backend none none;
sub vcl_recv { return (synth(200, "hello")); }
''')
    return lab.start(where, ['varnishd', '-F', '-n', lab.dir + '/varnish',
                             '-a', '%s:%d' % (ip, PORT), '-f', vcl,
                             '-p', 'timeout_idle=%d' % IDLE,
                             '-T', 'none', '-s', 'malloc,10m'], port=PORT)


def start_node(lab, where=SERVER, ip=SERVER_IP):
    proc = lab.node(where, '''
        const http = require('http');
        const s = http.createServer((q, r) => { r.end('hello'); });
        s.keepAliveTimeout = %d;
        s.listen(%d, '%s');
    ''' % (IDLE * 1000 - 1000, PORT, ip), background=True)
    lab.wait_port(where, PORT, proc=proc)
    return proc


def start_python(lab, where=SERVER, ip=SERVER_IP):
    """http.server's handler with a timeout, threads."""
    return background_python(lab, where, '''
        import http.server
        class H(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            timeout = %d
            def do_GET(self):
                self.send_response(200)
                self.send_header('Content-Length', '6')
                self.end_headers()
                self.wfile.write(b'hello\\n')
        http.server.ThreadingHTTPServer(('%s', %d), H).serve_forever()
    ''' % (IDLE, ip, PORT), PORT)


def background_python(lab, where, code, port=None):
    proc = lab.python(where, code, background=True)
    if port:
        lab.wait_port(where, port, proc=proc)
    return proc


def node_server(lab, body, before='', after=''):
    proc = lab.node(SERVER, '''
        const http = require('http');
        %s
        const s = http.createServer((q, r) => { %s });
        s.listen(8080); %s
    ''' % (before, body, after), background=True)
    lab.wait_port(SERVER, PORT, proc=proc)
    return proc


def curl(lab, *args, timeout=10):
    return lab.run(CLIENT, ['curl', '-sS', '-o', '/dev/null'] + list(args),
                   timeout=timeout)


SERVERS = {
    'nginx': (start_nginx, ('nginx',)),
    'apache': (start_apache, ('apache2',)),
    'haproxy': (start_haproxy_http, ('haproxy',)),
    'gunicorn': (start_gunicorn, ('gunicorn',)),
    'uvicorn': (start_uvicorn, ('uvicorn',)),
    'puma': (start_puma, ('puma',)),
    'varnish': (start_varnish, ('varnishd',)),
    'node': (start_node, ('node',)),
    'httpserver': (start_python, (PYTHON,)),
}
