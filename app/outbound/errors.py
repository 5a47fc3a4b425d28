"""Why a call brought nothing. The tree is small, for whoever catches must do one of three things.

CallError
    Away       nobody answers, or not now: the same again later (`retry_after` seconds, if told)
    Refused    the provider will not have us, or our settings are wrong: somebody must mend that
    Unusable   what was asked for cannot be had like this: another try brings the same
"""

from __future__ import annotations


class CallError(Exception):
    """A stable code, and never a piece of what was answered."""

    def __init__(self, code: str, retry_after: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after


class Away(CallError):
    """provider_away, provider_slow, provider_failed, provider_rate_limited."""


class Refused(CallError):
    """provider_refuses_us, address_not_allowed, api_not_configured."""


class Unusable(CallError):
    """provider_refuses_request, provider_answer_unusable, provider_answer_too_large."""
