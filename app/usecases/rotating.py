"""New secrets for a source, or another address, beside the old for a while.

The sender is changed in between.
"""

from __future__ import annotations

from app.domain.errors import Conflict, Fault, Invalid, NotFound
from app.domain.instants import MINUTE
from app.domain.kinds import RawValue
from app.intake.credentials import Absence, Secret, read_credentials
from app.intake.registry import PROVIDERS
from app.intake.source_settings import standing_settings
from app.usecases.context import Context
from app.usecases.organisation import SOURCE
from app.usecases.saving import ANY, Precondition, save, standing
from app.usecases.source_mapping import SETTINGS
from app.usecases.source_secrets import HOOK, held, hook_token, keep, made
from app.usecases.sources import SECRETS_VERSION, Connected, Showing
from app.usecases.vault import Held, Retiring, Secrets

# Of several rotations in a row; whoever needs more has another problem.
MOST_RETIRING = 10


def rotate(
    context: Context,
    workspace: str,
    key: str,
    given: RawValue,
    minutes: int,
    author: str,
    *,
    address: bool = False,
) -> Connected:
    """Replace secrets, or the address; what they were is taken for so many minutes more.

    Secrets that are given replace theirs; where neither one is given nor another address is wanted,
    what can be made is made anew. Raises NotFound `unknown_source`; Conflict `nothing_to_rotate`
    for a sender without secrets, or without an address; Invalid for wrong credentials, or where
    the new ones have to be given.
    """
    now = context.clock()
    with context.write(workspace) as writing:
        document = standing(writing, workspace, SOURCE, key)
        if document is None:
            raise NotFound("unknown_source", source=key)
        provider = PROVIDERS[document.body["provider"]]
        settings = standing_settings(provider.settings, document.body.get(SETTINGS))
        declared = provider.secrets_of(settings)
        if not (provider.hook if address else declared):
            raise Conflict("nothing_to_rotate", provider=provider.name)
        fresh, generated = ({}, {}) if address and not given else _fresh(context, declared, given)
        if address:
            fresh = fresh | {HOOK: (hook_token(context, workspace),)}
        before = held(context, writing, workspace, key)
        provider.check(settings, before.secrets | fresh)
        after = _rotated(before, fresh, now, now + minutes * MINUTE)
        body = document.body | {SECRETS_VERSION: document.body[SECRETS_VERSION] + 1}
        seen = Precondition(frozenset({ANY}))
        saved = save(writing, SOURCE, key, body, seen, author=author)
        keep(context, writing, key, after)
        return Showing(context, writing, workspace).connected(saved.document, after, generated)


def _fresh(
    context: Context, declared: tuple[Secret, ...], given: RawValue
) -> tuple[Secrets, dict[str, str]]:
    """The new secrets, and those among them that were made just now."""
    if given:
        named = [one for one in declared if isinstance(given, dict) and one.name in given]
        try:
            return dict(read_credentials(named, given)), {}
        except Invalid as error:
            raise error.below("/credentials") from None
    generated = {
        one.name: made(context, one) for one in declared if one.absence is Absence.GENERATED
    }
    if not generated:
        raise Invalid("invalid_credentials", Fault("/credentials", "required"))
    return {name: (value,) for name, value in generated.items()}, generated


def _rotated(before: Held, fresh: Secrets, now: int, until: int) -> Held:
    leaving = [
        Retiring(name, value, until)
        for name, values in fresh.items()
        for value in before.secrets.get(name, ())
        if value not in values
    ]
    # An address is remembered behind its time: a sender that still calls it is one to be told of.
    staying = [one for one in before.retiring if now < one.until or one.name == HOOK]
    staying.sort(key=lambda one: one.until, reverse=True)
    retiring = (*leaving, *staying)[:MOST_RETIRING]
    return Held(before.secrets | fresh, retiring)
