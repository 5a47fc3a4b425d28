from tests.prometheus_tools import promtool

__all__ = ["promtool"]
