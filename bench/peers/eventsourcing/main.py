"""What the stock `eventsourcing` library does on the database whose address is given: appends, read + append, and
its log read from the beginning. Prints one JSON document.

Usage: python main.py postgres://... SECONDS
"""

import json
import os
import sys
import threading
import time
from importlib.metadata import version
from urllib.parse import unquote, urlsplit

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

THREADS = (1, 8)
MESSAGES_PER_CONVERSATION = 20
# Notifications selected at once: the log reads fastest with large sections.
SECTION = 1000
# About 390 bytes of payload and 130 of metadata, as everybody's; it keeps both in one state.
TEXT = ("Hello! Do you still have some peaches? " * 6)[:202]


class Conversation(Aggregate):
    @event("Started")
    def __init__(self):
        self.messages = 0

    @event("MessageReceived")
    def receive(self, payload, metadata):
        self.messages += 1


class Inbox(Application):
    log_section_size = SECTION


def message(number):
    digits = f"{number:032x}"
    payload = {
        "channel": "c41f9d3ae8728b6d9a0b1c2d3e4f5a6b",
        "message": digits,
        "provider_message_id": f"m_AbCdEfGhIjKlMnOp-{number:012}",
        "text": TEXT,
        "provider_at": 1789999997500000,
    }
    metadata = {"actor": "contact", "causation": digits, "correlation": digits, "recorded_at": "1789999997500000"}
    return payload, metadata


def size():
    payload, _ = message(1)
    return len(json.dumps(payload, separators=(",", ":")))


def load(app, what, threads, seconds):
    """Each thread has conversations of its own, so that none conflicts with another's. The event that begins one is
    saved with the first message, and not counted."""
    counts = [0] * threads
    errors = []
    begin = time.monotonic()
    end = begin + seconds

    def one(thread):
        try:
            conversation, number = None, 0
            while time.monotonic() < end:
                if number % MESSAGES_PER_CONVERSATION == 0:
                    conversation = Conversation()
                elif what == "read_append":
                    conversation = app.repository.get(conversation.id)
                conversation.receive(*message(number))
                app.save(conversation)
                number += 1
                counts[thread] += 1
        except Exception as error:
            errors.append(error)

    running = [threading.Thread(target=one, args=(thread,)) for thread in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if errors:
        raise errors[0]
    rate = sum(counts) / (time.monotonic() - begin)
    return {"what": what, "tasks": threads, "count": sum(counts), "per_second": rate}


def read_log(app):
    count, position = 0, 0
    begin = time.monotonic()
    while True:
        section = app.notification_log.select(start=position + 1, limit=SECTION)
        if not section:
            break
        for notification in section:
            app.mapper.to_domain_event(notification)
        count += len(section)
        position = section[-1].id
    rate = count / (time.monotonic() - begin)
    return {"what": "read_log", "tasks": 1, "count": count, "per_second": rate}


def main():
    url, seconds = sys.argv[1], float(sys.argv[2])
    if size() != 390:
        raise SystemExit(f"the event has {size()} bytes")
    address = urlsplit(url)
    place, _, port = address.netloc.rpartition("@")[2].rpartition(":")
    os.environ.update(
        PERSISTENCE_MODULE="eventsourcing.postgres",
        POSTGRES_DBNAME=address.path.lstrip("/"),
        POSTGRES_HOST=unquote(place),
        POSTGRES_PORT=port,
        POSTGRES_USER=address.username,
        POSTGRES_PASSWORD="",
        POSTGRES_POOL_SIZE=str(max(THREADS)),
        # One round trip an append: the faster of its two ways.
        POSTGRES_ENABLE_DB_FUNCTIONS="y",
    )
    with Inbox() as app:
        rates = [load(app, what, threads, seconds) for what in ("append", "read_append") for threads in THREADS]
        rates.append(read_log(app))
    why = "a transaction locks the table until it is committed, so more than 8 threads only wait longer"
    cannot = [{"what": "append", "tasks": tasks, "why": why} for tasks in (32, 512)]
    print(json.dumps({"peer": f"eventsourcing {version('eventsourcing')} (Python)", "rates": rates, "cannot": cannot}))


main()
