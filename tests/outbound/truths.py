"""What is to stand of an account, by the account itself and not by any reader of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.activities import RETRACTED, State
from app.domain.instants import instant, written_instant
from tests.intake.google_events import CLIENT
from tests.intake.ringcentral_events import CUSTOMER, SATO
from tests.outbound.aircall_account import Aircall
from tests.outbound.google_account import Workspace
from tests.outbound.ringcentral_account import RingCentral
from tests.outbound.simulator import Close, Hubspot, Kintone, Pipedrive, Salesforce
from tests.outbound.zoho_account import Zoho

# By the key of an activity: some of its fields. None where nothing is to stand, or is withdrawn.
Truth = dict[str, dict[str, Any] | None]

OUTCOMES = {"Accepted": "connected", "Missed": "no_answer", "Voicemail": "voicemail"}
STATUSES = {"won": "won", "active": "open", "lost": "lost"}
WORDS = {"受注": "won", "失注": "lost", "商談中": "open"}


def differing(truth: Truth, found: Mapping[str, State]) -> dict[str, Any]:
    """What stands otherwise than it is to, or is to stand and does not."""
    wrong = {key: (truth[key], found.get(key)) for key in truth if not _right(truth, found, key)}
    more = {key: state for key, state in found.items() if key not in truth and not state.retracted}
    return wrong | more


def _right(truth: Truth, found: Mapping[str, State], key: str) -> bool:
    fields, state = truth[key], found.get(key)
    if state is None or fields is None:
        return fields is None and (state is None or state.retracted)
    gone = state.retracted and not fields.get(RETRACTED)
    return not gone and all(state.fields.get(name) == value for name, value in fields.items())


def of_pipedrive(account: Pipedrive) -> Truth:
    truth: Truth = {}
    for (entity, number), one in account.truth.items():
        told = {"status": one["status"], "amount": str(one["value"])} if entity == "deal" else {}
        truth[f"{entity}:{number}"] = None if one["is_deleted"] else told
    return truth


def of_kintone(account: Kintone) -> Truth:
    """Its records as deals of app 12."""
    return {
        f"12:{number}": {
            "amount": record["金額"]["value"],
            "status": WORDS[record["状況"]["value"]],
        }
        for number, record in account.truth.items()
    }


def of_salesforce(account: Salesforce) -> Truth:
    return {
        f"Opportunity:{id_}": {RETRACTED: True}
        if record["IsDeleted"]
        else {"amount": str(record["Amount"])}
        for (_, id_), record in account.truth.items()
    }


def of_hubspot(account: Hubspot) -> Truth:
    return {
        f"deal:{number}": {RETRACTED: True}
        if one["archived"]
        else {"amount": one["properties"]["amount"]}
        for (_, number), one in account.truth.items()
    }


def of_zoho(account: Zoho) -> Truth:
    gone: Truth = {f"deal:{id_}": None for _, id_ in account.gone}
    return gone | {
        f"deal:{id_}": {"amount": str(one["Amount"])} for (_, id_), one in account.truth.items()
    }


def of_close(account: Close) -> Truth:
    return {id_: _of_close(kind, one) for (kind, id_), one in account.truth.items()}


def _of_close(kind: str, one: dict[str, Any] | None) -> dict[str, Any] | None:
    if one is None:
        return None
    if kind == "opportunity":
        whole, cents = divmod(one["value"], 100)
        amount = f"{whole}.{cents:02d}".rstrip("0").rstrip(".")
        return {"status": STATUSES[one["status_type"]], "amount": amount}
    return {"talk_seconds": one["duration"]} if kind == "activity.call" else {}


def of_aircall(account: Aircall) -> Truth:
    """Its calls; one that is under way is nothing yet."""
    truth: Truth = {}
    for id_, one in account.truth.items():
        talked = one["answered_at"] is not None
        missed = "voicemail" if one["voicemail"] else "no_answer"
        truth[str(id_)] = one["ended_at"] and {
            "outcome": "connected" if talked else missed,
            "talk_seconds": one["ended_at"] - one["answered_at"] if talked else 0,
            "agent": one["user"] and one["user"]["email"].casefold(),
        }
    return truth


def of_ringcentral(account: RingCentral) -> Truth:
    truth: Truth = {}
    for session, one in account.truth.items():
        outcome = OUTCOMES[one["result"]]
        truth[session] = {
            "outcome": outcome,
            "talk_seconds": one["legs"][-1]["duration"] if outcome == "connected" else 0,
            "duration_seconds": one["duration"],
            "started_at": written_instant(instant(one["startTime"])),
            "counterpart": CUSTOMER,
            "agent": None if outcome == "no_answer" else SATO,
        }
    return truth


def of_google(account: Workspace, *ours: str) -> Truth:
    """Meetings with the client, of whoever of us organizes one, and not of who has a copy of it."""
    return {
        f"{calendar}/{id_}": _meeting(copy)
        for calendar in ours
        for id_, copy in account.copies.get(calendar, {}).items()
    }


def _meeting(copy: dict[str, Any]) -> dict[str, Any] | None:
    if copy["status"] == "cancelled" or not copy["organizer"].get("self"):
        return None
    if all(guest["email"] != CLIENT for guest in copy["attendees"]):
        return None
    starts = written_instant(instant(copy["start"]["dateTime"]))
    return {"starts_at": starts, "organizer": copy["organizer"]["email"]}
