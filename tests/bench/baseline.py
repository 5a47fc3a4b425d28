"""The baseline of single events: a FastAPI endpoint that only validates the same JSON.

It stores nothing. Budget: our durable, deduplicated, tallied ingest is to be as fast as this.
"""

from __future__ import annotations

import argparse
from typing import Literal

import uvicorn
from fastapi import FastAPI
from pydantic import AwareDatetime, BaseModel

app = FastAPI(strict_content_type=False)


class Call(BaseModel):
    """The fields of a call."""

    direction: Literal["inbound", "outbound"]
    outcome: Literal["connected", "no_answer", "busy", "voicemail", "failed", "canceled"]
    started_at: AwareDatetime
    talk_seconds: int
    counterpart: str


class Event(BaseModel):
    """The attributes of the event."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    time: AwareDatetime
    actor: str
    data: Call


class Counted(BaseModel):
    """The answer."""

    accepted: int


@app.post("/noop")
async def noop(event: Event) -> Counted:
    """Validate, and say so."""
    return Counted(accepted=len(event.id) and 1)


def main() -> None:
    """Serve on the port given, as the service itself is served."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    uvicorn.run(
        app,
        port=parser.parse_args().port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
