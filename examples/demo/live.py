"""A working day that goes on: believable events, now and then, until somebody stops it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from examples.demo.bodies import Call, Post
from examples.demo.sample import Sample, Teller
from examples.demo.team import PEOPLE, TOKYO


@dataclass(frozen=True, slots=True)
class Happening:
    """One call, whether it led to an appointment, and what the providers send about it."""

    call: Call
    appointment: bool
    posts: list[Post]


def happenings(sample: Sample, clock: Callable[[], datetime], seed: int) -> Iterator[Happening]:
    """One call after the other; some lead to an appointment."""
    random = Random(seed)
    people = [person for person in PEOPLE for _ in range(person.calls_a_day)]
    teller = Teller(sample, clock(), random, numbers=90_000)
    while True:
        teller.now = clock().astimezone(TOKYO).replace(microsecond=0)
        known = len(sample.posts)
        person = random.choice(people)
        call = teller.call(person, teller.now - timedelta(seconds=random.randint(30, 400)))
        answered = call.outbound and call.ended == "completed"
        appointment = answered and random.random() < 2 * person.hit_rate
        if appointment:
            teller.meeting(person, teller.now)
        posts = sample.posts[known:]
        del sample.posts[known:]
        yield Happening(call, appointment, posts)


def pause(random: Random) -> float:
    """Seconds until the next event."""
    return min(6.0, random.expovariate(1 / 1.6) + 0.3)
