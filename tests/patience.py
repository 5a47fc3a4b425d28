"""How long tests wait. A busy machine takes ten times as long, and only a hang takes for ever."""

# For what is awaited: nothing but a hang takes as long.
HANG_SECONDS = 60.0
# For what is to end at once, or by a limit of its own, where the fault would take longer: a head
# may take 10, a stream's next sign of life 15, a drain 20.
PROMPT_SECONDS = 8.0
