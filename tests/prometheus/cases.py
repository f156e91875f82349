# SPDX-License-Identifier: Apache-2.0
"""Test functions, run in order, with the lines of cmocka that tests/run reads."""
import re
import subprocess
import sys
import time
import traceback


def run(argv, limit=60, text=None):
    """Runs a program to its end; AssertionError with its output if it fails."""
    done = subprocess.run(argv, input=text, capture_output=True, text=True,
                          timeout=limit)
    assert done.returncode == 0, \
        f'{argv}: status {done.returncode}\n{done.stdout}{done.stderr}'
    return done.stdout


def wait_for(what, limit, condition, every=0.3):
    """The first true value of condition() within `limit` seconds."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f'{what}: not within {limit} s')
        time.sleep(every)


def short(text):
    """PromQL with seconds for minutes, so that a test need not wait."""
    text = re.sub(r'\b23h30m\b', '600s', text)
    text = re.sub(r'\b1h\b', '30s', text)
    return re.sub(r'\b(\d+)m\b', r'\1s', text)


def outcome(test, *args):
    """'passed' or 'failed', said as cmocka says it."""
    print(f'[ RUN      ] {test.__name__}', flush=True)
    try:
        test(*args)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        print(f'[  FAILED  ] {test.__name__}', flush=True)
        return 'failed'
    print(f'[       OK ] {test.__name__}', flush=True)
    return 'passed'


def main(name, tests, *args):
    """Exit status: the number of failed tests."""
    print(f'[==========] {name}: Running {len(tests)} test(s).', flush=True)
    results = {t.__name__: outcome(t, *args) for t in tests}
    failed = [n for n, result in results.items() if result == 'failed']
    print(f'[  PASSED  ] {len(tests) - len(failed)} test(s).')
    if failed:
        print(f'[  FAILED  ] {name}: {len(failed)} test(s), listed below:')
        print('\n'.join(f'[  FAILED  ] {n}' for n in failed))
    return len(failed)
