"""How long tests wait for what is awaited: a busy machine takes ten times as long as a free one."""

# Nothing but a hang takes as long. What is asserted to be quick has a bound of its own.
HANG_SECONDS = 60.0
