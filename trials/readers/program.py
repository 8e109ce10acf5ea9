"""What every Python reader program does: says what it hears, ends with its stdin.

One JSON object a line on stdout: {"open":true}, {"event","data","id"}, {"error"}, {"stopped":true}.
"""

import json
import os
import sys
import threading


def say(**what):
    print(json.dumps(what), flush=True)


def end_with_stdin():
    def wait():
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()
