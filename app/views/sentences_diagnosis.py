"""The sentences of a diagnosis: the fact, and what is known of its cause."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "nothing_expected_by_now": (
        "Nothing is expected by now.",
        "現時点で求められている実績はありません。",
    ),
    "all_on_pace": (
        "Everything is where the plan expects it by now: {reached}.",
        "すべて計画どおりです: {reached}。",
    ),
    "all_behind": (
        "Everything is behind what the plan expects by now: {missed}.",
        "すべて計画に届いていません: {missed}。",
    ),
    "upstream_reached_downstream_not": (
        "{reached} reached what the plan expects by now; {missed} did not.",
        "{reached} は計画に達していますが、{missed} は達していません。",
    ),
    "downstream_reached_upstream_not": (
        "{reached} reached what the plan expects by now, although {missed} did not.",
        "{missed} は計画に届いていませんが、{reached} は達しています。",
    ),
    "some_behind": (
        "On pace: {reached}. Behind: {missed}.",
        "計画どおり: {reached}。遅れ: {missed}。",
    ),
    "cause_proven": (
        "{step} fell from {plan} to {actual}: {cost} of {goal}. It is not chance.",
        "{step} が {plan} から {actual} に低下、{goal} への影響 {cost}。偶然ではありません。",
    ),
    "cause_likely": (
        "{step} is {actual} instead of {plan}: {cost} of {goal}. Look at it: it is hardly chance.",
        "{step} が {plan} に対し {actual}、{goal} への影響 {cost}。偶然とは考えにくい差です。",
    ),
    "cause_not_yet_distinguishable": (
        "Most of the gap: {step} is {actual}, not {plan}: {cost} of {goal}. It may be chance yet.",
        "差の主因: {step} が {plan} に対し {actual}、{goal} への影響 {cost}。まだ偶然の範囲です。",
    ),
    "signal_below": (
        "{who}: {step} is {actual} instead of {plan}. That is hardly chance.",
        "{who}: {step} が計画 {plan} に対し {actual} です。偶然とは考えにくい差です。",
    ),
    "signal_above": (
        "{who}: {step} is {actual}, more than the plan's {plan}. That is hardly chance.",
        "{who}: {step} が {actual} で、計画の {plan} を上回っています。偶然とは考えにくい差です。",
    ),
    "rate_has_drifted": (
        "{step} is {observed}, not {assumed}: no chance. At that rate the plan needs {needed}.",
        "{step} は {assumed} ではなく {observed} で、偶然ではありません。必要数: {needed}。",
    ),
    "nothing_converts": (
        "{step} is 0, not {assumed}: no chance. No number below it would be enough.",
        "{step} は {assumed} ではなく 0 で、偶然ではありません。下位の目標を増やしても届きません。",
    ),
}
