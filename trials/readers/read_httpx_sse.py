"""Reads with httpx-sse. It does not reconnect by itself: the loop that does is written by hand.

python read_httpx_sse.py URL NAME...
"""

import sys
import time

import httpx
from httpx_sse import connect_sse

from program import end_with_stdin, say

url = sys.argv[1]
last_event_id = ""
retry_s = 1.0


def connect(client):
    """Reads one connection to its end. Returns False when there is nothing more to come."""
    global last_event_id, retry_s
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    with connect_sse(client, "GET", url, headers=headers) as source:
        if source.response.status_code == 204:
            return False
        source.response.raise_for_status()
        say(open=True)
        for sse in source.iter_sse():
            last_event_id = sse.id
            if sse.retry is not None:
                retry_s = sse.retry / 1000
            say(event=sse.event, data=sse.data, id=sse.id)
    return True


def connect_or_say(client):
    try:
        return connect(client)
    except httpx.HTTPError as error:
        say(error=repr(error))
        return True


end_with_stdin()
with httpx.Client(timeout=httpx.Timeout(10, read=None)) as client:
    while connect_or_say(client):
        time.sleep(retry_s)
say(stopped=True)
