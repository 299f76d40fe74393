"""Writes test/fixtures/golden/tensorboard.tfevents, which SummaryWriter must write byte by byte, with TensorBoard's own classes.

    pip install tensorboard && python scripts/golden/tensorboard_events.py
"""

import pathlib

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

WALL_TIME = 1_700_000_000.25


def scalars(step, **values):
    value = [Summary.Value(tag=tag.replace("__", "/"), simple_value=number) for tag, number in values.items()]
    return Event(wall_time=WALL_TIME, step=step, summary=Summary(value=value))


def main():
    events = [
        Event(wall_time=WALL_TIME, file_version="brain.Event:2"),
        Event(wall_time=WALL_TIME, step=41, session_log=SessionLog(status=SessionLog.START)),
        scalars(41, loss__train=0.1),
        scalars(300, loss__train=0.0, **{"Genauigkeit/prüf": 1.0}),
        scalars(5_000_000_000, loss__train=float("inf")),
    ]
    path = pathlib.Path(__file__).parents[2] / "test/fixtures/golden/tensorboard.tfevents"
    with open(path, "wb") as file:
        writer = RecordWriter(file)
        for event in events:
            writer.write(event.SerializeToString())


if __name__ == "__main__":
    main()
