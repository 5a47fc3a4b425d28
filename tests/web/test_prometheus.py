"""A real Prometheus scrapes a real service, and both of its formats are read by its own tools."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import openmetrics
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families

from tests.prometheus_tools import prometheus, promtool
from tests.web.service import ADMIN, Reading
from tests.web.test_cli import free_port
from tests.web.tree import ATTAINMENT, PLAN, create, report

__all__ = ["prometheus", "promtool"]
