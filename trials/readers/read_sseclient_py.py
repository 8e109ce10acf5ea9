"""Reads with sseclient-py over requests. It does not reconnect by itself: the loop that does is written by hand.

python read_sseclient_py.py URL NAME...
"""

import sys
import time

import requests
from sseclient import SSEClient

from program import end_with_stdin, say

url = sys.argv[1]
last_event_id = ""
retry_s = 1.0


def connect():
    """Reads one connection to its end. Returns False when there is nothing more to come."""
    global last_event_id, retry_s
    headers = {"Accept": "text/event-stream"}
    if last_event_id:
        headers["Last-Event-ID"] = last_event_id
    with requests.get(url, stream=True, headers=headers, timeout=(10, None)) as response:
        if response.status_code == 204:
            return False
        response.raise_for_status()
        say(open=True)
        for event in SSEClient(response).events():
            if event.id is not None:
                last_event_id = event.id
            if event.retry is not None:
                retry_s = int(event.retry) / 1000
            say(event=event.event, data=event.data, id=last_event_id)
    return True


def connect_or_say():
    try:
        return connect()
    except requests.RequestException as error:
        say(error=repr(error))
        return True


end_with_stdin()
while connect_or_say():
    time.sleep(retry_s)
say(stopped=True)
