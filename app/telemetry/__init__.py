"""What the service tells about itself: logs and its own counters.

Both leave the house, so both are bounded: a log line has an end, no control characters and no
secrets; a label has a fixed set of values, whatever comes in.
"""

from app.telemetry.counters import METHODS, Counters
from app.telemetry.logs import AccessLog, Answered, configure_logs, logger, safe

__all__ = ["METHODS", "AccessLog", "Answered", "Counters", "configure_logs", "logger", "safe"]
